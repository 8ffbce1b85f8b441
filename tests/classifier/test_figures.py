"""Plots of a run: what is drawn is what was measured, no text covers another, and both themes can be read."""

from __future__ import annotations

import io
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure as Plot

from classifier.drawing import Theme, readable
from classifier.figures import confusion_matrix, curves, reliability
from classifier.metrics import class_weights, wilson

THEME = Theme("#ffffff", "#1a1f26", "#566270", "#dfe3e8", "#1f5fbf", "#b23a0e", "#00695f", "#4a5868")
KINDS = {"fake": THEME.fake, "real": THEME.real}


def scored(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return p of n pictures, with ties, and which of them are fake."""
    rng = np.random.default_rng(seed)
    fake = np.arange(n) % 3 == 0
    return np.clip(rng.normal(np.where(fake, 0.65, 0.35), 0.2), 0, 1).round(2), fake


def texts(plot: Plot) -> list[tuple[str, tuple[float, float, float, float]]]:
    """Return every line of text that is drawn, with its box (left, top, right, bottom); slanted ones without."""
    found: list[tuple[str, tuple[float, float, float, float]]] = []
    plain = RendererAgg.draw_text

    def draw_text(self: RendererAgg, gc: Any, x: float, y: float, s: str, prop: Any, angle: float, **rest: Any) -> None:
        width, height, below = self.get_text_width_height_descent(s, prop, ismath=False)
        upright = (x, y - height + below, x + width, y + below)
        standing = (x - height + below, y - width, x + below, y)
        found.append((s, {0: upright, 90: standing}.get(round(angle), (x, y, x, y))))
        plain(self, gc, x, y, s, prop, angle, **rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RendererAgg, "draw_text", draw_text)
        plot.savefig(io.BytesIO(), format="png")
    return found


def assert_tidy(plot: Plot) -> None:
    """No text covers another, and none is cut off by the figure's edge."""
    found, (width, height) = texts(plot), plot.bbox.size
    assert found
    for (one, a), (other, b) in combinations(found, 2):
        over = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
        assert min(over) <= 0.5, f"{one!r} covers {other!r}"
    for words, (left, top, right, bottom) in found:
        assert min(left, top, width - right, height - bottom) >= -1, words


def lines_of(plot: Plot) -> list[np.ndarray]:
    return [np.asarray(line.get_ydata(), float) for axes in plot.axes for line in axes.get_lines()]


def history(epochs: int, *, validated: bool = True, spike: float = 1.0) -> tuple[dict[str, list[float]], ...]:
    x = np.arange(1, epochs + 1)
    loss = {"training": list(1 / x), "validation": list(spike / x if validated else x * np.nan)}
    accuracy = {"training": list(1 - 0.5 / x), "validation": list(1 - 0.5 / x - 0.001 if validated else x * np.nan)}
    return loss, accuracy


def test_curves_are_the_history() -> None:
    loss, accuracy = history(6)
    plot = curves(loss, accuracy, THEME, phases=[("head only", 2), ("all layers", 4)], kept=5)
    drawn = lines_of(plot)
    for values in (*loss.values(), *accuracy.values()):
        assert any(len(line) == 6 and np.allclose(line, values) for line in drawn)
    rings = [line for axes in plot.axes for line in axes.get_lines() if line.get_markerfacecolor() == "none"]
    assert [(ring.get_xdata()[0], ring.get_ydata()[0]) for ring in rings] == [  # type: ignore[index]
        (5, loss["validation"][4]), (5, accuracy["validation"][4])]  # fmt: skip
    assert [axes.get_yscale() for axes in plot.axes] == ["linear", "linear"]
    assert {"head only", "all layers", "training", "validation"} <= {words for words, _ in texts(plot)}


@pytest.mark.parametrize("epochs", [1, 2, 30, 400])
@pytest.mark.parametrize("validated", [True, False])
def test_curves_of_any_length_stay_tidy(epochs: int, validated: bool) -> None:
    plot = curves(*history(epochs, validated=validated), THEME, kept=epochs)
    assert_tidy(plot)
    assert ("validation" in {words for words, _ in texts(plot)}) == validated
    rings = [line for axes in plot.axes for line in axes.get_lines() if line.get_markerfacecolor() == "none"]
    told = ["ring" in axes.get_xlabel() for axes in plot.axes]
    assert len(rings) == sum(told) == (2 if validated and epochs > 1 else 0)


def test_phases_without_room_for_their_names_are_numbered() -> None:
    phases = [("head only", 1), ("conv1, layer1, layer2", 2), ("all layers", 60)]
    plot = curves(*history(63), THEME, phases=phases)
    assert_tidy(plot)
    words = [words for words, _ in texts(plot)]
    assert words.count("all layers") == 2
    assert "head only" not in words


def test_a_loss_that_explodes_is_drawn_on_a_logarithmic_axis() -> None:
    plot = curves(*history(5, spike=500), THEME)
    assert plot.axes[0].get_yscale() == "log"
    assert_tidy(plot)


def test_no_epochs_at_all() -> None:
    assert_tidy(curves({"training": []}, {"training": []}, THEME))


def cells(plot: Plot) -> list[str]:
    return [text.get_text() for text in plot.axes[0].texts]


def test_confusion_matrix_has_counts_and_row_percentages() -> None:
    plot = confusion_matrix(np.array([[16, 2], [6, 12]]), ["fake", "real"], THEME, title="T")
    assert cells(plot) == ["16\n89 %", "2\n11 %", "6\n33 %", "12\n67 %"]
    assert np.allclose(plot.axes[0].images[0].get_array(), [[16 / 18, 2 / 18], [6 / 18, 12 / 18]])  # type: ignore[arg-type]
    assert_tidy(plot)


def test_a_class_without_pictures_is_no_division_by_zero() -> None:
    plot = confusion_matrix(np.array([[0, 0], [1, 3]]), ["a", "b"], THEME, title="T")
    assert cells(plot)[:2] == ["0\n0 %", "0\n0 %"]


@pytest.mark.parametrize(("classes", "numbers"), [(3, 9), (10, 100), (16, 256), (30, 0), (102, 0)])
def test_confusion_matrix_of_many_classes(classes: int, numbers: int) -> None:
    counts = np.random.default_rng(0).integers(0, 120, (classes, classes))
    names = [f"a rather long name of class {number}" for number in range(classes)]
    plot = confusion_matrix(counts, names, THEME, title=f"What was taken for what, {classes} classes")
    assert len(cells(plot)) == numbers
    assert len(plot.axes) == (2 if not numbers else 1)
    assert_tidy(plot)


def test_names_are_never_formulas() -> None:
    names = ["$\\frac{", "a$b$", "猫"]
    plot = confusion_matrix(np.eye(3, dtype=int), names, THEME, title="$x$")
    with pytest.warns(UserWarning, match="Glyph"):
        plot.savefig(io.BytesIO(), format="png")
    assert {label.get_text() for label in plot.axes[0].get_yticklabels()} == set(names)


def reliability_of(p: np.ndarray, fake: np.ndarray, weights: np.ndarray) -> Plot:
    names = ("p, the probability of being generated", "part that was generated")
    return reliability(p, fake, THEME, weights=weights, names=names, kinds=KINDS)


def test_reliability_is_the_part_in_each_bin_with_wilsons_interval() -> None:
    p, fake = scored(300)
    plot = reliability_of(p, fake, np.ones(300))
    assert_tidy(plot)
    bars = list(plot.axes[0].containers)
    assert len(bars) == len(np.unique(np.minimum((p * 10).astype(int), 9)))
    mine = (p >= 0.5) & (p < 0.6)
    expected = wilson(int(fake[mine].sum()), int(mine.sum()))
    points = {round(float(bar[0].get_xdata()[0]), 6): bar for bar in bars}  # type: ignore[attr-defined, index]
    bar = points[round(float(p[mine].mean()), 6)]
    assert bar[0].get_ydata()[0] == pytest.approx(expected.value)  # type: ignore[index]
    segment = bar[2][0].get_segments()[0]  # type: ignore[index]
    assert segment[:, 1] == pytest.approx([expected.low, expected.high])
    heights = np.array([patch.get_height() for patch in plot.axes[1].patches]).reshape(2, -1)  # type: ignore[attr-defined]
    assert heights.sum(axis=1).tolist() == [fake.sum(), (~fake).sum()]


def test_reliability_weighs_the_classes_equally() -> None:
    p, fake = np.full(40, 0.5), np.arange(40) < 10
    plot = reliability_of(p, fake, class_weights(fake.astype(np.int64)))
    assert plot.axes[0].containers[0][0].get_ydata()[0] == pytest.approx(0.5)  # type: ignore[index, attr-defined]


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_reliability_of_one_picture(value: float) -> None:
    assert_tidy(reliability_of(np.array([value]), np.array([True]), np.ones(1)))


def test_ink_on_a_cell_can_be_read() -> None:
    for shade in np.linspace(0, 1, 64):
        for ramp in ("gray", "viridis", "Blues"):
            ground = colormaps[ramp](shade)[:3]
            light, dark = sorted((luminance(ground), luminance(readable(ground))), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5


def luminance(colour: Any) -> float:
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))
