"""Colours of the window, light and dark, its style sheet and its icons."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from functools import cache
from string import Template

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from classifier.places import resources
from forensics_app.core.words import COLOURS


@dataclass(frozen=True)
class Colours:
    """One theme. A verdict has a strong colour for icon and word, and a soft one for the ground behind them."""

    window: str
    surface: str
    canvas: str
    text: str
    muted: str
    border: str
    accent: str
    on_accent: str
    hover: str
    fake: str
    fake_soft: str
    real: str
    real_soft: str
    unsure: str
    unsure_soft: str
    error: str
    error_soft: str


LIGHT = Colours(
    window="#f3f4f6", surface="#ffffff", canvas="#e7e9ed", text="#1a1e24", muted="#565e69", border="#d3d7de",
    accent="#2456c6", on_accent="#ffffff", hover="#e6eaf2",
    fake_soft="#fdece5", real_soft="#e2f3f0", unsure_soft="#eaedf1", error_soft="#fcf1da", **COLOURS["light"],
)  # fmt: skip
DARK = Colours(
    window="#15171b", surface="#1e2126", canvas="#0f1114", text="#e8eaed", muted="#a4acb7", border="#363b44",
    accent="#8fb3ff", on_accent="#0c1930", hover="#2a2f37",
    fake_soft="#3a2118", real_soft="#13322e", unsure_soft="#2a3039", error_soft="#372b12", **COLOURS["dark"],
)  # fmt: skip
THEMES = {"light": LIGHT, "dark": DARK}
TEXT_PAIRS = (
    *((ink, ground) for ink in ("text", "muted") for ground in ("window", "surface", "canvas", "hover")),
    *((label, f"{label}_soft") for label in ("fake", "real", "unsure", "error")),
    *(("text", f"{label}_soft") for label in ("fake", "real", "unsure", "error")),
    *((label, "surface") for label in ("fake", "real", "unsure", "error", "accent")),
    ("on_accent", "accent"),
    ("accent", "window"),
    ("accent", "hover"),
)
"""Every pair of text and ground that the window shows; a test holds each to a contrast of 4.5."""


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two `#rrggbb` colours (WCAG 2.2, relative luminance)."""
    first, second = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (first + 0.05) / (second + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


CHOSEN = "forensicsTheme"
"""The application's property for the theme that was chosen in the settings; "system" or none for the system's."""


def current() -> Colours:
    """Return the colours that were chosen, or those of the system's scheme; FORENSICS_THEME overrides both."""
    app = QGuiApplication.instance()
    for chosen in (os.environ.get("FORENSICS_THEME", ""), app.property(CHOSEN) if app is not None else None):
        if isinstance(chosen, str) and chosen in THEMES:
            return THEMES[chosen]
    return THEMES["dark" if QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark else "light"]


def apply(app: QApplication) -> None:
    """Dress the application in the system's scheme."""
    colours = current()
    app.setPalette(_palette(colours))
    sheet = Template((resources() / "style.qss").read_text(encoding="utf-8"))
    scheme = "dark" if colours is DARK else "light"
    marks = {name: (resources() / "icons" / f"{name}-{scheme}.svg").as_posix() for name in ("check", "down")}
    app.setStyleSheet(sheet.substitute(dataclasses.asdict(colours), **marks))


def _palette(colours: Colours) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette(QColor(colours.surface), QColor(colours.window))
    for name, colour in {
        role.Window: colours.window, role.Base: colours.surface, role.AlternateBase: colours.hover,
        role.Text: colours.text, role.WindowText: colours.text, role.ButtonText: colours.text,
        role.PlaceholderText: colours.muted, role.Highlight: colours.accent, role.HighlightedText: colours.on_accent,
        role.Link: colours.accent, role.Mid: colours.border,
        role.ToolTipBase: colours.surface, role.ToolTipText: colours.text, role.Accent: colours.accent,
    }.items():  # fmt: skip
        palette.setColor(name, QColor(colour))
    palette.setColor(QPalette.ColorGroup.Disabled, role.ButtonText, QColor(colours.muted))
    return palette


@cache
def _svg(name: str) -> str:
    return (resources() / "icons" / f"{name}.svg").read_text(encoding="utf-8")


def pixmap(name: str, colour: str, size_px: int, ratio: float = 1.0) -> QPixmap:
    """Return one of our icons in a colour, square, sharp at the screen's pixel ratio."""
    image = QPixmap(round(size_px * ratio), round(size_px * ratio))
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(QByteArray(_svg(name).replace("currentColor", colour).encode())).render(
        painter, QRectF(0, 0, image.width(), image.height())
    )
    painter.end()
    image.setDevicePixelRatio(ratio)
    return image


def icon(name: str, colour: str | None = None, size_px: int = 20) -> QIcon:
    """Return one of our icons for a button, in the text's colour unless told otherwise."""
    colours = current()
    made = QIcon()
    for ratio in (1.0, 2.0):
        made.addPixmap(pixmap(name, colour or colours.text, size_px, ratio))
        made.addPixmap(pixmap(name, colours.muted, size_px, ratio), QIcon.Mode.Disabled)
        made.addPixmap(pixmap(name, colours.accent, size_px, ratio), QIcon.Mode.Normal, QIcon.State.On)
    return made
