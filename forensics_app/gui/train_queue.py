"""The trainings that wait, with a way to take one out or put it first; and runs that can be gone on with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from forensics_app.core.unfinished_runs import Begun, unfinished
from forensics_app.gui import words
from forensics_app.gui.job_list import JobList
from forensics_app.gui.jobs import ThreadJob
from forensics_app.gui.labels import label
from forensics_app.gui.process_job import ProcessJob
from forensics_app.gui.titled_card import TitledCard
from forensics_app.gui.toolbar import Elided

LANE = "train"


class Rows(QWidget):
    """Lines of text, each with buttons; drawn anew as a whole."""

    def __init__(self) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)

    def clear(self) -> None:
        """Take all lines away."""
        while (item := self._column.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()

    def add(self, text: str, note: str, *buttons: QPushButton) -> None:
        """Add a line."""
        line, name, beside = QWidget(), Elided(), label("small")
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        name.tell(text)
        beside.setText(words.legible(note))
        beside.setWordWrap(False)
        row.addWidget(name, 1)
        row.addWidget(beside)
        for button in buttons:
            button.setAccessibleName(f"{button.text()}: {text}")
            row.addWidget(button)
        self._column.addWidget(line)


class QueueCard(TitledCard):
    """What waits in the lane; hidden while nothing does."""

    def __init__(self, jobs: JobList) -> None:
        super().__init__("")
        self.title.setText(self.tr("Next"))
        self.setAccessibleName(self.tr("Next"))
        self._jobs, self.rows = jobs, Rows()
        self._shown: tuple[ProcessJob, ...] | None = None
        self.first: list[QPushButton] = []
        self.out: list[QPushButton] = []
        self.body.addWidget(self.rows)
        jobs.changed.connect(self.show_jobs)
        self.show_jobs()

    @Slot()
    def show_jobs(self) -> None:
        """List those that wait."""
        waiting = tuple(job for job in self._jobs.of_lane(LANE) if job.state == "waiting")
        if waiting == self._shown:
            return
        self._shown = waiting
        self.rows.clear()
        self.first, self.out = [], []
        for place, job in enumerate(waiting, 1):
            first, out = QPushButton(self.tr("First")), QPushButton(self.tr("Remove"))
            first.clicked.connect(lambda _=False, job=job: self._jobs.prefer(job))
            out.clicked.connect(job.cancel)
            self.first.append(first)
            self.out.append(out)
            self.rows.add(job.words, self.tr("waits, number {0}").format(place), first, out)
            first.setVisible(place > 1)
        self.setVisible(bool(waiting))


class UnfinishedCard(TitledCard):
    """Runs in a folder that were begun and not finished; `wanted` brings the one to go on with."""

    wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__("")
        self.title.setText(self.tr("Not finished yet"))
        self.setAccessibleName(self.tr("Not finished yet"))
        self.rows, self.buttons = Rows(), list[QPushButton]()
        self.body.addWidget(self.rows)
        self._looking: ThreadJob | None = None
        self._next: tuple[Path, frozenset[Path]] | None = None
        self.hide()

    def look(self, root: Path, busy: frozenset[Path]) -> None:
        """List those below a folder, but for the folders that are being trained into."""
        if self._looking is not None:
            self._next = (root, busy)
            return

        def looking() -> Iterator[tuple[Begun, ...]]:
            yield tuple(one for one in unfinished(root) if one.folder not in busy)

        self._looking = ThreadJob(looking, self)
        self._looking.finished.connect(self._show)
        self._looking.failed.connect(lambda _error: self._show(()))
        self._looking.cancelled.connect(lambda: self._show(()))
        self._looking.start()

    @Slot(object)
    def _show(self, found: tuple[Begun, ...]) -> None:
        if self._looking is not None:
            self._looking.deleteLater()
            self._looking = None
        if self._next is not None:
            again, self._next = self._next, None
            self.look(*again)
            return
        self.rows.clear()
        self.buttons = []
        for one in found:
            button = QPushButton(self.tr("Go on"))
            button.clicked.connect(lambda _=False, one=one: self.wanted.emit(one))
            self.buttons.append(button)
            note = self.tr("{0} of {1} epochs").format(len(one.history), sum(one.phases))
            self.rows.add(one.folder.name, note, button)
        self.setVisible(bool(found))

    def shutdown(self) -> None:
        """Wait for what is being looked for."""
        self._next = None
        if self._looking is not None:
            self._looking.cancel()
            self._looking.wait()
