from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve

from classifier.drawing import Theme
from classifier.metrics import wilson
from classifier.threshold_figures import (
    average_precision,
    over_threshold,
    points,
    precision_recall,
    precision_recall_of_many,
)
from classifier.thresholds import GRID, Errors, answer_lines, answers_at, error_lines, errors_at
from forensics_app.core.run_plots import THEMES

RNG = np.random.default_rng(3)
POSITIVE = RNG.random(200) < 0.4
SCORES = np.clip(RNG.normal(0.4 + 0.2 * POSITIVE, 0.2), 0, 1).round(2)


def test_both_errors_are_counted_with_their_intervals() -> None:
    found = errors_at(SCORES, POSITIVE, 0.5)
    alarms = sum(score >= 0.5 for score, fake in zip(SCORES, POSITIVE, strict=True) if not fake)
    misses = sum(score < 0.5 for score, fake in zip(SCORES, POSITIVE, strict=True) if fake)
    assert found == Errors(wilson(alarms, int((~POSITIVE).sum())), wilson(misses, int(POSITIVE.sum())))
    assert errors_at(SCORES, POSITIVE, 0.0).missed.value == 0 and errors_at(SCORES, POSITIVE, 1.01).missed.value == 1


def test_precision_falls_with_the_share_of_what_is_looked_for() -> None:
    found = Errors(wilson(10, 100), wilson(20, 100))
    assert found.precision(0.5) == pytest.approx(0.8 / 0.9)
    assert found.precision(0.01) == pytest.approx(0.008 / (0.008 + 0.099))
    assert math.isnan(Errors(wilson(0, 10), wilson(10, 10)).precision(0.5))


def test_answers_of_many_classes() -> None:
    p = np.array([[0.7, 0.2, 0.1], [0.4, 0.35, 0.25], [0.1, 0.6, 0.3]])
    found = answers_at(p, np.array([0, 1, 2]), 0.5)
    assert (found.given.value, found.given.n) == (pytest.approx(2 / 3), 3)
    assert (found.right.value, found.right.n) == (0.5, 2)


def test_lines_are_the_errors_at_every_threshold() -> None:
    alarms, misses = error_lines(SCORES, POSITIVE, ("alarms", "misses")).values()
    assert len(alarms) == len(GRID) and alarms[100] == errors_at(SCORES, POSITIVE, 0.5).false_alarm.value
    assert (np.diff(alarms) <= 0).all() and (np.diff(misses) >= 0).all()
    given, _ = answer_lines(np.column_stack([SCORES, 1 - SCORES]), POSITIVE.astype(int), ("given", "right")).values()
    assert given[0] == 1 and (np.diff(given) <= 0).all()


def test_precision_and_recall_are_those_of_scikit_learn() -> None:
    recall, precision = points(SCORES, POSITIVE)
    wanted = precision_recall_curve(POSITIVE, SCORES, drop_intermediate=False)
    assert np.allclose(precision[1:], wanted[0][-2::-1]) and np.allclose(recall[1:], wanted[1][-2::-1])
    assert average_precision(recall, precision) == pytest.approx(average_precision_score(POSITIVE, SCORES))


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_plots_say_what_they_show(theme: Theme) -> None:
    plot = over_threshold(error_lines(SCORES, POSITIVE, ("alarms $x", "misses")), theme, title="Both", x="p",
                          inks=(theme.real, theme.fake))  # fmt: skip
    (axes,) = plot.axes
    assert axes.get_title(loc="left") == "Both" and [line.get_label() for line in axes.lines] == ["alarms $x", "misses"]
    assert [line.get_color() for line in axes.lines] == [theme.real, theme.fake]
    (axes,) = precision_recall(SCORES, POSITIVE, theme, name="fake").axes
    assert "n = 200" in axes.get_title(loc="left") and "fake" in axes.get_xlabel()
    many = np.eye(8)[RNG.integers(0, 8, 80)] * 0.5 + 0.0625
    for count, lines in ((3, 4), (8, 1)):
        p, labels = many[:, :count] + 0.01, np.arange(80) % count
        (axes,) = precision_recall_of_many(p, labels, theme, classes=[f"{k}" for k in range(count)]).axes
        assert len(axes.lines) == lines
