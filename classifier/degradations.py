"""What happens to pictures on their way: blur, noise, rotation, JPEG, another size, a crop. Free of torch.

A row each, with its strengths in real units. Each is a function of the picture, the strength and the seed alone, so
that a sweep gives the same figures wherever and in whatever order it runs.
"""

from __future__ import annotations

import difflib
import hashlib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageFilter

from classifier.images import MIN_SIDE_PX, Pixels
from classifier.recompress import jpeg
from classifier.registry import by_name

BICUBIC = Image.Resampling.BICUBIC
NAMED = re.compile(r"([a-z]+)([0-9]+(?:\.[0-9]+)?)")


class BadDegradation(Exception):
    """A degradation that is not known or not possible; `str()` names the nearest one or the bounds."""


@dataclass(frozen=True)
class Degradation:
    """One way of damaging a picture.

    `levels` are the strengths of a sweep along an axis, in `unit`; None is where the untouched picture belongs among
    them. `bounds` are the least and the greatest strength; `whole` ones have no decimals.
    """

    name: str
    words: str
    unit: str
    levels: tuple[float | None, ...]
    bounds: tuple[float, float]
    apply: Callable[[Pixels, float, Generator], Pixels]
    whole: bool = False

    @property
    def strengths(self) -> tuple[float, ...]:
        """The strengths of a sweep, without the untouched picture."""
        return tuple(float(level) for level in self.levels if level is not None)


@dataclass(frozen=True)
class Degrade:
    """A degradation at one strength, to be called with a picture (H, W, 3): `jpeg75`."""

    row: Degradation
    strength: float
    seed: int = 0

    @property
    def name(self) -> str:
        """The name that `degradation` takes."""
        return f"{self.row.name}{self.strength:g}"

    def __call__(self, pixels: Pixels) -> Pixels:
        """Return the damaged picture; what is random in it hangs on the picture's own bytes and the seed."""
        return self.row.apply(pixels, self.strength, _rng(pixels, self.seed))


def blur(pixels: Pixels, sigma_px: float, _rng: Generator) -> Pixels:
    """Return the picture after a Gaussian blur, as Pillow does it with repeated box filters."""
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(sigma_px)), np.uint8)


def noise(pixels: Pixels, sigma: float, rng: Generator) -> Pixels:
    """Return the picture with white Gaussian noise, drawn for each channel alone, rounded and clipped to bytes."""
    noisy = pixels + sigma * rng.standard_normal(pixels.shape, np.float32)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def rotate(pixels: Pixels, angle_deg: float, _rng: Generator) -> Pixels:
    """Return the picture turned anticlockwise, cut to the largest upright rectangle without corners to fill."""
    height, width = pixels.shape[:2]
    turned = Image.fromarray(pixels).rotate(angle_deg, BICUBIC, expand=True)
    inner = inscribed(width, height, math.radians(angle_deg))
    wide, high = (max(1, math.floor(side + 1e-6)) for side in inner)
    left, top = (turned.width - wide) // 2, (turned.height - high) // 2
    return np.asarray(turned.crop((left, top, left + wide, top + high)), np.uint8)


def inscribed(width: float, height: float, angle: float) -> tuple[float, float]:
    """Return width and height of the largest upright rectangle inside one that is turned by `angle` (radians)."""
    sin, cos = abs(math.sin(angle)), abs(math.cos(angle))
    longer, shorter = max(width, height), min(width, height)
    if shorter <= 2 * sin * cos * longer or math.isclose(sin, cos):
        half = shorter / 2  # two corners touch the longer sides, the others lie on the middle line
        return (half / sin, half / cos) if width >= height else (half / cos, half / sin)
    double = cos**2 - sin**2
    return (width * cos - height * sin) / double, (height * cos - width * sin) / double


