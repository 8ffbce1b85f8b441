"""A heat map laid on its picture, as every face of the application shows it."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from classifier.images import Pixels
from classifier.pointing import looked_at
from classifier.runtime import Heat
from forensics_app.core.colour_maps import levels, table
from forensics_app.core.html import data_uri

OPACITY = 0.45
COLOUR_MAP = "inferno"
SIDE_PX, JPEG_QUALITY = 288, 85


def overlay(pixels: Pixels, heat: Heat, *, opacity: float = OPACITY, colour_map: str = COLOUR_MAP) -> Pixels:
    """Return the picture with the map on it, at the map's size (at most 1024 px on a side), (h, w, 3) bytes.

    Only where the detector looked is coloured; the rest of the picture stays as it is.
    """
    height, width = heat.values.shape
    ground = np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR), np.float32)
    alpha = looked_at(heat, (pixels.shape[0], pixels.shape[1]))[..., None] * np.float32(opacity)
    mixed = ground * (1 - alpha) + coloured(heat, colour_map).astype(np.float32) * alpha
    return mixed.round().astype(np.uint8)


def coloured(heat: Heat, colour_map: str = COLOUR_MAP) -> Pixels:
    """Return the map in colours, (h, w, 3) bytes; `colour_map` is one of `colour_maps.COLOUR_MAPS`."""
    return table(colour_map)[levels(heat.values)]


def embedded(pixels: Pixels, side_px: int = SIDE_PX) -> str:
    """Return a small copy of a picture of (H, W, 3) bytes, at most `side_px` on a side, as an address that holds it."""
    image = Image.fromarray(pixels)
    image.thumbnail((side_px, side_px), reducing_gap=2.0)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=JPEG_QUALITY)
    return data_uri("image/jpeg", out.getvalue())
