"""Several detectors as one: the mean of their calibrated probabilities, measured on the same pictures as each of them.

Only pictures that no member was trained on are measured, and only those that none was trained on or measured on
calibrate the whole. Free of torch, except for members that are a run's checkpoints.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifier.atomic import write_json
from classifier.calibrate import refit
from classifier.data import BadData, Item, Labelled, Pictures, Split
from classifier.detector import CARD, NAME, Card, Installed, find, open_folder
from classifier.evaluate import CHUNK, Batch, Scores, pictures_of, splits_of
from classifier.metrics import Figure, Metrics, bootstrap, expected_calibration_error, measure, wilson
from classifier.paired import difference
from classifier.runtime import Detector, calibrated, log

ARCH = "ensemble"


class BadEnsemble(Exception):
    """Detectors that cannot be joined; `str()` says which and why."""


@dataclass(frozen=True)
class Member:
    """A member's own figures; `difference` is the ensemble's balanced accuracy minus its own, on the same pictures.

    `ms` is its time a picture, in one thread of several at work.
    """

    name: str
    id: str
    arch: str
    metrics: Metrics
    ece: Figure
    difference: Figure
    ms: float


@dataclass(frozen=True)
class Ensembled:
    """An ensemble, by name and id, and what was measured of it on `n` pictures.

    `disagreed` is the part of the pictures on which the members' most probable classes were not all the same,
    `plain_ece` the calibration error before the whole was calibrated in turn on `calibrated_on` pictures.
    """

    name: str
    id: str
    classes: tuple[str, ...]
    split: str
    n: int
    calibrated_on: int
    metrics: Metrics
    ece: Figure
    plain_ece: Figure
    disagreed: Figure
    members: tuple[Member, ...]


@dataclass(frozen=True, eq=False)
class _Judged:
    """What every member says of some pictures: logits (M, N, C), labels (N,), seconds (M, N)."""

    logits: NDArray[np.float64]
    labels: NDArray[np.int64]
    seconds: NDArray[np.float64]

    def p(self, members: Sequence[Detector]) -> NDArray[np.float64]:
        """Return each member's calibrated probabilities (M, N, C)."""
        return np.stack([calibrated(logits, one.card) for logits, one in zip(self.logits, members, strict=True)])


def join(
    members: Sequence[Installed], root: Path, folder: Path, *, split: Split | None = "test", name: str = ARCH
) -> Iterator[Batch | Ensembled]:
    """Make an ensemble in a new `folder`, calibrate and measure it; the last event is the `Ensembled`.

    Raises `BadEnsemble`, `BadData`, and `BadImage` if a picture cannot be read any more.
    """
    check(members, name)
    if split == "train":
        raise BadEnsemble("The split 'train' is what the members were trained on; measure on test, val or all.")
    detectors = [Detector(one.folder) for one in members]
    measured_on, calibrated_on = _pictures(members, root, split)
    pictures = Pictures()
    total = len(measured_on) + len(calibrated_on)
    on_cal = yield from _judged(detectors, calibrated_on, pictures, 0, total)
    on_test = yield from _judged(detectors, measured_on, pictures, len(calibrated_on), total)
    card = _card(members, name, root)
    if len(set(on_cal.labels.tolist())) == len(card.classes):
        scores = Scores(log(on_cal.p(detectors).mean(axis=0)), on_cal.labels)
        card = refit(card, scores, *_rates(members))
    yield _measured(members, card, folder, detectors, on_test, (split or "all", len(calibrated_on)))


def member(name: str | Path) -> Installed:
    """Return a member by what a person gives: an installed detector, its folder, or a run's; raises `BadDetector`."""
    return open_folder(find(name))


def check(members: Sequence[Installed], name: str = ARCH) -> None:
    """Raise `BadEnsemble` for detectors that cannot be joined, and for a name that no detector can have."""
    if not NAME.fullmatch(name):
        raise BadEnsemble(f"{name!r} is no name for a detector: give up to 64 letters, digits, dots, - and _.")
    if len(members) < 2:
        raise BadEnsemble("An ensemble needs at least two detectors.")
    first = members[0].card
    for one in members:
        if one.card.members:
            raise BadEnsemble(f"'{one.card.name}' is an ensemble itself; give its members instead.")
        if one.card.classes != first.classes:
            raise BadEnsemble(
                f"'{first.name}' has the classes {', '.join(first.classes[:6])}, '{one.card.name}' "
                f"{', '.join(one.card.classes[:6])}: they must be the same."
            )
    if len({one.id for one in members}) < len(members):
        raise BadEnsemble("A detector was given twice: each may be in an ensemble once.")


