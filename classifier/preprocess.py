"""From a picture to the network's input, exactly as the detector's card says.

Free of torch: the same numpy and Pillow code serves judging, evaluation and export, so that a detector sees the same
numbers everywhere. Resizing destroys the traces that generators leave, so a detector of such traces looks at tiles in
native resolution; a classifier of things looks at the whole picture, resized.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifier.images import Pixels
from classifier.preprocess_spec import Preprocess

Floats = NDArray[np.float32]
Box = tuple[int, int, int, int]
"""left, top, right, bottom in pixels of the picture, right and bottom excluded."""

Place = tuple[int, int]
"""Where in the room that there is: -1, 0 or 1 across and down."""
MIDDLE: Place = (0, 0)

KERNELS = {
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True, eq=False)
class Regions:
    """Network input of one picture: `batch` is (N, 3, S, S), `boxes` says where each of the N came from.

    The box of a padded input reaches beyond the picture's right or lower edge.
    """

    batch: Floats
    boxes: tuple[Box, ...]


def normalize(pixels: NDArray[np.uint8], spec: Preprocess) -> Floats:
    """Return (..., 3, H, W) float32 of (..., H, W, 3) bytes, standardized with the card's mean and deviation."""
    scale = np.float32(1 / 255) / np.asarray(spec.std, np.float32)
    shift = -np.asarray(spec.mean, np.float32) / np.asarray(spec.std, np.float32)
    return np.ascontiguousarray(np.moveaxis(pixels * scale + shift, -1, -3), dtype=np.float32)


def regions(pixels: Pixels, spec: Preprocess, at: Place = MIDDLE) -> Regions:
    """Return the network's input for a picture of (H, W, 3) bytes.

    `at` moves what is looked at as far as there is room: left (-1) or right (1), up (-1) or down (1).
    """
    crops, boxes = _tiles(pixels, spec, at) if spec.kind == "tiles" else _resized(pixels, spec, at)
    return Regions(normalize(np.stack(crops), spec), boxes)


def _tiles(pixels: Pixels, spec: Preprocess, at: Place) -> tuple[list[Pixels], tuple[Box, ...]]:
    size = spec.size
    padded = pad(pixels, size)
    crops, boxes = [], []
    for top in _starts(padded.shape[0], size, spec.tiles, at[1]):
        for left in _starts(padded.shape[1], size, spec.tiles, at[0]):
            crops.append(padded[top : top + size, left : left + size])
            boxes.append((left, top, left + size, top + size))
    return crops, tuple(boxes)


def pad(pixels: Pixels, size: int) -> Pixels:
    """Return the picture mirrored at its right and lower edge to at least `size` on both sides."""
    down, right = max(0, size - pixels.shape[0]), max(0, size - pixels.shape[1])
    return np.pad(pixels, ((0, down), (0, right), (0, 0)), mode="symmetric") if down or right else pixels


def _starts(length: int, size: int, most: int, at: int) -> list[int]:
    """Return where tiles begin along one side: each in the middle of an equal part, so that none is all edge.

    With `at` -1 or 1 each lies at the beginning or at the end of its part.
    """
    count = min(most, max(1, length // size))
    free = length - count * size
    return [(2 * part * length + (1 + at) * free) // (2 * count) for part in range(count)]


def _resized(pixels: Pixels, spec: Preprocess, at: Place) -> tuple[list[Pixels], tuple[Box, ...]]:
    height, width = pixels.shape[:2]
    scale = max(spec.resize, spec.size) / min(height, width)
    scaled = (max(spec.size, round(width * scale)), max(spec.size, round(height * scale)))
    left, top = ((side - spec.size) * (1 + way) / 2 for side, way in zip(scaled, at, strict=True))
    # Pillow resizes only what the crop needs: a 12-megapixel picture costs no more than its centre.
    source = (
        left * width / scaled[0], top * height / scaled[1],
        (left + spec.size) * width / scaled[0], (top + spec.size) * height / scaled[1],
    )  # fmt: skip
    image = Image.fromarray(pixels).resize((spec.size, spec.size), KERNELS[spec.kernel], box=source)
    x, y = min(max(0, round(source[0])), width - 1), min(max(0, round(source[1])), height - 1)
    # Of a tiny picture less than a pixel may be looked at: it is that pixel.
    box = (x, y, max(x + 1, min(width, round(source[2]))), max(y + 1, min(height, round(source[3]))))
    return [np.asarray(image, dtype=np.uint8)], (box,)
