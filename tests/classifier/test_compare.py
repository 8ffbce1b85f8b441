"""McNemar's test, Holm's correction and paired intervals: against scipy, against known values, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.compare import holm, log_losses, mcnemar, paired, pairs
from classifier.metrics import Probabilities


def answers(right: list[bool], labels: list[int], sure: float = 0.8) -> Probabilities:
    """Return probabilities of two classes that are right where they should be."""
    p = np.full((len(labels), 2), 1 - sure)
    p[np.arange(len(labels)), [label if ok else 1 - label for ok, label in zip(right, labels, strict=True)]] = sure
    return p


@pytest.mark.parametrize(("first", "second"), [(7, 3), (0, 0), (0, 5), (0, 6), (12, 12), (101, 59), (1, 0)])
def test_mcnemar_is_the_sign_test_on_the_discordant_pairs(first: int, second: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    expected = stats.binomtest(first, first + second).pvalue if first + second else 1.0
    assert mcnemar(first, second) == pytest.approx(expected, rel=1e-12)
    assert mcnemar(first, second) == mcnemar(second, first)


def test_mcnemar_keeps_its_level_where_both_are_equally_good() -> None:
    rng = np.random.default_rng(1)
    found = [mcnemar(*rng.multinomial(60, [0.1, 0.1, 0.8])[:2].tolist()) < 0.05 for _ in range(2000)]
    assert 0.005 < np.mean(found) < 0.05


def test_holm_is_that_of_the_textbook() -> None:
    # Holm 1979 as worked in R: p.adjust(c(.01, .04, .03, .005), "holm").
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_two_that_never_differ_are_not_known_to_be_alike() -> None:
    same = answers([True] * 15 + [False] * 5, [0, 1] * 10)
    found = paired(same, same, np.array([0, 1] * 10))
    for one in (found.accuracy, found.balanced_accuracy):
        assert one.value == 0
        assert one.low < -0.05
        assert one.high > 0.05


def test_the_bootstrap_of_the_log_loss_holds_the_truth_as_often_as_it_says() -> None:
    """Two detectors whose losses differ by .2 on the mean, strongly correlated: 80 data sets of 40 pictures."""
    rng, labels, found = np.random.default_rng(3), np.arange(40) % 3, []
    for _ in range(80):
        losses = rng.gamma(2.0, 0.3, 40)
        more = losses + np.clip(rng.normal(0.2, 0.1, 40), 0, 0.4)
        first, second = (np.repeat(((1 - np.exp(-one)) / 2)[:, None], 3, axis=1) for one in (more, losses))
        first[np.arange(40), labels], second[np.arange(40), labels] = np.exp(-more), np.exp(-losses)
        found.append(paired(first, second, labels).log_loss)
    assert 0.86 < np.mean([one.low <= 0.2 <= one.high for one in found]) <= 1
    # The same pictures are drawn for both: drawn apart, the interval would be six times as wide.
    assert np.mean([one.high - one.low for one in found]) < 0.09


def test_counts_differences_and_signs() -> None:
    labels = [0, 0, 0, 0, 1, 1]
    first = answers([True, True, True, False, True, False], labels)
    second = answers([True, False, False, True, True, False], labels, sure=0.6)
    found = paired(first, second, np.array(labels))
    assert (found.both_right, found.only_first, found.only_second, found.both_wrong) == (2, 2, 1, 1)
    assert found.discordant == 3
    assert found.p == mcnemar(2, 1) == 1.0
    assert found.accuracy.value == pytest.approx(1 / 6)
    assert found.balanced_accuracy.value == pytest.approx((0.25 + 0.0) / 2)
    assert found.auc is not None
    assert found.auc.low <= found.auc.value <= found.auc.high
    turned = paired(second, first, np.array(labels))
    assert turned.accuracy.value == -found.accuracy.value
    assert turned.log_loss.value == pytest.approx(-found.log_loss.value)
    assert found == paired(first, second, np.array(labels))  # a seed, so the same again


def test_three_classes_have_no_auc_and_two_that_are_perfect_no_difference_of_it() -> None:
    labels = np.array([0, 1, 2, 0, 1, 2])
    p = np.random.default_rng(0).dirichlet([1, 1, 1], 6)
    assert paired(p, p[::-1], labels).auc is None
    perfect = answers([True] * 6, [0, 1] * 3)
    assert paired(perfect, perfect**2, np.arange(6) % 2).auc is None


def test_log_loss_of_a_certain_mistake_is_finite() -> None:
    assert log_losses(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1, 1])) == pytest.approx([13.815510558, 0])


def test_every_two_of_three_are_compared_and_corrected_for_each_other() -> None:
    labels = np.array([0, 1] * 20)
    good, other, bad = (answers([place % 20 >= wrong for place in range(40)], labels.tolist()) for wrong in (0, 1, 9))
    found = list(pairs([good, other, bad], labels))
    assert [(pair.first, pair.second) for pair in found] == [(0, 1), (0, 2), (1, 2)]
    assert [pair.p_holm for pair in found] == pytest.approx(holm([pair.found.p for pair in found]))
    assert found[1].p_holm < 0.05 < found[0].p_holm
