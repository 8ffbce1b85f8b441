"""The figures of docs/CONCEPTS.md that need no training: the pictures, the modes of transfer, intervals."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Plot
from matplotlib.patches import Rectangle
from PIL import Image

from classifier.drawing import DPI, empty, font, styled
from classifier.metrics import wilson
from forensics_app.core.run_plots import THEMES
from generator.heads import draw, kind

LIGHT = THEMES["light"]
COLUMNS, SIDE = 6, 160
PARTS = ("input", "stage 1", "stage 2", "stage 3", "stage 4", "head")
TRAINED = {
    "feature extraction": (5,),
    "partial fine-tuning": (4, 5),
    "fine-tuning": (1, 2, 3, 4, 5),
    "two phases, the first": (5,),
    "two phases, the second": (4, 5),
}


def heads() -> Plot:
    """Draw some cats and dogs."""
    plot = empty(9.6, 3.5, LIGHT)
    for row, name in enumerate(("cat", "dog")):
        for column in range(COLUMNS):
            axes = styled(plot.add_subplot(2, COLUMNS, row * COLUMNS + column + 1), LIGHT, name if not column else "")
            axes.imshow(draw(kind(name), SIDE, np.random.default_rng((7, row, column))).pixels)
            axes.set_axis_off()
    return plot


def modes() -> Plot:
    """Draw which parts of a network train in each mode."""
    plot = empty(8.6, 3.2, LIGHT)
    axes = styled(plot.add_subplot(), LIGHT, "What trains (blue) and what stays as it was (grey)")
    for row, (mode, trained) in enumerate(TRAINED.items()):
        for place, part in enumerate(PARTS[1:], 1):
            colour = LIGHT.accent if place in trained else LIGHT.line
            axes.add_patch(Rectangle((place, -row - 0.36), 0.92, 0.72, color=colour))
            ink = "#ffffff" if place in trained else LIGHT.soft
            axes.text(place + 0.46, -row, part, ha="center", va="center", **font(LIGHT, ink))
        axes.text(0.85, -row, mode, ha="right", va="center", **font(LIGHT))
    axes.set(xlim=(-1.3, len(PARTS) + 0.1), ylim=(-len(TRAINED) + 0.5, 0.6))
    axes.set_axis_off()
    return plot


def intervals() -> Plot:
    """Draw the interval of an accuracy of 95 % by the number of test pictures."""
    counts = np.unique(np.geomspace(20, 10_000, 200).round(-1).astype(int))
    found = [wilson(round(0.95 * count), int(count)) for count in counts]
    plot = empty(7.4, 3.4, LIGHT)
    axes = styled(plot.add_subplot(), LIGHT, "An accuracy of 95 %, and what it may stand for (95 % interval)")
    low, high = ([getattr(one, end) for one in found] for end in ("low", "high"))
    axes.fill_between(counts, low, high, color=LIGHT.accent, alpha=0.18, linewidth=0)
    axes.axhline(0.95, color=LIGHT.accent, linewidth=2)
    for count in (20, 100, 1000, 10_000):
        one = wilson(round(0.95 * count), count)
        axes.plot([count, count], [one.low, one.high], color=LIGHT.accent, linewidth=1.5)
        words, side = f"{one.low:.2f}–{one.high:.2f}".replace("0.", "."), "right" if count == 10_000 else "left"
        axes.text(count * (0.95 if side == "right" else 1.06), one.low, words, va="top", ha=side, **font(LIGHT))
    axes.set(xscale="log", xlim=(18, 11_000), ylim=(0.7, 1.0))
    axes.set_xticks([20, 100, 1000, 10_000], ["20", "100", "1,000", "10,000"])
    axes.minorticks_off()
    axes.set_xlabel("test pictures", **font(LIGHT))
    axes.set_ylabel("accuracy", **font(LIGHT))
    return plot


def save(plot: Plot, path: Path, larger: float = 1.5) -> None:
    """Save a figure, `larger` times its size, in 256 colours: a third of the bytes."""
    out = io.BytesIO()
    plot.savefig(out, format="png", dpi=larger * DPI, facecolor=plot.get_facecolor(), metadata={"Software": None})
    with Image.open(out) as image:
        colours = image.convert("RGB")
        palette = colours.quantize(256, Image.Quantize.MEDIANCUT, kmeans=2)
        colours.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
