"""How quickly the Scan page shows a large store, and how smoothly its table scrolls.

    python benchmarks/window_table.py --write

A window without a screen (Qt's platform "offscreen") shows a store of made-up rows (`benchmarks/store.py`), whose files
are not there. A thing is shown when its first rows have been painted. A gap is the longest time in which the event
loop came to nothing else: a timer that is always due notes when it was called.
"""

from __future__ import annotations

import argparse
import datetime
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QStyle, QStyleOptionSlider
from sections import write
from store import fill, machine

if TYPE_CHECKING:
    from forensics_app.gui.scan_page import ScanPage

FRAME_MS, PATIENCE_S = 16, 60.0
NOTCH, NOTCHES_AT_ONCE, TURNS_A_FRAME = 120, 20, 30
DRAG_STEPS = 300
ROOT = b"/data"


class Pulse:
    """Notes the longest time between two calls of a timer that is always due."""

    def __init__(self) -> None:
        self._timer = QTimer(interval=0)
        self._timer.timeout.connect(self._beat)
        self.longest_ms, self._last = 0.0, 0.0

    def __enter__(self) -> Pulse:
        self.longest_ms, self._last = 0.0, time.perf_counter()
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._beat()
        self._timer.stop()

    def _beat(self) -> None:
        now = time.perf_counter()
        self.longest_ms, self._last = max(self.longest_ms, (now - self._last) * 1000), now


def until(test: Callable[[], bool]) -> float:
    """Let events happen until something is so; returns the milliseconds that it took."""
    begun = time.perf_counter()
    while not test():
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 5)
        if time.perf_counter() - begun > PATIENCE_S:
            raise SystemExit("the window did not come to it")
    return (time.perf_counter() - begun) * 1000


def pause(milliseconds: int) -> None:
    """Let events happen for a moment."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def asked(page: ScanPage, action: Callable[[], object]) -> tuple[float, float]:
    """Return the milliseconds until the answer to an action is painted, and until all rows have their place."""
    results, begun = page.results, time.perf_counter()
    before = results.found
    action()
    until(lambda: results.found is not before and results.found is not None and results.found.view == results.view)
    results.table.viewport().repaint()
    painted = (time.perf_counter() - begun) * 1000
    until(lambda: len(results.model.ids) == results.model.rowCount())
    return painted, (time.perf_counter() - begun) * 1000


def typed(field: QLineEdit, text: str) -> None:
    """Write a text into a field as a person would, all at once."""
    field.setText(text)
    field.textEdited.emit(text)


def every_frame(steps: Iterator[object]) -> None:
    """Take a step each 16 ms, as a screen would show it."""
    loop, timer = QEventLoop(), QTimer(interval=FRAME_MS)
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(lambda: None if next(steps, loop) is not loop else loop.quit())
    timer.start()
    loop.exec()
    timer.stop()


def wheel_down(page: ScanPage) -> Iterator[None]:
    """Turn the wheel until the end, thirty times a frame, each as far as Qt goes at once, a page."""
    table = page.results.table
    bar, where = table.verticalScrollBar(), QPointF(table.viewport().rect().center())
    while bar.value() < bar.maximum():
        event = QWheelEvent(
            where, table.viewport().mapToGlobal(where), QPoint(), QPoint(0, -NOTCH * NOTCHES_AT_ONCE),
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        for _ in range(TURNS_A_FRAME):
            QApplication.sendEvent(table.viewport(), event)
        yield


def drag_down(page: ScanPage) -> Iterator[None]:
    """Drag the scroll bar's handle from the top to the end."""
    bar, option = page.results.table.verticalScrollBar(), QStyleOptionSlider()
    bar.initStyleOption(option)
    style, part = QStyle.ComplexControl.CC_ScrollBar, QStyle.SubControl.SC_ScrollBarSlider
    start = QPointF(bar.style().subControlRect(style, option, part, bar).center())
    end = QPointF(start.x(), bar.height() + 20.0)

    def mouse(kind: QEvent.Type, at: QPointF) -> None:
        left = Qt.MouseButton.LeftButton
        held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else left
        QApplication.sendEvent(
            bar, QMouseEvent(kind, at, bar.mapToGlobal(at), left, held, Qt.KeyboardModifier.NoModifier)
        )

    mouse(QEvent.Type.MouseButtonPress, start)
    for step in range(1, DRAG_STEPS + 1):
        mouse(QEvent.Type.MouseMove, start + (end - start) * (step / DRAG_STEPS))
        yield
    mouse(QEvent.Type.MouseButtonRelease, end)
    assert bar.value() == bar.maximum()


