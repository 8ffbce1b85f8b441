"""Training a small DDPM on a folder of pictures: a generator of events, resumable, with averaged weights.

Ho et al., "Denoising Diffusion Probabilistic Models", NeurIPS 2020; cosine schedule after Nichol & Dhariwal, ICML 2021;
v-prediction after Salimans & Ho, ICLR 2022; loss weights after Hang et al. ("Min-SNR"), ICCV 2023.
"""

from __future__ import annotations

import copy
import math
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from classifier import checkpoint
from classifier.atomic import replacing
from classifier.data import BadData
from classifier.nets import pick_device
from classifier.versions import versions
from generator import diffusion, record
from generator.diffusion import STEPS, TrainSpec, build_scheduler, build_unet, noised
from generator.export import NotPublished, read_card, write
from generator.squares import Reading, reading, with_margin
from generator.workplace import check_apart, check_place

LAST, MODEL, GRIDS = "last.safetensors", "model", "grids"
LEFTOVER = re.compile(rf"\.({re.escape(LAST)}|[0-9a-f]{{12}})\.part|\.{MODEL}\..+")
"""What a killed program leaves of a checkpoint, a grid or a model that it was writing."""
FREE = frozenset(("images", "save_every", "lr"))
"""Settings that a resumed run may change."""


@dataclass(frozen=True)
class Step:
    """One optimizer step: `done` of `total`, the loss averaged over the last hundred, pictures and steps a second.

    It comes again while samples are drawn; where only that was left to do, the loss is not a number.
    """

    unit: ClassVar[str] = "steps"
    done: int
    total: int
    loss: float
    images_per_s: float
    rate: float


@dataclass(frozen=True)
class Saved:
    """A checkpoint was written, the averaged weights as a model folder, and a grid of 16 samples of it."""

    step: int
    model: Path
    grid: Path


@dataclass(frozen=True, eq=False)
class _Run:
    """What a step needs: settings, pictures, network and its average, optimizer, accelerator, folder, and facts."""

    spec: TrainSpec
    pictures: NDArray[np.uint8]
    both: nn.ModuleDict
    optimizer: torch.optim.Optimizer
    accelerator: Any
    out: Path


def train(
    folder: Path, out: Path, spec: TrainSpec, *, resume: bool = False, device: str = "auto"
) -> Iterator[Reading | Step | Saved]:
    """Train on the pictures below `folder`; the last event is the `Saved` of the finished model.

    Every step's pictures, noise levels and noise are functions of (seed, step), so that on CPU a run that was
    interrupted and resumed equals one that was not. What a run that was killed at its very end lacks, the model or its
    grid, is made when it is resumed. Raises `BadData`.
    """
    from accelerate import Accelerator

    diffusion.check(spec)
    check_apart(out, folder)
    spec = diffusion.with_precision(_check_place(out, spec, resume), pick_device(device))
    pictures = yield from reading(folder, with_margin(spec.size))
    if len(pictures) < spec.batch_size:
        found = record.pictures(len(pictures), "readable")
        raise BadData(f"{folder} has {found}; training needs at least {spec.batch_size}.")
    out.mkdir(parents=True, exist_ok=True)
    _tidy(out)
    accelerator = Accelerator(cpu=pick_device(device).type == "cpu")
    torch.manual_seed(spec.seed)
    network = build_unet(spec)
    both = nn.ModuleDict({"network": network, "average": copy.deepcopy(network).requires_grad_(False)})
    both.to(accelerator.device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=spec.lr, weight_decay=0.0)
    start = 0
    if resume and (out / LAST).is_file():
        start = int(checkpoint.facts(out / LAST)["step"])
        checkpoint.restore(out / LAST, both, optimizer)
    yield from _steps(_Run(spec, pictures, both, optimizer, accelerator, out), start)


