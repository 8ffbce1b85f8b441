"""The window's entry: `run`."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

NO_DISPLAY = "There is no display for the window; use 'forensics analyze' or 'forensics scan' instead."
NO_LIBRARY = (
    "The window needs the system library {0}, which is missing. On Debian or Ubuntu: apt install libxcb-cursor0 "
    "libxcb-icccm4 libxcb-keysyms1 libxcb-image0 libxcb-render-util0 libxkbcommon-x11-0."
)
XCB_LIBRARIES = (
    "libxcb-cursor.so.0", "libxcb-icccm.so.4", "libxcb-keysyms.so.1", "libxcb-image.so.0", "libxcb-render-util.so.0",
    "libxkbcommon-x11.so.0",
)  # fmt: skip
WAKE_MS = 200


def run(paths: Sequence[Path] = ()) -> int:
    """Show the window with files or folders to judge; return the exit code, 2 where no window can be shown."""
    problem = display_problem()
    if problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from forensics_app.gui import theme
    from forensics_app.gui.window import Window

    logging.getLogger("forensics_app").addHandler(logging.NullHandler())
    app = QApplication(sys.argv[:1])
    dress(app)
    window = Window()
    app.styleHints().colorSchemeChanged.connect(lambda _scheme: theme.apply(app))
    app.styleHints().colorSchemeChanged.connect(window.redress)
    window.show()
    if paths:
        window.open(list(paths))
    # Ctrl-C in the terminal: Python sees a signal only when the event loop gives it a turn.
    signal.signal(signal.SIGINT, lambda *_: (window.close(), app.exit(130)))
    timer = QTimer(interval=WAKE_MS)
    timer.timeout.connect(lambda: None)
    timer.start()
    return app.exec()


def dress(app: QApplication) -> None:
    """Set the application's name, style and colours."""
    from forensics_app.gui import theme

    app.setApplicationName("forensics")
    app.setApplicationDisplayName("Forensics")
    app.setDesktopFileName("forensics")
    app.setStyle("Fusion")
    app.setWindowIcon(theme.icon("inspect", theme.LIGHT.accent, 64))
    theme.apply(app)


def display_problem() -> str | None:
    """Return why no window can be shown, or None; Qt itself would abort the process."""
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM"):
        return None
    if os.environ.get("WAYLAND_DISPLAY"):
        return None
    if not os.environ.get("DISPLAY"):
        return NO_DISPLAY
    for library in XCB_LIBRARIES:
        try:
            ctypes.CDLL(library)
        except OSError:
            return NO_LIBRARY.format(library)
    return None if _answers() else f"The display {os.environ['DISPLAY']} does not answer. {NO_DISPLAY}"


def _answers() -> bool:
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    failed = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return not failed
