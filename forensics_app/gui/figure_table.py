"""A table of figures on a card: names on the left, which give way, numbers right-aligned, as high as what is in it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem

from forensics_app.gui import words

ROW_PX, MOST_ROWS = 28, 14
SHORT_PX, NAME_PX = 120, 232
"""How far names are shortened to spare a table the scrolling, and how wide they are at most where it scrolls."""


class FigureTable(QTableWidget):
    """Read with the eyes, the arrow keys and Ctrl+C; more than `most` rows scroll."""

    def __init__(self, name: str, *, most: int = MOST_ROWS) -> None:
        super().__init__()
        self._most, self._name, self._others = most, 0, 0
        self.setProperty("role", "figures")
        self.setAccessibleName(name)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setResizeContentsPrecision(100)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)

    def show_rows(self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: Sequence[int] = (0,)) -> None:
        """Show rows of text; the columns `left` are words, all others numbers."""
        self.clear()
        self.setRowCount(len(rows))
        self.setColumnCount(len(columns))
        middle = Qt.AlignmentFlag.AlignVCenter
        for place, name in enumerate(columns):
            header = QTableWidgetItem(name)
            side = Qt.AlignmentFlag.AlignLeft if place in left else Qt.AlignmentFlag.AlignRight
            header.setTextAlignment(side | middle)
            self.setHorizontalHeaderItem(place, header)
            for line, row in enumerate(rows):
                item = QTableWidgetItem(words.legible(row[place]).replace("\u200b", ""))
                item.setTextAlignment(side | middle)
                if place in left:
                    item.setToolTip(words.tip(row[place]))
                self.setItem(line, place, item)
        self._fit(len(columns), len(rows), left)

    def _fit(self, columns: int, rows: int, left: Sequence[int]) -> None:
        header = self.horizontalHeader()
        header.setStretchLastSection(False)
        self.resizeColumnsToContents()
        self._name, self._others = self.columnWidth(0), header.length() - self.columnWidth(0)
        header.setStretchLastSection(columns - 1 in left)
        shown = min(rows, self._most)
        self.setFixedHeight(ROW_PX * shown + header.sizeHint().height() + 2 * self.frameWidth() + 12)
        self._share()

    def _share(self) -> None:
        room = self.viewport().width() - self._others
        self.setColumnWidth(0, min(self._name, room if room >= SHORT_PX else NAME_PX))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give names what the numbers leave."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():  # else it would take back what a hand has just set
            self._share()
