"""What the pages of one window share: its long jobs, its settings, and the way from one page to another."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from forensics_app.gui.job_list import JobList
from forensics_app.gui.settings import Settings


class Session(QObject):
    """Made by the window, handed to every page."""

    page_wanted = Signal(str, object)
    """A page's key in `forensics_app.gui.pages.PAGES`, and what it is to show, None for nothing."""
    noticed = Signal(str)
    """A sentence for the status bar."""
    detectors_changed = Signal()
    """A detector was installed, removed or made the default."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.jobs, self.settings = JobList(self), Settings(self)

    def go(self, page: str, what: object = None) -> None:
        """Turn to a page and let it show something."""
        self.page_wanted.emit(page, what)
