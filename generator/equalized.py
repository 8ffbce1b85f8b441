"""A copy of a data set in which every picture of every class went through `equalize`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from classifier.atomic import write_json
from classifier.data import BadData, find_pictures
from classifier.images import BadImage, load
from classifier.recipes import Data
from generator.equalize import Equalize, enlarges, equalize, settle
from generator.workplace import check_apart, check_new, new_folder

CHUNK = 32
SETTINGS = "equalized.json"


@dataclass(frozen=True)
class Written:
    """Pictures were written or left out: `done` of `total`."""

    unit: ClassVar[str] = "pictures"
    done: int
    total: int


@dataclass(frozen=True)
class Equalized:
    """The end: the new folder, how many pictures each class has, and the files that were left out with the reason."""

    folder: Path
    classes: dict[str, int]
    left_out: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Job:
    origin: Path
    name: str
    target: str
    kind: str
    number: int


def write(root: Path, out: Path, spec: Equalize, *, seed: int = 0) -> Iterator[Written | Equalized]:
    """Write the pictures of an ImageFolder, with or without splits, to a new one; the last event is `Equalized`.

    Pictures that cannot be read, and those that would be enlarged, are left out: enlarging leaves a trace. Nothing is
    at `out` before all of it is. Raises `BadData` if something is there, if `out` lies in `root`, or if a class would
    be left without pictures.
    """
    check_apart(out, root)
    check_new(out)
    jobs = _jobs(root)
    spec = settle(spec, [job.origin for job in jobs])
    with new_folder(out) as making:
        reasons: list[str | None] = []
        with ThreadPoolExecutor() as pool:
            for start in range(0, len(jobs), CHUNK):
                part = jobs[start : start + CHUNK]
                reasons.extend(pool.map(lambda job: _write_one(job, making, spec, seed), part))
                yield Written(len(reasons), len(jobs))
        end = _end(root, out, jobs, reasons)
        write_json(making / SETTINGS, {"settings": asdict(spec), "seed": seed, "left_out": end.left_out})
    yield end


def _jobs(root: Path) -> list[_Job]:
    """Return what to write: each split and class numbers its own, so that no name tells where a picture came from."""
    given = find_pictures(root, Data())
    jobs: list[_Job] = []
    for split, found in given.items():
        for kind, files in sorted(found.items()):
            folder = f"{split}/{kind}" if (root / split / kind).is_dir() else kind
            for number, (path, _) in enumerate(files):
                jobs.append(_Job(path, str(path.relative_to(root)), f"{folder}/{number:05}", kind, len(jobs)))
    return jobs


def _write_one(job: _Job, making: Path, spec: Equalize, seed: int) -> str | None:
    """Write one picture, or return why not."""
    try:
        pixels = load(job.origin).pixels
    except BadImage as error:
        return str(error)
    if enlarges(pixels, replace(spec, drawn=())):
        return f"It is smaller than {spec.size} px: enlarging would leave a trace."
    target = making / f"{job.target}.{'png' if spec.format == 'png' else 'jpg'}"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(equalize(pixels, spec, np.random.default_rng((seed, job.number))))
    return None


def _end(root: Path, out: Path, jobs: Sequence[_Job], reasons: Sequence[str | None]) -> Equalized:
    classes = dict.fromkeys((job.kind for job in jobs), 0)
    for job, reason in zip(jobs, reasons, strict=True):
        classes[job.kind] += reason is None
    for kind, count in classes.items():
        if count == 0:
            first = next(reason for job, reason in zip(jobs, reasons, strict=True) if job.kind == kind)
            raise BadData(f"No picture of the class '{kind}' of {root} can be written. The first: {first}")
    left_out = [(job.name, reason) for job, reason in zip(jobs, reasons, strict=True) if reason is not None]
    return Equalized(out, classes, tuple(left_out))