def resize(pixels: Pixels, scale: float, _rng: Generator) -> Pixels:
    """Return the picture at `scale` times its size (bicubic, smoothed when made smaller); no side under 32 px."""
    height, width = (max(MIN_SIDE_PX, round(side * scale)) for side in pixels.shape[:2])
    return np.asarray(Image.fromarray(pixels).resize((width, height), BICUBIC), np.uint8)


def crop(pixels: Pixels, share: float, _rng: Generator) -> Pixels:
    """Return the middle of the picture, `share` of each side; no side under 32 px."""
    high, wide = (min(side, max(MIN_SIDE_PX, round(side * share))) for side in pixels.shape[:2])
    top, left = (pixels.shape[0] - high) // 2, (pixels.shape[1] - wide) // 2
    return np.ascontiguousarray(pixels[top : top + high, left : left + wide])


ROWS = (
    Degradation("blur", "Gaussian blur", "σ in pixels", (None, 0.5, 1, 2, 4), (0.1, 100), blur),
    Degradation("noise", "Gaussian noise", "σ in grey levels of 255", (None, 2, 5, 10, 20, 40), (0.1, 255), noise),
    Degradation("rotate", "Rotation", "degrees", (None, 2, 5, 15, 45, 90), (0.1, 180), rotate),
    Degradation(
        "jpeg", "JPEG again", "quality", (None, 95, 85, 75, 50, 30, 10), (1, 100),
        lambda pixels, quality, _rng: jpeg(pixels, int(quality)), whole=True,
    ),
    Degradation("resize", "Resized", "times its size", (0.25, 0.5, 0.75, None, 1.5, 2), (0.05, 4), resize),
    Degradation("crop", "Cropped to the middle", "share of each side", (None, 0.9, 0.75, 0.5, 0.25), (0.05, 1), crop),
)  # fmt: skip


DEGRADATIONS = by_name(ROWS, "degradations")


def degradation(name: str | None, *, seed: int = 0) -> Degrade | None:
    """Return what is done to a picture by its name, such as `jpeg75` or `blur1.5`; None is nothing.

    Raises `BadDegradation`.
    """
    if name is None:
        return None
    if name in DEGRADATIONS:
        row = DEGRADATIONS[name]
        raise BadDegradation(
            f"'{name}' needs its strength ({row.unit}), such as {Degrade(row, row.strengths[0]).name}."
        )
    found = NAMED.fullmatch(name)
    if found is None or found[1] not in DEGRADATIONS:
        raise BadDegradation(f"There is no degradation '{name}'{_near(name)}; {_known()}, each with its strength.")
    row, strength = DEGRADATIONS[found[1]], float(found[2])
    low, high = row.bounds
    if not low <= strength <= high or (row.whole and not strength.is_integer()):
        kind = "a whole number" if row.whole else "a number"
        raise BadDegradation(f"The strength of '{name}' ({row.unit}) must be {kind} from {low:g} to {high:g}.")
    return Degrade(row, strength, seed)


def rows(names: str | None) -> tuple[Degradation, ...]:
    """Return the rows of a sweep by their names, such as `jpeg,blur`; None is all. Raises `BadDegradation`."""
    if names is None:
        return ROWS
    asked = [name.strip() for name in names.split(",")]
    for name in asked:
        if name not in DEGRADATIONS:
            raise BadDegradation(f"There is no degradation '{name}'{_near(name)}; {_known()}.")
    return tuple(row for row in ROWS if row.name in asked)


def _near(name: str) -> str:
    near = difflib.get_close_matches(re.sub(r"[^a-z]", "", name), DEGRADATIONS, 1)
    return f" (did you mean '{near[0]}'?)" if near else ""


def _known() -> str:
    return f"known are {', '.join(f'{row.name} ({row.unit})' for row in ROWS)}"


def _rng(pixels: Pixels, seed: int) -> Generator:
    digest = hashlib.sha256(pixels.tobytes()).digest()
    return np.random.default_rng((seed, int.from_bytes(digest[:8], "big")))
