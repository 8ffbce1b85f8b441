"""Measuring a detector on labelled pictures, as it judges: through its exported graph. Free of torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifier.data import BadData, Item, Pictures, Split, open_data
from classifier.detector import Card
from classifier.images import Pixels
from classifier.metrics import Metrics, measure
from classifier.recipes import BadRecipe, Data, Recipe
from classifier.runtime import Detector, calibrated

CHUNK = 16


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
    recipe = Recipe.model_validate(card.training["recipe"]) if card.training.get("recipe") else None
    spec = recipe.data if recipe and split else Data()
    data = open_data(root, spec, recipe.seed if recipe else 0)
    if data.classes != card.classes:
        raise BadData(
            f"{root} has the classes {', '.join(data.classes[:6])}, the detector '{card.name}' "
            f"{', '.join(card.classes[:6])}: they must be the same."
        )
    found = data.splits[split] if split else tuple(item for items in data.splits.values() for item in items)
    if not found:
        raise BadData(f"The split '{split}' of {root} has no pictures.")
    return found


def degradation(name: str | None) -> Callable[[Pixels], Pixels] | None:
    """Return what is done to each picture before it is judged: nothing, or JPEG of a quality (`jpeg75`)."""
    if name is None:
        return None
    if name.startswith("jpeg") and name[4:].isdigit() and 1 <= int(name[4:]) <= 100:
        from classifier.recompress import jpeg

        return lambda pixels: jpeg(pixels, int(name[4:]))
    raise BadRecipe(f"There is no degradation '{name}'; known is jpeg with a quality, such as jpeg75.")


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


def evaluate(
    detector: Detector, items: Sequence[Item], *, degrade: str | None = None, pictures: Pictures | None = None
) -> Iterator[Batch | Metrics]:
    """Judge labelled pictures and measure; the last event is the `Metrics`. `degrade` is as `degradation` takes it."""
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