def write(members: Sequence[Installed], card: Card, folder: Path) -> Installed:
    """Write an ensemble's folder, with a copy of every member, whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for one in members:
            (part / one.id).mkdir()
            for file in (CARD, *one.card.files):
                shutil.copyfile(one.folder / file, part / one.id / file)
        write_json(part / CARD, card.model_dump(mode="json"))
        part.chmod(0o755)
        part.replace(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return open_folder(folder)


def _card(members: Sequence[Installed], name: str, root: Path) -> Card:
    cards = [one.card for one in members]
    tiled = [card for card in cards if card.preprocess.kind == "tiles"]
    return Card(
        name=name,
        description=f"The mean of {len(cards)} detectors: {', '.join(card.name for card in cards)}"[:500],
        arch=ARCH,
        classes=cards[0].classes,
        # The size below which there is no verdict: that of the member which asks for most.
        preprocess=max(tiled or cards, key=lambda card: card.preprocess.size).preprocess,
        closed_form_cam=any(card.closed_form_cam for card in cards),
        training={"members": [{"name": one.card.name, "id": one.id, "arch": one.card.arch} for one in members],
                  "data": root.name},
        limits=tuple(dict.fromkeys(limit for card in cards for limit in card.limits)),
        members=tuple(one.id for one in members),
    )  # fmt: skip


def _rates(members: Sequence[Installed]) -> tuple[float, float]:
    """Return the error rates that the band is chosen for: the strictest of the members' recipes."""
    recipes = [one.card.training.get("recipe") for one in members]
    known = [recipe for recipe in recipes if isinstance(recipe, dict)]
    fpr, fnr = (min((float(one.get(key, most)) for one in known), default=most)
                for key, most in (("max_fpr", 0.05), ("max_fnr", 0.1)))  # fmt: skip
    return fpr, fnr


def _pictures(
    members: Sequence[Installed], root: Path, split: Split | None
) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Return the pictures to measure on and those to calibrate on; raises `BadData`.

    A picture counts as of a split only if it is so for every member: their recipes may split the folder differently.
    """
    known: dict[str, Labelled] = {}
    for one in members:
        recipe = one.card.training.get("recipe") or {}
        key = json.dumps([recipe.get("data"), recipe.get("seed")], sort_keys=True)
        if key not in known:
            known[key] = splits_of(one.card, root)
    found = list(known.values())
    if split is None:
        return pictures_of(found[0], None), ()
    measured_on = _common(found, split)
    if not measured_on:
        raise BadData(
            f"No picture of {root} is in the split '{split}' of every member, so none is new to all of them; give "
            "pictures that none has seen, with --split all."
        )
    return measured_on, _common(found, "cal") if split != "cal" else ()


def _common(found: Sequence[Labelled], split: Split) -> tuple[Item, ...]:
    places = [{item.path for item in one.splits[split]} for one in found[1:]]
    return tuple(item for item in found[0].splits[split] if all(item.path in one for one in places))


def _judged(
    detectors: Sequence[Detector], items: Sequence[Item], pictures: Pictures, done: int, total: int
) -> Generator[Batch, None, _Judged]:
    """Yield while every member judges the pictures; return what they say."""

    def one(item: Item) -> tuple[list[NDArray[np.float64]], list[float]]:
        pixels, found, seconds = pictures[item.path], [], []
        for detector in detectors:
            begun = time.perf_counter()
            found.append(detector.judge(pixels).logits)
            seconds.append(time.perf_counter() - begun)
        return found, seconds

    answers: list[tuple[list[NDArray[np.float64]], list[float]]] = []
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(items), CHUNK):
            answers.extend(pool.map(one, items[start : start + CHUNK]))
            yield Batch(done + len(answers), total)
    count, classes = len(detectors), len(detectors[0].card.classes)
    logits = np.array([found for found, _ in answers], np.float64).reshape(len(items), count, classes)
    seconds = np.array([times for _, times in answers], np.float64).reshape(len(items), count)
    labels = np.array([item.label for item in items], np.int64)
    return _Judged(logits.swapaxes(0, 1), labels, seconds.T)


def _measured(
    members: Sequence[Installed],
    card: Card,
    folder: Path,
    detectors: Sequence[Detector],
    found: _Judged,
    facts: tuple[str, int],
) -> Ensembled:
    """Measure the ensemble and each member, write the ensemble with its figures on its card, and return them."""
    each, labels = found.p(detectors), found.labels
    mean = each.mean(axis=0)
    p = calibrated(log(mean), card)
    right, guesses = p.argmax(axis=1) == labels, each.argmax(axis=2)
    metrics = _metrics(p, labels, card)
    installed = write(members, card.model_copy(update={"metrics": {facts[0]: asdict(metrics)}}), folder)
    return Ensembled(
        name=card.name,
        id=installed.id,
        classes=card.classes,
        split=facts[0],
        n=len(labels),
        calibrated_on=facts[1],
        metrics=metrics,
        ece=_ece(p, labels),
        plain_ece=_ece(mean, labels),
        disagreed=wilson(int((guesses != guesses[0]).any(axis=0).sum()), len(labels)),
        members=tuple(
            Member(one.name, one.id, one.card.arch, _metrics(own, labels, one.card), _ece(own, labels),
                   difference(right, own.argmax(axis=1) == labels, labels), float(1000 * seconds.mean()))
            for one, own, seconds in zip(detectors, each, found.seconds, strict=True)
        ),
    )  # fmt: skip


def _metrics(p: NDArray[np.float64], labels: NDArray[np.int64], card: Card) -> Metrics:
    return measure(p, labels, card.classes, (card.band.low, card.band.high) if card.band else None)


def _ece(p: NDArray[np.float64], labels: NDArray[np.int64]) -> Figure:
    return bootstrap(lambda index: expected_calibration_error(p[index], labels[index]), labels)
