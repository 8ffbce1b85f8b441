"""A labelled data set for a quick try: drawn heads of animals, made on the spot, with train/, val/ and test/."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from classifier.atomic import replacing
from classifier.data import BadData, Split
from generator import contact_sheet, heads, record, splits
from generator.equalize import Equalize, equalize
from generator.workplace import new_folder

PARTS = (5, 1, 1)
"""train, val and test: of 1,400 pictures 1,000, 200 and 200."""
FEWEST, MOST = 5, 1_000_000
SIDES_PX = (32, 1024)
CHUNK = 64


@dataclass(frozen=True)
class SyntheticSpec:
    """What is asked for: `n` pictures in all, as many of each kind (see `heads.KINDS`); raises `BadData`."""

    n: int = 1400
    kinds: tuple[str, ...] = ("cat", "dog")
    size: int = 224
    seed: int = 0

    def __post_init__(self) -> None:
        if not 2 <= len(set(self.kinds)) == len(self.kinds):
            raise BadData(f"Two or more different classes are needed, of {_known()}.")
        for name in self.kinds:
            if name not in (one.name for one in heads.KINDS):
                near = difflib.get_close_matches(name, [one.name for one in heads.KINDS], 1)
                meant = f"Did you mean {near[0]}? " if near else ""
                raise BadData(f"No {name!a} can be drawn. {meant}There are {_known()}.")
        if not FEWEST * len(self.kinds) <= self.n <= MOST:
            raise BadData(
                f"--n must be between {FEWEST * len(self.kinds)}, {FEWEST} of each class, and {MOST:,}, not {self.n:,}."
            )
        if not SIDES_PX[0] <= self.size <= SIDES_PX[1]:
            raise BadData(f"The pictures' size must be between {SIDES_PX[0]} and {SIDES_PX[1]} px, not {self.size}.")


@dataclass(frozen=True)
class Drawn:
    """Pictures were drawn: `done` of `total`."""

    done: int
    total: int


@dataclass(frozen=True)
class Synthetic:
    """The end: the new folder, and how many pictures each class has in each split."""

    folder: Path
    counts: dict[str, dict[str, int]]


@dataclass(frozen=True)
class _Job:
    kind: heads.Kind
    number: int
    split: Split
    place: int


def kinds_of(text: str) -> tuple[str, ...]:
    """Return the names that `cat,dog` lists, or the first so many for a number; raises `BadData`."""
    if not text.strip().isdecimal():
        return tuple(name.strip() for name in text.split(","))
    count = int(text[:6])
    if not 2 <= count <= len(heads.KINDS):
        raise BadData(f"There can be 2 to {len(heads.KINDS)} classes, not {count}: {_known()}.")
    return tuple(kind.name for kind in heads.KINDS[:count])


def make(spec: SyntheticSpec, out: Path) -> Iterator[Drawn | Synthetic]:
    """Draw the data set; the last event is the `Synthetic`. The same specification gives the same bytes.

    Picture number i of a kind depends on the seed, the size, the kind and i alone. All are JPEGs of one size, written
    by `equalize`. Nothing is at `out` before all of it is; raises `BadData` where something is there.
    """
    jobs = list(_jobs(spec))
    with new_folder(out) as folder:
        entries: list[dict[str, Any]] = []
        with ThreadPoolExecutor() as pool:
            for start in range(0, len(jobs), CHUNK):
                entries.extend(pool.map(lambda job: _write(job, spec, folder), jobs[start : start + CHUNK]))
                yield Drawn(len(entries), len(jobs))
        with replacing(folder / contact_sheet.SHEET) as file:
            shown = [(entry["path"], entry["class"]) for entry in entries]
            contact_sheet.draw(folder, shown, "Drawn heads", _told(spec, entries)).save(file, "PNG")
        record.write(folder, asdict(spec), entries, ("forensics", "numpy", "pillow"))
    yield Synthetic(out, record.counts(entries))


def _told(spec: SyntheticSpec, entries: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Return what the contact sheet says of the pictures."""
    splits_ = ", ".join(f"{split} {sum(of.values()):,}" for split, of in record.counts(entries).items())
    return f"{len(entries):,} of {spec.size} px, seed {spec.seed}", splits_


def _jobs(spec: SyntheticSpec) -> Iterator[_Job]:
    each, more = divmod(spec.n, len(spec.kinds))
    for index, name in enumerate(spec.kinds):
        parts = splits.shares(PARTS, each + (index < more))
        number = 0
        for split, count in parts.items():
            for place in range(count):
                yield _Job(heads.kind(name), number, split, place)
                number += 1


def _write(job: _Job, spec: SyntheticSpec, folder: Path) -> dict[str, Any]:
    """Draw and write one picture; returns its entry in the record, with the box of its head."""
    rng = np.random.default_rng((spec.seed, heads.KINDS.index(job.kind), job.number))
    drawn = heads.draw(job.kind, spec.size, rng)
    data, path = equalize(drawn.pixels, Equalize(spec.size), rng), f"{job.split}/{job.kind.name}/{job.place:05}.jpg"
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    return {"path": path, "sha256": digest, "class": job.kind.name, "split": job.split, "box": list(drawn.box)}


def _known() -> str:
    return ", ".join(kind.name for kind in heads.KINDS)
