"""What can be done anywhere in the window: the rows of the command palette, those with keys also as shortcuts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from forensics_app.gui.page import Action
from forensics_app.gui.pages import PAGES

if TYPE_CHECKING:
    from forensics_app.gui.image_page import ImagePage
    from forensics_app.gui.window import Window


def _tr(text: str) -> str:
    return QCoreApplication.translate("actions", text)


def actions_of(window: Window) -> tuple[Action, ...]:
    """Return what a window can do, whatever page is shown."""
    put = window.session.settings.put
    return (
        *(Action(_tr("Go to {0}").format(QCoreApplication.translate("pages", one.title)),
                 partial(window.turn_to, one.key), f"Ctrl+{number}" if number < 10 else "")
          for number, one in enumerate(PAGES, 1)),
        Action(_tr("Open pictures"), _inspecting(window, lambda page: page.choose_files()), "Ctrl+O"),
        Action(_tr("Open a folder"), _inspecting(window, lambda page: page.choose_folder()), "Ctrl+Shift+O"),
        Action(_tr("Paste a picture or files"), _inspecting(window, lambda page: page.paste()), "Ctrl+V"),
        Action(_tr("List the long jobs"), window.status_line.show_jobs, "Ctrl+J"),
        Action(_tr("Settings"), partial(window.turn_to, "settings"), "Ctrl+,"),
        Action(_tr("Show the keys"), window.show_keys),
        *(Action(_tr("Colours: {0}").format(name), partial(put, "theme", key))
          for key, name in (("light", _tr("light")), ("dark", _tr("dark")), ("system", _tr("as the system")))),
        Action(_tr("Quit"), window.close, "Ctrl+Q"),
    )  # fmt: skip


def recent_of(window: Window) -> tuple[Action, ...]:
    """Return an action for every file or folder that was opened last."""
    return tuple(
        Action(_tr("Open {0}").format(path), partial(window.turn_to, "inspect", [path]))
        for path in window.session.settings.recent
    )


def _inspecting(window: Window, act: Callable[[ImagePage], object]) -> Callable[[], object]:
    """Return what turns to Inspect and acts there; the page is made only then."""

    def run() -> None:
        window.turn_to("inspect")
        act(window.inspect)

    return run
