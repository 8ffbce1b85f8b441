"""The window's long jobs: those that run, those that wait for their turn, and those that ended."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from forensics_app.gui.process_job import ProcessJob

KEPT_ENDED = 20


class JobList(QObject):
    """Runs the jobs of one lane one after the other, and those of different lanes side by side."""

    added = Signal(ProcessJob)
    ended = Signal(ProcessJob)
    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.jobs: list[ProcessJob] = []
        self._lanes: dict[ProcessJob, str] = {}

    def add(self, job: ProcessJob, lane: str) -> None:
        """Take a job in, and start it as soon as the lane is free; a paused job keeps its lane."""
        job.setParent(self)
        self.jobs.append(job)
        self._lanes[job] = lane
        job.changed.connect(self.changed)
        for signal in (job.finished, job.failed, job.cancelled):
            signal.connect(lambda *_told, job=job: self._end(job))
        self.added.emit(job)
        self._go(lane)
        self.changed.emit()

    @property
    def active(self) -> tuple[ProcessJob, ...]:
        """Those that have not ended, in the order in which they came."""
        return tuple(job for job in self.jobs if not job.ended)

    def of_lane(self, lane: str) -> tuple[ProcessJob, ...]:
        """Return a lane's jobs that have not ended."""
        return tuple(job for job in self.active if self._lanes[job] == lane)

    def prefer(self, job: ProcessJob) -> None:
        """Put a job that waits before all others that wait."""
        if job in self.jobs and job.state == "waiting":
            self.jobs.remove(job)
            waiting = (place for place, one in enumerate(self.jobs) if one.state == "waiting")
            self.jobs.insert(next(waiting, len(self.jobs)), job)
            self.changed.emit()

    def shutdown(self) -> None:
        """Cancel all jobs cleanly and wait for their processes to end."""
        for job in reversed(self.active):  # so that none of those that wait starts
            job.cancel()
        for job in self.active:
            job.wait()

    def _go(self, lane: str) -> None:
        if (waiting := self.of_lane(lane)) and waiting[0].state == "waiting":
            waiting[0].start()

    def _end(self, job: ProcessJob) -> None:
        for old in [one for one in self.jobs if one.ended][:-KEPT_ENDED]:
            self.jobs.remove(old)
            del self._lanes[old]
            old.deleteLater()
        self.ended.emit(job)
        self._go(self._lanes[job])
        self.changed.emit()
