from __future__ import annotations

import gc
import threading
import weakref

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from forensics_app.gui.garbage import Collector, passing
from forensics_app.gui.window import Window


def circle(ended_in: list[int]) -> None:
    """Leave a running timer that only a collection can take away; tell in which thread it was."""
    timer = QTimer(interval=1000)
    holder: list[object] = [timer]
    holder.append(holder)
    timer.start()
    weakref.finalize(timer, lambda: ended_in.append(threading.get_ident()))


def make_much(kept: list[object]) -> None:
    """Make as much as sets off many collections of Python's own."""
    kept.extend([number] for number in range(200_000))


def test_only_the_windows_thread_takes_away_what_belongs_to_qt(qtbot: QtBot, window: Window) -> None:
    ended_in, kept = list[int](), list[object]()
    assert window.inspect  # what a page leaves is kept for good, and all that there is with it
    circle(ended_in)
    other = threading.Thread(target=make_much, args=[kept])
    other.start()
    other.join()
    assert ended_in == []
    qtbot.waitUntil(lambda: bool(ended_in))
    assert ended_in == [threading.get_ident()]


def test_python_collects_by_itself_again_when_the_window_is_closed(window: Window) -> None:
    assert not gc.isenabled()
    window.close()
    assert gc.isenabled()


def test_what_is_made_in_passing_is_not_looked_at_before_its_end(qapp: QApplication) -> None:
    parent, seen = QObject(), list[dict[str, object]]()
    collector = Collector(parent)
    gc.collect()
    gc.callbacks.append(lambda phase, told: seen.append(dict(told, phase=phase)))
    try:
        with passing():
            kept = [[number] for number in range(gc.get_threshold()[0] + 1)]
            collector.look()
            assert not seen
        collector.look()
        assert [one["generation"] for one in seen] == [0, 0] and kept
    finally:
        gc.callbacks.pop()
        collector.shutdown()
