"""Drawn heads of animals: pictures whose class is a shape, and whose colours, places and textures are chance.

The kinds differ in their ears or horns alone. All have the same area, and whatever else varies is drawn from the same
distributions for each kind, so that no file and no cheap look of a picture tells which it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from classifier.images import Pixels

Points = NDArray[np.float64]
Colour = NDArray[np.float64]

FINER = 2
"""Shapes are drawn so many times larger and brought down, so that their edges are smooth."""
GROUND_CELLS = 7
"""Patches a side of the ground: rough enough that two pictures are never alike by chance."""
AREA = (0.14, 0.30)
"""Which part of a picture a head covers."""
TURN_DEG, STRETCH, EAR_TURN_DEG = 20.0, (0.88, 1.14), 10.0
OTHER_SHAPES, BARS = (3, 7), (0, 2)
GRAIN, NOISE = (3.0, 12.0), (2.0, 8.0)
CONTRAST = (45, 110)
"""How much lighter or darker than the ground the fur is, in grey levels."""


@dataclass(frozen=True, eq=False)
class Kind:
    """A class: its name, and the outlines of its right ear or horn around a head of radius 1, y pointing down."""

    name: str
    outlines: tuple[Points, ...]


@dataclass(frozen=True, eq=False)
class Drawn:
    """A picture (H, W, 3) and where its head is: left, top, right and bottom in pixels."""

    pixels: Pixels
    box: tuple[int, int, int, int]


def _ellipse(x: float, y: float, width: float, height: float, turn_deg: float = 0.0) -> Points:
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    outline = np.stack([width * np.cos(angle), height * np.sin(angle)], axis=1)
    return np.asarray(_turned(outline, turn_deg) + np.array([x, y]))


def _turned(points: Points, turn_deg: float) -> Points:
    angle = np.deg2rad(turn_deg)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turned: Points = points @ turn
    return turned


def _polygon(*points: tuple[float, float]) -> Points:
    return np.array(points, np.float64)


KINDS = (
    Kind("cat", (_polygon((0.12, -0.85), (0.78, -1.62), (0.98, -0.35)),)),
    Kind("dog", (_ellipse(1.02, 0.1, 0.32, 0.8, -16),)),
    Kind("rabbit", (_ellipse(0.42, -1.55, 0.24, 0.85, 8),)),
    Kind("bear", (_ellipse(0.72, -0.78, 0.4, 0.4),)),
    Kind("mouse", (_ellipse(1.05, -0.75, 0.68, 0.68),)),
    Kind("bull", (_polygon((0.6, -0.75), (1.35, -0.7), (1.5, -1.5), (1.75, -0.9), (1.6, -0.4), (0.9, -0.3)),)),
    Kind("deer", (_polygon((0.3, -0.8), (0.55, -1.9), (0.7, -1.9), (0.66, -1.45), (1.15, -1.85), (1.25, -1.75),
                           (0.62, -1.15), (0.55, -0.75)),)),
    Kind("elephant", (_ellipse(1.3, -0.05, 0.72, 0.95, 10),)),
)  # fmt: skip


def kind(name: str) -> Kind:
    """Return the kind of that name; raises KeyError."""
    return {one.name: one for one in KINDS}[name]


def draw(kind: Kind, size: int, rng: Generator) -> Drawn:
    """Draw a picture of `size` x `size` pixels, all of whose chances come from `rng`."""
    side = size * FINER
    around = _colour(rng)
    canvas = Image.fromarray(_ground(around, side, rng))
    pen = ImageDraw.Draw(canvas)
    for _ in range(rng.integers(*OTHER_SHAPES)):
        _fill(pen, _other_shape(side, rng), _colour(rng))
    box = _head(pen, kind, side, _fur(around, rng), rng)
    for _ in range(rng.integers(*BARS)):
        _fill(pen, _bar(side, rng), _colour(rng))
    pixels = np.asarray(canvas.reduce(FINER), np.float32)
    left, top, right, bottom = (int(np.clip(round(edge / FINER), 0, size)) for edge in box)
    return Drawn(_textured(pixels, rng), (left, top, right, bottom))


def _ground(around: Colour, side: int, rng: Generator) -> Pixels:
    cells = (GROUND_CELLS, GROUND_CELLS)
    coarse = around + rng.normal(0, 26, (*cells, 1)) + rng.normal(0, 10, (*cells, 3))
    small = Image.fromarray(np.clip(coarse, 0, 255).astype(np.uint8))
    return np.asarray(small.resize((side, side), Image.Resampling.BICUBIC))


def _head(
    pen: ImageDraw.ImageDraw, kind: Kind, side: int, fur: Colour, rng: Generator
) -> tuple[float, float, float, float]:
    """Draw the head at a place that leaves all of it inside; returns left, top, right and bottom."""
    scale = side * np.sqrt(rng.uniform(*AREA) / _area(kind))
    stretch, turn = np.array([rng.uniform(*STRETCH), 1.0]), rng.uniform(-TURN_DEG, TURN_DEG)
    spread = rng.uniform(-EAR_TURN_DEG, EAR_TURN_DEG)
    parts = [(outline, fur * rng.uniform(0.75, 1.2)) for outline in _outlines(kind, spread)]
    parts.append((_ellipse(0, 0, 1, 1), fur))
    parts += [(_ellipse(x, -0.15, 0.13, 0.16), np.full(3, 25.0)) for x in (-0.38, 0.38)]
    parts.append((_ellipse(0, 0.35, 0.2, 0.13), fur * 0.4))
    placed = [(_turned(outline * stretch, turn), colour) for outline, colour in parts]
    low, high = (edge(np.concatenate([outline for outline, _ in placed]), axis=0) for edge in (np.min, np.max))
    scale = min(scale, 0.98 * side / float((high - low).max()))
    placed, low, high = [(outline * scale, colour) for outline, colour in placed], low * scale, high * scale
    shift = rng.uniform(0, 1, 2) * (side - (high - low)) - low
    for outline, colour in placed:
        _fill(pen, outline + shift, colour)
    return (*(low + shift), *(high + shift))


def _outlines(kind: Kind, spread_deg: float) -> list[Points]:
    """Return the ears of both sides, turned outward around the middle of the head."""
    right = [_turned(outline, -spread_deg) for outline in kind.outlines]
    return [*right, *(outline * np.array([-1, 1]) for outline in right)]


@cache
def _area(kind: Kind) -> float:
    """Return the area of a head with its ears, of radius 1, so that all kinds can be drawn equally large."""
    cells, reach = 400, 2.5
    mask = Image.new("1", (cells, cells))
    for outline in (_ellipse(0, 0, 1, 1), *_outlines(kind, 0.0)):
        ImageDraw.Draw(mask).polygon([(x, y) for x, y in (outline + reach) * cells / (2 * reach)], fill=1)
    return float(np.asarray(mask).mean()) * (2 * reach) ** 2


def _other_shape(side: int, rng: Generator) -> Points:
    """Return a triangle or an ellipse anywhere, about as large as an ear, so that no ear is one by its outline."""
    size = side * rng.uniform(0.04, 0.13)
    if rng.random() < 0.5:
        shape = _ellipse(0, 0, size, size * rng.uniform(0.35, 1))
    else:
        shape = _polygon((-size, size), (0, -size * rng.uniform(0.8, 1.6)), (size, size))
    return _turned(shape, rng.uniform(0, 360)) + rng.uniform(0, side, 2)


def _bar(side: int, rng: Generator) -> Points:
    """Return a thin bar across the picture, as a twig or a fence in front."""
    half = side * rng.uniform(0.006, 0.018)
    across = _polygon((-2 * side, -half), (2 * side, -half), (2 * side, half), (-2 * side, half))
    return _turned(across, rng.uniform(0, 180)) + rng.uniform(0, side, 2)


def _fill(pen: ImageDraw.ImageDraw, outline: Points, colour: Colour) -> None:
    red, green, blue = np.clip(colour, 0, 255).astype(int).tolist()
    pen.polygon([(x, y) for x, y in outline.tolist()], fill=(red, green, blue))


def _colour(rng: Generator) -> Colour:
    """Return any colour (3,), muted ones more often."""
    return rng.uniform(40, 215) + rng.normal(0, 30, 3)


def _fur(around: Colour, rng: Generator) -> Colour:
    """Return a colour that stands out from the ground's: darker on a light one, lighter on a dark one."""
    grey = float(around.mean())
    away = rng.uniform(*CONTRAST)
    return np.full(3, grey - away if grey > 128 else grey + away) + rng.normal(0, 30, 3)


def _textured(pixels: NDArray[np.float32], rng: Generator) -> Pixels:
    """Return the picture with grain of a few pixels and noise of one, lighter or darker as a whole."""
    side = len(pixels)
    coarse = rng.standard_normal((side // 4, side // 4), dtype=np.float32)
    grain = np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BILINEAR))
    noise = rng.standard_normal(pixels.shape, dtype=np.float32)
    gain, shift = rng.uniform(0.75, 1.1), rng.uniform(-15, 25)
    mixed = pixels * gain + shift + grain[..., None] * rng.uniform(*GRAIN) + noise * rng.uniform(*NOISE)
    return np.clip(mixed, 0, 255).astype(np.uint8)
