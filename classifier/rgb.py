"""From a decoded picture of any colour mode to upright RGB bytes, strip by strip so that no second copy is held."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Bytes = NDArray[np.uint8]

DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
ALPHA = ("LA", "PA", "RGBA", "RGBa")
PLAIN = ("1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "LAB", "HSV")
MODES = frozenset((*DEEP, *ALPHA, *PLAIN))
STRIP_PIXELS = 2**22

# Each turns the upright picture into a view of it as the file stores it (EXIF 2.32, tag 274).
STORED: dict[int, Callable[[Bytes], Bytes]] = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: np.rot90,
    7: lambda upright: np.rot90(upright.swapaxes(0, 1), 2),
    8: lambda upright: np.rot90(upright, -1),
}


def to_rgb(image: Image.Image, orientation: int = 1) -> Bytes:
    """Return (H, W, 3) uint8 RGB, turned as the EXIF orientation (1 to 8) says; `image` must be loaded.

    Deep greys are scaled, not clipped, and alpha is laid on white. The mode must be one of `MODES`.
    """
    width, height = image.size
    turned = orientation in (5, 6, 7, 8)
    upright = np.empty((width, height, 3) if turned else (height, width, 3), np.uint8)
    stored = STORED.get(orientation, STORED[1])(upright)
    scale = _grey_scale(image) if image.mode in DEEP else None
    for top, strip in _strips(image):
        pixels = _grey(strip, *scale) if scale else _colours(strip)
        stored[top : top + strip.height] = pixels
    return upright


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    width, height = image.size
    rows = max(1, STRIP_PIXELS // max(1, width))
    for top in range(0, height, rows):
        yield top, image.crop((0, top, width, min(height, top + rows)))


def _colours(strip: Image.Image) -> Bytes:
    if strip.mode in ALPHA or "transparency" in strip.info:
        rgba = strip.convert("RGBA")
        ground = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        strip = Image.alpha_composite(ground, rgba)
    return np.asarray(strip.convert("RGB"), dtype=np.uint8)


def _grey_scale(image: Image.Image) -> tuple[float, float]:
    """Return what becomes black and what becomes white: the range that the values are stored in, or their extremes."""
    if image.mode.startswith("I;16"):
        return 0.0, 65535.0
    low, high = np.inf, -np.inf
    for _, strip in _strips(image):
        values = np.asarray(strip)
        finite = values[np.isfinite(values)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    ranges = (1.0, 255.0, 65535.0) if image.mode == "F" else (65535.0,)
    return next(((0.0, top) for top in ranges if low >= 0 and high <= top), (low, high))


def _grey(strip: Image.Image, black: float, white: float) -> Bytes:
    values = np.asarray(strip).astype(np.float64)
    span = white - black if white > black else 1.0  # a flat picture, or no finite value at all
    grey = np.nan_to_num((np.clip(values, black, white) - black) * (255.0 / span), nan=0.0)
    return np.repeat(grey.round().astype(np.uint8)[..., None], 3, axis=2)
