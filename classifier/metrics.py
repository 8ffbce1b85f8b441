"""Figures of a classifier with their sample sizes and intervals. Free of torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float64]
Labels = NDArray[np.int64]
Z95 = 1.959963984540054
RARE = 5
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
    sources: dict[str, dict[str, object]] = field(default_factory=dict)


def wilson(right: int, n: int) -> Figure:
    """Return a proportion with Wilson's score interval (Wilson, JASA 1927)."""
    if n == 0:
        return Figure(float("nan"), 0.0, 1.0, 0)
    p = right / n
    centre = (p + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 * np.sqrt(p * (1 - p) / n + Z95**2 / (4 * n**2)) / (1 + Z95**2 / n)
    low, high = float(centre - half), float(centre + half)
    return Figure(p, max(0.0, low) if right else 0.0, min(1.0, high) if right < n else 1.0, n)


def mean_of(parts: Sequence[Figure], *, least: float = 0.0) -> Figure:
    """Return the mean of independent figures; its interval comes from theirs (MOVER, Zou & Donner, Stat. Med. 2008).

    `least` is the smallest value that there can be: 0 of proportions, -1 of their differences.
    """
    value = float(np.mean([part.value for part in parts]))
    below = float(np.sqrt(sum((part.value - part.low) ** 2 for part in parts))) / len(parts)
    above = float(np.sqrt(sum((part.high - part.value) ** 2 for part in parts))) / len(parts)
    return Figure(value, max(least, value - below), min(1.0, value + above), sum(part.n for part in parts))


def bootstrap(measure: Callable[[NDArray[np.int64]], float], labels: Labels, seed: int = 0) -> Figure:
    """Return a measure of picture indices with its percentile interval; every class is resampled on its own.

    Of more than two classes those with fewer than `RARE` pictures are resampled together: one picture, drawn from one,
    is always the same, and the interval would be empty.
    """
    rng = np.random.default_rng(seed)
    names, counts = np.unique(labels, return_counts=True)
    rare = names[counts < RARE] if len(names) > 2 else names[:0]
    places = [np.flatnonzero(labels == name) for name in names if name not in rare]
    places += [np.flatnonzero(np.isin(labels, rare))] if len(rare) else []
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


def area_figure(area: float, positives: int, negatives: int) -> Figure:
    """Return an AUC with its interval from the counts alone, which is open to errors not yet seen where it is 1.

    Method 5 of Newcombe, "Confidence intervals for an effect size measure based on the Mann-Whitney statistic. Part 2",
    Stat. Med. 2006: the areas that are no more than 1.96 of their own standard errors (Hanley & McNeil 1982) away.
    """
    more = (positives + negatives) / 2 - 1

    def within(a: float) -> bool:
        spread = a * (1 - a) * (1 + more * (1 - a) / (2 - a) + more * a / (1 + a)) / (positives * negatives)
        return (area - a) ** 2 <= Z95**2 * spread

    edges = []
    for outside in (0.0, 1.0):
        inside, far = area, outside
        for _ in range(40):
            middle = (inside + far) / 2
            inside, far = (middle, far) if within(middle) else (inside, middle)
        edges.append((inside + far) / 2)
    return Figure(area, edges[0], edges[1], positives + negatives)


def areas_one_vs_rest(p: Probabilities, labels: Labels) -> list[Figure | None]:
    """Return each class's AUC against all others for probabilities (N, C); None where one of both has no picture.

    `mean_of` them is the macro average (Hand & Till 2001 average pairs of classes instead). Its interval takes the
    classes as independent, which they nearly are: what makes an AUC uncertain are the few pictures of its own class.
    """
    found: list[Figure | None] = []
    for label in range(p.shape[1]):
        mine = labels == label
        count = int(mine.sum())
        known = 0 < count < len(labels)
        found.append(area_figure(auc(p[:, label], mine), count, len(labels) - count) if known else None)
    return found


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
    reports = {name: _class_report(confusion, index) for index, name in enumerate(classes)}
    if set(classes) != {"fake", "real"}:
        band = None
    fake = list(classes).index("fake") if "fake" in classes else 0
    return Metrics(
        classes=tuple(classes),
        n=len(labels),
        accuracy=wilson(int(np.trace(confusion)), len(labels)),
        balanced_accuracy=mean_of([one.recall for one in reports.values() if one.support]),
        auc=_binary_auc(p, labels) if count == 2 and len(np.unique(labels)) == 2 else None,
        ece=expected_calibration_error(p, labels),
        per_class=reports,
        confusion=confusion.tolist(),
        sources=_by_source(guess == labels, sources, p[:, fake], band),
        **(_banded(p[:, fake], labels == fake, band) if band else {}),
    )


def _binary_auc(p: Probabilities, labels: Labels) -> Figure:
    return bootstrap(lambda index: auc(p[index, 0], labels[index] == 0), labels)


def _class_report(confusion: NDArray[np.int64], index: int) -> ClassReport:
    hit, support, taken = int(confusion[index, index]), int(confusion[index].sum()), int(confusion[:, index].sum())
    precision = hit / taken if taken else 0.0
    recall = hit / support if support else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return ClassReport(precision, wilson(hit, support), f1, support)


def _answers(p_fake: NDArray[np.float64], band: tuple[float, float]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where the band says fake and where real, as `verdict.decide` does: on both edges at once, neither."""
    fake, real = p_fake >= band[1], p_fake <= band[0]
    return fake & ~real, real & ~fake


def _banded(p_fake: NDArray[np.float64], is_fake: NDArray[np.bool_], band: tuple[float, float]) -> dict[str, Figure]:
    fake, real = _answers(p_fake, band)
    decided, right = fake | real, (fake & is_fake) | (real & ~is_fake)
    return {
        "coverage": wilson(int(decided.sum()), len(p_fake)),
        "selective_accuracy": wilson(int(right.sum()), int(decided.sum())),
        "false_alarm": wilson(int((fake & ~is_fake).sum()), int((~is_fake).sum())),
        "missed": wilson(int((real & is_fake).sum()), int(is_fake.sum())),
    }


def _by_source(
    right: NDArray[np.bool_], sources: Sequence[str], p_fake: NDArray[np.float64], band: tuple[float, float] | None
) -> dict[str, dict[str, object]]:
    """Return each source's accuracy and, with a band, how often each verdict was given and the mean of p_fake."""
    names, table = np.array(sources), dict[str, dict[str, object]]()
    for name in sorted(set(sources)):
        mine = names == name
        table[name] = {"accuracy": wilson(int(right[mine].sum()), int(mine.sum()))}
        if band:
            fake, real = _answers(p_fake[mine], band)
            table[name].update(called_fake=int(fake.sum()), called_real=int(real.sum()))
            table[name].update(called_unsure=int((~fake & ~real).sum()), mean_p_fake=float(p_fake[mine].mean()))
    return table
