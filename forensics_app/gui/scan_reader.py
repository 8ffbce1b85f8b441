"""A store, read and marked in a thread of its own: what was asked last of a kind is answered, the urgent first."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QObject, QThread, Signal

from forensics_app.core.store import BadStore, ScanStore

log = logging.getLogger(__name__)
KINDS = ("mark", "selected", "rows", "view", "folders", "start")
"""The kinds of questions, the most urgent first. Every mark is kept; of the others only the last question counts."""


class Access:
    """A store that is opened when it is needed: to read, and apart from that to write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reading: ScanStore | None = None

    @property
    def store(self) -> ScanStore:
        """The store, to read; one of an older version is renewed. Raises `BadStore`."""
        if self._reading is None:
            try:
                self._reading = ScanStore.open(self.path, readonly=True)
            except BadStore:
                if not self.path.is_file():
                    raise
                ScanStore.open(self.path).close()
                self._reading = ScanStore.open(self.path, readonly=True)
        return self._reading

    def mark(self, id_: int, label: str | None) -> None:
        """Keep what a person says of a row; waits for a scan that is just writing. Raises `BadStore`."""
        with ScanStore.open(self.path) as writing:
            writing.mark(id_, label)

    def close(self) -> None:
        """Close what is open."""
        if self._reading is not None:
            self._reading.close()
            self._reading = None


Work = Callable[[Access], Iterator[object]]


class Question(NamedTuple):
    """What is asked, and of which kind."""

    kind: str
    work: Work


class StoreReader(QThread):
    """Answers in the order of `KINDS`; between the steps of a long answer it answers what is more urgent."""

    told = Signal(str, object)
    """A kind, and a step of the answer."""
    failed = Signal(str, str)
    """A kind, and a sentence."""

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.path = path
        self._news = threading.Condition()
        self._waiting: list[Question] = []
        self._over = False

    def ask(self, kind: str, work: Work) -> None:
        """Ask; returns at once."""
        with self._news:
            if kind != "mark":
                self._waiting = [one for one in self._waiting if one.kind != kind]
            self._waiting.append(Question(kind, work))
            self._waiting.sort(key=lambda one: KINDS.index(one.kind))
            self._news.notify()
        if not self.isRunning() and not self._over:
            self.start()

    def shutdown(self) -> None:
        """End when all marks are kept, and wait for that."""
        with self._news:
            self._over = True
            self._waiting = [one for one in self._waiting if one.kind == "mark"]
            self._news.notify()
        self.wait()

    def run(self) -> None:
        """Answer until it is over."""
        access = Access(self.path)
        try:
            while (question := self._next()) is not None:
                self._answer(access, question)
        finally:
            access.close()

    def _next(self) -> Question | None:
        with self._news:
            while not self._waiting and not self._over:
                self._news.wait()
            return self._waiting.pop(0) if self._waiting else None

    def _answer(self, access: Access, question: Question) -> None:
        if not access.path.exists():  # the first scan into it has only just begun: there is nothing to tell yet
            return
        try:
            for step in question.work(access):
                self.told.emit(question.kind, step)
                while (urgent := self._more_urgent(question.kind)) is not None:
                    self._answer(access, urgent)
                if self._is_stale(question.kind):
                    return
        except BadStore as error:
            access.close()
            self.failed.emit(question.kind, str(error))
        except Exception as error:  # a question must not end the thread that answers the next one
            log.exception("asking a store")
            self.failed.emit(question.kind, self.tr("The store could not be read ({0}).").format(type(error).__name__))

    def _more_urgent(self, kind: str) -> Question | None:
        with self._news:
            urgent = self._waiting and KINDS.index(self._waiting[0].kind) < KINDS.index(kind)
            return self._waiting.pop(0) if urgent else None

    def _is_stale(self, kind: str) -> bool:
        with self._news:
            return self._over or any(one.kind == kind for one in self._waiting)
