"""The one function that the pictures of both classes pass, so that nothing but the picture differs.

Both are cut to the centre square, resized with one kernel, stripped of all metadata and written by one encoder with one
setting. `settle` with `match_quality` lets quality and size vary as they do among the real pictures. There, too, both
classes pass the same hands: every picture, real or generated, draws its quality and size from the same list by its
own random generator, whatever its own were. Were the real ones kept as they are and the fakes alone re-encoded, the
files would differ by encoder and by the number of compressions.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from numpy.random import Generator
from PIL import Image

from classifier.data import BadData
from classifier.images import BadImage, Pixels, load
from generator import jpeg_tables

MAX_SIZE_PX = 4096
SUBSAMPLINGS = {"4:4:4": 0, "4:2:0": 2}
KERNELS = {"lanczos": Image.Resampling.LANCZOS, "bicubic": Image.Resampling.BICUBIC, "box": Image.Resampling.BOX}


@dataclass(frozen=True)
class Drawn:
    """A quality and a size (px) that the real pictures have; every picture draws one of the list."""

    quality: int
    size: int


@dataclass(frozen=True)
class Equalize:
    """How every picture is written; raises `BadData` for a value out of bounds.

    `size` is the side in pixels, 0 for that of the fakes. `match_quality` asks `settle` for `drawn`, of which each
    picture then takes one; sizes above `size` are brought down to it, so that no fake is ever enlarged.
    """

    size: int = 0
    format: Literal["jpeg", "png"] = "jpeg"
    quality: int = 90
    subsampling: Literal["4:2:0", "4:4:4"] = "4:2:0"
    kernel: Literal["lanczos", "bicubic", "box"] = "lanczos"
    match_quality: bool = False
    drawn: tuple[Drawn, ...] = ()

    def __post_init__(self) -> None:
        if not (self.size == 0 or 32 <= self.size <= MAX_SIZE_PX):
            raise BadData(f"The pictures' size must be between 32 and {MAX_SIZE_PX:,} px, not {self.size}.")
        if not 1 <= self.quality <= 100:
            raise BadData(f"The JPEG quality must be between 1 and 100, not {self.quality}.")
        if self.match_quality and self.format != "jpeg":
            raise BadData("Matching the real pictures' quality needs JPEG: PNG files have no quality.")


def equalize(pixels: Pixels, spec: Equalize, rng: Generator) -> bytes:
    """Return a picture (H, W, 3) as the bytes of a file, free of metadata; the same input gives the same bytes.

    `rng` draws quality and size where `spec` is matched to the real pictures, and is not touched otherwise.
    """
    if spec.size == 0:
        raise ValueError("settle the size first")
    if spec.match_quality and not spec.drawn:
        raise ValueError("settle the distribution first")
    quality, size = spec.quality, spec.size
    if spec.drawn:
        draw = spec.drawn[int(rng.integers(len(spec.drawn)))]
        quality, size = draw.quality, min(draw.size, size)
    return _encode(_square(pixels, size, KERNELS[spec.kernel]), spec, quality)


def settle(spec: Equalize, real: Sequence[Path]) -> Equalize:
    """Return the settings with the (quality, size) pairs of the real pictures, where they are to be matched.

    Files that hold no JPEG count with the settings' own quality, unreadable ones not at all.
    """
    if not spec.match_quality:
        return spec
    with ThreadPoolExecutor() as pool:
        found = [one for one in pool.map(lambda path: _draw(path, spec), real) if one is not None]
    if not found:
        raise BadData("No real picture is left whose quality and size could be matched.")
    return replace(spec, drawn=tuple(sorted(found, key=lambda one: (one.quality, one.size))))


def enlarges(pixels: Pixels, spec: Equalize) -> bool:
    """Return whether a picture is smaller than what it may become: enlarging leaves a trace that the others lack."""
    most = max((min(draw.size, spec.size) for draw in spec.drawn), default=spec.size)
    return bool(min(pixels.shape[:2]) < most)


def _draw(path: Path, spec: Equalize) -> Drawn | None:
    try:
        image = load(path)
    except BadImage:
        return None
    quality = jpeg_tables.quality(jpeg_tables.read(image.data)) or spec.quality
    return Drawn(quality, min(max(min(image.width, image.height), 32), MAX_SIZE_PX))


def _square(pixels: Pixels, size: int, kernel: Image.Resampling) -> Image.Image:
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = Image.fromarray(pixels[top : top + side, left : left + side])
    return square if side == size else square.resize((size, size), kernel)


def _encode(picture: Image.Image, spec: Equalize, quality: int) -> bytes:
    out = io.BytesIO()
    if spec.format == "png":
        picture.save(out, "PNG", compress_level=6)
    else:
        picture.save(out, "JPEG", quality=quality, subsampling=SUBSAMPLINGS[spec.subsampling])
    return out.getvalue()
