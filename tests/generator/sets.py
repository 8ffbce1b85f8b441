"""Data sets of two classes whose pictures come from one random process, so that only their writing can differ."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from classifier.images import Pixels
from generator.audit import Audit, audit
from tests.conftest import picture

Save = Callable[[Pixels, Path], None]


def as_png(pixels: Pixels, stem: Path) -> None:
    Image.fromarray(pixels).save(stem.with_suffix(".png"))


def as_jpeg(pixels: Pixels, stem: Path) -> None:
    Image.fromarray(pixels).save(stem.with_suffix(".jpg"), quality=90)


def scene(seed: int, width: int = 96, height: int = 96) -> Pixels:
    """Return a picture of mixed brightness and roughness, so that no cheap look of it is constant."""
    rng = np.random.default_rng(seed)
    pixels = picture(width, height, seed=seed).astype(np.float64)
    pixels = (pixels - 128) * rng.uniform(0.5, 0.9) + 128 + rng.normal(0, rng.uniform(0.5, 3), pixels.shape)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def write_set(root: Path, fake: Save, real: Save, *, count: int = 24, side_px: int = 96, first: int = 0) -> Path:
    """Write `count` pictures of each class; `fake` and `real` write one to a path without suffix."""
    for index in range(2 * count):
        kind, save = (("fake", fake), ("real", real))[index % 2]
        stem = root / kind / f"{index:05}"
        stem.parent.mkdir(parents=True, exist_ok=True)
        save(scene(first + index, side_px, side_px), stem)
    return root


def audited(root: Path, **options: object) -> Audit:
    """Return what an audit finds."""
    *_, end = audit(root, **options)  # type: ignore[arg-type]
    assert isinstance(end, Audit)
    return end
