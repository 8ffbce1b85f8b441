"""The layer walk of a run's report: the maps of a few pictures at four depths of the network, beside the pictures."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classifier.arch import BadArch
from classifier.images import BadImage, Pixels, load
from forensics_app.core.map_words import STAGES, Badge, badge
from forensics_app.core.maps import Mapped, Maps, NoMap, Stage
from forensics_app.core.overlay import embedded, overlay
from forensics_app.core.run_folder import Predictions
from forensics_app.core.run_gallery import Shown
from forensics_app.core.words import shown

MOST = 4
SIDE_PX = 224


@dataclass(frozen=True)
class Step:
    """A map at one stage as it is shown: the stage's name, its layer, what it sees, its size, its badge."""

    name: str
    layer: str
    sees: str
    cells: str
    heatmap: str
    trust: Badge


@dataclass(frozen=True)
class Walked:
    """A picture and its maps; `said` is its class and the class whose maps they are."""

    said: str
    name: str
    picture: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Walk:
    """The walk of all chosen pictures, or the sentence that says why there is none."""

    pictures: tuple[Walked, ...] = ()
    missing: str = ""


def choose(predictions: Predictions) -> tuple[int, ...]:
    """Return a picture of each of up to four classes, each the surest right one of its class.

    Of more classes those are taken that have the surest; a class of which nothing was right is left out, unless there
    is no other.
    """
    p, labels = predictions.p, predictions.labels
    if not len(p):
        return ()
    own, right = p[np.arange(len(p)), labels], p.argmax(axis=1) == labels
    among = right if right.any() else np.ones(len(p), bool)
    best = [
        int(max(mine, key=lambda index: own[index]))
        for label in range(len(predictions.classes))
        if len(mine := np.flatnonzero(among & (labels == label)))
    ]
    return tuple(sorted(sorted(best, key=lambda index: -own[index])[:MOST], key=lambda index: labels[index]))


def walk(predictions: Predictions, maps: Maps, ticks: Iterator[Shown]) -> Generator[Shown, None, Walk]:
    """Draw the maps of the chosen pictures at each stage, yielding a tick after each picture."""
    walked = list[Walked]()
    try:
        for index in choose(predictions):
            one = predictions.pictures[index]
            try:
                pixels = load(Path(one.path)).pixels
            except BadImage:
                continue
            name = predictions.classes[int(np.argmax(one.p))]
            said = shown(one.cls) if name == one.cls else f"{shown(one.cls)}, taken for {shown(name)}"
            walked.append(
                Walked(said, shown(Path(one.path).name), embedded(pixels, SIDE_PX), steps(maps, pixels, name))
            )
            yield next(ticks)
    except (NoMap, BadArch) as error:
        return Walk((), str(error))
    return Walk(tuple(walked))


def steps(maps: Maps, pixels: Pixels, name: str, stages: tuple[Stage, ...] | None = None) -> tuple[Step, ...]:
    """Return the maps of a class of a picture at some stages, or at all four; raises `NoMap` and `BadArch`."""
    drawn = (maps.draw(pixels, name, stage) for stage in stages or maps.stages)
    return tuple(step(maps, pixels, name, one) for one in drawn)


def step(maps: Maps, pixels: Pixels, name: str, one: Mapped) -> Step:
    """Return a map as it is shown."""
    stage, cells = one.stage, f"{one.cells[0]} × {one.cells[1]}"
    seen = embedded(overlay(pixels, one.heat), SIDE_PX)
    return Step(stage.name, stage.layer, STAGES.get(stage.name, ""), cells, seen, badge(maps.test(pixels, name, one)))
