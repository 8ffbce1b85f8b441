"""Runs side by side on the same pictures: chosen from a list, compared by our own command, shown as its tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from forensics_app.gui import words
from forensics_app.gui.figure_table import FigureTable
from forensics_app.gui.job_card import JobCard
from forensics_app.gui.jobs import ThreadJob
from forensics_app.gui.labels import label
from forensics_app.gui.path_field import PathField
from forensics_app.gui.process_job import ProcessJob
from forensics_app.gui.session import Session
from forensics_app.gui.titled_card import TitledCard, column_of

if TYPE_CHECKING:
    from forensics_app.core.compare_tables import Told

LANE = "measure"
LIST_PX = 200


class CompareView(QWidget):
    """Choose two or more; what came out stays until the next comparison."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.choice = TitledCard(self.tr("Which to compare"))
        self.list = QListWidget()
        told = self.tr("the pictures that all of them were measured on")
        self.data = PathField(self.tr("Pictures to judge anew"), placeholder=told)
        self.list.setFixedHeight(LIST_PX)
        self.list.setProperty("role", "actions")
        self.list.setAccessibleName(self.tr("Runs and detectors"))
        self.button, self.note = QPushButton(self.tr("Compare")), label("small")
        self.button.setProperty("role", "primary")
        self.note.setText(self.tr("Tick two or more. They are compared on the same pictures; which differ is tested."))
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.data, 1)
        row.addWidget(self.button)
        self.choice.body.addWidget(self.note)
        self.choice.body.addWidget(self.list)
        self.choice.body.addLayout(row)
        self.card, self.found = JobCard(), TitledCard("")
        self.told, self.remarks = label("body", selectable=True), label("hint", selectable=True)
        self.rows, self.pairs = FigureTable(self.tr("Side by side")), FigureTable(self.tr("Every two of them"))
        for widget in (self.told, self.remarks, self.rows, self.pairs):
            self.found.body.addWidget(widget)
        self.found.title.setProperty("role", "headline")
        self.found.hide()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(column_of(self.choice, self.card, self.found))
        self._reading: ThreadJob | None = None
        self.button.clicked.connect(self.compare)
        self.list.itemChanged.connect(self._check)
        self._check()

    def offer(self, folders: Sequence[Path], ticked: Path | None) -> None:
        """List runs and detectors, keeping the ticks; `ticked` is the one that is shown."""
        chosen = {*self.chosen(), *([ticked] if ticked else [])}
        self.list.blockSignals(True)
        self.list.clear()
        for folder in folders:
            item = QListWidgetItem(words.legible(str(folder)))
            item.setData(Qt.ItemDataRole.UserRole, str(folder))
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsSelectable)
            item.setCheckState(Qt.CheckState.Checked if folder in chosen else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        self.list.blockSignals(False)
        self._check()

    def chosen(self) -> list[Path]:
        """Return the folders that are ticked."""
        items = [self.list.item(line) for line in range(self.list.count())]
        return [
            Path(str(item.data(Qt.ItemDataRole.UserRole)))
            for item in items
            if item.checkState() == Qt.CheckState.Checked
        ]

    @Slot()
    def _check(self) -> None:
        self.button.setEnabled(len(self.chosen()) > 1)

    @Slot()
    def compare(self) -> None:
        """Start the comparison."""
        those, data = self.chosen(), self.data.path()
        if len(those) < 2:
            return
        job = ProcessJob(
            self.tr("Comparing {0}").format(", ".join(one.name for one in those)),
            ("compare", *map(str, those), *(("--data", str(data)) if data else ())), page="evaluate",
        )  # fmt: skip
        job.finished.connect(self._read)
        self.found.hide()
        self.card.follow(job)
        self._session.jobs.add(job, LANE)

    @Slot(dict)
    def _read(self, last: dict[str, Any]) -> None:
        def reading() -> Iterator[Told]:
            from forensics_app.core.compare_tables import from_json, told_of

            yield told_of(from_json(last))

        self._reading = ThreadJob(reading, self)
        self._reading.finished.connect(self._show)
        self._reading.failed.connect(lambda error: self._session.noticed.emit(str(error)))
        self._reading.start()

    @Slot(object)
    def _show(self, found: Told) -> None:
        self.card.follow(None)
        self.found.title.setText(words.legible(found.headline))
        self.told.setText(words.legible(found.details))
        self.remarks.setText(words.legible(found.notes))
        self.remarks.setVisible(bool(found.notes))
        self.rows.show_rows(found.columns, found.rows, left=(0, len(found.columns) - 2, len(found.columns) - 1))
        self.pairs.show_rows(found.pair_columns, found.pairs, left=(0, 1))
        self.found.show()

    def shutdown(self) -> None:
        """Wait for what is being read."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading.wait()
