"""The window's own test: it shows itself, takes a drop, waits until verdict and map are painted, and says how long."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget

from forensics_app.core.samples import sample_files
from forensics_app.gui.window import Window

PATIENCE_S = 60.0
REPEATS = 5


@dataclass(frozen=True)
class SelfTest:
    """What was seen. `shown_ms` counts from the process's start, `judged_ms` from the first drop to the painted map.

    `warm_ms` is the median of later drops, with the detector open; None if there was nothing to drop.
    """

    shown_ms: float
    judged_ms: float
    warm_ms: float
    verdict: str
    torch_loaded: bool
    rss_mb: float


class SelfTestFailed(Exception):
    """The window did not do what it must; `str()` is one sentence that says what."""


class _Paints(QObject):
    """Notes when widgets were last painted."""

    def __init__(self, *widgets: QWidget) -> None:
        super().__init__()
        self.last: dict[QObject, float] = {}
        for widget in widgets:
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note a paint event."""
        if event.type() == QEvent.Type.Paint:
            self.last[watched] = time.perf_counter()
        return False


def process_age_s() -> float:
    """Return how long this process has run, in seconds, the interpreter's start included where the system tells."""
    stat = Path("/proc/self/stat")
    if not stat.exists():
        return time.process_time()
    ticks = int(stat.read_text().rpartition(")")[2].split()[19])
    return float(Path("/proc/uptime").read_text().split()[0]) - ticks / os.sysconf("SC_CLK_TCK")


def rss_mb() -> float:
    """Return this process's resident memory in MB, 0 where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1000


def drop(window: Window, paths: list[Path]) -> None:
    """Drop files on the window, as a file manager does."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    at = (mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    entered = QDragEnterEvent(window.rect().center(), Qt.DropAction.CopyAction, *at)
    QApplication.sendEvent(window, entered)
    QApplication.sendEvent(window, QDropEvent(QPointF(window.rect().center()), Qt.DropAction.CopyAction, *at))


def self_test(window: Window, paths: list[Path]) -> SelfTest:
    """Show the window and drop the first of `paths`, or a sample; raises `SelfTestFailed`."""
    dropped = (paths or list(sample_files()))[:1]
    if not dropped:
        raise SelfTestFailed("There is no sample to drop; name a picture: forensics gui --self-test photo.jpg")
    paints = _Paints(window)
    window.show()
    _until(lambda: window in paints.last, "The window was not painted")
    shown = process_age_s() - (time.perf_counter() - paints.last[window])
    window.inspect.view.installEventFilter(paints)
    times = [_judged(window, dropped, paints) for _ in range(REPEATS + 1)]
    judged = window.inspect.shown()
    return SelfTest(
        shown_ms=round(1000 * shown, 1),
        judged_ms=round(1000 * times[0], 1),
        warm_ms=round(1000 * statistics.median(times[1:]), 1),
        verdict=judged.analysis.verdict.label if judged is not None else "",
        torch_loaded="torch" in sys.modules,
        rss_mb=round(rss_mb(), 1),
    )


def _judged(window: Window, dropped: list[Path], paints: _Paints) -> float:
    """Return the seconds from a drop to the paint that shows its map."""
    desk, view = window.inspect.desk, window.inspect.view
    row, settled = len(desk.pictures.rows), dict[int, float]()
    desk.changed.connect(lambda changed: settled.setdefault(changed, time.perf_counter()))
    begun = time.perf_counter()
    drop(window, dropped)
    _until(lambda: len(desk.pictures.rows) > row and not desk.running, "The dropped picture was not judged")
    if (state := desk.pictures.rows[row]).state == "error":
        raise SelfTestFailed(f"The dropped picture could not be judged: {state.message}")
    window.inspect.strip.setCurrentIndex(desk.pictures.index(row))
    _until(lambda: view.painted is not None and paints.last.get(view, 0.0) > settled[row], "The map was not painted")
    return paints.last[view] - begun


def _until(met: Callable[[], bool], otherwise: str) -> None:
    begun = time.perf_counter()
    while not met():
        QApplication.processEvents()
        if time.perf_counter() - begun > PATIENCE_S:
            raise SelfTestFailed(f"{otherwise} within {PATIENCE_S:.0f} s.")
        time.sleep(0.0005)
