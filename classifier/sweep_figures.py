"""Plots of measured figures along an axis, with their intervals: one panel for each axis. Free of torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Plot
from matplotlib.lines import Line2D

from classifier.drawing import SMALL_PT, Theme, empty, font, guide, styled
from classifier.metrics import Figure

MARKERS = "osD"
PANEL_IN = (3.9, 2.9)
ACROSS = 3
CROWDED = 12
"""With more ticks than this every second one has its name."""


@dataclass(frozen=True)
class Panel:
    """What one panel shows.

    `ticks` name the places along the axis, `lines` have a figure at each of them (None where there is none); `ring`
    is the place that all others are compared with, `level` a value to compare with, `low` and `high` the axis' ends.
    """

    title: str
    x: str
    y: str
    ticks: tuple[str, ...]
    lines: Mapping[str, Sequence[Figure | None]]
    ring: int | None = None
    level: float | None = None
    low: float = 0.0
    high: float = 1.0


def panels(found: Sequence[Panel], theme: Theme) -> Plot:
    """Draw the panels, up to three beside one another, with one legend for the names of their lines."""
    across = min(ACROSS, len(found))
    down = -(-len(found) // across)
    names = list(dict.fromkeys(name for panel in found for name in panel.lines))
    plot = empty(PANEL_IN[0] * across + (0.8 if across == 1 else 0), PANEL_IN[1] * down + 0.3, theme, between=0.04)
    for place, panel in enumerate(found, 1):
        axes = styled(plot.add_subplot(down, across, place), theme, panel.title)
        _frame(axes, panel, theme, named=place % across == 1 or across == 1 or panel.y != found[place - 2].y)
        for name, figures in panel.lines.items():
            _line(axes, figures, panel.ring, *_ink(names.index(name), theme))
    if len(names) > 1:
        handles = [
            Line2D([], [], color=colour, marker=marker, markersize=5, linewidth=1.8, label=name)
            for name, (colour, marker) in zip(names, (_ink(n, theme) for n in range(len(names))), strict=True)
        ]
        plot.legend(handles=handles, loc="outside lower center", ncols=len(names), frameon=False,
                    fontsize=SMALL_PT, labelcolor=theme.text)  # fmt: skip
    return plot


def _ink(place: int, theme: Theme) -> tuple[str, str]:
    return (theme.accent, theme.real, theme.unsure)[place % 3], MARKERS[place % 3]


def _frame(axes: Axes, panel: Panel, theme: Theme, *, named: bool) -> None:
    count = len(panel.ticks)
    axes.set_xlim(-0.4, max(count - 0.6, 0.4))
    margin = 0.04 * (panel.high - panel.low)
    axes.set_ylim(panel.low - margin, panel.high + margin)
    step = 2 if count > CROWDED else 1
    axes.set_xticks(range(0, count, step), list(panel.ticks[::step]))
    axes.set_xlabel(panel.x, **font(theme))
    if named:
        axes.set_ylabel(panel.y, **font(theme))
    if panel.level is not None:
        axes.axhline(panel.level, zorder=0, **guide(theme))


def _line(axes: Axes, figures: Sequence[Figure | None], ring: int | None, colour: str, marker: str) -> None:
    """Draw one line with its intervals as a band; a place without a figure is a gap."""
    value, low, high = (
        np.array([getattr(one, key) if one and one.n else np.nan for one in figures], float)
        for key in ("value", "low", "high")
    )
    x = np.arange(len(value))
    axes.fill_between(x, low, high, color=colour, alpha=0.16, linewidth=0)
    axes.plot(x, value, color=colour, linewidth=1.8, marker=marker, markersize=5)
    if ring is not None and np.isfinite(value[ring]):
        axes.plot(ring, value[ring], "o", markersize=11, markerfacecolor="none", color=colour)
