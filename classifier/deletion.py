"""Deleting and inserting the parts of a picture that a heat map marks, and watching the answer. Free of torch.

Petsiuk, Das & Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box Models", BMVC 2018, section 4.2:
deleted in the map's order the probability of the class should fall early (a small area under its curve), inserted into
the emptied picture it should rise early (a large one). What is changed is the picture, before the detector's own
preprocessing, in squares of a grid over the parts that the detector looks at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from classifier.images import Pixels
from classifier.preprocess import KERNELS, Box, Floats, regions
from classifier.preprocess_spec import Preprocess
from classifier.runtime import Detector, Heat, calibrated

CELLS = 64
"""Squares that the looked-at part is divided into, about: 8 × 8 where one region is looked at."""
BLUR = 16
"""The standard deviation of the blur is that part of the region's side: 14 px of 224."""
FRACTIONS = (0.0, 0.125, 0.25, 0.5, 1.0)
"""Parts of the picture after which the answer is asked: close together where a good map does most."""
TOO_NEAR = 0.5
"""A map that correlates more with another lies at the same place."""
BATCH = 32

Order = NDArray[np.int64]
Curve = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Grid:
    """A picture that parts are deleted from: its pixels, and the cells of a grid of (rows, columns), row by row."""

    pixels: Pixels
    cells: tuple[Box, ...]
    shape: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Curves:
    """Probabilities of a class while parts are deleted (the first from the whole picture on) and inserted.

    `deletion` and `insertion` are (M, 5), a row for each map, a column for each of `FRACTIONS`; `emptied` says what
    stands in place of the deleted parts.
    """

    emptied: str
    deletion: Curve
    insertion: Curve


def grid_of(pixels: Pixels, spec: Preprocess) -> Grid:
    """Return the grid over what a detector looks at in a picture of (H, W, 3) bytes.

    A picture that would be made smaller anyway is reduced to twice the size that it is brought to, so that a large one
    takes no longer.
    """
    pixels = _reduced(pixels, spec) if spec.kind == "resize" else pixels
    height, width = pixels.shape[:2]
    boxes = regions(pixels, spec).boxes
    rows, columns = (len({box[edge] for box in boxes}) for edge in (1, 0))
    narrowest = min(min(right, width) - left if across else min(bottom, height) - top
                    for left, top, right, bottom in boxes for across in (True, False))  # fmt: skip
    parts = max(1, min(round((CELLS / len(boxes)) ** 0.5), narrowest))
    found: dict[tuple[int, int], Box] = {}
    for number, (left, top, right, bottom) in enumerate(boxes):
        row, column = divmod(number, columns)
        xs = np.linspace(left, min(right, width), parts + 1).round().astype(int).tolist()
        ys = np.linspace(top, min(bottom, height), parts + 1).round().astype(int).tolist()
        for y, x in np.ndindex(parts, parts):
            found[row * parts + y, column * parts + x] = (xs[x], ys[y], xs[x + 1], ys[y + 1])
    return Grid(pixels, tuple(found[place] for place in sorted(found)), (rows * parts, columns * parts))


def _reduced(pixels: Pixels, spec: Preprocess) -> Pixels:
    height, width = pixels.shape[:2]
    scale = 2 * max(spec.resize, spec.size) / min(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(pixels).resize(size, KERNELS[spec.kernel]), np.uint8)


def values_of(heat: Heat, grid: Grid) -> Floats:
    """Return the mean of a map in each cell, (rows, columns)."""
    down, across = (side / full for side, full in zip(heat.values.shape, grid.pixels.shape, strict=False))
    means = []
    for left, top, right, bottom in grid.cells:
        y, x = int(top * down), int(left * across)
        part = heat.values[y : max(y + 1, round(bottom * down)), x : max(x + 1, round(right * across))]
        means.append(float(part.mean()) if part.size else 0.0)
    return np.asarray(means, np.float32).reshape(grid.shape)


def elsewhere(values: Floats, count: int, rng: np.random.Generator) -> list[Floats]:
    """Return up to `count` maps of the same values and the same smoothness at other places.

    Each is the map (rows, columns) mirrored or, in a square, turned, and moved around the edges: blobs stay blobs. Maps
    of shuffled cells would be a weaker opponent, because deleting many single squares harms a picture differently.
    """
    kinds = [values, values[::-1], values[:, ::-1], values[::-1, ::-1]]
    if values.shape[0] == values.shape[1]:
        kinds += [kind.T for kind in kinds]
    moves = [(kind, *shift) for kind in range(len(kinds)) for shift in np.ndindex(*values.shape)]
    found: list[Floats] = []
    for kind, down, across in rng.permutation(moves).tolist():
        moved = np.roll(kinds[kind], (down, across), axis=(0, 1))
        if len(found) < count and np.corrcoef(moved.ravel(), values.ravel())[0, 1] <= TOO_NEAR:
            found.append(moved)
    return found


