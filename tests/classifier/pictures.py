"""Small labelled folders made on the spot: noise is real, the same noise grown from a quarter of its pixels is fake."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def write_folder(root: Path, *, n: int = 16, side_px: int = 40, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    for name in ("fake", "real"):
        (root / name).mkdir(parents=True)
        for index in range(n):
            ground = rng.integers(0, 255, (3, 3, 3), dtype=np.uint8)
            image = np.asarray(Image.fromarray(ground).resize((side_px, side_px), Image.Resampling.BICUBIC), np.int16)
            side = side_px // 2 if name == "fake" else side_px
            noise = rng.integers(-40, 40, (side, side, 3))
            if name == "fake":
                noise = noise.repeat(2, 0).repeat(2, 1)
            Image.fromarray(np.clip(image + noise, 0, 255).astype(np.uint8)).save(root / name / f"{index:03}.png")
    return root
