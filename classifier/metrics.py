"""Figures of a classifier with their sample sizes and intervals. Free of torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float64]
Labels = NDArray[np.int64]
Z95 = 1.959963984540054
RESAMPLES = 1000


@dataclass(frozen=True)
class Figure:
    """A measured value with its 95 % interval and the number of pictures it rests on."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class ClassReport:
    """Precision, recall and F1 of one class, on `support` pictures of it; the recall's interval is Wilson's."""

    precision: float
    recall: Figure
    f1: float
    support: int


@dataclass(frozen=True)
class Metrics:
    """What was measured of a detector on one split.

    `confusion[i][j]` counts pictures of class i taken for class j (the most probable one). `ece` is the expected
    calibration error with the classes given equal weight. `coverage` is the part of pictures outside the abstain band,
    `selective_accuracy` the accuracy on those; `false_alarm` is the part of real pictures that the band calls fake,
    `missed` of fakes that it calls real. `sources` holds accuracy and answers for each source on its own.
    """

    classes: tuple[str, ...]
    n: int
    accuracy: Figure
    balanced_accuracy: Figure
    auc: Figure | None
    ece: float
    per_class: dict[str, ClassReport]
    confusion: list[list[int]]
    coverage: Figure | None = None
    selective_accuracy: Figure | None = None
    false_alarm: Figure | None = None
    missed: Figure | None = None
    sources: dict[str, dict[str, object]] | None = None


def wilson(right: int, n: int) -> Figure:
    """Return a proportion with Wilson's score interval (Wilson, JASA 1927)."""
    if n == 0:
        return Figure(float("nan"), 0.0, 1.0, 0)
    p = right / n
    centre = (p + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 * np.sqrt(p * (1 - p) / n + Z95**2 / (4 * n**2)) / (1 + Z95**2 / n)
    low, high = float(centre - half), float(centre + half)
    return Figure(p, max(0.0, low) if right else 0.0, min(1.0, high) if right < n else 1.0, n)


def bootstrap(measure: Callable[[NDArray[np.int64]], float], labels: Labels, seed: int = 0) -> Figure:
    """Return a measure of picture indices with its percentile interval; every class is resampled on its own."""
    rng = np.random.default_rng(seed)
    places = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    values = [measure(np.concatenate([rng.choice(place, len(place)) for place in places])) for _ in range(RESAMPLES)]
    low, high = np.percentile(values, [2.5, 97.5])
    return Figure(measure(np.arange(len(labels))), float(low), float(high), len(labels))


def auc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve: the chance that a positive scores above a negative, ties counted half."""
    ranks = np.empty(len(scores))
    values, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[inverse]
    n_pos, n_neg = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg)) if len(values) else float("nan")


def class_weights(labels: Labels) -> NDArray[np.float64]:
    """Return a weight for each picture that makes the classes count equally; the weights sum to 1."""
    kinds, counts = np.unique(labels, return_counts=True)
    share = dict(zip(kinds.tolist(), 1 / (counts * len(kinds)), strict=True))
    return np.array([share[label] for label in labels.tolist()])


def expected_calibration_error(p: Probabilities, labels: Labels, bins: int = 10) -> float:
    """Return the mean gap between confidence and accuracy over equal-width bins, the classes weighted equally.

    Naeini et al., AAAI 2015; Guo et al., ICML 2017.
    """
    confidence, right, weight = p.max(axis=1), p.argmax(axis=1) == labels, class_weights(labels)
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = (weight[bin_of == b] @ (confidence - right)[bin_of == b] for b in range(bins))
    return float(sum(abs(gap) for gap in gaps))


def measure(
    p: Probabilities,
    labels: Labels,
    classes: Sequence[str],
    band: tuple[float, float] | None = None,
    sources: Sequence[str] = (),
) -> Metrics:
    """Return the figures for probabilities (N, C) and labels (N,); `band` and `sources` (N names) add theirs."""
    guess, count = p.argmax(axis=1), len(classes)
    confusion = np.zeros((count, count), int)
    np.add.at(confusion, (labels, guess), 1)

    def balanced(index: NDArray[np.int64]) -> float:
        hit, label = guess[index] == labels[index], labels[index]
        return float(np.mean([hit[label == kind].mean() for kind in np.unique(label)]))

    return Metrics(
        tuple(classes),
        len(labels),
        wilson(int(np.trace(confusion)), len(labels)),
        bootstrap(balanced, labels),
        _binary_auc(p, labels) if count == 2 and len(np.unique(labels)) == 2 else None,
        expected_calibration_error(p, labels),
        {name: _class_report(confusion, index) for index, name in enumerate(classes)},
        confusion.tolist(),
        **_banded(p, labels, classes, band, sources),
    )


def _binary_auc(p: Probabilities, labels: Labels) -> Figure:
    return bootstrap(lambda index: auc(p[index, 0], labels[index] == 0), labels)


def _class_report(confusion: NDArray[np.int64], index: int) -> ClassReport:
    hit, support, taken = int(confusion[index, index]), int(confusion[index].sum()), int(confusion[:, index].sum())
    precision = hit / taken if taken else 0.0
    recall = hit / support if support else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return ClassReport(precision, wilson(hit, support), f1, support)


def _banded(  # type: ignore[no-untyped-def]
    p: Probabilities, labels: Labels, classes: Sequence[str], band: tuple[float, float] | None, sources: Sequence[str]
):
    if band is None or set(classes) != {"fake", "real"}:
        return {"sources": _by_source(p.argmax(axis=1) == labels, sources)}
    fake = list(classes).index("fake")
    p_fake, is_fake = p[:, fake], labels == fake
    called_fake, called_real = p_fake >= band[1], (p_fake <= band[0]) & (p_fake < band[1])
    decided = called_fake | called_real
    right = (called_fake & is_fake) | (called_real & ~is_fake)
    table = _by_source(p.argmax(axis=1) == labels, sources)
    for name, row in table.items():
        mine = np.array([source == name for source in sources])
        answers = {"fake": called_fake, "real": called_real, "unsure": ~decided}
        row.update({f"called_{label}": int((answer & mine).sum()) for label, answer in answers.items()})
        row["mean_p_fake"] = float(p_fake[mine].mean())
    return {
        "coverage": wilson(int(decided.sum()), len(labels)),
        "selective_accuracy": wilson(int(right.sum()), int(decided.sum())),
        "false_alarm": wilson(int((called_fake & ~is_fake).sum()), int((~is_fake).sum())),
        "missed": wilson(int((called_real & is_fake).sum()), int(is_fake.sum())),
        "sources": table,
    }


def _by_source(right: NDArray[np.bool_], sources: Sequence[str]) -> dict[str, dict[str, object]]:
    names = np.array(sources)
    return {
        name: {"accuracy": wilson(int(right[names == name].sum()), int((names == name).sum()))}
        for name in sorted(set(sources))
    }
