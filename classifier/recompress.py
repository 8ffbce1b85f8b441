"""JPEG in memory: the damage that every picture on the web has taken. Free of torch."""

from __future__ import annotations

import io

import numpy as np
from numpy.random import Generator
from PIL import Image

from classifier.images import Pixels


def jpeg(pixels: Pixels, quality: int, rng: Generator | None = None) -> Pixels:
    """Return the picture after JPEG at `quality`, 4:2:0, or at random 4:4:4 where a generator is given."""
    subsampling = 0 if rng is not None and rng.random() < 0.3 else 2
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(buffer).convert("RGB"), dtype=np.uint8)
