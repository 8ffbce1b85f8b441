"""Measuring a detector on labelled pictures, as it judges: through its exported graph. Free of torch."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from classifier.data import SPLITS, BadData, Item, Labelled, Pictures, Split, open_data
from classifier.degradations import degradation
from classifier.detector import Card
from classifier.images import Pixels
from classifier.metrics import Metrics, measure
from classifier.recipes import Data, Recipe
from classifier.runtime import Detector, calibrated

CHUNK = 16


@dataclass(frozen=True)
class Stage:
    """A part of a job begins; `name` says which in words."""

    name: str


@dataclass(frozen=True)
class Batch:
    """Some pictures were judged: `done` of `total`."""

    done: int
    total: int


@dataclass(frozen=True, eq=False)
class Scores:
    """The raw logits (N, C) of pictures and their labels (N,)."""

    logits: NDArray[np.float64]
    labels: NDArray[np.int64]


def labelled(card: Card, root: Path, split: Split | None) -> tuple[Item, ...]:
    """Return the pictures of a data folder that a detector is to be measured on.

    `split` names a split as the detector's own recipe makes it, so that `test` holds what it was neither trained nor
    calibrated on; None takes every picture, from folders named as the classes. Raises `BadData`.
    """
    data = splits_of(card, root) if split else opened(card, root, Data(), 0)
    return pictures_of(data, split)


def splits_of(card: Card, root: Path) -> Labelled:
    """Return the splits of a data folder as a detector's own recipe makes them; raises `BadData`.

    A folder that has none of the sub-folders which the recipe names is another data set: it is taken by its class
    folders, and split in the same parts.
    """
    recipe = Recipe.model_validate(card.training["recipe"]) if card.training.get("recipe") else None
    spec, seed = (recipe.data, recipe.seed) if recipe else (Data(), 0)
    folders = [root / folder for several in spec.classes.values() for folder in several]
    if not any(folder.is_dir() for folder in folders):
        spec = spec.model_copy(update={"classes": {}, "holdout": ()})
    return opened(card, root, spec, seed)


def opened(card: Card, root: Path, spec: Data, seed: int) -> Labelled:
    """Return the splits of a data folder; raises `BadData` unless it has the detector's classes."""
    data = open_data(root, spec, seed)
    if data.classes != card.classes:
        raise BadData(
            f"{root} has the classes {', '.join(data.classes[:6])}, the detector '{card.name}' "
            f"{', '.join(card.classes[:6])}: they must be the same."
        )
    return data


def set_aside(card: Card) -> Split:
    """Return the split that a detector's own run was measured on, because nothing of it had a part in the run."""
    if card.training.get("set_aside") in SPLITS:  # a checkpoint has no figures of its own
        return cast(Split, card.training["set_aside"])
    return "val" if "val" in card.metrics and "test" not in card.metrics else "test"


def pictures_of(data: Labelled, split: Split | None) -> tuple[Item, ...]:
    """Return the pictures of a split, or of all; raises `BadData` if there are none."""
    found = data.splits[split] if split else tuple(item for items in data.splits.values() for item in items)
    if not found:
        others = [name for name, items in data.splits.items() if items]
        raise BadData(
            f"The split '{split}' of {data.root} has no pictures, as this detector's recipe splits it; there are "
            f"{', '.join(others)} and all: choose with --split."
        )
    return found


def score(
    detector: Detector,
    items: Sequence[Item],
    *,
    degrade: Callable[[Pixels], Pixels] | None = None,
    pictures: Pictures | None = None,
) -> Iterator[Batch | Scores]:
    """Judge pictures on all cores; the last event is the `Scores`. Raises `BadImage` if one cannot be read any more."""
    pictures = pictures or Pictures(limit_bytes=0)

    def one(item: Item) -> NDArray[np.float64]:
        pixels = pictures[item.path]
        return detector.judge(degrade(pixels) if degrade else pixels).logits

    logits: list[NDArray[np.float64]] = []
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(items), CHUNK):
            logits.extend(pool.map(one, items[start : start + CHUNK]))
            yield Batch(len(logits), len(items))
    count = len(detector.card.classes)
    yield Scores(np.array(logits).reshape(-1, count), np.array([item.label for item in items], np.int64))


def collected(events: Iterator[Batch | Scores]) -> Generator[Batch, None, Scores]:
    """Pass the batches of `score` on, and return its scores."""
    for event in events:
        if isinstance(event, Scores):
            return event
        yield event
    raise ValueError("there were no scores at the end")


def evaluate(
    detector: Detector, items: Sequence[Item], *, degrade: str | None = None, pictures: Pictures | None = None
) -> Iterator[Batch | Metrics]:
    """Judge labelled pictures and measure; the last event is the `Metrics`. `degrade` is a name such as `jpeg75`.

    Raises `BadDegradation`, and `BadImage` if a picture cannot be read any more.
    """
    for event in score(detector, items, degrade=degradation(degrade), pictures=pictures):
        yield measured(detector, event, items) if isinstance(event, Scores) else event


def measured(detector: Detector, scores: Scores, items: Sequence[Item], without: Sequence[str] = ()) -> Metrics:
    """Return the figures of scored pictures, leaving out those whose source is in `without`."""
    kept = np.array([item.source not in without for item in items], bool)
    band = detector.card.band
    return measure(
        calibrated(scores.logits[kept], detector.card),
        scores.labels[kept],
        detector.card.classes,
        (band.low, band.high) if band else None,
        [item.source for item, keep in zip(items, kept, strict=True) if keep],
    )
