"""“Use this detector”: copies a run's detector into the user's folder, off the GUI thread, and tells the window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from classifier.detector import BadDetector, Installed
from forensics_app.core.installing import CannotInstall, install
from forensics_app.gui import words
from forensics_app.gui.jobs import ThreadJob
from forensics_app.gui.session import Session


class Installation(QObject):
    """Installs one detector at a time; `told` and `failed` bring a sentence."""

    told = Signal(str)
    failed = Signal(str)

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._job: ThreadJob | None = None

    def start(self, folder: Path) -> None:
        """Install the detector of a run, or one in a folder."""
        if self._job is not None:
            return

        def installing() -> Iterator[Installed]:
            yield install(folder)

        self._job = ThreadJob(installing, self)
        self._job.finished.connect(self._installed)
        self._job.failed.connect(self._not_installed)
        self._job.start()

    @Slot(object)
    def _installed(self, found: Installed) -> None:
        self._job = None
        self._session.detectors_changed.emit()
        name = words.legible(found.folder.name)
        self.told.emit(self.tr("“{0}” is installed: choose it on the page Detectors.").format(name))

    @Slot(object)
    def _not_installed(self, error: Exception) -> None:
        self._job = None
        known = isinstance(error, (BadDetector, CannotInstall))
        self.failed.emit(str(error) if known else self.tr("The detector could not be installed."))

    def shutdown(self) -> None:
        """Wait for what is being copied."""
        if self._job is not None:
            self._job.wait()
