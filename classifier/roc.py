"""ROC curves from finished scores: of two classes with a band, and of many, each against the rest. Free of torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Plot
from matplotlib.legend import Legend
from numpy.typing import NDArray

from classifier.drawing import SMALL_PT, Theme, empty, font, guide, styled
from classifier.metrics import Figure

Floats = NDArray[np.float64]

RESAMPLES, SEED = 400, 0
GRID = np.linspace(0, 1, 101)
GUESSING = 0.5
EACH_CLASS = 6
"""Up to so many classes have a line of their own."""
DASHES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)))


def roc(
    scores: Floats,
    positive: NDArray[np.bool_],
    theme: Theme,
    *,
    area: Figure,
    names: tuple[str, str],
    thresholds: Mapping[str, float] | None = None,
) -> Plot:
    """Draw the ROC curve of scores (N,) with its pointwise 95 % band, each class resampled on its own.

    `area` is the measured AUC, `names` what the axes show, `thresholds` are marked on the curve and told by name.
    """
    plot = empty(4.7, 4.5, theme)
    axes = styled(
        plot.add_subplot(), theme, f"ROC: AUC {area.value:.2f} ({area.low:.2f}–{area.high:.2f}), n = {area.n}"
    )
    axes.fill_between(GRID, *_roc_band(scores, positive), color=theme.accent, alpha=0.18, linewidth=0)
    axes.plot([0, 1], [0, 1], **guide(theme))
    axes.plot(*roc_points(scores, positive), color=theme.accent, linewidth=2)
    for marker, (name, threshold) in zip("oDs", (thresholds or {}).items(), strict=False):
        hits, alarms = (float((scores[kind] >= threshold).mean()) for kind in (positive, ~positive))
        told = f"{name}:\nfinds {hits:.0%}, false alarms {alarms:.0%}".replace("%", " %")
        axes.plot(alarms, hits, marker, color=theme.text, markersize=6, zorder=5, linestyle="none", label=told)
    _frame(axes, theme, names)
    if thresholds:
        _legend(axes, theme, area.value, handle=1)
    return plot


def _frame(axes: Axes, theme: Theme, names: tuple[str, str]) -> None:
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_xlabel(names[0], **font(theme))
    axes.set_ylabel(names[1], **font(theme))


def one_vs_rest(
    p: Floats,
    labels: NDArray[np.int64],
    theme: Theme,
    *,
    classes: Sequence[str],
    areas: Sequence[Figure | None],
    mean: Figure,
) -> Plot:
    """Draw the mean of the ROC curves of each class against the rest, for probabilities (N, C) and labels (N,).

    Up to six classes have a line each; of more the middle 80 % are shaded. `areas` are the classes' AUC, None for one
    without a picture, `mean` is the macro average.
    """
    plot = empty(4.7, 4.5, theme)
    title = f"Mean ROC: AUC {mean.value:.2f} ({mean.low:.2f}–{mean.high:.2f}), n = {len(p)}"
    axes = styled(plot.add_subplot(), theme, title)
    axes.plot([0, 1], [0, 1], **guide(theme))
    lines = {
        place: np.interp(GRID, *roc_points(p[:, place], labels == place))
        for place, area in enumerate(areas)
        if area is not None
    }
    if len(classes) <= EACH_CLASS:
        for dashes, (place, line) in zip(DASHES, lines.items(), strict=False):
            area = areas[place]
            told = f"{classes[place][:24]} {area.value:.2f}" if area else ""
            axes.plot(GRID, line, color=theme.unsure, linewidth=1.2, linestyle=dashes, label=told)
    else:
        low, high = np.percentile(list(lines.values()), [10, 90], axis=0)
        axes.fill_between(GRID, low, high, color=theme.accent, alpha=0.18, linewidth=0, label="middle 80 % of classes")
    axes.plot(GRID, np.mean(list(lines.values()), axis=0), color=theme.accent, linewidth=2, label="mean of the classes")
    _frame(axes, theme, ("part of the others taken for the class", "part of the class found"))
    for text in _legend(axes, theme, mean.value).get_texts():
        text.set_parse_math(False)
    return plot


def _legend(axes: Axes, theme: Theme, area: float, handle: float = 2) -> Legend:
    """Put the legend into the corner that the curve does not go through."""
    corner: Literal["lower right", "upper left"] = "lower right" if area >= GUESSING else "upper left"
    return axes.legend(loc=corner, frameon=False, fontsize=SMALL_PT, labelcolor=theme.text, handlelength=handle)


def roc_points(scores: Floats, positive: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return the false and the true positive rates from threshold infinity down, one point for each distinct score."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits, alarms = np.cumsum(positive[order])[last], np.cumsum(~positive[order])[last]
    return np.append(0.0, alarms / max(1, alarms[-1])), np.append(0.0, hits / max(1, hits[-1]))


def _roc_band(scores: Floats, positive: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    rng, kinds = np.random.default_rng(SEED), (np.flatnonzero(positive), np.flatnonzero(~positive))
    drawn = []
    for _ in range(RESAMPLES):
        index = np.concatenate([rng.choice(kind, len(kind)) for kind in kinds])
        drawn.append(np.interp(GRID, *roc_points(scores[index], positive[index])))
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return low, high
