"""The window's entry: `run`."""

from __future__ import annotations

import json
import logging
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from forensics_app.core.display import window_problem

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from forensics_app.gui.window import Window

WAKE_MS = 200
INTERRUPTED = 130
SWITCH_S = 0.0001
"""How long a thread that judges or draws may keep the interpreter from the window, which needs it many times a turn."""


def run(paths: Sequence[Path] = (), *, self_test: bool = False) -> int:
    """Show the window with files or folders to judge; return the exit code: 2 without a display, 130 when stopped.

    `self_test` drops the first of them, or a sample, prints what was seen as one line of JSON and leaves: 0, or 2 with
    a sentence on stderr.
    """
    # Ctrl-C and SIGTERM are only noted: an exception out of Qt's imports or callbacks would crash the process.
    interrupts: list[int] = []
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda number, _frame: interrupts.append(number))
    if problem := window_problem():
        sys.stderr.write(f"{problem}\n")
        return 2
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from forensics_app.gui.window import Window

    logging.getLogger("forensics_app").addHandler(logging.NullHandler())
    if interrupts:
        return INTERRUPTED
    app = QApplication(sys.argv[:1])
    dress(app)
    window = Window()
    choose_theme(app, window)
    if self_test:
        return _test(window, list(paths))
    window.show()
    if paths:
        window.open(list(paths))
    # Python sees a signal only when the event loop gives it a turn.
    timer = QTimer(interval=WAKE_MS)

    def look() -> None:
        if interrupts:
            window.quit()
            app.exit(INTERRUPTED)

    timer.timeout.connect(look)
    timer.start()
    return app.exec()


def _test(window: Window, paths: list[Path]) -> int:
    from forensics_app.gui.self_test import SelfTestFailed, self_test

    try:
        seen = self_test(window, paths)
    except SelfTestFailed as error:
        sys.stderr.write(f"{error}\n")
        return 2
    finally:
        window.quit()
    sys.stdout.write(json.dumps(asdict(seen)) + "\n")
    return 0


def choose_theme(app: QApplication, window: Window) -> None:
    """Dress application and window as the settings say, now and whenever these or the system's scheme change."""
    from forensics_app.gui import theme

    def again() -> None:
        app.setProperty(theme.CHOSEN, window.session.settings.theme)
        theme.apply(app)
        window.redress()

    app.styleHints().colorSchemeChanged.connect(again)
    window.redressed.connect(again)
    if window.session.settings.theme != "system":
        again()


def dress(app: QApplication) -> None:
    """Set the application's name, style and colours."""
    from forensics_app.gui import theme

    sys.setswitchinterval(SWITCH_S)
    app.setApplicationName("forensics")
    app.setApplicationDisplayName("Forensics")
    app.setDesktopFileName("forensics")
    app.setStyle("Fusion")
    app.setWindowIcon(theme.icon("forensics", size_px=128))
    theme.apply(app)
