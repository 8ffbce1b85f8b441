"""Short work in a thread of which only the newest counts: what a page reads or draws while people click on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import QObject, Signal

from forensics_app.gui.jobs import ThreadJob


class Latest(QObject):
    """Runs one piece of work at a time; a newer one takes its place, and of the older one nothing more is told."""

    happened = Signal(object)
    """What the newest work yields."""
    finished = Signal(object)
    """Its last event; exactly one of this and `failed` comes, unless a newer one takes its place."""
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._job: ThreadJob | None = None
        self._next: Callable[[], Iterator[object]] | None = None
        self._stale = False

    @property
    def busy(self) -> bool:
        """True while the newest work has not ended."""
        return (self._job is not None and not self._stale) or self._next is not None

    def ask(self, work: Callable[[], Iterator[object]]) -> None:
        """Do this as soon as the thread is free, and nothing that was asked before."""
        self._next = work
        if self._job is None:
            self._go()
        else:
            self._stale = True
            self._job.cancel()

    def forget(self) -> None:
        """Let nothing more come of what was asked."""
        self._next = None
        if self._job is not None:
            self._stale = True
            self._job.cancel()

    def shutdown(self) -> None:
        """Stop and wait for the thread to end."""
        self.forget()
        if self._job is not None:
            self._job.wait()

    def _go(self) -> None:
        if (work := self._next) is None:
            return
        self._next, self._stale = None, False
        job = self._job = ThreadJob(work, self)
        job.happened.connect(self._relay)
        job.finished.connect(lambda last: self._end(self.finished, last))
        job.failed.connect(lambda error: self._end(self.failed, error))
        job.cancelled.connect(lambda: self._end(None, None))
        job.start()

    def _relay(self, event: object) -> None:
        if not self._stale:
            self.happened.emit(event)

    def _end(self, signal: object, value: object) -> None:
        job, tell = self._job, not self._stale
        self._job = None
        if job is not None:
            job.deleteLater()
        if tell and signal is not None:
            signal.emit(value)  # type: ignore[attr-defined]
        if self._job is None:
            self._go()
