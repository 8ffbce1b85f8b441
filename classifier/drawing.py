"""How every plot looks: colours, sizes of text, axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure as Plot
from matplotlib.layout_engine import ConstrainedLayoutEngine

SMALL_PT, TITLE_PT = 9.0, 10.5  # 12 and 14 px
CHARACTER_PX, DPI = 6.6, 96


@dataclass(frozen=True)
class Theme:
    """Colours as `#rrggbb`; `ground` is what the figure lies on, `accent` what it draws, the rest as in the product."""

    ground: str
    text: str
    soft: str
    line: str
    accent: str
    fake: str
    real: str
    unsure: str


def empty(width_in: float, height_in: float, theme: Theme, *, between: float = 0.02) -> Plot:
    """Return a figure of a size in inches that lays itself out; `between` its axes is at least that part of it."""
    layout = ConstrainedLayoutEngine(wspace=between, hspace=between)
    return Plot((width_in, height_in), DPI, facecolor=theme.ground, layout=layout)


def styled(axes: Axes, theme: Theme, title: str) -> Axes:
    """Return the axes with the theme's colours, the product's text sizes, and two of their four edges."""
    axes.set_facecolor(theme.ground)
    axes.set_title(title, loc="left", fontsize=TITLE_PT, color=theme.text, fontweight="bold", parse_math=False)
    axes.tick_params(which="both", labelsize=SMALL_PT, labelcolor=theme.text, color=theme.line)
    for name, spine in axes.spines.items():
        spine.set(color=theme.line, visible=name in ("left", "bottom"))
    return axes


def font(theme: Theme, colour: str | None = None) -> dict[str, Any]:
    """Return how small text is drawn; a dollar sign in a name is no formula."""
    return {"fontsize": SMALL_PT, "color": colour or theme.text, "parse_math": False}


def guide(theme: Theme) -> dict[str, Any]:
    """Return how a line to compare with is drawn."""
    return {"color": theme.soft, "linewidth": 1, "linestyle": (0, (4, 3))}


def readable(ground: Any) -> str:
    """Return black or white, whichever stands out more on a colour; one of them always does by 4.5:1 (WCAG 2.2)."""
    rgb = np.array(to_rgb(ground))
    light = float(np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722))
    return "#ffffff" if 1.05 / (light + 0.05) > (light + 0.05) / 0.05 else "#000000"
