"""Small pictures for the table, made in a guarded process and waited for in a thread; the latest wishes come first."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QObject, QSize, Qt, QThread, Signal
from PySide6.QtGui import QImage

from forensics_app.core.previews import LIMITS, Preview, prepare, preview_of
from forensics_app.core.workers import Asked, CannotContinue, Outcome, Task, Workers

SIDE_PX = 384
SMALL = QSize(56, 40)
LISTEN_S = 0.03
SETTLE_S = 0.2
"""How long after the first wish the process is started: that takes the interpreter for some 10 ms, while the rows that
are wished for are being painted."""


class Wish(NamedTuple):
    """A row whose picture is wanted, or its heat map: the first of some files that is there."""

    id: int
    paths: tuple[str, ...]
    map: bool = False

    @property
    def path(self) -> str:
        """The file to show; what lies in an archive is no file, and is looked for last."""
        return next((path for path in self.paths if Path(path).exists()), self.paths[0])


class Previews(QThread):
    """Makes what was wished for last; wishes that are no longer uttered are forgotten."""

    made = Signal(object, QImage, QImage)
    """The wish, its picture of at most 384 px, and the small one for the table, both null where there is none."""

    def __init__(self, parent: QObject | None = None, *, ratio: float = 1.0) -> None:
        super().__init__(parent)
        self._ratio = ratio
        self._news = threading.Condition()
        self._wishes: list[Wish] = []
        self._over = False

    def wish(self, wishes: Sequence[Wish]) -> None:
        """Say which pictures are wanted now, the most urgent first, in place of those that were wanted before."""
        with self._news:
            self._wishes = list(wishes)
            self._news.notify()
        if wishes and not self.isRunning() and not self._over:
            self.start(QThread.Priority.LowPriority)

    def shutdown(self) -> None:
        """End the process and the thread, and wait for both."""
        with self._news:
            self._over = True
            self._news.notify()
        self.wait()

    def run(self) -> None:
        """Serve until it is over; a worker that cannot start leaves the table without pictures."""
        with self._news:
            if self._news.wait_for(lambda: self._over, SETTLE_S):
                return
        try:
            with Workers(prepare, SIDE_PX, limits=LIMITS) as crew:
                crew.start()
                self._serve(crew)
        except (CannotContinue, OSError):
            with self._news:
                self._over = True

    def _serve(self, crew: Workers) -> None:
        given: dict[Task, Wish] = {}
        while self._rest(crew):
            if not len(crew):
                crew.start()
            while crew.room and (wish := self._take()) is not None:
                task = Task(wish.path)
                given[task] = wish
                crew.give(task)
            for said in crew.wait(LISTEN_S):
                if isinstance(said, Asked):
                    crew.reply(said, wanted=True)
                elif isinstance(said, Outcome):
                    self._tell(given.pop(said.task), preview_of(said.answer or {}))
                else:
                    given.pop(said.task)

    def _rest(self, crew: Workers) -> bool:
        """Wait while there is nothing to do; False when it is over."""
        with self._news:
            while not (self._over or self._wishes or crew.tasks):
                self._news.wait()
            return not self._over

    def _take(self) -> Wish | None:
        with self._news:
            return self._wishes.pop(0) if self._wishes else None

    def _tell(self, wish: Wish, preview: Preview | None) -> None:
        if preview is None:
            self.made.emit(wish, QImage(), QImage())
            return
        large = image_of(preview)
        self.made.emit(wish, large, cropped(large, SMALL * self._ratio))


def image_of(preview: Preview) -> QImage:
    """Return a small picture as an image that owns its memory."""
    over = QImage(preview.rgb, preview.width, preview.height, 3 * preview.width, QImage.Format.Format_RGB888)
    return over.convertToFormat(QImage.Format.Format_RGB32)


def cropped(image: QImage, size: QSize) -> QImage:
    """Return the middle of an image, filling a size in pixels."""
    filling, smooth = Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    scaled = image.scaled(size, filling, smooth)
    return scaled.copy(
        (scaled.width() - size.width()) // 2, (scaled.height() - size.height()) // 2, size.width(), size.height()
    )
