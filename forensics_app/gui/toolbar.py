"""The line above the picture: its name, the zoom, and what can be done."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from forensics_app.gui import theme, words

ICON_PX = 18


class Elided(QLabel):
    """One line of text that gives way in its middle when there is no room, and tells the whole in its tooltip."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def tell(self, text: str) -> None:
        """Show a text."""
        self.setText(" ".join(text.split()))
        self.setToolTip(words.tip(text))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint as much as there is room for."""
        painter = QPainter(self)
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)


class Toolbar(QWidget):
    """Buttons; the page connects them."""

    def __init__(self) -> None:
        super().__init__()
        self.name, self.zoom = Elided(), QLabel()
        self.name.setProperty("role", "title")
        self.zoom.setProperty("role", "number")
        self.zoom.setMinimumWidth(56)
        self.zoom.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.zoom.setAccessibleName(self.tr("Zoom"))
        self._icons: dict[QToolButton, str] = {}
        self.fit = self._button("fit", self.tr("Fit"), self.tr("Fit the picture to the window (0)"))
        self.pixels = self._button("pixels", self.tr("100 %"), self.tr("One picture pixel per screen pixel (1)"))
        self.open = self._button("open", self.tr("Open"), self.tr("Open pictures (Ctrl+O)"))
        self.paste = self._button("paste", self.tr("Paste"), self.tr("Paste a picture (Ctrl+V)"))
        self.export = self._button(
            "export", self.tr("Export"), self.tr("Export a report: HTML, PDF, JSON or the map (Ctrl+E)")
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.name, 1)
        for widget in (self.zoom, self.fit, self.pixels):
            row.addWidget(widget)
        row.addSpacing(16)
        for widget in (self.open, self.paste, self.export):
            row.addWidget(widget)
        self.redress()

    def _button(self, icon: str, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setText(f" {text}")
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setIconSize(QSize(ICON_PX, ICON_PX))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._icons[button] = icon
        return button

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        for button, name in self._icons.items():
            button.setIcon(theme.icon(name, size_px=ICON_PX))

    @Slot(float)
    def show_zoom(self, zoom: float) -> None:
        """Show screen pixels per picture pixel."""
        self.zoom.setText(f"{100 * zoom:.0f} %" if self.fit.isEnabled() else "")
