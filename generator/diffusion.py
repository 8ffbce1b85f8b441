"""What a generator is trained as: the settings of a run, and the network and the noise schedule made from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from classifier.data import BadData

STEPS = 1000
"""Noise levels of the diffusion."""
MAX_SEED = 2**31 - 1
GROUPS, HEAD = 8, 32
"""Groups of the network's normalization, and channels of an attention head: what its widths must be divisible by."""


@dataclass(frozen=True)
class TrainSpec:
    """What is trained and how. `images` counts pictures shown, over all passes; sides are in pixels.

    `precision` auto is bf16 where the device computes in it, fp32 elsewhere. A field that is added needs a default that
    leaves older runs as they were: they are resumed with it.
    """

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
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    flip: bool = True
    seed: int = 0
    save_every: int = 500


def check(spec: TrainSpec) -> None:
    """Raise `BadData` with a sentence if no network can be made of the settings, or nothing be drawn from the seed."""
    if not 0 <= spec.seed <= MAX_SEED:
        raise BadData(f"The seed must be between 0 and {MAX_SEED:,}, not {spec.seed}.")
    halvings = len(spec.channels) - 1
    if spec.size % 2**halvings:
        raise BadData(f"A side of {spec.size} px cannot be halved {halvings} times; take a multiple of {2**halvings}.")
    if len(spec.attention) != len(spec.channels):
        raise BadData("Every level of the network needs its width, and whether it attends: the two lists differ.")
    for width, attends in zip(spec.channels, spec.attention, strict=True):
        step = HEAD if attends else GROUPS
        if width < step or width % step:
            raise BadData(f"The network cannot be {width} channels wide there; take a multiple of {step}.")


def with_precision(spec: TrainSpec, device: torch.device) -> TrainSpec:
    """Return the settings with `auto` resolved for a device."""
    if spec.precision != "auto":
        return spec
    return replace(spec, precision="bf16" if computes_bf16(device) else "fp32")


def computes_bf16(device: torch.device) -> bool:
    """Return whether a device has instructions for bf16; where it has not, bf16 is slower than fp32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)() if device.type == "cpu" else {}
    return any(bool(capabilities.get(name)) for name in ("avx512_bf16", "amx_bf16"))


def build_unet(spec: TrainSpec) -> Any:
    """Return the UNet with fresh weights."""
    from diffusers import UNet2DModel

    down = tuple("AttnDownBlock2D" if attends else "DownBlock2D" for attends in spec.attention)
    up = tuple("AttnUpBlock2D" if attends else "UpBlock2D" for attends in reversed(spec.attention))
    return UNet2DModel(
        sample_size=spec.size, in_channels=3, out_channels=3, layers_per_block=spec.layers, norm_num_groups=GROUPS,
        block_out_channels=spec.channels, down_block_types=down, up_block_types=up, attention_head_dim=HEAD,
    )  # fmt: skip


def build_scheduler(spec: TrainSpec) -> Any:
    """Return the diffusers scheduler that the model is trained for.

    Samplers with few steps are to start at the last noise level (Lin et al., "Common Diffusion Noise Schedules and
    Sample Steps Are Flawed", WACV 2024), hence the trailing spacing.
    """
    from diffusers import DDPMScheduler

    return DDPMScheduler(
        num_train_timesteps=STEPS, beta_schedule="squaredcos_cap_v2" if spec.schedule == "cosine" else "linear",
        prediction_type="v_prediction" if spec.prediction == "v" else "epsilon", clip_sample=True,
        timestep_spacing="trailing",
    )  # fmt: skip


def noise_schedule(spec: TrainSpec) -> Tensor:
    """Return the cumulative products of alpha, (1000,) float32."""
    alphas: Tensor = build_scheduler(spec).alphas_cumprod
    return alphas.float()


def noised(x: Tensor, noise: Tensor, alphas: Tensor, prediction: str) -> tuple[Tensor, Tensor]:
    """Return pictures (N, 3, S, S) in [-1, 1] with noise mixed in, and what the network is to answer to them.

    `alphas` (N,) are the noise levels as cumulative products of alpha. The answer is the noise, or the velocity.
    """
    signal, spread = alphas.sqrt()[:, None, None, None], (1 - alphas).sqrt()[:, None, None, None]
    return signal * x + spread * noise, signal * noise - spread * x if prediction == "v" else noise


def weights(alphas: Tensor, prediction: str) -> Tensor:
    """Return the weight (N,) of each picture's squared error: Min-SNR with a limit of 5."""
    snr = alphas / (1 - alphas).clamp(min=1e-8)
    return snr.clamp(max=5.0) / (snr + 1 if prediction == "v" else snr.clamp(min=1e-8))


def learning_rate(spec: TrainSpec, step: int, total: int) -> float:
    """Return the learning rate of a step: a linear warm-up, then constant, then falling over the last fifth."""
    warm, cool = min(1.0, (step + 1) / max(1, spec.warmup)), min(1.0, (total - step) / max(1.0, 0.2 * total))
    return spec.lr * warm * cool
