"""A balanced data set of real and generated pictures whose two classes went through the same hands.

What is made lies in `OUT/.making` until all of it is there; a job that was interrupted goes on from what that folder
holds, and a data set is finished when `OUT/dataset.json` exists.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.atomic import write_json
from classifier.data import SPLITS, BadData
from classifier.files import BadImage, read
from classifier.images import MIN_SIDE_PX
from classifier.lock import only_one
from generator import fakes, reals, splits
from generator.contact_sheet import SHEET
from generator.imagefolder import DatasetSpec, RealPictures, plan, write
from generator.record import RECORD
from generator.weights import Model
from generator.workplace import check_apart, check_place

MAKING, PLAN, FAKES, FILES, LOCK = ".making", "plan.json", "fakes", "files", "lock"
NO_REALS = "none"


@dataclass(frozen=True)
class Stage:
    """A part of the job begins; `name` says which in words."""

    name: str


@dataclass(frozen=True)
class Dataset:
    """The end: the folder, its counts by split and class, where the reals came from, and what to know about it."""

    folder: Path
    counts: dict[str, dict[str, int]]
    reals: str | None
    note: str | None
    unreadable: int
    enlarged: dict[str, int]
    """How many pictures of each class were smaller than what they became: a trace that others lack."""
    made: bool = True
    """False if the folder already held this data set."""


Job = Generator[Any, None, Any]
"""Events on the way, and what the part of the job has made."""


def build(
    spec: DatasetSpec, model: Model, out: Path, *, cache: Path, resume: bool = False, preview: Path | None = None
) -> Iterator[Any]:
    """Make the data set; the last event is the `Dataset`. `cache` receives downloads and unpacked archives.

    The pictures on their way are shown in the file `preview`, if it is given.

    The same specification makes the same bytes, also after an interruption. Raises `BadData`, `BadModel` and
    `BadSource`; what a folder holds already is never written over.
    """
    _check(spec, model)
    if (finished := _finished(spec, model, out)) is not None:
        if (out / MAKING).is_dir():  # the last thing that was left to do
            shutil.rmtree(out / MAKING)
        yield finished
        return
    work = _workplace(spec, model, out, resume)
    chosen = None
    if not (work / FILES / RECORD).is_file():
        if spec.real != NO_REALS:
            yield Stage("Looking for real pictures")
        chosen = yield from _reals(spec, cache)
        work.mkdir(parents=True, exist_ok=True)
    busy = BadData(f"Another program is making a data set in {out}: wait until it is done, or give another --out.")
    with only_one(work / LOCK, busy):
        if not (work / FILES / RECORD).is_file():
            write_json(work / PLAN, plan(spec, model))
            yield Stage("Sampling")
            made = yield from _fakes(spec, model, work / FAKES, preview)
            yield Stage("Writing both classes")
            yield from write(spec, model, work / FILES, chosen, made)
        _check_foreign(work, out)
        _move(work, out)
    yield _told(out, made=True)


def pending(spec: DatasetSpec, model: Model, out: Path, *, resume: bool = False) -> int:
    """Return how many pictures are left to sample; raises `BadData` where `build` would refuse the folder."""
    _check(spec, model)
    if _finished(spec, model, out) is not None:
        return 0
    return fakes.left(spec.sampling, spec.count, _workplace(spec, model, out, resume) / FAKES, model.size)


def _check(spec: DatasetSpec, model: Model) -> None:
    if model.size < MIN_SIDE_PX:
        raise BadData(f"{model.name} makes pictures of {model.size} px; under {MIN_SIDE_PX} px nothing can be judged.")
    if spec.real == NO_REALS and spec.equalize.match_quality:
        raise BadData("Without real pictures there is no quality to match: leave --match-quality out.")


def _finished(spec: DatasetSpec, model: Model, out: Path) -> Dataset | None:
    """Return the data set if the folder holds the one that is asked for; raises `BadData` if it holds another."""
    if not (out / RECORD).is_file():
        return None
    record = _read(out / RECORD)
    _check_same(plan(spec, model), record.get("plan"), f"{out} holds a data set that was made otherwise")
    told = _told(out, made=False)
    _check_files(out, record["files"])
    return told


def _check_files(out: Path, files: Iterable[dict[str, Any]]) -> None:
    """Raise `BadData` for a data set of which a picture is gone or is not what was written."""
    for entry in files:
        try:
            same = hashlib.sha256(read(out / str(entry["path"]))).hexdigest() == entry["sha256"]
        except (BadImage, KeyError):
            same = False
        if not same:
            name = entry.get("path", "a picture")
            raise BadData(f"{out} holds this data set, but {name} is gone or was changed; give another --out.")


def _told(out: Path, *, made: bool) -> Dataset:
    record = _read(out / RECORD)
    try:
        origin = record["reals"] or {}
        enlarged = Counter(entry["class"] for entry in record["files"] if entry.get("enlarged"))
        unreadable = int(origin.get("unreadable", 0))
        return Dataset(out, record["counts"], origin.get("name"), origin.get("note"), unreadable, dict(enlarged), made)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise BadData(f"{out / RECORD} was changed and cannot be used; give another folder with --out.") from None


def _read(path: Path) -> dict[str, Any]:
    """Return a JSON file of ours as a mapping, empty where it holds anything else."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}


