"""Perceptually even colour maps as tables, read from a small picture, so that judging need not load matplotlib."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifier.images import Pixels
from classifier.places import resources

COLOUR_MAPS = ("inferno", "viridis", "magma", "cividis")
"""The rows of resources/colour_maps.png, by matplotlib's names."""
LEVELS = 256


@cache
def table(name: str) -> Pixels:
    """Return a map's colours from weak to strong, (256, 3) bytes; raises `ValueError` for a name that is not there."""
    with Image.open(resources() / "colour_maps.png", formats=("PNG",)) as image:
        rows = np.asarray(image.convert("RGB"))
    found: Pixels = np.ascontiguousarray(rows[COLOUR_MAPS.index(name)])
    return found


def levels(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return values of [0, 1] as rows of a table."""
    rows: NDArray[np.uint8] = np.clip(values * LEVELS, 0, LEVELS - 1).astype(np.uint8)
    return rows
