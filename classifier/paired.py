"""Two ways of judging the same pictures: how far apart they are, with an interval that knows they were the same."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from classifier.metrics import Figure, Labels, mean_of, wilson

Right = NDArray[np.bool_]


def difference(after: Right, before: Right, labels: Labels) -> Figure:
    """Return balanced accuracy of `after` minus that of `before`, each (N,) of what was right on the same pictures.

    Each class's difference has Newcombe's score interval for paired proportions ("Improved confidence intervals for
    the difference between binomial proportions based on paired data", Stat. Med. 1998, method 10), which is not empty
    where the two never differ; the classes count equally, and their intervals join as in `metrics.mean_of`.
    """
    parts = [proportions(after[labels == label], before[labels == label]) for label in np.unique(labels)]
    return mean_of(parts, least=-1.0)


def proportions(after: Right, before: Right) -> Figure:
    """Return the difference of two paired proportions with Newcombe's score interval (method 10)."""
    n = len(after)
    one, two = wilson(int(after.sum()), n), wilson(int(before.sum()), n)
    phi = _correlation(after, before)
    value = one.value - two.value
    below = _spread(one.value - one.low, two.high - two.value, phi)
    above = _spread(one.high - one.value, two.value - two.low, phi)
    return Figure(value, max(-1.0, value - below), min(1.0, value + above), n)


def _spread(one: float, two: float, phi: float) -> float:
    return sqrt(max(0.0, one**2 - 2 * phi * one * two + two**2))


def _correlation(after: Right, before: Right) -> float:
    """Return the fourfold correlation, with Newcombe's correction for continuity where it is positive."""
    both, neither = int((after & before).sum()), int((~after & ~before).sum())
    only_after, only_before = int((after & ~before).sum()), int((~after & before).sum())
    sides = (both + only_after) * (only_before + neither) * (both + only_before) * (only_after + neither)
    if not sides:
        return 0.0
    cross = both * neither - only_after * only_before
    return (max(cross - len(after) / 2, 0) if cross > 0 else cross) / sqrt(sides)
