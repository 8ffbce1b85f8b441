"""Everything that the file says beside its pixels, as a table that can be copied."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QPushButton, QTableWidget, QTableWidgetItem

from forensics_app.core.file_metadata import Row
from forensics_app.gui import words
from forensics_app.gui.cards import TitledCard
from forensics_app.gui.labels import label

SHOWN_ROWS, ROW_PX = 8, 28


class FactTable(QTableWidget):
    """Names and values; Ctrl+C copies the selected lines, a tab between the two."""

    def __init__(self) -> None:
        super().__init__(0, 2)
        self.setProperty("role", "facts")
        self.setHorizontalHeaderLabels([self.tr("Name"), self.tr("Value")])
        self.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        self.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.horizontalHeader().setHighlightSections(False)
        self.setColumnWidth(0, 128)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setAccessibleName(self.tr("Metadata"))

    def fill(self, rows: Sequence[Row]) -> None:
        """Show other rows."""
        self.clearContents()
        self.setRowCount(len(rows))
        for number, row in enumerate(rows):
            for column, text in enumerate((row.name, row.value)):
                cell = QTableWidgetItem(text)
                cell.setToolTip(words.tip(f"{row.part} · {row.name}" if row.part else row.name, row.value[:600]))
                self.setItem(number, column, cell)
        shown = min(len(rows), SHOWN_ROWS)
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + shown * ROW_PX + 4)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy with Ctrl+C; leave the keys that it has no use for to the window."""
        if event.matches(QKeySequence.StandardKey.Copy):
            numbers = sorted({index.row() for index in self.selectedIndexes()})
            QGuiApplication.clipboard().setText("\n".join(self._line(number) for number in numbers))
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End):
            super().keyPressEvent(event)
        else:
            event.ignore()

    def _line(self, number: int) -> str:
        cells = (self.item(number, column) for column in range(2))
        return "\t".join(cell.text() if cell else "" for cell in cells)


class MetadataCard(TitledCard):
    """The table with a button that copies all of it."""

    def __init__(self) -> None:
        super().__init__(self.tr("Metadata"))
        self.table, self._note = FactTable(), label("small")
        self.copy = QPushButton(self.tr("Copy all"))
        self.copy.clicked.connect(self._copy)
        self._rows: tuple[Row, ...] = ()
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self._note, 1)
        foot.addWidget(self.copy)
        self.body.addWidget(self.table)
        self.body.addLayout(foot)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show what a file says, or that it says nothing."""
        self._rows = tuple(rows)
        self.table.fill(self._rows)
        self.table.setVisible(bool(rows))
        self.copy.setVisible(bool(rows))
        self._note.setText(
            self.tr("Anyone can write or remove these.")
            if rows
            else self.tr("The file says nothing beside its pixels.")
        )

    @Slot()
    def _copy(self) -> None:
        text = "\n".join(f"{row.part}\t{row.name}\t{row.value}" for row in self._rows)
        QGuiApplication.clipboard().setText(text)