def emptied(grid: Grid, rng: np.random.Generator) -> Iterator[tuple[str, Pixels]]:
    """Yield the ways to empty a picture: blurred, one mean colour, and the pixels of each cell in random order."""
    for name, fill in EMPTYINGS:
        work = grid.pixels.copy()
        fill(work, grid, rng)
        yield name, work


def _blur(work: Pixels, grid: Grid, _rng: np.random.Generator) -> None:
    lefts, tops, rights, bottoms = zip(*grid.cells, strict=True)
    left, top, right, bottom = min(lefts), min(tops), max(rights), max(bottoms)
    sigma = max(1.0, min(right - left, bottom - top) / BLUR)
    part = Image.fromarray(work[top:bottom, left:right]).filter(ImageFilter.GaussianBlur(sigma))
    work[top:bottom, left:right] = np.asarray(part)


def _mean(work: Pixels, grid: Grid, _rng: np.random.Generator) -> None:
    places = [np.s_[top:bottom, left:right] for left, top, right, bottom in grid.cells]
    mean = np.mean([work[place].reshape(-1, 3).mean(axis=0) for place in places], axis=0).round()
    for place in places:
        work[place] = mean


def _shuffle(work: Pixels, grid: Grid, rng: np.random.Generator) -> None:
    for left, top, right, bottom in grid.cells:
        part = work[top:bottom, left:right]
        work[top:bottom, left:right] = rng.permutation(part.reshape(-1, 3)).reshape(part.shape)


EMPTYINGS: tuple[tuple[str, Callable[[Pixels, Grid, np.random.Generator], None]], ...] = (
    ("blurred", _blur), ("of one colour", _mean), ("shuffled", _shuffle),
)  # fmt: skip


def probabilities(detector: Detector, grid: Grid, empty: Pixels, gone: NDArray[np.bool_], cls: int) -> Curve:
    """Return the calibrated probability (M,) of a class with the cells `gone` (M, cells) taken from `empty`."""
    spec, work, found = detector.card.preprocess, grid.pixels.copy(), []
    waiting: list[Floats] = []
    for number, state in enumerate(gone, 1):
        for (left, top, right, bottom), is_gone in zip(grid.cells, state, strict=True):
            source = empty if is_gone else grid.pixels
            work[top:bottom, left:right] = source[top:bottom, left:right]
        waiting.append(regions(work, spec).batch)
        if number == len(gone) or sum(map(len, waiting)) >= BATCH:
            (logits,) = detector.forward(np.concatenate(waiting))
            means = logits.astype(np.float64).reshape(len(waiting), -1, logits.shape[-1]).mean(axis=1)
            found.append(calibrated(means, detector.card)[:, cls])
            waiting = []
    return np.concatenate(found)


def curves(detector: Detector, grid: Grid, maps: list[Floats], cls: int, rng: np.random.Generator) -> Curves:
    """Return the curves of maps (rows, columns) over a picture, the class given by its place.

    A deletion must delete: of the ways to empty a picture that one is taken that takes most from the class.
    """
    cells = len(grid.cells)
    everything = np.ones((1, cells), bool)
    ways = list(emptied(grid, rng))
    ends = [float(probabilities(detector, grid, empty, everything, cls)[0]) for _, empty in ways]
    name, empty = ways[int(np.argmin(ends))]
    counts = [round(cells * part) for part in FRACTIONS[1:-1]]
    ranks = [_ranks(values, rng) for values in maps]
    deleted = [rank < count for rank in ranks for count in counts]
    inserted = [rank >= count for rank in ranks for count in counts]
    states = np.stack([~everything[0], *deleted, *inserted])
    whole, *between = probabilities(detector, grid, empty, states, cls).tolist()
    middles = np.reshape(between, (2, len(maps), len(counts)))
    first, last = np.full((len(maps), 1), whole), np.full((len(maps), 1), min(ends))
    return Curves(name, np.hstack([first, middles[0], last]), np.hstack([last, middles[1], first]))


def _ranks(values: Floats, rng: np.random.Generator) -> Order:
    """Return each cell's place in a map's order, the brightest first; equal ones in random order."""
    order = np.lexsort((rng.random(values.size), -values.ravel()))
    ranks = np.empty(values.size, np.int64)
    ranks[order] = np.arange(values.size)
    return ranks


def areas(curves: Curve) -> Curve:
    """Return the area under each curve (M, 5) over the part deleted or inserted, in [0, 1]."""
    return np.asarray((curves[:, 1:] + curves[:, :-1]) @ np.diff(FRACTIONS) / 2)
