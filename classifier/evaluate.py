"""Measuring a detector on labelled pictures, as it judges: through its exported graph. Free of torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.data import Item, Pictures
from classifier.images import Pixels
from classifier.metrics import Metrics, measure
from classifier.recipes import BadRecipe
from classifier.runtime import Detector, softmax

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
        softmax(scores.logits[kept] / detector.card.temperature),
        scores.labels[kept],
        detector.card.classes,
        (band.low, band.high) if band else None,
        [item.source for item, keep in zip(items, kept, strict=True) if keep],
    )
