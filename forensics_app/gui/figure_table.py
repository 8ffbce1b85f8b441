"""A table of figures on a card: names on the left, numbers right-aligned, as wide and high as what is in it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem

from forensics_app.gui import words

ROW_PX, MOST_ROWS, NAME_PX = 28, 14, 232


class FigureTable(QTableWidget):
    """Read with the eyes, the arrow keys and Ctrl+C; more than `most` rows scroll."""

    def __init__(self, name: str, *, most: int = MOST_ROWS) -> None:
        super().__init__()
        self._most = most
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
        self.resizeColumnsToContents()
        if columns and self.columnWidth(0) > NAME_PX:
            self.setColumnWidth(0, NAME_PX)
        header.setStretchLastSection(columns - 1 in left)
        shown = min(rows, self._most)
        self.setFixedHeight(ROW_PX * shown + header.sizeHint().height() + 2 * self.frameWidth() + 12)