def _steps(run: _Run, start: int) -> Iterator[Step | Saved]:
    spec, accelerator = run.spec, run.accelerator
    network, prepared = accelerator.prepare(run.both["network"], run.optimizer)
    alphas = diffusion.noise_schedule(spec).to(accelerator.device)
    total, begun = -(-spec.images // spec.batch_size), time.perf_counter()
    losses: list[float] = []
    if start >= total:
        yield from _publish(run, Step(start, start, math.nan, 0.0, 0.0))
    for step in range(start, total):
        for group in run.optimizer.param_groups:
            group["lr"] = diffusion.learning_rate(spec, step, total)
        loss = _loss(network, _batch(run.pictures, spec, step).to(accelerator.device), alphas, spec, step)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(network.parameters(), 1.0)
        prepared.step()
        prepared.zero_grad()
        _average(run.both, spec, step)
        losses = [*losses[-99:], float(loss.detach())]
        rate = (step + 1 - start) / (time.perf_counter() - begun)
        told = Step(step + 1, total, sum(losses) / len(losses), rate * spec.batch_size, rate)
        yield told
        if (step + 1) % spec.save_every == 0 or step + 1 == total:
            facts = {"step": step + 1, "spec": asdict(spec)}
            checkpoint.save(run.out / LAST, run.both, run.optimizer, facts)
            yield from _publish(run, told)


def _batch(pictures: NDArray[np.uint8], spec: TrainSpec, step: int) -> Tensor:
    rng = np.random.default_rng((spec.seed, step))
    chosen = rng.integers(len(pictures), size=spec.batch_size)
    room = pictures.shape[1] - spec.size + 1
    corners, flips = rng.integers(room, size=(spec.batch_size, 2)), rng.random(spec.batch_size) < 0.5
    crops = []
    for index, (top, left), flip in zip(chosen, corners, flips, strict=True):
        crop = pictures[index, top : top + spec.size, left : left + spec.size]
        crops.append(crop[:, ::-1] if flip and spec.flip else crop)
    batch = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 127.5 - 1
    return batch.contiguous(memory_format=torch.channels_last)


def _loss(network: nn.Module, x: Tensor, alphas: Tensor, spec: TrainSpec, step: int) -> Tensor:
    source = torch.Generator().manual_seed(spec.seed * 1_000_003 + step)
    times = torch.randint(0, STEPS, (len(x),), generator=source).to(x.device)
    noise = torch.randn(x.shape, generator=source).to(x.device)
    mixed, target = noised(x, noise, alphas[times], spec.prediction)
    with torch.autocast(x.device.type, torch.bfloat16, enabled=spec.precision == "bf16"):
        answer = network(mixed, times).sample.float()
    errors = (answer - target).square().mean(dim=(1, 2, 3))
    loss: Tensor = (diffusion.weights(alphas[times], spec.prediction) * errors).mean()
    return loss


@torch.no_grad()
def _average(both: nn.ModuleDict, spec: TrainSpec, step: int) -> None:
    decay = min(spec.ema, (1 + step) / (10 + step))
    for mean, value in zip(both["average"].parameters(), both["network"].parameters(), strict=True):
        mean.lerp_(value, 1 - decay)


def _publish(run: _Run, told: Step) -> Iterator[Step | Saved]:
    """Write the model folder and a grid of samples, unless they are of this step; repeat `told` while drawing them."""
    spec, average, step = run.spec, run.both["average"], told.done
    if _step_of(run.out / MODEL) != step:
        write(average, build_scheduler(spec), run.out / MODEL, _facts(run, step))
    grid = run.out / GRIDS / f"{step:07}.png"
    if not grid.is_file():
        grid.parent.mkdir(exist_ok=True)
        pictures = np.zeros((0, 0, 0, 3), np.uint8)
        for drawn in _drawing(average, spec, 16, 25):
            pictures = drawn
            yield told
        with replacing(grid) as file:
            grid_of(pictures).save(file, format="PNG")
    yield Saved(step, run.out / MODEL, grid)


def _step_of(model: Path) -> int | None:
    """Return the step that a model folder was written at, None where there is none."""
    try:
        step: int = read_card(model)["training"]["step"]
    except (NotPublished, KeyError, TypeError):
        return None
    return step


def _facts(run: _Run, step: int) -> dict[str, Any]:
    return {
        "spec": asdict(run.spec),
        "step": step,
        "pictures": len(run.pictures),
        "device": str(run.accelerator.device.type),
        "versions": versions(("torch", "diffusers", "accelerate")),
    }


def preview(network: Any, spec: TrainSpec, count: int = 16, steps: int = 25) -> NDArray[np.uint8]:
    """Return (count, S, S, 3) bytes of quick DDIM samples (Song et al., ICLR 2021), always from the same noise."""
    *_, last = _drawing(network, spec, count, steps)
    return last


@torch.inference_mode()
def _drawing(network: Any, spec: TrainSpec, count: int, steps: int) -> Iterator[NDArray[np.uint8]]:
    from diffusers import DDIMScheduler

    scheduler = DDIMScheduler.from_config(build_scheduler(spec).config)
    scheduler.set_timesteps(steps)
    device = next(network.parameters()).device
    x = torch.randn((count, 3, spec.size, spec.size), generator=torch.Generator().manual_seed(1)).to(device)
    for time_ in scheduler.timesteps:
        x = scheduler.step(network(x, time_).sample, time_, x).prev_sample
        yield ((x.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def grid_of(pictures: NDArray[np.uint8]) -> Image.Image:
    """Return a square of pictures (N, S, S, 3), N a square number, row by row."""
    side = math.isqrt(len(pictures))
    rows = [np.concatenate(list(pictures[row * side : (row + 1) * side]), axis=1) for row in range(side)]
    return Image.fromarray(np.concatenate(rows))


def _check_place(out: Path, spec: TrainSpec, resume: bool) -> TrainSpec:
    """Return the settings to train with, for a run that goes on in its own precision. Raises `BadData`."""
    check_place(out)
    if not (out / LAST).is_file():
        if out.is_dir() and not all(LEFTOVER.fullmatch(path.name) for path in out.iterdir()):
            raise BadData(f"{out} is not empty and holds no run; give a new folder.")
        return spec
    if not resume:
        raise BadData(f"{out} already holds a run; add --resume to go on with it, or give another folder.")
    begun = checkpoint.facts(out / LAST)["spec"]
    if spec.precision == "auto":
        spec = replace(spec, precision=begun["precision"])
    found, wanted = {**asdict(TrainSpec()), **begun}, asdict(spec)
    different = sorted(key for key in wanted.keys() - FREE if _plain(found[key]) != _plain(wanted[key]))
    if different:
        raise BadData(f"The run in {out} was begun with other settings (different: {', '.join(different)}).")
    return spec


def _tidy(out: Path) -> None:
    """Remove what a killed program left half written."""
    for path in (*out.iterdir(), *(out / GRIDS).glob(".*")):
        if LEFTOVER.fullmatch(path.name):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
