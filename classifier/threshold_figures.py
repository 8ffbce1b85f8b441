"""Plots over a threshold: lines from finished arrays, and precision against recall. Free of torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure as Plot
from numpy.typing import NDArray

from classifier.drawing import SMALL_PT, Theme, empty, font, guide, styled
from classifier.roc import DASHES, EACH_CLASS
from classifier.thresholds import GRID

Floats = NDArray[np.float64]


def over_threshold(lines: Mapping[str, Floats], theme: Theme, *, title: str, x: str, inks: Sequence[str]) -> Plot:
    """Draw lines (201,) over thresholds from 0 to 1, each in a colour, named in a legend."""
    plot = empty(6.4, 3.6, theme)
    axes = styled(plot.add_subplot(), theme, title)
    for (name, values), ink, dashes in zip(lines.items(), inks, ("-", "--"), strict=False):
        axes.plot(GRID, values, color=ink, linewidth=2, linestyle=dashes, label=name)
    axes.set(xlim=(0, 1), ylim=(-0.02, 1.02))
    axes.set_xlabel(x, **font(theme))
    axes.set_ylabel("part of the pictures", **font(theme))
    axes.legend(loc="upper center", ncols=2, bbox_to_anchor=(0.5, -0.16), frameon=False, fontsize=SMALL_PT,
                labelcolor=theme.text)  # fmt: skip
    return plot


def precision_recall(scores: Floats, positive: NDArray[np.bool_], theme: Theme, *, name: str) -> Plot:
    """Draw precision against recall of scores (N,); precision counts the pictures as they were measured."""
    recall, precision = points(scores, positive)
    plot = empty(4.7, 4.5, theme)
    area = average_precision(recall, precision)
    axes = styled(plot.add_subplot(), theme, f"Precision and recall: AP {area:.2f}, n = {len(scores)}")
    axes.axhline(float(positive.mean()), **guide(theme))
    axes.step(recall, precision, where="post", color=theme.accent, linewidth=2)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_xlabel(f"part of {name} that is found", **font(theme))
    axes.set_ylabel(f"part of what is called {name} that is", **font(theme))
    return plot


def precision_recall_of_many(p: Floats, labels: NDArray[np.int64], theme: Theme, *, classes: Sequence[str]) -> Plot:
    """Draw precision against recall of probabilities (N, C), all classes pooled, and up to six on their own."""
    truth = labels[:, None] == np.arange(p.shape[1])
    recall, precision = points(p.ravel(), truth.ravel())
    plot = empty(4.7, 4.5, theme)
    area = average_precision(recall, precision)
    axes = styled(plot.add_subplot(), theme, f"Precision and recall: AP {area:.2f}, n = {len(p)}")
    if len(classes) <= EACH_CLASS:
        for dashes, (place, name) in zip(DASHES, enumerate(classes), strict=False):
            if truth[:, place].any():
                own = points(p[:, place], truth[:, place])
                told = f"{name[:24]} {average_precision(*own):.2f}"
                axes.step(*own, where="post", color=theme.unsure, linewidth=1.2, linestyle=dashes, label=told)
    axes.step(recall, precision, where="post", color=theme.accent, linewidth=2, label="all classes pooled")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_xlabel("part of the class that is found", **font(theme))
    axes.set_ylabel("part of what is called so that is", **font(theme))
    legend = axes.legend(loc="lower left", frameon=False, fontsize=SMALL_PT, labelcolor=theme.text)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return plot


def points(scores: Floats, positive: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return recall and precision from threshold infinity down, one point for each distinct score."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits, called = np.cumsum(positive[order])[last], last + 1
    recall, precision = hits / max(1, int(positive.sum())), hits / called
    return np.append(0.0, recall), np.append(precision[:1], precision)


def average_precision(recall: Floats, precision: Floats) -> float:
    """Return the mean precision over the steps of recall."""
    return float(np.diff(recall) @ precision[1:])
