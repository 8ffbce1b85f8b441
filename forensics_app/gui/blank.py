"""What a page shows while it has nothing to show: what it is for, what to do next, and one button."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QSizePolicy, QVBoxLayout

from forensics_app.gui import theme
from forensics_app.gui.labels import label

ICON_PX = 56


class Blank(QFrame):
    """An icon, a title, a sentence and a button, in the middle."""

    def __init__(self, icon: str, title: str, hint: str, button: str) -> None:
        super().__init__()
        self.setProperty("role", "empty")
        self._name, self._icon = icon, QLabel()
        self.title, self.hint = label("headline"), label("muted")
        self.title.setText(title)
        self.hint.setText(hint)
        self.button = QPushButton(button)
        self.button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        if not button:
            self.button.hide()
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addStretch(2)
        for widget in (self._icon, self.title, self.hint):
            widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(widget)
        column.addSpacing(4)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        self.redress()

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        self._icon.setPixmap(theme.pixmap(self._name, theme.current().muted, ICON_PX, self.devicePixelRatioF()))
