"""The pictures that detectors are compared on: what their runs kept of them, or a folder that is judged anew."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from classifier.data import Item
from classifier.evaluate import Batch, Scores, labelled, score
from classifier.pairing import Judgements, NotComparable, Shared, check_classes, shared
from classifier.runtime import Detector, calibrated
from classifier.split_record import content, seen_by
from forensics_app.core.contenders import Contender


@dataclass(frozen=True)
class Part:
    """A part of the comparison begins; `name` says which in words."""

    name: str


@dataclass(frozen=True)
class Looked:
    """Some of the part is done: `done` of `total`."""

    done: int
    total: int


Judged = tuple[Shared, list[str]]
"""The pictures that all judged, and what is to be known of them."""


def kept_judgements(those: Sequence[Contender]) -> Judged:
    """Pair what the runs kept of the pictures that they were measured on; raises `NotComparable`."""
    kept = []
    for one in those:
        if one.kept is None:
            raise NotComparable(
                f"It is not kept what {one.name} said of the pictures that it was measured on: "
                "give --data DIR to judge the pictures of a folder with each."
            )
        kept.append(one.kept)
    judged = shared(kept)
    notes = [
        f"{missing:,} of the {missing + len(judged.paths):,} pictures that {one.name} was measured on were not judged "
        "by all the others, and are left out."
        for one, missing in zip(those, judged.left_out, strict=True)
        if missing
    ]
    return judged, notes


def judged_anew(those: Sequence[Contender], data: Path) -> Generator[Part | Looked, None, Judged]:
    """Judge the pictures of a folder that had no part in making any of the detectors; raises `NotComparable`."""
    for one in those[1:]:
        check_classes(those[0].name, those[0].card.classes, one.name, one.card.classes)
    yield Part("Reading the pictures")
    items = labelled(those[0].card, data, None)
    items, notes = _unseen(items, those, data)
    found = []
    for one in those:
        yield Part(f"Judging with {one.name}")
        for event in score(Detector(one.installed.folder), items):
            if isinstance(event, Batch):
                yield Looked(event.done, event.total)
            else:
                found.append(_judgements(one, items, those[0].card.classes, event))
    return shared(found), notes


def _unseen(items: Sequence[Item], those: Sequence[Contender], data: Path) -> tuple[tuple[Item, ...], list[str]]:
    """Leave out what had a part in making one of the detectors, and say so, or that it cannot be known."""
    known = {one.name: seen_by(one.card, one.run.folder if one.run else None, data) for one in those}
    seen = frozenset[str]().union(*(pictures for pictures in known.values() if pictures))
    kept = tuple(item for item in items if content(item.path) not in seen) if seen else tuple(items)
    if not kept:
        raise NotComparable(
            f"Every picture in {data} had a part in making {' or '.join(known)}, so that none of them can be measured "
            "there: give a folder of pictures that they have not seen."
        )
    notes = []
    if len(kept) < len(items):
        notes.append(
            f"{len(items) - len(kept):,} of the {len(items):,} pictures in {data} had a part in making one of the "
            "detectors, and are left out."
        )
    for name, pictures in known.items():
        if pictures is None:
            notes.append(
                f"It is not known which pictures {name} was made from: if some of these are among them, its figures "
                "are too good."
            )
    return kept, notes


def _judgements(one: Contender, items: Sequence[Item], classes: tuple[str, ...], scores: Scores) -> Judgements:
    """Return what a detector said, its columns in the order of `classes`, which the items' labels index."""
    p = calibrated(scores.logits, one.card)[:, [one.card.classes.index(name) for name in classes]]
    return Judgements(one.name, classes, tuple(item.path for item in items), scores.labels, p)
