"""A window on no screen, with a home of its own and pictures made on the fly."""

from __future__ import annotations

import os
import time

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QThread, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from forensics_app.gui import app as entry
from forensics_app.gui.window import Window
from tests.conftest import write_picture

LIMIT_MS = 30_000
PATIENCE_S = 5
NO_SCREEN = "This plugin does not support propagateSizeHints"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let Qt's platform without a screen say that it has no screen; every other warning of Qt fails a test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.qt_log_ignore(NO_SCREEN))


@pytest.fixture
def window(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundled: Path
) -> Iterator[Window]:
    """The shown window; closed at the end, with no job left."""
    monkeypatch.setenv("FORENSICS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FORENSICS_THEME", raising=False)
    entry.dress(qapp)
    made = Window()
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close()
    assert not made.inspect.desk.running
    deadline = time.monotonic() + PATIENCE_S
    while (left := left_behind(made, tmp_path / "home")) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not left, f"left behind: {left}"


def left_behind(window: Window, folder: Path) -> list[str]:
    """Return the window's threads that run, and every process, of whatever parent, that works with a home folder."""
    wanted = f"FORENSICS_HOME={folder}".encode()
    found = [type(one).__name__ for one in threads_of(window) if one.isRunning()]
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted in environment.read_bytes().split(b"\0"):
                line = (environment.parent / "cmdline").read_bytes()
                if b"multiprocessing.resource_tracker" not in line:  # one for the life of this process
                    found.append(line.replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue  # it ended meanwhile, or is another user's
    return found


def threads_of(window: Window) -> list[QThread]:
    """Return the threads of a window and of the application."""
    return [*window.findChildren(QThread), *QApplication.instance().findChildren(QThread)]  # type: ignore[union-attr]


@pytest.fixture
def pictures(tmp_path: Path) -> Callable[[int], list[Path]]:
    """Make that many pictures of 240 x 180."""
    return lambda count: [
        write_picture(tmp_path / "pictures" / f"{number}.png", 240, 180, seed=number) for number in range(count)
    ]


def files(paths: Sequence[Path]) -> QMimeData:
    """Return what a file manager offers for files."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def drag_in(window: Window, mime: QMimeData) -> bool:
    """Drag over the window; return whether it would take a drop."""
    event = QDragEnterEvent(
        window.rect().center(),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(window, event)
    return event.isAccepted()


def drop(window: Window, mime: QMimeData) -> None:
    """Drag over the window and drop."""
    assert drag_in(window, mime)
    at = QPointF(window.rect().center())
    event = QDropEvent(at, Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(window, event)
    assert event.isAccepted()


def wait_judged(qtbot: QtBot, window: Window, count: int) -> list[str]:
    """Wait until that many pictures came in and none is being judged; return their states."""
    desk = window.inspect.desk
    qtbot.waitUntil(lambda: len(desk.pictures.rows) >= count and not desk.running, timeout=LIMIT_MS)
    return [row.state for row in desk.pictures.rows]
