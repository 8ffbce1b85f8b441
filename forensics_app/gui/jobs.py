"""Long work off the GUI thread: a generator of events, run in a thread and told as signals."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from PySide6.QtCore import QObject, QThread, Signal, Slot

log = logging.getLogger(__name__)


class _Runner(QThread):
    """Runs the generator; `outcome` says how it ended and is read only after the thread has ended."""

    stepped = Signal(object)

    def __init__(self, events: Callable[[], Iterator[object]], parent: QObject) -> None:
        super().__init__(parent)
        self._events = events
        self.outcome: tuple[str, object] = ("cancelled", None)

    def run(self) -> None:
        """Step through the generator until it ends, fails or is interrupted; closing it runs its `finally`."""
        try:
            self.outcome = self._steps()
        except Exception as error:
            log.info("a job failed", exc_info=True)
            self.outcome = ("failed", error)
        finally:
            del self._events  # it may hold pictures

    def _steps(self) -> tuple[str, object]:
        last: object = None
        events = self._events()
        try:
            while not self.isInterruptionRequested():
                try:
                    last = next(events)
                except StopIteration:
                    return "finished", last
                self.stepped.emit(last)
        finally:
            if (close := getattr(events, "close", None)) is not None:
                close()
        return "cancelled", None


class ThreadJob(QObject):
    """One piece of long work.

    Emits `happened` for everything the generator yields, then exactly one of `finished` (with the last event),
    `failed` (with the exception) and `cancelled`, all in the thread that made the job.
    """

    happened = Signal(object)
    finished = Signal(object)
    failed = Signal(object)
    cancelled = Signal()

    def __init__(self, events: Callable[[], Iterator[object]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._told = False
        self._runner = _Runner(events, self)
        self._runner.stepped.connect(self._relay)
        self._runner.finished.connect(self._end)

    def start(self) -> None:
        """Begin the work in its thread."""
        self._runner.start()

    def cancel(self) -> None:
        """Ask the work to stop at its next event."""
        self._runner.requestInterruption()

    def wait(self) -> None:
        """Block until the thread has ended, then tell the outcome."""
        self._runner.wait()
        if self._runner.isFinished():
            self._end()

    @Slot(object)
    def _relay(self, event: object) -> None:
        if not self._told:
            self.happened.emit(event)

    @Slot()
    def _end(self) -> None:
        if self._told:
            return
        self._runner.wait()  # `finished` comes a moment before the thread is gone
        self._told = True
        kind, value = self._runner.outcome
        if kind == "cancelled":
            self.cancelled.emit()
        else:
            (self.finished if kind == "finished" else self.failed).emit(value)
