"""Differences on the same pictures: the published example, and intervals that hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.paired import difference, proportions


def table(both: int, only_after: int, only_before: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    after = [True] * (both + only_after) + [False] * (only_before + neither)
    before = [True] * both + [False] * only_after + [True] * only_before + [False] * neither
    return np.array(after), np.array(before)


def test_the_published_example() -> None:
    """Armitage and Berry's two media for sputum, in Newcombe 1998: 20, 12, 2, 16 of 50."""
    found = proportions(*table(20, 12, 2, 16))
    assert found.value == pytest.approx(0.2)
    assert (found.low, found.high) == (pytest.approx(0.0562, abs=5e-4), pytest.approx(0.3290, abs=5e-4))
    assert found.n == 50


def test_two_that_never_differ_still_have_an_interval() -> None:
    found = proportions(*table(30, 0, 0, 0))
    assert found.value == 0
    assert found.low < 0 < found.high
    assert found.high < 0.15


def test_exchanged_it_is_the_other_way_round() -> None:
    after, before = table(11, 7, 3, 9)
    one, two = proportions(after, before), proportions(before, after)
    assert (one.low, one.high) == (pytest.approx(-two.high), pytest.approx(-two.low))


def test_the_classes_count_equally() -> None:
    labels = np.array([0] * 90 + [1] * 10)
    before = np.full(100, True)
    after = before.copy()
    after[90:95] = False  # half of the small class
    found = difference(after, before, labels)
    assert found.value == pytest.approx(-0.25)
    assert -0.45 < found.low < -0.25 < found.high < -0.05
    assert found.n == 100


def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    rng, hits, rounds = np.random.default_rng(3), 0, 400
    labels = np.array([0] * 40 + [1] * 25)
    for _ in range(rounds):
        before = rng.random(65) < 0.8
        after = np.where(rng.random(65) < 0.7, before, rng.random(65) < 0.6)  # the truth: 0.3 × (0.6 − 0.8)
        found = difference(after, before, labels)
        hits += found.low <= -0.06 <= found.high
    assert 0.93 * rounds < hits <= rounds
