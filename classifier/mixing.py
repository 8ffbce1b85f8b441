"""MixUp and CutMix: pictures of a batch blended with one another, and their labels with them."""

from __future__ import annotations

import math

from numpy.random import Generator
from torch import Tensor
from torch.nn.functional import one_hot

from classifier.schema import Augment


def mixed(x: Tensor, labels: Tensor, classes: int, spec: Augment, rng: Generator) -> tuple[Tensor, Tensor]:
    """Return (B, 3, H, W) pictures, each mixed with the one before it, and the shares of the classes in each, (B, C).

    MixUp (Zhang et al., ICLR 2018) adds both pictures up, CutMix (Yun et al., ICCV 2019) takes a box from the other;
    one share, drawn from Beta(alpha, alpha), holds for the whole batch. Where both are asked for, a coin decides.
    """
    cut = bool(spec.cutmix) and not (spec.mixup and rng.random() < 0.5)
    alpha = spec.cutmix if cut else spec.mixup
    share = float(rng.beta(alpha, alpha))
    other = x.roll(1, 0)
    if cut:
        x, share = _cut(x, other, share, rng)
    else:
        x = x * share + other * (1 - share)
    shares = one_hot(labels, classes).float()
    return x, shares * share + shares.roll(1, 0) * (1 - share)


def _cut(x: Tensor, other: Tensor, share: float, rng: Generator) -> tuple[Tensor, float]:
    """Return the pictures with a box of the other in it, and the share of their area that is still their own."""
    height, width = x.shape[-2:]
    half_h, half_w = (math.sqrt(1 - share) * side / 2 for side in (height, width))
    middle_y, middle_x = rng.integers(height), rng.integers(width)
    top, bottom = (int(min(height, max(0, middle_y + step))) for step in (-half_h, half_h))
    left, right = (int(min(width, max(0, middle_x + step))) for step in (-half_w, half_w))
    x = x.clone()
    x[..., top:bottom, left:right] = other[..., top:bottom, left:right]
    return x, 1 - (bottom - top) * (right - left) / (height * width)


def taught(y: Tensor) -> Tensor:
    """Return the label (B,) that a batch's targets name: themselves, or of shares (B, C) the largest."""
    found: Tensor = y.argmax(1) if y.is_floating_point() else y
    return found
