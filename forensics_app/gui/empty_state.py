"""What the page shows before there is a picture, the veil while something is dragged over it, and notices."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from forensics_app.gui import theme, words
from forensics_app.gui.labels import label

PICTURE_PX = 72


class EmptyState(QFrame):
    """Says what to do, with one button, and one link to the samples if there are any."""

    def __init__(self, *, has_samples: bool) -> None:
        super().__init__()
        self.setProperty("role", "empty")
        self._icon = QLabel()
        self._icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        title, hint, shown = label("hero"), label("muted"), label("small")
        title.setText(self.tr("Is this picture real?"))
        hint.setText(self.tr("Drop pictures or a folder anywhere in this window, or paste one with Ctrl+V."))
        shown.setText(self.tr("Nothing leaves this computer."))
        self.open = QPushButton(self.tr("Open pictures…"))
        self.open.setProperty("role", "primary")
        self.sample = QPushButton(self.tr("Try a sample"))
        self.sample.setProperty("role", "link")
        if not has_samples:
            self.sample.hide()
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addStretch(2)
        for widget in (self._icon, title, hint):
            column.addWidget(widget)
        column.addSpacing(12)
        for button in (self.open, self.sample):
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        column.addWidget(shown)
        for text in (title, hint, shown):
            text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.redress()

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        self._icon.setPixmap(theme.pixmap("picture", theme.current().accent, PICTURE_PX, self.devicePixelRatioF()))


class DropVeil(QWidget):
    """Lies over the window while something is dragged over it and says that it can be dropped."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tint the window, frame it and say what a drop does."""
        painter, colours = QPainter(self), theme.current()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QColor(colours.surface)
        ground.setAlphaF(0.95)
        painter.fillRect(self.rect(), ground)
        painter.setPen(QPen(QColor(colours.accent), 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(self.rect().adjusted(12, 12, -12, -12), 8, 8)
        font = painter.font()
        font.setPixelSize(28)
        painter.setFont(font)
        painter.setPen(QColor(colours.accent))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.tr("Drop to judge"))


class Notice(QFrame):
    """One line in place of a pop-up: what went wrong and what to do, or that something was done."""

    def __init__(self) -> None:
        super().__init__()
        self._good = False
        self._icon, self.text = QLabel(), label("body", selectable=True)
        self.close_button = QToolButton()
        self.close_button.setAccessibleName(self.tr("Dismiss"))
        self.close_button.setToolTip(self.tr("Dismiss"))
        self.close_button.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(12)
        row.addWidget(self._icon)
        row.addWidget(self.text, 1)
        row.addWidget(self.close_button)

    @Slot(str)
    def tell(self, text: str) -> None:
        """Say what went wrong and what to do, in amber."""
        self._show(text, good=False)

    @Slot(str)
    def tell_good(self, text: str) -> None:
        """Say that something was done."""
        self._show(text, good=True)

    def _show(self, text: str, *, good: bool) -> None:
        self._good = good
        self.text.setText(words.legible(text))
        self.setAccessibleName(text)
        self.redress()
        self.show()

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        colours = theme.current()
        self.setProperty("role", "good" if self._good else "notice")
        name, colour = ("export", colours.real) if self._good else ("error", colours.error)
        self._icon.setPixmap(theme.pixmap(name, colour, 20, self.devicePixelRatioF()))
        self.close_button.setIcon(theme.icon("close"))
        self.style().unpolish(self)
        self.style().polish(self)
