"""Fakes without a generator: a real picture sent through a random decoder-like up-sampling gets a generator's traces.

After "FingerprintNet: Synthesized Fingerprints for Generated Image Detection" (Jeong et al., ECCV 2022): what is
learned from one generator's up-sampling layers does not carry over to another's, so a detector is shown many random
ones.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the usual name
from numpy.random import Generator
from torch import Tensor

from classifier.images import Pixels


def upsampled(pixels: Pixels, rng: Generator) -> Pixels:
    """Return the picture (H, W, 3), shrunk and grown again by random decoder-like layers; H and W divisible by 8."""
    x = torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1
    doublings = int(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1]))
    with torch.no_grad():
        code = _encode(x, 2**doublings, rng)
        grown = code
        for _ in range(doublings):
            grown = _layer(grown, rng)
        grown = _match(grown, x)
        grown = grown + _detail(grown, rng)
        if rng.random() < 0.4:
            grown = grown + torch.from_numpy(rng.normal(0, rng.uniform(0.002, 0.03), grown.shape).astype(np.float32))
    bytes_ = ((grown[0].permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    out: Pixels = np.ascontiguousarray(bytes_.numpy())
    return out


def _encode(x: Tensor, factor: int, rng: Generator) -> Tensor:
    kind = rng.integers(3)
    if kind == 0:
        return F.avg_pool2d(x, factor)
    size = (x.shape[-2] // factor, x.shape[-1] // factor)
    mode = "bilinear" if kind == 1 else "bicubic"
    return F.interpolate(x, size=size, mode=mode, align_corners=False, antialias=True)


def _layer(x: Tensor, rng: Generator) -> Tensor:
    """One doubling: nearest, bilinear, transposed convolution or pixel shuffle, then a random 3 × 3 convolution."""
    kind = rng.integers(4)
    if kind == 0:
        grown = F.interpolate(x, scale_factor=2.0, mode="nearest")
    elif kind == 1:
        grown = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
    elif kind == 2:
        side = int(rng.choice([2, 3, 4]))
        grown = F.conv_transpose2d(x, _transposed(side, rng), stride=2, padding=(side - 1) // 2 if side > 2 else 0)
        grown = grown[..., : 2 * x.shape[-2], : 2 * x.shape[-1]]
        grown = F.pad(
            grown,
            (0, 2 * x.shape[-1] - grown.shape[-1], 0, 2 * x.shape[-2] - grown.shape[-2]),
            mode="replicate",
        )
    else:
        grown = F.pixel_shuffle(F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), _shuffled(rng)), 2)
    if rng.random() < 0.7:
        grown = F.conv2d(F.pad(grown, (1, 1, 1, 1), mode="replicate"), _near_identity(rng))
    return grown


def _near_identity(rng: Generator) -> Tensor:
    kernel = rng.normal(0, rng.uniform(0.005, 0.06), (3, 3, 3, 3)).astype(np.float32)
    for channel in range(3):
        kernel[channel, channel, 1, 1] += 1 - kernel[channel].sum()
    return torch.from_numpy(kernel)


def _transposed(side: int, rng: Generator) -> Tensor:
    """A (3, 3, side, side) kernel whose four phases sum to about 1 each, with random unevenness (the chequerboard)."""
    profile = np.ones(side) if side == 2 else np.bartlett(side + 2)[1:-1]
    plane = np.outer(profile, profile) * (1 + rng.normal(0, rng.uniform(0.01, 0.12), (side, side)))
    plane *= 4 / plane.sum()
    kernel = np.zeros((3, 3, side, side), np.float32)
    for channel in range(3):
        kernel[channel, channel] = plane * (1 + rng.normal(0, 0.02, (side, side)))
    return torch.from_numpy(kernel)


def _shuffled(rng: Generator) -> Tensor:
    """A (12, 3, 3, 3) kernel for pixel shuffle: each of the four phases is a slightly different interpolation."""
    base = np.outer([0.25, 0.5, 0.25], [0.25, 0.5, 0.25]) * rng.uniform(0, 1)
    base[1, 1] += 1 - base.sum()
    kernel = np.zeros((12, 3, 3, 3), np.float32)
    for out in range(12):
        plane = base + rng.normal(0, rng.uniform(0.005, 0.05), (3, 3))
        kernel[out, out // 4] = plane / plane.sum()
    return torch.from_numpy(kernel)


def _match(grown: Tensor, x: Tensor) -> Tensor:
    return grown if grown.shape == x.shape else F.interpolate(grown, size=x.shape[-2:], mode="nearest")


def _detail(x: Tensor, rng: Generator) -> Tensor:
    """Sharpen by a random amount: a generator's pictures are not as soft as an up-sampled one."""
    soft = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return (x - soft) * float(rng.uniform(0, 1.5))
