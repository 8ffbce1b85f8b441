"""Training a small DDPM on a folder of pictures: a generator of events, resumable, with averaged weights.

Ho et al., "Denoising Diffusion Probabilistic Models", NeurIPS 2020; cosine schedule after Nichol & Dhariwal, ICML 2021;
v-prediction after Salimans & Ho, ICLR 2022; loss weights after Hang et al. ("Min-SNR"), ICCV 2023.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from classifier import checkpoint
from classifier.data import BadData, picture_files
from classifier.images import BadImage, load
from classifier.nets import pick_device

LAST, MODEL, GRIDS = "last.safetensors", "model", "grids"
STEPS = 1000
"""Noise levels of the diffusion."""
MARGIN = 1.125
"""How much larger than the network's input a picture is kept, for random crops."""


@dataclass(frozen=True)
class TrainSpec:
    """What is trained and how. `images` counts pictures shown, over all passes; sides are in pixels."""

    size: int = 64
    channels: tuple[int, ...] = (32, 64, 128, 128)
    attention: tuple[bool, ...] = (False, False, False, True)
    layers: int = 2
    schedule: Literal["cosine", "linear"] = "cosine"
    prediction: Literal["v", "epsilon"] = "v"
    images: int = 1_000_000
    batch_size: int = 32
    lr: float = 3e-4
    warmup: int = 500
    ema: float = 0.9995
    precision: Literal["fp32", "bf16"] = "bf16"
    flip: bool = True
    seed: int = 0
    save_every: int = 500


@dataclass(frozen=True)
class Step:
    """One optimizer step: `done` of `total`, the loss averaged over the last hundred steps, pictures a second."""

    done: int
    total: int
    loss: float
    images_per_s: float


@dataclass(frozen=True)
class Saved:
    """A checkpoint was written, and a grid of 16 samples of the averaged weights beside it."""

    step: int
    model: Path
    grid: Path


def train(
    folder: Path, out: Path, spec: TrainSpec, *, resume: bool = False, device: str = "auto"
) -> Iterator[Step | Saved]:
    """Train on the pictures below `folder`; the last event is the `Saved` of the finished model.

    Every step's pictures, noise levels and noise are functions of (seed, step), so that on CPU a run that was
    interrupted and resumed equals one that was not. Raises `BadData`.
    """
    from accelerate import Accelerator

    if spec.size % 2 ** (len(spec.channels) - 1):
        raise BadData(
            f"A side of {spec.size} px cannot be halved {len(spec.channels) - 1} times; take a multiple of 8."
        )
    _check_place(out, spec, resume)
    pictures = squares(folder, spec)
    out.mkdir(parents=True, exist_ok=True)
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
    yield from _steps(spec, pictures, out, (both, optimizer, accelerator), start)


def _steps(
    spec: TrainSpec, pictures: NDArray[np.uint8], out: Path, tools: tuple[nn.ModuleDict, Any, Any], start: int
) -> Iterator[Step | Saved]:
    both, optimizer, accelerator = tools
    network, prepared = accelerator.prepare(both["network"], optimizer)
    alphas = noise_schedule(spec).to(accelerator.device)
    total, begun = -(-spec.images // spec.batch_size), time.perf_counter()
    losses: list[float] = []
    for step in range(start, total):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(spec, step, total)
        loss = _loss(network, _batch(pictures, spec, step).to(accelerator.device), alphas, spec, step)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(network.parameters(), 1.0)
        prepared.step()
        prepared.zero_grad()
        _average(both, spec, step)
        losses = [*losses[-99:], float(loss.detach())]
        rate = (step + 1 - start) * spec.batch_size / (time.perf_counter() - begun)
        yield Step(step + 1, total, sum(losses) / len(losses), rate)
        if (step + 1) % spec.save_every == 0 or step + 1 == total:
            yield _save(spec, both, optimizer, out, step + 1)


def squares(folder: Path, spec: TrainSpec) -> NDArray[np.uint8]:
    """Return the pictures below a folder as (N, S, S, 3) bytes: centre squares, a little larger than the input.

    Raises `BadData`.
    """
    side, found = round(spec.size * MARGIN), []
    for path in picture_files(folder):
        try:
            pixels = load(path).pixels
        except BadImage:
            continue
        height, width = pixels.shape[:2]
        edge = min(height, width)
        box = ((width - edge) / 2, (height - edge) / 2, (width + edge) / 2, (height + edge) / 2)
        small = Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS, box=box)
        found.append(np.asarray(small, np.uint8))
    if len(found) < spec.batch_size:
        raise BadData(f"{folder} has {len(found)} readable pictures; training needs at least {spec.batch_size}.")
    return np.stack(found)


