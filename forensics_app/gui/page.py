"""What every page of the window can do."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget


class PageWidget(QWidget):
    """A page; `progressed` tells the window that its running job has something new to say."""

    progressed = Signal()

    def redress(self) -> None:
        """Take on the colours of a theme that changed; a page without icons of its own has nothing to do."""

    def shutdown(self) -> None:
        """Stop the page's jobs and wait for them; a page without jobs has nothing to do."""
