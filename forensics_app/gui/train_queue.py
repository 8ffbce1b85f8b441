"""The trainings that wait, with a way to take one out or put it first; and runs that can be gone on with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import Signal, Slot

from forensics_app.core.unfinished_runs import Begun, unfinished
from forensics_app.gui.button_rows import ButtonRows, Line
from forensics_app.gui.job_list import JobList
from forensics_app.gui.jobs import ThreadJob
from forensics_app.gui.process_job import ProcessJob
from forensics_app.gui.titled_card import TitledCard

LANE = "train"


class QueueCard(TitledCard):
    """What waits in the lane; hidden while nothing does."""

    def __init__(self, jobs: JobList) -> None:
        super().__init__("")
        self.title.setText(self.tr("Next"))
        self.setAccessibleName(self.tr("Next"))
        self._jobs, self.rows = jobs, ButtonRows()
        self._shown: tuple[ProcessJob, ...] | None = None
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
        self.rows.show_lines([self._line(place, job) for place, job in enumerate(waiting, 1)])
        self.setVisible(bool(waiting))

    def _line(self, place: int, job: ProcessJob) -> Line:
        first, out = (self.tr("First"), lambda: self._jobs.prefer(job)), (self.tr("Remove"), job.cancel)
        return Line(job.words, self.tr("waits, number {0}").format(place), (first, out) if place > 1 else (out,))


class UnfinishedCard(TitledCard):
    """Runs in a folder that were begun and not finished; `wanted` brings the one to go on with."""

    wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__("")
        self.title.setText(self.tr("Not finished yet"))
        self.setAccessibleName(self.tr("Not finished yet"))
        self.rows = ButtonRows()
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
        self.rows.show_lines([self._line(one) for one in found])
        self.setVisible(bool(found))

    def _line(self, one: Begun) -> Line:
        note = self.tr("{0} of {1} epochs").format(len(one.history), sum(one.phases))
        return Line(one.folder.name, note, ((self.tr("Go on"), lambda: self.wanted.emit(one)),))

    def shutdown(self) -> None:
        """Wait for what is being looked for."""
        self._next = None
        if self._looking is not None:
            self._looking.cancel()
            self._looking.wait()