def _check_same(wanted: dict[str, Any], found: object, what: str) -> None:
    if found != wanted:
        known = found if isinstance(found, dict) else {}
        keys = ", ".join(_different(wanted, known))
        raise BadData(f"{what} (different: {keys}); give another folder with --out.")


def _different(wanted: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Return the names of what differs, from the inside of what holds it."""
    names: list[str] = []
    for key in sorted(wanted):
        value, other = wanted[key], found.get(key)
        if value != other:
            inner = key in ("sampling", "equalize") and isinstance(other, dict)
            names.extend(_different(value, dict(other or {})) if inner else [key])
    return names or ["settings"]


def _workplace(spec: DatasetSpec, model: Model, out: Path, resume: bool) -> Path:
    """Return the folder for what is half done; raises `BadData` for a folder in use."""
    work = out / MAKING
    if out.exists() and not out.is_dir():
        raise BadData(f"{out} is a file; give a folder with --out.")
    if spec.real:
        check_apart(out, Path(spec.real).expanduser())
    check_place(out)
    if (work / PLAN).is_file():
        if not resume:
            raise BadData(f"{out} holds a data set that was interrupted; add --resume to go on, or give another --out.")
        _check_same(plan(spec, model), _read(work / PLAN), f"The data set in {out} was begun otherwise")
        _check_foreign(work, out)
    elif out.is_dir() and any(out.iterdir()):
        raise BadData(f"{out} is not empty and holds no data set; give a new folder with --out.")
    return work


def _check_foreign(work: Path, out: Path) -> None:
    """Raise `BadData` where something is, or would become, a part of the data set that this job did not make.

    What a job that was stopped while moving has moved already is in the record, and no longer in the workplace.
    """
    finished = work / FILES / RECORD
    files = _read(finished).get("files", []) if finished.is_file() else []
    moved = {str(entry["path"]) for entry in files} | ({SHEET} if files else set())
    moved -= {name for name in moved if (work / FILES / name).exists()}
    for path in _inside(out, (*SPLITS, SHEET, RECORD)):
        if path.relative_to(out).as_posix() not in moved:
            raise BadData(f"{path} is no part of the data set that is made there: move it away, or give another --out.")


def _inside(out: Path, names: Iterable[str]) -> Iterator[Path]:
    """Yield everything of these names in a folder; of folders what is in them, but an empty one is itself something."""
    for top in (out / name for name in names):
        if top.is_symlink() or top.is_file():
            yield top
        elif top.is_dir():
            yield from (path for path in top.rglob("*") if not _is_filled(path))


def _is_filled(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and any(path.iterdir())


def _reals(spec: DatasetSpec, cache: Path) -> Job:
    """Find and choose the real pictures; returns `RealPictures`, or None where none are wanted."""
    if spec.real == NO_REALS:
        return None
    source = None
    for event in reals.find(spec.real, count=spec.count, seed=spec.sampling.seed, cache=cache):
        if isinstance(event, reals.Reals):
            source = event
        else:
            yield event
    assert source is not None  # noqa: S101 - a source ends with its pictures, or raises
    for step in splits.choose(source, spec.split, spec.sampling.seed):
        if isinstance(step, splits.Chosen):
            return RealPictures(source, step)
        yield step
    return None


def _fakes(spec: DatasetSpec, model: Model, folder: Path, preview: Path | None) -> Job:
    """Sample the fakes; returns the `Fakes`."""
    last = None
    for last in fakes.make(model, spec.sampling, spec.count, folder, processes=spec.processes, preview=preview):
        if not isinstance(last, fakes.Fakes):
            yield last
    return last


def _move(work: Path, out: Path) -> None:
    """Bring what is finished into its place, the record last; what is there already was moved before a stop."""
    for child in sorted((work / FILES).iterdir()):
        if child.name != RECORD:
            child.replace(out / child.name)
    (work / FILES / RECORD).replace(out / RECORD)
    shutil.rmtree(work)
