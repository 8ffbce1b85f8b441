"""What a threshold does to both errors, or to the answers of many classes; and as curves. Free of torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.metrics import Figure, wilson

Floats = NDArray[np.float64]
GRID: Floats = np.linspace(0, 1, 201)


@dataclass(frozen=True)
class Errors:
    """Both errors of calling positive what scores at least the threshold.

    `false_alarm` is the part of the negatives that are called positive, `missed` of the positives that are not.
    """

    false_alarm: Figure
    missed: Figure

    def precision(self, share: float) -> float:
        """Return the part of what is called positive that is, where `share` of all pictures are; NaN for none."""
        hits, alarms = share * (1 - self.missed.value), (1 - share) * self.false_alarm.value
        return hits / (hits + alarms) if hits + alarms else float("nan")


@dataclass(frozen=True)
class Answers:
    """Answering only where the most probable class has at least the threshold.

    `given` is the part of the pictures that get an answer, `right` the part of those that is right.
    """

    given: Figure
    right: Figure


def errors_at(scores: Floats, positive: NDArray[np.bool_], threshold: float) -> Errors:
    """Return both errors of scores (N,) at a threshold, with their 95 % intervals."""
    called = scores >= threshold
    alarms, misses = int((called & ~positive).sum()), int((~called & positive).sum())
    return Errors(wilson(alarms, int((~positive).sum())), wilson(misses, int(positive.sum())))


def answers_at(p: Floats, labels: NDArray[np.int64], threshold: float) -> Answers:
    """Return coverage and accuracy of probabilities (N, C) at a threshold of the largest, with 95 % intervals."""
    sure, right = p.max(axis=1) >= threshold, p.argmax(axis=1) == labels
    given = int(sure.sum())
    return Answers(wilson(given, len(labels)), wilson(int((sure & right).sum()), given))


def error_lines(scores: Floats, positive: NDArray[np.bool_], names: tuple[str, str]) -> Mapping[str, Floats]:
    """Return false alarms and misses at every threshold of `GRID`, under their names."""
    found = [errors_at(scores, positive, float(threshold)) for threshold in GRID]
    return {
        names[0]: np.array([one.false_alarm.value for one in found]),
        names[1]: np.array([one.missed.value for one in found]),
    }


def answer_lines(p: Floats, labels: NDArray[np.int64], names: tuple[str, str]) -> Mapping[str, Floats]:
    """Return the part that is answered and the part of those that is right at every threshold of `GRID`."""
    found = [answers_at(p, labels, float(threshold)) for threshold in GRID]
    return {
        names[0]: np.array([one.given.value for one in found]),
        names[1]: np.array([one.right.value for one in found]),
    }
