"""The pictures that a generator learns from, as squares of one size. Free of torch."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifier.data import picture_files
from classifier.images import BadImage, Pixels, load

MARGIN = 1.125
"""How much larger than the network's input a picture is kept, for random crops."""


@dataclass(frozen=True)
class Reading:
    """Pictures read: `done` of `total`."""

    unit: ClassVar[str] = "pictures"
    done: int
    total: int


def with_margin(size: int) -> int:
    """Return the side in pixels at which a picture is kept for an input of `size`."""
    return round(size * MARGIN)


def reading(folder: Path, side: int) -> Generator[Reading, None, NDArray[np.uint8]]:
    """Read the pictures below a folder as `squares` does, with an event for each."""
    found, paths = [np.zeros((0, side, side, 3), np.uint8)], list(picture_files(folder))
    for done, path in enumerate(paths, 1):
        try:
            found.append(square(load(path).pixels, side)[None])
        except BadImage:
            continue
        yield Reading(done, len(paths))
    return np.concatenate(found)


def squares(folder: Path, side: int) -> NDArray[np.uint8]:
    """Return the readable pictures below a folder as (N, side, side, 3) bytes: their centre squares, resized."""
    events = reading(folder, side)
    while True:
        try:
            next(events)
        except StopIteration as end:
            found: NDArray[np.uint8] = end.value
            return found


def square(pixels: Pixels, side: int) -> Pixels:
    """Return the centre square of a picture at (side, side, 3)."""
    height, width = pixels.shape[:2]
    edge = min(height, width)
    box = ((width - edge) / 2, (height - edge) / 2, (width + edge) / 2, (height + edge) / 2)
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS, box=box), np.uint8)
