"""The same few pictures as every detector of a comparison saw them: the original, and each one's Grad-CAM."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classifier.images import BadImage, Pixels, load
from classifier.pairing import Shared
from classifier.runtime import Detector
from classifier.zoo import BadArch
from forensics_app.core.compare_judging import Looked
from forensics_app.core.contenders import Contender
from forensics_app.core.maps import Maps, NoMap
from forensics_app.core.overlay import embedded, overlay
from forensics_app.core.words import shown

MOST = 8
SIDE_PX = 240
SEED = 0


@dataclass(frozen=True)
class Cell:
    """What one detector says of a picture, and the picture under its map; texts are safe to show."""

    right: bool
    said: str
    p: str
    heatmap: str | None


@dataclass(frozen=True)
class Line:
    """A picture with a cell for each detector; texts are safe to show."""

    name: str
    truth: str
    picture: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Gallery:
    """Pictures drawn by seed, `each` of every class or one of `MOST` classes; `gone` counts those not to be read."""

    names: tuple[str, ...]
    lines: tuple[Line, ...]
    each: int
    gone: int


def choose(judged: Shared, seed: int = SEED) -> tuple[list[int], int]:
    """Return the places of one or two pictures of each class, of `MOST` classes at most, and how many of each.

    They are drawn, not picked: nobody looked whether they show a detector well.
    """
    rng = np.random.default_rng(seed)
    labels = np.unique(judged.labels)
    each = 2 if 2 * len(labels) <= MOST else 1
    if len(labels) > MOST:
        labels = np.sort(rng.choice(labels, MOST, replace=False))
    return [
        int(place)
        for label in labels
        for place in rng.permutation(np.flatnonzero(judged.labels == label))[:each]
    ], each  # fmt: skip


def gallery(those: Sequence[Contender], judged: Shared, order: Sequence[int]) -> Generator[Looked, None, Gallery]:
    """Draw the gallery, one detector after the other in an order of their places, yielding after each map."""
    places, each = choose(judged)
    found = dict(_readable(judged, places))
    columns: list[tuple[Cell, ...]] = []
    done = 0
    for number in order:
        maps, cells = Maps(Detector(those[number].installed.folder)), list[Cell]()
        for place, pixels in found.items():
            cells.append(_cell(judged, number, place, pixels, maps))
            done += 1
            yield Looked(done, len(those) * len(found))
        columns.append(tuple(cells))
    lines = tuple(
        Line(
            name=shown(judged.paths[place].name),
            truth=shown(judged.classes[judged.labels[place]]),
            picture=embedded(pixels, SIDE_PX),
            cells=tuple(column[row] for column in columns),
        )
        for row, (place, pixels) in enumerate(found.items())
    )
    return Gallery(tuple(shown(those[number].name) for number in order), lines, each, len(places) - len(found))


def _readable(judged: Shared, places: Sequence[int]) -> Iterator[tuple[int, Pixels]]:
    for place in places:
        try:
            yield place, load(Path(judged.paths[place])).pixels
        except BadImage:
            continue


def _cell(judged: Shared, number: int, place: int, pixels: Pixels, maps: Maps) -> Cell:
    p = judged.p[number][place]
    answer = int(p.argmax())
    name = judged.classes[answer]
    right = answer == int(judged.labels[place])
    return Cell(right=right, said=shown(name), p=f"{p[answer]:.2f}", heatmap=_heatmap(maps, pixels, name))


def _heatmap(maps: Maps, pixels: Pixels, name: str) -> str | None:
    try:
        return embedded(overlay(pixels, maps.draw(pixels, name).heat), SIDE_PX)
    except (NoMap, BadArch):
        return None
