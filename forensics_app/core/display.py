"""Would a window open here? Asked without Qt, which aborts the whole process where the answer is no."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from collections.abc import Iterable

LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
"""What Qt needs on any Linux desktop, and the Debian package that has it."""

XCB_LIBRARIES = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
"""What Qt needs besides for an X server; its own message names only the first that is missing."""


def window_problem() -> str | None:
    """Return in a sentence why no window would open, or None where one would."""
    if importlib.util.find_spec("PySide6") is None:
        return "PySide6 is not installed: pip install 'PySide6-Essentials>=6.8,<6.12'."
    if not sys.platform.startswith("linux"):
        return None
    platform = os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0].partition(";")[0]
    if platform not in ("", "xcb", "wayland", "wayland-egl"):
        return _missing_problem(LIBRARIES)  # offscreen, vnc, linuxfb: no server is needed
    if os.environ.get("WAYLAND_DISPLAY") and platform != "xcb":
        return _missing_problem(LIBRARIES)
    display = os.environ.get("DISPLAY")
    if not display:
        return "There is no display to open a window on (DISPLAY and WAYLAND_DISPLAY are not set)."
    return _missing_problem(LIBRARIES | XCB_LIBRARIES) or _server_problem(display)


def missing_libraries(wanted: Iterable[str] = (*LIBRARIES, *XCB_LIBRARIES)) -> list[str]:
    """Return which shared libraries cannot be loaded; nothing is looked for outside Linux."""
    return [name for name in wanted if not _loads(name)] if sys.platform.startswith("linux") else []


def install_command(libraries: Iterable[str]) -> str:
    """Return the command that installs libraries on Debian and Ubuntu."""
    packages = LIBRARIES | XCB_LIBRARIES
    return "sudo apt-get install " + " ".join(sorted(packages[name] for name in libraries))


def _missing_problem(wanted: Iterable[str]) -> str | None:
    missing = missing_libraries(wanted)
    return f"The window needs libraries that are missing; on Debian: {install_command(missing)}." if missing else None


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _server_problem(display: str) -> str | None:
    """Ask the X server for a connection, as Qt will."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return _missing_problem(XCB_LIBRARIES)
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(os.fsencode(display), None)
    try:
        refused = xcb.xcb_connection_has_error(connection)
    finally:
        xcb.xcb_disconnect(connection)
    return f"The display {display!a} does not answer, so no window can open." if refused else None