def scrolled(page: ScanPage, way: Callable[[ScanPage], Iterator[None]]) -> tuple[float, float]:
    """Return the longest gap while scrolling from top to bottom, and the time until the last rows are there."""
    table, model = page.results.table, page.results.model
    table.scrollToTop()
    pause(300)
    with Pulse() as pulse:
        every_frame(way(page))
        late = until(lambda: all(model.line(row) is not None for row in table.in_sight()))
    return pulse.longest_ms, late


def measure(page: ScanPage, runs: int) -> Iterator[tuple[str, str, list[float]]]:
    """Yield what was measured, its unit, and a number for each run."""
    results = page.results
    answers, name = results.strip.answers.chips, results.chips.name
    actions: tuple[tuple[str, Callable[[], object]], ...] = (
        ("opening", lambda: page.show_root(ROOT)),
        ("filter: likely generated", answers["fake"].click),
        ("filter: one more, could not be judged", answers["error"].click),
        ("filters cleared", results.chips.clear.click),
        ("filter: a name in one file of 1,000", lambda: typed(name, "0999")),
        ("filters cleared", results.chips.clear.click),
        ("sort: by size", lambda: results.table.sort_wanted.emit("size", True)),
        ("sort: by path", lambda: results.table.sort_wanted.emit("path", False)),
        ("sort: by p", lambda: results.table.sort_wanted.emit("p_fake", True)),
    )
    found: dict[str, list[float]] = {}
    for _ in range(runs):
        for what, action in actions:
            with Pulse() as pulse:
                painted, arranged = asked(page, action)
            for row, value in ((f"{what}, until painted", painted), (f"{what}, until all is in order", arranged),
                               ("longest gap in all of that", pulse.longest_ms)):  # fmt: skip
                found.setdefault(row, []).append(value)
            pause(150)
        for what, way in (("wheel, top to bottom", wheel_down), ("scroll bar dragged, top to bottom", drag_down)):
            gap, late = scrolled(page, way)
            found.setdefault(f"{what}: longest gap", []).append(gap)
            found.setdefault(f"{what}: rows at the end", []).append(late)
    yield from ((what, "ms", values) for what, values in found.items())


def report(rows: int, runs: int, home: Path) -> str:
    """Return the table, after showing it row by row: it takes minutes."""
    from forensics_app.gui import app as entry
    from forensics_app.gui.scan_page import ScanPage
    from forensics_app.gui.window import Window

    fill(home / "scans.db", rows)
    app = QApplication([])
    entry.dress(app)
    window = Window()
    window.resize(1280, 800)
    window.show()
    begun = time.perf_counter()
    window.turn_to("scan")
    page = window.current
    assert isinstance(page, ScanPage)
    page.repaint()
    first = (time.perf_counter() - begun) * 1000
    lines = [
        f"`benchmarks/window_table.py`, {datetime.datetime.now().date()}, {rows:,} rows, {machine()}.",
        f"The page's first visit took {first:.0f} ms.\n",
        "| what | n | least | median | most |\n|---|---|---|---|---|",
    ]
    for what, unit, values in measure(page, runs):
        cells = " | ".join(f"{one:.0f} {unit}" for one in (min(values), statistics.median(values), max(values)))
        lines.append(f"| {what} | {len(values)} | {cells} |")
        print(lines[-1], flush=True)
    window.quit()
    return "\n".join(lines)


def main() -> None:
    """Measure in a temporary folder."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="write the table into docs/BENCHMARKS.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FORENSICS_HOME"] = folder
        text = report(given.rows, given.runs, Path(folder))
    if given.write:
        write("window table", text)


if __name__ == "__main__":
    main()
