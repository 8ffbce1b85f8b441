"""Plots of a run from finished arrays, each a matplotlib `Figure` of its own: no window, no files, free of torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure as Plot
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from classifier.drawing import CHARACTER_PX, DPI, SMALL_PT, Theme, empty, font, guide, readable, styled
from classifier.metrics import Z95, Figure

Floats = NDArray[np.float64]
Lines = Mapping[str, Sequence[float]]
"""Values by epoch under the name that stands at the line's end; NaN where there is none."""

NUMBERED, COUNTED, NAMED = 10, 20, 40
"""Up to so many classes a confusion matrix has counts and percentages, counts alone, names on its axes."""
LOG_RANGE = 20
"""Losses that differ by more than this factor are drawn on a logarithmic axis."""


def curves(
    loss: Lines, accuracy: Lines, theme: Theme, *, phases: Sequence[tuple[str, int]] = (), kept: int | None = None
) -> Plot:
    """Draw loss and accuracy by epoch, side by side.

    `phases` are the name and the number of epochs of each; `kept` is the epoch, from 1, whose weights were kept:
    it has a ring where there were several to choose from.
    """
    plot = empty(11.8, 3.6, theme, between=0.05)
    for place, (title, lines) in enumerate({"Loss by epoch": loss, "Accuracy by epoch": accuracy}.items(), 1):
        axes = styled(plot.add_subplot(1, 2, place), theme, title)
        epochs = max((len(values) for values in lines.values()), default=0)
        axes.set_xlim(0.5, max(epochs, 1) + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        if title.startswith("Loss"):
            axes.set_ylabel("cross-entropy, nats", **font(theme))
            _loss_scale(axes, lines)
        else:
            axes.set_ylabel("part of the pictures that is right", **font(theme))
            axes.set_ylim(0, 1.02)
        ringed = _draw_lines(axes, lines, theme, kept if epochs > 1 else None)
        axes.set_xlabel("epoch" + (f"; ring: the one that was kept, {kept}" if ringed else ""), **font(theme))
        _mark_phases(axes, phases, theme)
    return plot


def _draw_lines(axes: Axes, lines: Lines, theme: Theme, kept: int | None) -> bool:
    """Draw the lines; True if the epoch that was kept has a ring."""
    ends: list[tuple[float, str, str]] = []
    ringed = False
    for (name, values), colour in zip(lines.items(), (theme.unsure, theme.accent), strict=False):
        y = np.asarray(values, float)
        if not np.isfinite(y).any():
            continue
        x = np.arange(1, len(y) + 1)
        axes.plot(x, y, color=colour, linewidth=1.8, marker="o" if len(y) < 20 else None, markersize=3.5)
        if kept and name != "training" and kept <= len(y) and np.isfinite(y[kept - 1]):
            ringed = True
            axes.plot(x[kept - 1], y[kept - 1], "o", markersize=10, markerfacecolor="none", color=colour)
        ends.append((float(y[np.isfinite(y)][-1]), name, colour))
    _name_ends(axes, ends, theme)
    return ringed


def _name_ends(axes: Axes, ends: list[tuple[float, str, str]], theme: Theme) -> None:
    """Write each line's name at its right end, kept a line of text apart."""
    to_part = axes.transData + axes.transAxes.inverted()
    apart, lowest = 0.085, 0.0
    for value, name, colour in sorted(ends):
        at = max(float(to_part.transform((0, value))[1]), lowest)
        lowest = at + apart
        axes.text(1.02, at, name, transform=axes.transAxes, va="center", **font(theme, colour))


def _loss_scale(axes: Axes, lines: Lines) -> None:
    values = np.array([value for series in lines.values() for value in series], float)
    values = values[np.isfinite(values)]
    if not len(values):
        return
    low, high = float(values.min()), float(values.max())
    if low > 0 and high > LOG_RANGE * low:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_ylim(low / 1.5, high * 2.2)
    else:
        axes.set_ylim(0, high * 1.15 or 1)


def _mark_phases(axes: Axes, phases: Sequence[tuple[str, int]], theme: Theme) -> None:
    """Part the phases by a line and name each at the top, or number it where its name would not fit."""
    epochs = sum(count for _, count in phases)
    if len(phases) < 2:
        return
    start = 0
    for number, (name, count) in enumerate(phases, 1):
        if start:
            axes.axvline(start + 0.5, color=theme.line, linewidth=1, zorder=0)
        room = 400 * count / epochs
        words = next((one for one in (name, str(number)) if len(one) * CHARACTER_PX < room), "")
        middle = start + 0.5 + count / 2
        axes.text(middle, 0.97, words, transform=axes.get_xaxis_transform(), ha="center", va="top",
                  **font(theme, theme.soft))  # fmt: skip
        start += count


def confusion_matrix(counts: NDArray[np.int64], classes: Sequence[str], theme: Theme, *, title: str) -> Plot:
    """Draw how many pictures of each class (row) were taken for each (column), shaded by the row's part.

    Up to `NUMBERED` classes each cell has its count and the part of its row, up to `COUNTED` the count.
    """
    many, total = len(classes), counts.sum(axis=1, keepdims=True)
    parts = counts / np.maximum(total, 1)
    side = float(np.clip(2.2 + 0.75 * many, 3.9, 8.2))
    plot = empty(side + (0.4 if many <= COUNTED else 1.6), side, theme)
    axes = styled(plot.add_subplot(), theme, title)
    axes.spines[:].set_visible(True)
    ramp = LinearSegmentedColormap.from_list("ramp", [theme.ground, theme.accent])
    image = axes.imshow(parts, cmap=ramp, vmin=0, vmax=1, interpolation="nearest")
    axes.set_xlabel("taken for", **font(theme))
    axes.set_ylabel("truth", **font(theme))
    _name_classes(axes, classes, theme, side)
    if many <= COUNTED:
        for row, column in np.ndindex(many, many):
            part = float(parts[row, column])
            words = f"{counts[row, column]}" + (f"\n{part:.0%}".replace("%", " %") if many <= NUMBERED else "")
            axes.text(column, row, words, ha="center", va="center", **font(theme, readable(ramp(part))))
    else:
        bar = plot.colorbar(image, ax=axes, shrink=0.8)
        bar.set_label("part of the class's pictures", **font(theme))
        bar.ax.tick_params(labelsize=SMALL_PT, labelcolor=theme.text, color=theme.line)
        bar.outline.set_edgecolor(theme.line)
    return plot


def _name_classes(axes: Axes, classes: Sequence[str], theme: Theme, side_in: float) -> None:
    axes.tick_params(length=0)
    if len(classes) > NAMED:
        step = -(-len(classes) // 10)
        places = range(0, len(classes), step)
        axes.set_xticks(places, [str(place + 1) for place in places])
        axes.set_yticks(places, [str(place + 1) for place in places])
        axes.set_xlabel("taken for, by the class's number in alphabetical order", **font(theme))
        return
    names = [name if len(name) <= 20 else name[:19] + "…" for name in classes]
    room = side_in * DPI * 0.75 / len(names)
    slanted = max(map(len, names)) * CHARACTER_PX > room
    small = SMALL_PT if len(names) <= 25 else SMALL_PT - 2
    axes.set_xticks(range(len(names)), names, rotation=45 if slanted else 0, ha="right" if slanted else "center")
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(labelsize=small)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_parse_math(False)


def reliability(
    p: Floats,
    happened: NDArray[np.bool_],
    theme: Theme,
    *,
    weights: Floats,
    names: tuple[str, str],
    kinds: Mapping[str, str],
) -> Plot:
    """Draw how often what was given a probability p (N,) was so, with 95 % intervals, and the histogram of p below.

    `names` are the axes', `kinds` the words and colours of what happened and of what did not. `weights` (N,) make the
    classes count equally; Wilson's interval then takes the effective number of pictures in a bin (Kish 1965).
    """
    plot = empty(4.7, 4.5, theme)
    top, below = plot.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    edges = np.linspace(0, 1, (10 if len(p) >= 100 else 5) + 1)
    bins = np.minimum((p * (len(edges) - 1)).astype(int), len(edges) - 2)
    styled(top, theme, f"Reliability, n = {len(p)}").plot([0, 1], [0, 1], **guide(theme))
    for place in np.unique(bins):
        mine = bins == place
        one, mean = _weighted(happened[mine], weights[mine]), float(np.average(p[mine], weights=weights[mine]))
        bars = [[one.value - one.low], [one.high - one.value]]
        top.errorbar(mean, one.value, bars, fmt="o", color=theme.accent, capsize=3)
    top.set(xlim=(-0.02, 1.02), ylim=(-0.04, 1.04))
    top.set_ylabel(names[1], **font(theme))
    styled(below, theme, "").set_xlabel(names[0], **font(theme))
    below.set_ylabel("pictures", **font(theme))
    _histogram(below, [bins[happened], bins[~happened]], edges, kinds, theme)
    return plot


def _weighted(happened: NDArray[np.bool_], weights: Floats) -> Figure:
    """Return the weighted part with Wilson's interval for the effective number of pictures."""
    n = float(weights.sum() ** 2 / (weights**2).sum())
    part = float(weights @ happened / weights.sum())
    centre, half = part + Z95**2 / (2 * n), Z95 * np.sqrt(part * (1 - part) / n + Z95**2 / (4 * n**2))
    low, high = (float(edge / (1 + Z95**2 / n)) for edge in (centre - half, centre + half))
    return Figure(part, min(max(0.0, low), part), max(min(1.0, high), part), len(happened))


def _histogram(
    axes: Axes, parts: Sequence[NDArray[np.int64]], edges: Floats, kinds: Mapping[str, str], theme: Theme
) -> None:
    height = np.zeros(len(edges) - 1)
    for bins, (name, colour), x in zip(parts, kinds.items(), (0.99, 0.01), strict=True):
        counts = np.bincount(bins, minlength=len(height))
        axes.bar((edges[:-1] + edges[1:]) / 2, counts, 0.9 * edges[1], bottom=height, color=colour)
        height = height + counts
        axes.text(x, 0.96, name, ha="right" if x > 0.5 else "left", va="top", transform=axes.transAxes,
                  **font(theme, colour))  # fmt: skip
    axes.set_ylim(0, float(height.max()) * 1.6 or 1)  # room for the names above the bars
    axes.yaxis.set_major_locator(MaxNLocator(2, integer=True))
