"""What a page shows before there is anything on it: a picture, what to do, and one button."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QSizePolicy, QVBoxLayout

from forensics_app.gui import theme
from forensics_app.gui.labels import label

PICTURE_PX = 72


class StartState(QFrame):
    """`button` is the page's to connect; what else belongs there goes into `below`."""

    def __init__(self, icon: str, title: str, hint: str, button: str) -> None:
        super().__init__()
        self.setProperty("role", "empty")
        self._name, self._icon = icon, QLabel()
        headline, text = label("hero"), label("muted")
        headline.setText(title)
        text.setText(hint)
        self.button = QPushButton(button)
        self.button.setProperty("role", "primary")
        self.button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.below = QVBoxLayout()
        self.below.setSpacing(8)
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addStretch(2)
        for widget in (self._icon, headline, text):
            widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(widget)
        column.addSpacing(12)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addLayout(self.below)
        column.addStretch(3)
        self.redress()

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        self._icon.setPixmap(theme.pixmap(self._name, theme.current().accent, PICTURE_PX, self.devicePixelRatioF()))
