"""Whether two detectors differ on the same pictures: McNemar's test and paired intervals. Free of torch.

Pictures that both get right, or both get wrong, say nothing about which is better. The discordant ones decide, and
their number, not n, is what a test has to go by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from classifier.metrics import Figure, Labels, Probabilities, auc, bootstrap
from classifier.paired import difference, proportions

LEAST_P = 1e-6
"""What a probability of less counts as in the log loss: predictions are kept to six places, and log 0 has no value."""
ALPHA = 0.05


@dataclass(frozen=True)
class Paired:
    """Two detectors on the same `n` pictures; `p` is McNemar's. Every difference is the first less the second.

    `only_first` counts the pictures on which the first is right and the second wrong. A lower log loss is better, of
    the others more. `auc` is None for more than two classes, and where no resample of the pictures tells the two apart.
    """

    n: int
    both_right: int
    only_first: int
    only_second: int
    both_wrong: int
    p: float
    accuracy: Figure
    balanced_accuracy: Figure
    log_loss: Figure
    auc: Figure | None

    @property
    def discordant(self) -> int:
        """On how many pictures one is right and the other wrong."""
        return self.only_first + self.only_second


@dataclass(frozen=True)
class Pair:
    """What was found of the `first` and the `second` of several detectors; `p_holm` is corrected for all the pairs."""

    first: int
    second: int
    found: Paired
    p_holm: float


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided p of McNemar's test from the two discordant counts.

    McNemar, Psychometrika 1947, in its exact form, the sign test on the discordant pairs: right for any number of
    them, so that no approximation has to be chosen. Without a discordant pair it is 1.
    """
    both, fewer = only_first + only_second, min(only_first, only_second)
    ways, tail = 1, 0
    for k in range(fewer + 1):
        tail += ways
        ways = ways * (both - k) // (k + 1)
    return float(min(1.0, 2 * tail / 2**both))


def holm(p: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number so that the chance of any false finding stays below the level.

    Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 1979.
    """
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    steps = np.asarray(p, float)[order] * np.arange(len(p), 0, -1)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return [float(one) for one in corrected]


def log_losses(p: Probabilities, labels: Labels) -> NDArray[np.float64]:
    """Return each picture's log loss (N,) in nats: how little its own class was given of probabilities (N, C)."""
    return np.asarray(-np.log(np.maximum(p[np.arange(len(p)), labels], LEAST_P)))


def paired(first: Probabilities, second: Probabilities, labels: Labels, *, seed: int = 0) -> Paired:
    """Compare probabilities (N, C) of two detectors for the same pictures, whose classes are labels (N,).

    The intervals of the accuracies are Newcombe's (`classifier.paired`): where two detectors differ on no picture, a
    bootstrap would claim to know that they never will. Those of AUC and log loss are bootstrapped: the same pictures
    are drawn for both, each class on its own.
    """
    right, other = first.argmax(axis=1) == labels, second.argmax(axis=1) == labels
    lost = log_losses(first, labels) - log_losses(second, labels)
    only_first, only_second = int((right & ~other).sum()), int((other & ~right).sum())
    return Paired(
        n=len(labels),
        both_right=int((right & other).sum()),
        only_first=only_first,
        only_second=only_second,
        both_wrong=int((~right & ~other).sum()),
        p=mcnemar(only_first, only_second),
        accuracy=proportions(right, other),
        balanced_accuracy=difference(right, other, labels),
        log_loss=bootstrap(lambda index: float(lost[index].mean()), labels, seed),
        auc=_auc_difference(first, second, labels, seed),
    )


def _auc_difference(first: Probabilities, second: Probabilities, labels: Labels, seed: int) -> Figure | None:
    if first.shape[1] != 2 or len(np.unique(labels)) != 2:
        return None

    def measure(index: NDArray[np.int64]) -> float:
        positive = labels[index] == 0
        return auc(first[index, 0], positive) - auc(second[index, 0], positive)

    found = bootstrap(measure, labels, seed)
    return found if found.low < found.high else None  # both perfect: the resamples cannot tell how sure that is


def pairs(answers: Sequence[Probabilities], labels: Labels, *, seed: int = 0) -> Iterator[Pair]:
    """Compare every two of several detectors' probabilities, each (N, C); `p_holm` counts all the pairs."""
    right = [p.argmax(axis=1) == labels for p in answers]
    both = list(combinations(range(len(answers)), 2))
    raw = [mcnemar(int((right[a] & ~right[b]).sum()), int((right[b] & ~right[a]).sum())) for a, b in both]
    for (a, b), corrected in zip(both, holm(raw), strict=True):
        yield Pair(a, b, paired(answers[a], answers[b], labels, seed=seed), corrected)
