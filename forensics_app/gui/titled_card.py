"""A card with a heading, the building block of pages that are made of several."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from forensics_app.gui.labels import label

FILLING = 1000
"""How much of the height that is left over goes to a widget that fills, against 1 for the empty end."""


class TitledCard(QFrame):
    """`body` takes what the card holds, `head` what stands beside its heading."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setAccessibleName(title)
        self.title = label("title")
        self.title.setText(title)
        self.head = QHBoxLayout()
        self.head.setSpacing(8)
        self.head.addWidget(self.title, 1)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(16, 12, 16, 16)
        self.body.setSpacing(8)
        self.body.addLayout(self.head)


def column_of(
    *widgets: QWidget, filling: QWidget | None = None, margins: tuple[int, int, int, int] = (0, 0, 8, 0)
) -> QScrollArea:
    """Return widgets one below the other, which scroll where they do not fit; `filling` takes the height left over."""
    inside = QWidget()
    column = QVBoxLayout(inside)
    column.setContentsMargins(*margins)
    column.setSpacing(12)
    for widget in widgets:
        column.addWidget(widget, FILLING if widget is filling else 0)
    column.addStretch(1)
    area = QScrollArea()
    area.setWidget(inside)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area
