"""How a detector holds out: its figures on the same pictures, damaged ever more. Free of torch.

A sweep keeps every strength that it has measured in `robustness.json`, so that one which was stopped goes on, and a
second one over other degradations adds to the first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from classifier.atomic import write_json
from classifier.data import Item, Pictures
from classifier.degradations import Degradation, Degrade
from classifier.evaluate import Scores, measured, score
from classifier.files import BadImage, read
from classifier.lock import only_one
from classifier.metrics import Figure, Metrics
from classifier.paired import difference
from classifier.runtime import Detector, calibrated

FILE, LOCK = "robustness.json", ".forensics.lock"
UNTOUCHED = "untouched"
MAX_BYTES = 256 * 2**20


class BadSweep(Exception):
    """A folder that a sweep cannot go on in; `str()` says why and what to do."""


@dataclass(frozen=True)
class Judging:
    """Pictures were judged: `done` of `total` over all strengths that were left to measure; `name` is the present one.

    What earlier sweeps left in the folder is not counted.
    """

    done: int
    total: int
    name: str


@dataclass(frozen=True)
class Point:
    """The figures at one strength; `difference` is its balanced accuracy minus that of the untouched pictures."""

    name: str
    degradation: str | None
    strength: float | None
    metrics: Metrics
    difference: Figure | None


@dataclass(frozen=True)
class Sweep:
    """All that was measured of a detector on `n` pictures: the untouched first, then each strength."""

    detector: str
    detector_id: str
    classes: tuple[str, ...]
    split: str
    seed: int
    n: int
    points: tuple[Point, ...]

    def at(self, row: Degradation) -> tuple[Point, ...]:
        """Return the points of a degradation in the order of its levels, the untouched one where it belongs."""
        names = [UNTOUCHED if level is None else Degrade(row, level).name for level in row.levels]
        found = {point.name: point for point in self.points}
        return tuple(found[name] for name in names if name in found)


@dataclass(frozen=True)
class _Kept:
    """What is in the file: which pictures by their hash, each point, and what every picture was taken for.

    The pictures stand in the order of their own hashes, whatever they are called.
    """

    pictures: str
    sweep: Sweep
    guesses: dict[str, list[int]]


def sweep(
    detector: Detector,
    items: Sequence[Item],
    rows: Sequence[Degradation],
    out: Path,
    *,
    split: str = "all",
    seed: int = 0,
    pictures: Pictures | None = None,
) -> Iterator[Judging | Point | Sweep]:
    """Judge pictures as they are and at every strength of `rows`; the last event is the `Sweep`.

    `out` is a new folder, or one with a `robustness.json` of the same detector, pictures and seed, whose points are
    not measured again. The file is written after each point. Raises `BadSweep`, and `BadImage` if a picture cannot be
    read any more.
    """
    check_place(out)
    job = _Job(detector, *_sorted(items), pictures or Pictures())
    with ExitStack() as stack:
        if not out.is_dir():
            out.mkdir(parents=True)
            stack.callback(_remove_if_empty, out)
        stack.enter_context(only_one(out / LOCK, BadSweep(f"Another sweep is writing to {out}; wait for it.")))
        fresh = Sweep(detector.name, detector.id, detector.card.classes, split, seed, len(items), ())
        kept = _resumed(out, _Kept(job.identity, fresh, {}))
        steps: list[Degrade | None] = [None, *(Degrade(row, one, seed) for row in rows for one in row.strengths)]
        left = [step for step in steps if _name(step) not in kept.guesses]
        for place, step in enumerate(left):
            scores = yield from _judged(job, step, place, len(left))
            kept = _with(kept, step, job, scores)
            write_json(out / FILE, asdict(kept))
            yield kept.sweep.points[-1]
        yield kept.sweep


def check_place(out: Path) -> None:
    """Raise `BadSweep` for a folder that holds anything but a sweep."""
    if out.exists() and not out.is_dir():
        raise BadSweep(f"{out} is a file; give a new folder.")
    if out.is_dir() and any(out.iterdir()) and not (out / FILE).is_file():
        raise BadSweep(f"{out} is not empty and holds no earlier sweep; give a new folder.")


@dataclass(frozen=True, eq=False)
class _Job:
    """What all parts of a sweep share; the pictures are sorted by the hashes of their bytes."""

    detector: Detector
    items: Sequence[Item]
    hashes: Sequence[str]
    pictures: Pictures

    @property
    def identity(self) -> str:
        """A hash of the pictures' bytes and classes, whatever their names and order."""
        classes = (self.detector.card.classes[item.label] for item in self.items)
        lines = (f"{digest} {name}\n" for digest, name in zip(self.hashes, classes, strict=True))
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def _sorted(items: Sequence[Item]) -> tuple[list[Item], list[str]]:
    hashed = [(hashlib.sha256(read(item.path)).hexdigest(), item) for item in items]
    hashed.sort(key=lambda pair: (pair[0], pair[1].label))
    return [item for _, item in hashed], [digest for digest, _ in hashed]


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _name(step: Degrade | None) -> str:
    return step.name if step else UNTOUCHED