def build_unet(spec: TrainSpec) -> Any:
    """Return the UNet with fresh weights."""
    from diffusers import UNet2DModel

    down = tuple("AttnDownBlock2D" if attends else "DownBlock2D" for attends in spec.attention)
    up = tuple("AttnUpBlock2D" if attends else "UpBlock2D" for attends in reversed(spec.attention))
    return UNet2DModel(
        sample_size=spec.size, in_channels=3, out_channels=3, layers_per_block=spec.layers, norm_num_groups=8,
        block_out_channels=spec.channels, down_block_types=down, up_block_types=up, attention_head_dim=32,
    )  # fmt: skip


def build_scheduler(spec: TrainSpec) -> Any:
    """Return the diffusers scheduler that the model is trained for."""
    from diffusers import DDPMScheduler

    beta = "squaredcos_cap_v2" if spec.schedule == "cosine" else "linear"
    prediction = "v_prediction" if spec.prediction == "v" else "epsilon"
    return DDPMScheduler(num_train_timesteps=STEPS, beta_schedule=beta, prediction_type=prediction, clip_sample=True)


def noise_schedule(spec: TrainSpec) -> Tensor:
    """Return the cumulative products of alpha, (1000,) float32."""
    alphas: Tensor = build_scheduler(spec).alphas_cumprod
    return alphas.float()


def learning_rate(spec: TrainSpec, step: int, total: int) -> float:
    """Return the learning rate of a step: a linear warm-up, then constant, then falling over the last fifth."""
    warm, cool = min(1.0, (step + 1) / max(1, spec.warmup)), min(1.0, (total - step) / max(1.0, 0.2 * total))
    return spec.lr * warm * cool


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
    signal, spread = alphas[times].sqrt()[:, None, None, None], (1 - alphas[times]).sqrt()[:, None, None, None]
    with torch.autocast(x.device.type, torch.bfloat16, enabled=spec.precision == "bf16"):
        answer = network(signal * x + spread * noise, times).sample.float()
    target = signal * noise - spread * x if spec.prediction == "v" else noise
    snr = alphas[times] / (1 - alphas[times]).clamp(min=1e-8)
    weight = snr.clamp(max=5.0) / (snr + 1 if spec.prediction == "v" else snr.clamp(min=1e-8))
    loss: Tensor = (weight * (answer - target).square().mean(dim=(1, 2, 3))).mean()
    return loss


@torch.no_grad()
def _average(both: nn.ModuleDict, spec: TrainSpec, step: int) -> None:
    decay = min(spec.ema, (1 + step) / (10 + step))
    for mean, value in zip(both["average"].parameters(), both["network"].parameters(), strict=True):
        mean.lerp_(value, 1 - decay)


def _save(spec: TrainSpec, both: nn.ModuleDict, optimizer: torch.optim.Optimizer, out: Path, step: int) -> Saved:
    checkpoint.save(out / LAST, both, optimizer, {"step": step, "spec": asdict(spec)})
    model: Any = both["average"]
    model.save_pretrained(out / MODEL / "unet", safe_serialization=True)
    build_scheduler(spec).save_pretrained(out / MODEL / "scheduler")
    (out / GRIDS).mkdir(exist_ok=True)
    grid = out / GRIDS / f"{step:07}.png"
    _grid(preview(model, spec)).save(grid)
    return Saved(step, out / MODEL, grid)


@torch.inference_mode()
def preview(network: Any, spec: TrainSpec, count: int = 16, steps: int = 25) -> NDArray[np.uint8]:
    """Return (count, S, S, 3) bytes of quick DDIM samples (Song et al., ICLR 2021), always from the same noise."""
    from diffusers import DDIMScheduler

    scheduler = DDIMScheduler.from_config(build_scheduler(spec).config, timestep_spacing="trailing")
    scheduler.set_timesteps(steps)
    device = next(network.parameters()).device
    x = torch.randn((count, 3, spec.size, spec.size), generator=torch.Generator().manual_seed(1)).to(device)
    for time_ in scheduler.timesteps:
        x = scheduler.step(network(x, time_).sample, time_, x).prev_sample
    return ((x.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def _grid(pictures: NDArray[np.uint8]) -> Image.Image:
    side = math.isqrt(len(pictures))
    rows = [np.concatenate(list(pictures[row * side : (row + 1) * side]), axis=1) for row in range(side)]
    return Image.fromarray(np.concatenate(rows))


def _check_place(out: Path, spec: TrainSpec, resume: bool) -> None:
    if not (out / LAST).is_file():
        if out.is_dir() and any(out.iterdir()):
            raise BadData(f"{out} is not empty and holds no run; give a new folder.")
        return
    if not resume:
        raise BadData(f"{out} already holds a run; add --resume to go on with it, or give another folder.")
    found, wanted = checkpoint.facts(out / LAST)["spec"], asdict(spec)
    free = {"images", "save_every", "lr"}
    different = sorted(key for key in wanted if key not in free and _plain(found.get(key)) != _plain(wanted[key]))
    if different:
        raise BadData(f"The run in {out} was begun with other settings (different: {', '.join(different)}).")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
