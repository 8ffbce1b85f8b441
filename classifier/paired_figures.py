"""Plots of several ways of judging the same pictures: who is how good, and what moved. Free of torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Plot
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import NDArray

from classifier.drawing import SMALL_PT, Theme, empty, font, guide, styled
from classifier.metrics import Figure

LONGEST = 28


@dataclass(frozen=True, eq=False)
class Group:
    """Pictures that are drawn alike: their name, their colour and which of all (N,) they are."""

    name: str
    colour: str
    mine: NDArray[np.bool_]


def forest(
    figures: Mapping[str, Figure],
    differences: Mapping[str, Figure],
    theme: Theme,
    *,
    titles: tuple[str, str],
    ours: str,
) -> Plot:
    """Draw figures with their 95 % intervals, one above the other, and beside them the paired differences.

    `ours` is the line that is drawn in the accent's colour; `titles` say what the two sides show.
    """
    rows = max(len(figures), len(differences))
    plot = empty(11.8, 1.5 + 0.42 * rows, theme, between=0.06)
    left, right = plot.subplots(1, 2)
    _rows(styled(left, theme, titles[0]), figures, theme, ours)
    _rows(styled(right, theme, titles[1]), differences, theme, ours)
    left.set_xlabel("balanced accuracy, 95 % interval", **font(theme))
    right.axvline(0, zorder=0, **guide(theme))
    right.set_xlabel("difference of balanced accuracy, 95 % interval; right of 0 is better", **font(theme))
    widest = max((max(abs(one.low), abs(one.high)) for one in differences.values()), default=0.0)
    right.set_xlim(-1.15 * widest or -0.1, 1.15 * widest or 0.1)
    return plot


def _rows(axes: Axes, figures: Mapping[str, Figure], theme: Theme, ours: str) -> None:
    names = [name if len(name) <= LONGEST else name[: LONGEST - 1] + "…" for name in figures]
    for place, (name, one) in enumerate(figures.items()):
        colour = theme.accent if name == ours else theme.unsure
        bars = [[one.value - one.low], [one.high - one.value]]
        axes.errorbar(one.value, place, xerr=bars, fmt="o", color=colour, capsize=3, markersize=6)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)


def before_after(
    p: tuple[NDArray[np.float64], NDArray[np.float64]],
    groups: Sequence[Group],
    theme: Theme,
    *,
    titles: tuple[str, str],
    names: tuple[str, str],
    limit: float,
    band: tuple[float, float] | None = None,
) -> Plot:
    """Draw a probability before and after a change, each (N,), and by how much it moved, with the `limit` that was set.

    `band` is where the detector abstains.
    """
    plot = empty(9.4, 4.5, theme, between=0.05)
    (left, right), (before, after) = plot.subplots(1, 2), p
    styled(left, theme, titles[0]).plot([0, 1], [0, 1], **guide(theme))
    for marker, group in zip("os", groups, strict=False):
        left.plot(before[group.mine], after[group.mine], marker, color=group.colour, markersize=4, alpha=0.6,
                  linestyle="none", markeredgewidth=0, label=f"{group.name}, {int(group.mine.sum()):,}")  # fmt: skip
    for edge in band or ():
        left.axvline(edge, color=theme.line, linewidth=1, zorder=0)
        left.axhline(edge, color=theme.line, linewidth=1, zorder=0)
    left.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    left.set_xlabel(names[0], **font(theme))
    left.set_ylabel(names[1], **font(theme))
    left.legend(loc="upper left", frameon=False, fontsize=SMALL_PT, labelcolor=theme.text, handletextpad=0.2)
    _shifts(styled(right, theme, titles[1]), after - before, limit, theme)
    return plot


def _shifts(axes: Axes, shifts: NDArray[np.float64], limit: float, theme: Theme) -> None:
    """Draw the share of pictures that moved by at least so much, on a logarithmic axis."""
    moved = np.sort(np.abs(shifts))
    floor = 1e-5
    axes.step(np.maximum(moved, floor), 1 - np.arange(len(moved)) / len(moved), where="post", color=theme.accent,
              linewidth=2)  # fmt: skip
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(floor, 1.2)
    axes.set_ylim(0, 1.02)
    at = max(limit, floor)
    axes.axvline(at, **guide(theme))
    axes.text(at, 0.98, f"  the limit, {limit:g}", transform=axes.get_xaxis_transform(), va="top", ha="left",
              **font(theme, theme.soft))  # fmt: skip
    axes.set_xlabel("by how much p moved, at least", **font(theme))
    axes.set_ylabel("part of the pictures", **font(theme))
