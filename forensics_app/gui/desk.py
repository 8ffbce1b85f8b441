"""What lies on the desk: the pictures of this window, the job that judges them, and the latest results."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal, Slot

from classifier.detector import BadDetector
from forensics_app.core.analysis import CannotJudge
from forensics_app.gui.filmstrip import Pictures
from forensics_app.gui.jobs import ThreadJob
from forensics_app.gui.judging import Found, Judged, LazyDetector, Noticed, Refused, Source, Worklist, judge

KEPT_BYTES = 128 * 2**20
NO_DETECTOR = "detector"


class Desk(QObject):
    """Takes sources in, has them judged one after the other in one thread, and keeps as many results as fit 128 MiB."""

    added = Signal(int)
    """The first row of pictures that came in."""
    changed = Signal(int)
    """A row whose picture was judged, refused or given up."""
    progressed = Signal()
    noticed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.pictures = Pictures()
        self.pictures.setParent(self)
        self._work, self._detector = Worklist(), LazyDetector()
        self._kept: OrderedDict[int, Judged] = OrderedDict()
        self._job: ThreadJob | None = None
        self._wanted = -1
        self.done = self.total = 0
        self.begun = 0.0

    @property
    def running(self) -> bool:
        """True while pictures are being judged."""
        return self._job is not None

    def add(self, sources: Sequence[Source]) -> None:
        """Take files, folders or pasted pictures in; returns at once."""
        if sources:
            self._work.add(sources)
            self._go()

    def result(self, row: int) -> Judged | None:
        """Return the result of a row, if it is at hand."""
        return self._kept.get(row)

    def want(self, row: int) -> None:
        """Have the row that is shown judged next, unless its result is at hand or its file is known to be bad."""
        self._wanted = row
        state, kind = self.pictures.rows[row].state, self.pictures.rows[row].kind
        if row in self._kept:
            self._kept.move_to_end(row)
            return
        if state == "error" and kind != NO_DETECTOR:
            return
        again = state != "waiting"
        if again:
            self.total += 1
            self.pictures.change(row, state="waiting", kind="", message="")
        self._work.prefer(self.pictures.rows[row].picture, again=again)
        self._go()

    def start_over(self) -> None:
        """Forget all verdicts, because the detector may be another one now; each is given anew when it is looked at."""
        self.cancel()
        self._detector = LazyDetector()
        self._kept.clear()
        for key, row in enumerate(self.pictures.rows):
            if row.state != "waiting":
                self.pictures.change(key, state="stopped", kind="", message="")

    def cancel(self) -> None:
        """Stop after the picture at hand; what has been judged stays."""
        if self._job is not None:
            self._work.clear()
            self._job.cancel()

    def shutdown(self) -> None:
        """Stop and wait for the thread to end."""
        self.cancel()
        if self._job is not None:
            self._job.wait()

    def _go(self) -> None:
        if self._job is not None or not len(self._work):
            return
        self.done, self.total = 0, sum(row.state == "waiting" for row in self.pictures.rows)
        self.begun = time.monotonic()
        job = ThreadJob(lambda: judge(self._work, self._detector), self)
        job.happened.connect(self._take)
        job.finished.connect(self._finished)
        job.failed.connect(self._failed)
        job.cancelled.connect(self._cancelled)
        self._job = job
        job.start()
        self.progressed.emit()

    @Slot(object)
    def _take(self, event: object) -> None:
        if isinstance(event, Found) and event.pictures:
            first = len(self.pictures.rows)
            self.total += len(event.pictures)
            self.pictures.append(event.pictures)
            self.added.emit(first)
        elif isinstance(event, Noticed):
            self.noticed.emit(event.sentence)
        elif isinstance(event, (Judged, Refused)):
            self._settle(event)
        self.progressed.emit()

    def _settle(self, event: Judged | Refused) -> None:
        self.done += 1
        self.pictures.settle(event)
        if isinstance(event, Judged):
            self._kept[event.picture.key] = event
            self._make_room()
        self.changed.emit(event.picture.key)

    def _make_room(self) -> None:
        """Drop the oldest results beyond the limit, but never the one that is shown."""
        held = sum(one.nbytes for one in self._kept.values())
        for key in [key for key in self._kept if key != self._wanted]:
            if held <= KEPT_BYTES or len(self._kept) == 1:
                break
            held -= self._kept.pop(key).nbytes

    @Slot(object)
    def _finished(self, _last: object) -> None:
        self._end()

    @Slot(object)
    def _failed(self, error: Exception) -> None:
        self._work.clear()
        sentence = str(error) or type(error).__name__
        kind = NO_DETECTOR if isinstance(error, (BadDetector, CannotJudge)) else "failed"
        if not self._give_up("error", kind, sentence):
            self.noticed.emit(sentence)
        self._end()

    @Slot()
    def _cancelled(self) -> None:
        self._work.forget_waiting()
        self._give_up("stopped", "", "")
        self._end()

    def _give_up(self, state: str, kind: str, message: str) -> int:
        """Settle all pictures that wait; return how many."""
        waiting = [key for key, row in enumerate(self.pictures.rows) if row.state == "waiting"]
        for key in waiting:
            self.pictures.change(key, state=state, kind=kind, message=message)
            self.changed.emit(key)
        return len(waiting)

    def _end(self) -> None:
        if self._job is not None:
            self._job.deleteLater()
            self._job = None
        if len(self._work):  # something came in while this job was ending
            self._go()
        self.progressed.emit()
