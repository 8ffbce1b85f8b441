"""A heat map laid on its picture, as every face of the application shows it."""

from __future__ import annotations

import numpy as np
from PIL import Image

from classifier.images import Pixels
from classifier.runtime import Heat

OPACITY = 0.45
COLOUR_MAP = "inferno"


def overlay(pixels: Pixels, heat: Heat, *, opacity: float = OPACITY, colour_map: str = COLOUR_MAP) -> Pixels:
    """Return the picture with the map on it, at the map's size (at most 1024 px on a side), (h, w, 3) bytes.

    Only where the detector looked is coloured; the rest of the picture stays as it is.
    """
    height, width = heat.values.shape
    ground = np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR), np.float32)
    alpha = looked_at(heat, pixels.shape[:2])[..., None] * np.float32(opacity)
    mixed = ground * (1 - alpha) + coloured(heat, colour_map)[..., :3].astype(np.float32) * alpha
    return mixed.round().astype(np.uint8)


def coloured(heat: Heat, colour_map: str = COLOUR_MAP) -> Pixels:
    """Return the map in colours, (h, w, 3) bytes; `colour_map` is matplotlib's name of a perceptually even one."""
    from matplotlib import colormaps

    return np.asarray(colormaps[colour_map](heat.values, bytes=True))[..., :3]


def looked_at(heat: Heat, shape: tuple[int, int]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return (h, w) float32, 1 where the detector looked and 0 elsewhere, for a picture of `shape` (H, W)."""
    height, width = heat.values.shape
    mask = np.zeros((height, width), np.float32)
    for left, top, right, bottom in heat.boxes:
        mask[
            round(top * height / shape[0]) : round(bottom * height / shape[0]),
            round(left * width / shape[1]) : round(right * width / shape[1]),
        ] = 1
    return mask
