"""Crops of scikit-learn's two sample photographs: pictures of no use but to try the pipeline without a network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from classifier.atomic import replacing
from classifier.images import load

NAME = "samples"
NOTE = "These are crops of two photographs: good to try the pipeline, and nothing else."
LICENCE = "CC BY 2.0 (china.jpg, flower.jpg; scikit-learn)"
SIDES_PX = (128, 420)
MOST = 2000
"""Crops of each photograph, at most."""


@dataclass(frozen=True)
class Crop:
    """A square part of a photograph, as a lossless file."""

    path: Path
    photograph: str


def crops(count: int, seed: int, folder: Path) -> Iterator[tuple[int, int, Crop]]:
    """Yield (done, total, crop): `count` of each photograph, at most 2000, so that each can fill a split of its own.

    Sides are 128 to 420 px, evenly in their logarithm; no crop comes twice. Number i of a photograph depends on the
    seed and i alone; what is in the folder already is kept.
    """
    from sklearn.datasets import load_sample_images

    folder.mkdir(parents=True, exist_ok=True)
    sources = sorted(Path(name) for name in load_sample_images().filenames)
    each = min(count, MOST)
    for place, source in enumerate(sources):
        pixels = load(source).pixels
        boxes = _boxes(pixels.shape[0], pixels.shape[1], each, np.random.default_rng((seed, place)))
        for number, (left, top, side) in enumerate(boxes):
            path = folder / f"{source.stem}-{number:05}.png"
            if not path.is_file():
                with replacing(path) as file:
                    Image.fromarray(pixels[top : top + side, left : left + side]).save(file, "PNG")
            yield place * each + number + 1, len(sources) * each, Crop(path, source.stem)


def _boxes(height: int, width: int, count: int, rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """Draw different squares (left, top, side) inside a picture."""
    boxes: dict[tuple[int, int, int], None] = {}
    low, high = np.log(SIDES_PX)
    while len(boxes) < count:
        side = min(int(np.exp(rng.uniform(low, high))), height, width)
        box = (int(rng.integers(width - side + 1)), int(rng.integers(height - side + 1)), side)
        boxes[box] = None
    return list(boxes)