def _judged(job: _Job, step: Degrade | None, place: int, steps: int) -> Generator[Judging, None, Scores]:
    """Yield the judging of one strength, the `place`-th of `steps`; return its scores."""
    events = score(job.detector, job.items, degrade=step, pictures=job.pictures)
    for event in events:
        if isinstance(event, Scores):
            return event
        yield Judging(place * len(job.items) + event.done, steps * len(job.items), _name(step))
    raise ValueError("there were no scores at the end")


def _with(kept: _Kept, step: Degrade | None, job: _Job, scores: Scores) -> _Kept:
    """Return what is kept with one more point."""
    metrics = replace(measured(job.detector, scores, job.items), sources={})  # by source the file would be large
    guess = calibrated(scores.logits, job.detector.card).argmax(axis=1)
    guesses = {**kept.guesses, _name(step): [int(one) for one in guess]}
    apart = None
    if step:
        after, before = (np.array(guesses[name]) == scores.labels for name in (_name(step), UNTOUCHED))
        apart = difference(after, before, scores.labels)
    point = Point(_name(step), step.row.name if step else None, step.strength if step else None, metrics, apart)
    return _Kept(kept.pictures, replace(kept.sweep, points=(*kept.sweep.points, point)), guesses)


def _resumed(out: Path, fresh: _Kept) -> _Kept:
    """Return what an earlier sweep of the same detector and pictures left, or the fresh one; raises `BadSweep`."""
    if not (out / FILE).is_file():
        return fresh
    kept = _read(out)
    was, now = kept.sweep, fresh.sweep
    for what, same in (
        (f"another detector ({was.detector}, id {was.detector_id})", was.detector_id == now.detector_id),
        ("other pictures", kept.pictures == fresh.pictures),
        (f"the seed {was.seed}", was.seed == now.seed),
    ):
        if not same:
            raise BadSweep(f"The sweep in {out} was made with {what}; give a new folder.")
    return kept


def opened(out: Path) -> Sweep:
    """Return the sweep in a folder as far as it has come; raises `BadSweep`."""
    return _read(out).sweep


def _read(out: Path) -> _Kept:
    try:
        raw = json.loads(read(out / FILE, max_bytes=MAX_BYTES))
        kept = TypeAdapter(_Kept).validate_python(_numbers(raw))
        _check(kept)
    except (BadImage, ValidationError, ValueError, RecursionError):
        raise BadSweep(f"{out / FILE} is damaged; remove it, or give a new folder.") from None
    return kept


def _check(kept: _Kept) -> None:
    """Raise ValueError where the points and what is kept of each do not belong together."""
    names = [point.name for point in kept.sweep.points]
    lengths = {len(one) for one in kept.guesses.values()}
    if names[:1] != [UNTOUCHED] or sorted(names) != sorted(kept.guesses) or lengths != {kept.sweep.n}:
        raise ValueError("it does not fit together")


def _numbers(value: Any) -> Any:
    """Return figures as they were measured: JSON has no number for one that rests on no picture."""
    if isinstance(value, list):
        return [_numbers(one) for one in value]
    if not isinstance(value, dict):
        return value
    whole = {key: _numbers(one) for key, one in value.items()}
    return {**whole, "value": float("nan")} if whole.get("n") == 0 and whole.get("value", 0) is None else whole
