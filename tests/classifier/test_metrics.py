"""Figures agree with scikit-learn's and statsmodels' known values, and intervals hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, classification_report, confusion_matrix, roc_auc_score

from classifier.calibrate import abstain_band, platt, temperature
from classifier.metrics import auc, bootstrap, expected_calibration_error, measure, wilson
from classifier.runtime import softmax

CLASSES = ("fake", "real")


def scored(n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.7).astype(np.int64)
    logits = np.stack([np.zeros(n), rng.normal(labels * 2.0 - 1, 1.2)], axis=1)
    return logits, labels


def test_figures_equal_scikit_learn() -> None:
    logits, labels = scored()
    p = softmax(logits)
    found = measure(p, labels, CLASSES, (0.3, 0.7), ["a"] * 200 + ["b"] * 200)
    guess = p.argmax(axis=1)
    assert found.confusion == confusion_matrix(labels, guess).tolist()
    assert found.balanced_accuracy.value == pytest.approx(balanced_accuracy_score(labels, guess))
    assert found.auc is not None
    assert found.auc.value == pytest.approx(roc_auc_score(labels == 0, p[:, 0]))
    report = classification_report(labels, guess, target_names=CLASSES, output_dict=True)
    for name in CLASSES:
        mine = found.per_class[name]
        theirs = report[name]
        assert (mine.precision, mine.recall.value, mine.f1, mine.support) == pytest.approx(
            (theirs["precision"], theirs["recall"], theirs["f1-score"], theirs["support"])
        )


def test_auc_counts_ties_half() -> None:
    scores = np.array([0.1, 0.5, 0.5, 0.9])
    assert auc(scores, np.array([False, True, False, True])) == pytest.approx(0.875)
    assert auc(np.full(6, 0.3), np.array([True, False] * 3)) == pytest.approx(0.5)


def test_wilson_gives_the_textbook_interval() -> None:
    found = wilson(144, 153)
    assert (found.value, found.low, found.high) == pytest.approx((0.9412, 0.8921, 0.9687), abs=2e-4)
    assert wilson(0, 10).low == 0.0
    assert wilson(10, 10).high == 1.0
    assert wilson(0, 0).n == 0


def test_intervals_hold_the_value_and_shrink_with_n() -> None:
    small, large = (measure(softmax(a), b, CLASSES) for a, b in (scored(60), scored(6000)))
    for one in (small, large):
        assert one.balanced_accuracy.low <= one.balanced_accuracy.value <= one.balanced_accuracy.high
    width = [one.balanced_accuracy.high - one.balanced_accuracy.low for one in (small, large)]
    assert width[1] < width[0] / 4


def test_no_interval_is_without_width_however_one_sided_the_answers() -> None:
    found = measure(np.tile([0.1, 0.9], (24, 1)), np.array([0] * 12 + [1] * 12), CLASSES)
    assert found.balanced_accuracy.value == 0.5
    assert found.balanced_accuracy.low < 0.4
    assert found.balanced_accuracy.high > 0.6


def test_the_band_decides_coverage_and_sources() -> None:
    p_fake = np.array([0.95, 0.6, 0.2, 0.9, 0.5, 0.1])
    labels = np.array([0, 0, 0, 1, 1, 1])
    found = measure(np.stack([p_fake, 1 - p_fake], 1), labels, CLASSES, (0.3, 0.8), ["g", "g", "h", "c", "c", "c"])
    assert (found.coverage and found.coverage.value) == pytest.approx(4 / 6)
    assert (found.selective_accuracy and found.selective_accuracy.value) == pytest.approx(2 / 4)
    assert (found.false_alarm and found.false_alarm.value) == pytest.approx(1 / 3)
    assert (found.missed and found.missed.value) == pytest.approx(1 / 3)
    assert found.sources is not None
    assert (
        found.sources["g"]["called_fake"],
        found.sources["g"]["called_unsure"],
    ) == (1, 1)
    assert found.sources["h"]["called_real"] == 1


def test_ece_is_zero_for_honest_and_large_for_boastful_scores() -> None:
    rng = np.random.default_rng(1)
    p = rng.random(60_000)
    labels = (rng.random(60_000) > p).astype(np.int64)
    assert expected_calibration_error(np.stack([p, 1 - p], 1), labels) < 0.01
    wrong = np.stack([np.full(1000, 0.99), np.full(1000, 0.01)], 1)
    assert expected_calibration_error(wrong, np.arange(1000) % 2) == pytest.approx(0.49)


def test_temperature_recovers_the_scale_that_logits_were_multiplied_by() -> None:
    rng = np.random.default_rng(2)
    true = rng.normal(0, 2, 20_000)
    labels = (rng.random(20_000) > 1 / (1 + np.exp(-true))).astype(np.int64)
    logits = np.stack([true, np.zeros_like(true)], 1)
    assert temperature(logits * 3.0, labels) == pytest.approx(3.0, rel=0.05)
    assert temperature(logits * 0.5, labels) == pytest.approx(0.5, rel=0.05)


def test_platt_recovers_scale_and_lean_however_rare_a_class_is() -> None:
    rng = np.random.default_rng(4)
    true = rng.normal(0, 2, 60_000)
    labels = (rng.random(60_000) > 1 / (1 + np.exp(-true))).astype(np.int64)
    kept = (labels == 1) | (rng.random(60_000) < 0.1)  # fakes are ten times rarer here than where p is to hold
    logits = np.stack([true * 2.0 - 1.5, np.zeros_like(true)], 1)[kept]
    found, bias = platt(logits, labels[kept])
    assert found == pytest.approx(2.0, rel=0.08)
    assert bias == pytest.approx(0.75, abs=0.08)


def test_platt_stays_finite_where_classes_separate_and_where_nothing_does() -> None:
    perfect = np.array([[5.0, 0.0]] * 20 + [[-5.0, 0.0]] * 20)
    found, bias = platt(perfect, np.array([0] * 20 + [1] * 20))
    assert 0 < found < 100
    assert abs(bias) < 5
    nothing = np.random.default_rng(0).normal(0, 1, (4000, 2))
    found, bias = platt(nothing, np.arange(4000) % 2)
    p = softmax(nothing / found + np.array([bias, 0]))
    assert np.abs(p - 0.5).max() < 0.15


@pytest.mark.parametrize("seed", range(5))
def test_the_band_keeps_its_rates_on_the_calibration_split(seed: int) -> None:
    logits, labels = scored(300, seed)
    p = softmax(logits)
    band = abstain_band(p, labels, 0, max_fpr=0.05, max_fnr=0.1)
    real, fake = p[labels == 1, 0], p[labels == 0, 0]
    assert (real >= band.high).mean() <= 0.05
    assert (fake <= band.low).mean() <= 0.1
    assert band.low <= 0.5 <= band.high
    assert (band.fpr, band.fnr) == ((real >= band.high).mean(), (fake <= band.low).mean())


def test_a_perfect_detector_has_no_band() -> None:
    p = np.array([[0.99, 0.01]] * 20 + [[0.01, 0.99]] * 20)
    band = abstain_band(p, np.array([0] * 20 + [1] * 20), 0, max_fpr=0.05, max_fnr=0.1)
    assert (band.low, band.high) == (0.5, 0.5)


def test_classes_of_one_picture_each_leave_an_interval() -> None:
    lost = np.random.default_rng(3).normal(size=102)
    found = bootstrap(lambda index: float(lost[index].mean()), np.arange(102))
    error = 1.96 * lost.std() / np.sqrt(102)
    assert found.low == pytest.approx(lost.mean() - error, abs=0.05)
    assert found.high == pytest.approx(lost.mean() + error, abs=0.05)
