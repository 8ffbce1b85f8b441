"""Test-time augmentation: several views of a picture judged, and what a detector says of them averaged. Free of torch.

Ten-crop testing: the middle and the four corners, each also mirrored (Krizhevsky et al., NeurIPS 2012, section 4.1).
A corner is where the detector looks when it is moved as far as there is room: for one that looks at tiles each tile
moves within its own part of the picture.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from classifier.data import Item, Pictures
from classifier.degradations import Degrade
from classifier.evaluate import CHUNK, Batch
from classifier.images import Pixels
from classifier.metrics import Figure, Metrics, bootstrap, expected_calibration_error, mean_of, measure, wilson
from classifier.paired import difference
from classifier.preprocess import MIDDLE, Place
from classifier.runtime import Detector, calibrated

CORNERS: tuple[Place, ...] = ((-1, -1), (1, -1), (-1, 1), (1, 1))
SETS = ("flip", "crops")
Mean = Literal["probabilities", "logits"]
MEANS: tuple[Mean, ...] = ("probabilities", "logits")


class BadViews(Exception):
    """Views that are not known; `str()` says which there are."""


@dataclass(frozen=True)
class View:
    """One way of looking at a picture: where, and whether mirrored."""

    at: Place = MIDDLE
    mirrored: bool = False

    @property
    def name(self) -> str:
        """The view in words."""
        down, across = {-1: "top", 0: "", 1: "bottom"}[self.at[1]], {-1: "left", 0: "", 1: "right"}[self.at[0]]
        return " ".join(word for word in (down, across, "mirrored" if self.mirrored else "") if word) or "as it is"


VIEWS = (
    View(), View(mirrored=True), *(View(at) for at in CORNERS), *(View(at, mirrored=True) for at in CORNERS),
)  # fmt: skip
"""All views, in the order in which a number of them is taken."""


def views(asked: str) -> tuple[View, ...]:
    """Return the views for a number from 2 to 10 or for names of `flip` and `crops`; the first is the picture as it is.

    `flip,crops` is all ten. Raises `BadViews`.
    """
    if asked.isdigit():
        if not 2 <= int(asked) <= len(VIEWS):
            raise BadViews(f"The number of views must be from 2 to {len(VIEWS)}, not {asked}.")
        return VIEWS[: int(asked)]
    names = {name.strip() for name in asked.split(",")}
    if unknown := sorted(names - set(SETS)):
        raise BadViews(f"There are no views '{unknown[0]}'; known are {', '.join(SETS)}, or a number from 2 to 10.")
    return tuple(
        view for view in VIEWS if ("flip" in names or not view.mirrored) and ("crops" in names or view.at == MIDDLE)
    )


@dataclass(frozen=True)
class Way:
    """One way of averaging on the same pictures: its figures, and how they differ from those of one view.

    `ece` is the expected calibration error with a bootstrap interval, the difference likewise, in pairs.
    """

    name: str
    metrics: Metrics
    ece: Figure
    difference: Figure | None = None
    ece_difference: Figure | None = None


@dataclass(frozen=True)
class Averaged:
    """What averaging over `views` gives on `n` pictures: one view alone first, then each way of averaging.

    `by_count` and `ece_by_count` have the figures of each way for the first 1, 2 … views. `slower` is the time of all
    views over that of one, `ms` the milliseconds of one, `alike` the pictures in which all views were the same.
    """

    detector: str
    detector_id: str
    classes: tuple[str, ...]
    split: str
    degrade: str | None
    views: tuple[str, ...]
    n: int
    ways: tuple[Way, ...]
    by_count: dict[str, tuple[Figure, ...]]
    ece_by_count: dict[str, tuple[Figure, ...]]
    slower: Figure
    ms: float
    alike: int


def look(detector: Detector, pixels: Pixels, chosen: Sequence[View]) -> NDArray[np.float64]:
    """Return the raw logits (V, C) of the views of a picture of (H, W, 3) bytes."""
    return np.stack([_one(detector, pixels, view) for view in chosen])


def averaged(logits: NDArray[np.float64], detector: Detector, mean: Mean) -> NDArray[np.float64]:
    """Return calibrated probabilities (..., C) of the logits (..., V, C) of views.

    The mean of the calibrated probabilities, or the calibrated mean of the logits. Either way the spread of what is
    averaged is smaller than that of one view, for which the temperature was fitted: probabilities become too modest.
    """
    if mean == "logits":
        return calibrated(logits.mean(axis=-2), detector.card)
    return np.asarray(calibrated(logits, detector.card).mean(axis=-2))


def compare(
    detector: Detector,
    items: Sequence[Item],
    chosen: Sequence[View],
    *,
    split: str = "all",
    degrade: Degrade | None = None,
    pictures: Pictures | None = None,
) -> Iterator[Batch | Averaged]:
    """Judge every view of labelled pictures and measure each way of averaging; the last event is the `Averaged`.

    Raises `BadImage` if a picture cannot be read any more.
    """
    pictures = pictures or Pictures(limit_bytes=0)

    def one(item: Item) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        pixels = pictures[item.path]
        pixels = degrade(pixels) if degrade else pixels
        begun = [time.perf_counter()]
        found = []
        for view in chosen:
            found.append(_one(detector, pixels, view))
            begun.append(time.perf_counter())
        return np.stack(found), np.diff(begun)

    answers: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(items), CHUNK):
            answers.extend(pool.map(one, items[start : start + CHUNK]))
            yield Batch(len(answers), len(items))
    logits, seconds = (np.stack(part) for part in zip(*answers, strict=True))
    labels = np.array([item.label for item in items], np.int64)
    yield Averaged(
        detector=detector.name,
        detector_id=detector.id,
        classes=detector.card.classes,
        split=split,
        degrade=degrade.name if degrade else None,
        views=tuple(view.name for view in chosen),
        n=len(items),
        ways=_ways(detector, logits, labels),
        **_by_count(detector, logits, labels),
        slower=bootstrap(lambda index: float(seconds[index].sum() / seconds[index, 0].sum()), labels),
        ms=float(1000 * seconds[:, 0].mean()),
        alike=int((logits == logits[:, :1]).all(axis=(1, 2)).sum()),
    )


def _one(detector: Detector, pixels: Pixels, view: View) -> NDArray[np.float64]:
    seen = np.ascontiguousarray(pixels[:, ::-1]) if view.mirrored else pixels
    return detector.judge(seen, at=view.at).logits


def _ways(detector: Detector, logits: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[Way, ...]:
    plain = calibrated(logits[:, 0], detector.card)
    ways = [Way("one view", _measured(detector, plain, labels), _ece(plain, labels))]
    for mean in MEANS:
        p = averaged(logits, detector, mean)
        apart = difference(p.argmax(axis=1) == labels, plain.argmax(axis=1) == labels, labels)
        ways.append(
            Way(f"mean of {mean}", _measured(detector, p, labels), _ece(p, labels), apart, _more(p, plain, labels))
        )
    return tuple(ways)


def _measured(detector: Detector, p: NDArray[np.float64], labels: NDArray[np.int64]) -> Metrics:
    band = detector.card.band
    return measure(p, labels, detector.card.classes, (band.low, band.high) if band else None)


def _balanced(p: NDArray[np.float64], labels: NDArray[np.int64]) -> Figure:
    right, kinds = p.argmax(axis=1) == labels, (labels == label for label in np.unique(labels))
    return mean_of([wilson(int(right[kind].sum()), int(kind.sum())) for kind in kinds])


def _ece(p: NDArray[np.float64], labels: NDArray[np.int64]) -> Figure:
    return bootstrap(lambda index: expected_calibration_error(p[index], labels[index]), labels)


def _more(after: NDArray[np.float64], before: NDArray[np.float64], labels: NDArray[np.int64]) -> Figure:
    """Return by how much the calibration error grew, on the same pictures."""

    def grown(index: NDArray[np.int64]) -> float:
        one, two = (expected_calibration_error(p[index], labels[index]) for p in (after, before))
        return one - two

    return bootstrap(grown, labels)


def _by_count(
    detector: Detector, logits: NDArray[np.float64], labels: NDArray[np.int64]
) -> dict[str, dict[str, tuple[Figure, ...]]]:
    """Return balanced accuracy and calibration error of each way by the number of views."""
    accuracy, ece = dict[str, tuple[Figure, ...]](), dict[str, tuple[Figure, ...]]()
    for mean in MEANS:
        means = [averaged(logits[:, :count], detector, mean) for count in range(1, logits.shape[1] + 1)]
        accuracy[f"mean of {mean}"] = tuple(_balanced(p, labels) for p in means)
        ece[f"mean of {mean}"] = tuple(_ece(p, labels) for p in means)
    return {"by_count": accuracy, "ece_by_count": ece}
