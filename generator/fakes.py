"""A folder of sampled pictures: made in whole batches, resumable to the same bytes, by one process or several."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from classifier.atomic import replacing, write_json
from classifier.files import BadImage, read
from classifier.images import load
from classifier.versions import versions
from generator import shares
from generator.sampler import (
    MAX_SEED,
    CannotSample,
    Halved,
    Peek,
    Sample,
    SampleSpec,
    Step,
    build_scheduler,
    sample_batches,
)
from generator.weights import Model, open_model

FACTS = "fakes.json"
SAME = ("sha256", "scheduler", "scheduler_config", "steps", "eta", "dtype", "size")
"""Facts that must be the same for a folder to be gone on with."""
LEFTOVER = re.compile(r"\.[0-9a-f]{12}\.part")
PREVIEW_PX = 128
PACKAGES = ("torch", "diffusers", "numpy", "pillow")


@dataclass(frozen=True)
class Preview:
    """The pictures on their way, as a grid, were written to a file that a newer one will replace."""

    path: Path
    pictures: int


@dataclass(frozen=True)
class Fakes:
    """Finished: a lossless picture for each seed, and `facts` from which they can be made again."""

    folder: Path
    paths: Mapping[int, Path]
    facts: Mapping[str, Any]


def make(
    model: str | Model,
    spec: SampleSpec,
    count: int,
    folder: Path,
    *,
    processes: int = 1,
    resume: bool = True,
    preview: Path | None = None,
) -> Iterator[Step | Halved | Preview | Fakes]:
    """Sample `count` pictures from the seeds `spec.seed`, + 1, … as `folder/00000000.png` and so on; `Fakes` is last.

    What is there already stays as it is. Batches are cut by place, and one of which a picture is missing is computed
    again as a whole: so a job that was stopped and resumed ends in the same bytes as one that was not (on the same
    machine, with the same arguments, and if no batch had to be halved). Dealt out to several processes, which have a
    share of the threads each, a picture is the same within one grey level. A single process keeps the pictures on
    their way in the file `preview`, if it is given. Raises `CannotSample` and `BadModel`.
    """
    if count < 1 or processes < 1:
        raise CannotSample("The number of pictures and of processes must be at least 1.")
    if spec.seed + count - 1 > MAX_SEED:
        raise CannotSample(f"The last seed would be larger than {MAX_SEED}.")
    opened = _opened(model, spec)
    build_scheduler(opened, spec)
    facts, seeds = facts_of(opened, spec), range(spec.seed, spec.seed + count)
    _check_folder(folder, facts, resume=resume)
    batches = _unfinished(seeds, spec.batch_size, folder, opened.size)
    if batches:
        folder.mkdir(parents=True, exist_ok=True)
        _tidy(folder)
        if not (folder / FACTS).exists():
            write_json(folder / FACTS, facts)
        yield from _run(opened, spec, batches, folder, min(processes, len(batches)), preview)
    yield Fakes(folder, {seed: path_of(folder, seed) for seed in seeds}, facts)


def write_batches(
    model: Model, spec: SampleSpec, batches: Sequence[Sequence[int]], folder: Path, preview: Path | None = None
) -> Iterator[Step | Halved | Preview]:
    """Sample whole batches and write the pictures that are missing in the folder."""
    for event in sample_batches(model, spec, batches, peeks=preview is not None):
        if isinstance(event, Peek):
            if preview is not None:
                yield _write_preview(preview, event)
        elif not isinstance(event, Sample):
            yield event
        elif not is_whole(path_of(folder, event.seed), model.size):
            _write(path_of(folder, event.seed), event.pixels)


def facts_of(model: Model, spec: SampleSpec) -> dict[str, Any]:
    """Return what the pictures depend on, as plain JSON values."""
    noise = json.loads(json.dumps(dict(model.scheduler)))
    return {
        "model": model.name, "sha256": model.sha256, "revision": model.revision, "parameters": model.parameters,
        "size": model.size, "scheduler": spec.scheduler, "scheduler_config": noise, "steps": spec.steps,
        "eta": spec.eta, "seed": spec.seed, "batch_size": spec.batch_size, "dtype": model.dtype,
        "device": model.device.type,
        "versions": versions(PACKAGES),
    }  # fmt: skip


def left(spec: SampleSpec, count: int, folder: Path, size: int) -> int:
    """Return how many of `count` pictures of `size` px `make` would still sample into a folder, by whole batches."""
    seeds = range(spec.seed, spec.seed + count)
    return sum(map(len, _unfinished(seeds, spec.batch_size, folder, size)))


def estimate(model: str | Model, spec: SampleSpec, count: int, *, processes: int = 1) -> float:
    """Return about how many seconds `count` pictures take, from two measured steps after one that is not counted.

    Where a step of one picture takes long, larger batches are taken to cost as much a picture. Processes on a CPU share
    its cores and make nothing faster; those on GPUs have one each.
    """
    opened = _opened(model, spec)
    single = _step_seconds(opened, spec, 1)
    batch = min(spec.batch_size, count)
    each = _step_seconds(opened, spec, batch) / batch if single < 0.25 and batch > 1 else single
    at_once = min(processes, torch.cuda.device_count()) if opened.device.type == "cuda" else 1
    return each * count * len(build_scheduler(opened, spec).timesteps) / max(1, at_once)


def path_of(folder: Path, seed: int) -> Path:
    """Return where the picture of a seed lies."""
    return folder / f"{seed:08}.png"


def is_whole(path: Path, size: int) -> bool:
    """Return whether a file is a readable picture of that side in pixels."""
    if not path.is_file():
        return False
    try:
        return load(path, min_side_px=1).pixels.shape == (size, size, 3)
    except BadImage:
        return False


def _opened(model: str | Model, spec: SampleSpec) -> Model:
    return open_model(model, device=spec.device, dtype=spec.dtype) if isinstance(model, str) else model


def _run(
    model: Model,
    spec: SampleSpec,
    batches: Sequence[Sequence[int]],
    folder: Path,
    processes: int,
    preview: Path | None,
) -> Iterator[Step | Halved | Preview]:
    if processes == 1:
        return write_batches(model, spec, batches, folder, preview)
    return shares.run(str(model.folder), model.device.type, spec, batches, folder, processes)


def _step_seconds(model: Model, spec: SampleSpec, batch: int) -> float:
    seconds: list[float] = []
    begun, last = time.perf_counter(), 0
    for event in sample_batches(model, spec, [range(batch)]):
        if isinstance(event, Step) and event.done > last:
            seconds.append(time.perf_counter() - begun)
            begun, last = time.perf_counter(), event.done
        if len(seconds) == min(3, spec.steps):
            break
    counted = seconds[1:] or seconds
    return sum(counted) / len(counted)


def _unfinished(seeds: Sequence[int], batch_size: int, folder: Path, size: int) -> list[list[int]]:
    cut = (seeds[at : at + batch_size] for at in range(0, len(seeds), batch_size))
    return [list(batch) for batch in cut if not all(is_whole(path_of(folder, seed), size) for seed in batch)]


def _check_folder(folder: Path, facts: Mapping[str, Any], *, resume: bool) -> None:
    found = _facts_in(folder)
    if found is None:
        if _pictures(folder):
            raise CannotSample(f"{folder} already holds pictures that were not sampled into it; give another folder.")
        return
    if not resume and _pictures(folder):
        raise CannotSample(f"{folder} already holds sampled pictures; add --resume to go on, or give another folder.")
    different = [name for name in SAME if found.get(name) != facts[name]]
    if different:
        raise CannotSample(
            f"The pictures in {folder} were sampled otherwise (different: {', '.join(different)}); give another folder."
        )


def _facts_in(folder: Path) -> dict[str, Any] | None:
    path = folder / FACTS
    if not path.exists():
        return None
    try:
        found = json.loads(read(path, max_bytes=2**20))
    except (BadImage, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise CannotSample(f"{path} cannot be read; give another folder, or remove this one if it may go.")
    return found


def _pictures(folder: Path) -> bool:
    return folder.is_dir() and any(one.suffix.lower() == ".png" for one in _listed(folder))


def _tidy(folder: Path) -> None:
    """Remove what a killed process left half written."""
    for path in _listed(folder):
        if LEFTOVER.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _listed(folder: Path) -> Iterable[Path]:
    return tuple(folder.iterdir())


def _write_preview(path: Path, peek: Peek) -> Preview:
    """Write a batch as a grid, about as wide as high, of pictures of at most 128 px."""
    count, side = len(peek.pixels), peek.pixels.shape[1]
    columns = math.ceil(math.sqrt(count))
    grid = np.zeros((math.ceil(count / columns) * side, columns * side, 4), np.uint8)
    for number, pixels in enumerate(peek.pixels):
        row, column = divmod(number, columns)
        grid[row * side : (row + 1) * side, column * side : (column + 1) * side] = np.dstack(
            (pixels, np.full((side, side, 1), 255, np.uint8))
        )
    image = Image.fromarray(grid)
    image.thumbnail((columns * PREVIEW_PX, columns * PREVIEW_PX))
    with replacing(path) as file:
        image.save(file, "PNG", compress_level=1)
    return Preview(path, count)


def _write(path: Path, pixels: NDArray[np.uint8]) -> None:
    with replacing(path) as file:
        Image.fromarray(pixels).save(file, "PNG")
