"""ROC curves: the points are scikit-learn's, the words are those of the figures, and many classes stay tidy."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.metrics import Figure, areas_one_vs_rest, mean_of, measure
from classifier.roc import GRID, one_vs_rest, roc, roc_points
from tests.classifier.test_figures import THEME, assert_tidy, scored, texts

AXES = ("part of the real pictures called generated", "part of the generated pictures found")
BAND = {"p ≥ 0.50": 0.5, "p ≥ 0.86, called generated": 0.86}


def test_roc_is_that_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    p, fake = scored(200)
    x, y = roc_points(p, fake)
    expected = metrics.roc_curve(fake, p, drop_intermediate=False)
    assert np.allclose(x, expected[0])
    assert np.allclose(y, expected[1])


def test_roc_tells_its_area_and_its_points() -> None:
    p, fake = scored(60)
    area = measure(np.stack([p, 1 - p], 1), (~fake).astype(int), ("fake", "real")).auc
    assert area is not None
    plot = roc(p, fake, THEME, area=area, names=AXES, thresholds=BAND)
    assert_tidy(plot)
    words = [words for words, _ in texts(plot)]
    assert f"ROC: AUC {area.value:.2f} ({area.low:.2f}–{area.high:.2f}), n = 60" in words
    hits, alarms = (p[fake] >= 0.5).mean(), (p[~fake] >= 0.5).mean()
    assert f"finds {100 * hits:.0f} %, false alarms {100 * alarms:.0f} %" in words
    band = plot.axes[0].collections[0].get_paths()[0].vertices
    assert np.isfinite(band).all()


@pytest.mark.parametrize("wrong_way", [False, True])
def test_the_curve_does_not_go_through_its_legend(wrong_way: bool) -> None:
    p, fake = np.linspace(0.01, 0.99, 100), np.arange(100) >= 50
    p[40:60] = p[40:60][::-1]
    fake = fake != wrong_way
    area = measure(np.stack([p, 1 - p], 1), (~fake).astype(int), ("fake", "real")).auc
    assert area is not None and (area.value < 0.3) == wrong_way
    plot = roc(p, fake, THEME, area=area, names=AXES, thresholds=BAND)
    assert_tidy(plot)
    (axes,) = plot.axes
    box = axes.get_legend().get_window_extent()
    drawn = next(line for line in axes.lines if len(line.get_xdata()) > 2)
    curve = drawn.get_path().interpolated(20).transformed(axes.transData)
    assert not any(box.contains(x, y) for x, y in curve.vertices)


def test_roc_of_two_pictures() -> None:
    plot = roc(np.array([0.2, 0.9]), np.array([True, False]), THEME, area=Figure(0, 0, 1, 2), names=AXES)
    assert_tidy(plot)


def many(classes: int, each: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return p (N, C) and labels of some pictures of each class, of which most are right."""
    rng, labels = np.random.default_rng(seed), np.arange(classes * each) % classes
    logits = rng.normal(size=(len(labels), classes)) + 2 * np.eye(classes)[labels]
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), labels


@pytest.mark.parametrize("classes", [3, 6, 10, 102])
def test_the_mean_curve_of_many_classes_is_the_mean_of_theirs(classes: int) -> None:
    p, labels = many(classes, 4)
    areas = areas_one_vs_rest(p, labels)
    known = [area for area in areas if area]
    names = [f"a class with a rather long name, {place}" for place in range(classes)]
    plot = one_vs_rest(p, labels, THEME, classes=names, areas=areas, mean=mean_of(known))
    assert_tidy(plot)
    drawn = np.asarray(plot.axes[0].lines[-1].get_ydata())
    wanted = np.mean([np.interp(GRID, *roc_points(p[:, one], labels == one)) for one in range(classes)], axis=0)
    assert np.allclose(drawn, wanted)
    words = " ".join(words for words, _ in texts(plot))
    assert f"AUC {np.mean([area.value for area in known]):.2f}" in words
    assert ("middle 80 % of classes" in words) == (classes > 6)


def test_a_class_without_a_picture_has_no_line() -> None:
    p, labels = many(4, 6)
    p, labels = p[labels != 2], labels[labels != 2]
    areas = areas_one_vs_rest(p, labels)
    assert [area is None for area in areas] == [False, False, True, False]
    plot = one_vs_rest(p, labels, THEME, classes=list("abcd"), areas=areas, mean=mean_of([a for a in areas if a]))
    assert {words.split()[0] for words, _ in texts(plot)} >= {"a", "b", "d"}
    assert not [words for words, _ in texts(plot) if words.startswith("c ")]
