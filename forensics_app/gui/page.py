"""What every page of the window can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from forensics_app.gui.intake import Intake


@dataclass(frozen=True)
class Action:
    """Something that a page can do: what the command palette and the list of keys show of it.

    `keys` is a shortcut that the window makes while the page is shown, "" for none. `ready` tells whether it would do
    something at the moment of asking: the palette leaves out what would not, the list of keys shows all.
    """

    text: str
    run: Callable[[], object]
    keys: str = ""
    ready: bool = True


class PageWidget(QWidget):
    """A page; `progressed` tells the window that its running job has something new to say."""

    progressed = Signal()

    def actions_now(self) -> tuple[Action, ...]:
        """Return what the page offers to the command palette and to keys."""
        return ()

    def take(self, intake: Intake) -> bool:
        """Take in what was dropped while the page is shown; False leaves it to Inspect."""
        return False

    def open_with(self, what: object) -> None:
        """Show what another page sent here: a file, a folder, a name; each page says what it understands."""

    def redress(self) -> None:
        """Take on the colours of a theme that changed; a page without icons of its own has nothing to do."""

    def shutdown(self) -> None:
        """Stop the page's threads and wait for them; the window's job list stops its child processes."""
