"""Making a data set in a child process: first what it costs, then the pictures on their way, then the audit."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from forensics_app.gui.process_job import ProcessJob
from forensics_app.gui.session import Session

MAKING = ".making"
"""What `forensics generate` keeps in a folder until all of it is there."""
LANE = "generate"


class Maker(QObject):
    """Measures and makes one data set at a time."""

    begun = Signal(ProcessJob)
    """A child process that can be followed: the measuring, then the making."""
    costed = Signal(int, float, str)
    """Pictures to sample, seconds, and the device; `start` goes on."""
    staged = Signal(str)
    previewed = Signal(Path)
    made = Signal(Path, str, object)
    """The folder, what has to be known of it, and the last event of its audit or None."""
    refused = Signal(str)
    cancelled = Signal()

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._job: ProcessJob | None = None
        self._arguments: list[str] = []
        self._place: Path | None = None
        self._note = ""
        self._audit: dict[str, Any] | None = None

    @property
    def busy(self) -> bool:
        """True while one is being measured or made, or waits to be gone on with."""
        return self._job is not None

    def measure(self, arguments: Sequence[str]) -> None:
        """Ask how long `forensics generate` with these arguments takes; one that was interrupted is gone on with."""
        self._arguments = list(arguments)
        if (self._folder() / MAKING).is_dir():
            self._arguments.append("--resume")
        job = ProcessJob(self.tr("Measuring how long it takes"), [*self._arguments, "--estimate"], page="data")
        job.finished.connect(self._measured)
        self._run(job)

    @Slot(dict)
    def _measured(self, told: dict[str, Any]) -> None:
        self._job = None
        seconds, pictures = float(told.get("seconds") or 0), int(told.get("pictures") or 0)
        self.costed.emit(pictures, seconds, str(told.get("device", "cpu")))

    def start(self) -> None:
        """Make what was measured."""
        if self._place is None:
            self._place = Path(tempfile.mkdtemp(prefix="forensics-preview-"))
        arguments = [*self._arguments, "--yes", "--preview", str(self._place / "preview.png")]
        again = arguments if "--resume" in arguments else [*arguments, "--resume"]
        self._note, self._audit = "", None
        job = ProcessJob(
            self.tr("Making {0}").format(self._folder().name), arguments, again=again, page="data",
            kept=self.tr("What was sampled stays in {0}; the same settings go on where it stopped.").format(
                self._folder()
            ),
        )  # fmt: skip
        job.happened.connect(self._take)
        job.finished.connect(self._finished)
        self._run(job)

    def _folder(self) -> Path:
        return Path(self._arguments[self._arguments.index("--out") + 1])

    def _run(self, job: ProcessJob) -> None:
        job.failed.connect(self._failed)
        job.cancelled.connect(self._cancelled)
        self._job = job
        self.begun.emit(job)
        self._session.jobs.add(job, LANE)

    @Slot(dict)
    def _take(self, event: dict[str, Any]) -> None:
        kind = event.get("event")
        if kind == "preview":
            self.previewed.emit(Path(str(event["path"])))
        elif kind in ("stage", "fetching"):
            self.staged.emit(str(event.get("name") or event.get("what") or ""))
        elif kind == "dataset":
            self._note = str(event.get("note") or "")
        elif kind == "audit":
            self._audit = event

    @Slot(dict)
    def _finished(self, _last: dict[str, Any]) -> None:
        self._job = None
        self.made.emit(self._folder(), self._note, self._audit)

    @Slot(str)
    def _failed(self, sentence: str) -> None:
        self._job = None
        self.refused.emit(sentence)

    @Slot()
    def _cancelled(self) -> None:
        self._job = None
        self.cancelled.emit()

    def shutdown(self) -> None:
        """Remove the preview; the window's job list stops the child."""
        if self._place is not None:
            shutil.rmtree(self._place, ignore_errors=True)
