"""Garbage collection in the window's own thread only, in pieces too short to be felt."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject, QTimer, Slot

EVERY_MS = 200
_young: set[object] = set()
"""One for each thing that is being made now and is to be collected as a whole; see `passing`."""

atexit.register(gc.unfreeze)  # at the end of the process all of it may go


class Collector(QObject):
    """Collects in the thread of the window while it exists, instead of Python, which does so in any.

    Objects of Qt in a circle, a timer and the function it calls, would be destroyed by whichever thread happens to set
    off a collection; Qt allows that only in their own. As calibre does it: K. Goyal, riverbankcomputing.com/pipermail/
    pyqt/2011-August/030378.html.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    @Slot()
    def look(self) -> None:
        """Collect what Python would: a generation when its count is over its threshold, and all younger ones."""
        if _young:
            return
        over = [count > most for count, most in zip(gc.get_count(), gc.get_threshold(), strict=True)]
        if over[0]:
            gc.collect(2 if all(over) else int(over[1]))

    def shutdown(self) -> None:
        """Leave it to Python again; no thread may work any more."""
        self._timer.stop()
        gc.enable()


@contextmanager
def lasting() -> Iterator[None]:
    """Keep what is made within for good: a full collection neither runs meanwhile nor looks at it later.

    Meant for imports and for pages. With matplotlib and the pages in its way a full collection took 50 to 170 ms,
    whichever thread set it off.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


@contextmanager
def passing() -> Iterator[None]:
    """Make something large that nobody holds at the end, such as a plot; `collect_passed` then takes it away alone.

    Without this its objects, tens of thousands in circles, would grow old and wait for a full collection.
    """
    made = object()
    _young.add(made)
    try:
        yield
    finally:
        _young.discard(made)


def collect_passed() -> None:
    """Collect what was made in passing; to be called in the window's thread."""
    gc.collect(0)
