"""How a detector holds out: the sweep that lies beside its figures, or a button that makes one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from classifier.request import request_in
from forensics_app.core.run_folder import RECIPE, Run
from forensics_app.gui import words
from forensics_app.gui.job_card import JobCard
from forensics_app.gui.jobs import ThreadJob
from forensics_app.gui.labels import label
from forensics_app.gui.measurement_view import MeasurementView
from forensics_app.gui.path_field import PathField
from forensics_app.gui.process_job import ProcessJob
from forensics_app.gui.session import Session
from forensics_app.gui.titled_card import TitledCard, column_of

if TYPE_CHECKING:
    from forensics_app.core.measurement import Measurement

FOLDER, FILE, LANE = "robustness", "robustness.json", "measure"


class RobustnessView(QWidget):
    """Shows `robustness/` in a run's folder; for a detector alone, the sweep below the folder `place`."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.card, self.found = JobCard(), MeasurementView()
        self.start = TitledCard(self.tr("How does it hold out?"))
        self.data = PathField(
            self.tr("Pictures to damage"), placeholder=self.tr("A folder with one subfolder per class")
        )
        self.button, self.note, self.problem = QPushButton(self.tr("Measure")), label("muted"), label("problem")
        self.button.setProperty("role", "primary")
        self.note.setText(self.tr(
            "Judges the pictures under blur, noise, rotation, JPEG, resizing and cropping, at several strengths each. "
            "That takes about thirty times as long as judging them once."
        ))  # fmt: skip
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.data, 1)
        row.addWidget(self.button)
        self.start.body.addWidget(self.note)
        self.start.body.addLayout(row)
        self.start.body.addWidget(self.problem)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(column_of(self.card, self.found, self.start))
        self._run: Run | None = None
        self._place: Path | None = None
        self._reading: ThreadJob | None = None
        self._jobs: dict[Path, ProcessJob] = {}
        self.button.clicked.connect(self.measure)
        self.data.changed.connect(self._check)
        self.problem.hide()

    @property
    def out(self) -> Path | None:
        """Where this detector's sweep is, or will be."""
        if self._run is None:
            return None
        if (self._run.folder / RECIPE).is_file() or self._place is None:
            return self._run.folder / FOLDER
        return self._place / f"{FOLDER}-{self._run.card.name}-{self._run.installed.id[:8]}"

    def show_run(self, run: Run, place: Path) -> None:
        """Show the sweep of a detector if there is one; `place` takes those of detectors without a run."""
        self._run, self._place = run, place
        asked = request_in(run.folder)
        self.data.set_path(Path(asked.data) if asked else None)
        out = self.out
        self.card.follow(self._jobs.get(out) if out else None)
        self.read()

    @Slot()
    def read(self) -> None:
        """Read the sweep anew, off the GUI thread."""
        self.found.clear()
        out = self.out
        if out is None or not (out / FILE).is_file():
            self._check()
            return

        def reading() -> Iterator[tuple[Path, Measurement]]:
            from classifier.robustness import opened
            from forensics_app.core.robustness_page import measurement

            yield out, measurement(opened(out))

        self._reading = ThreadJob(reading, self)
        self._reading.finished.connect(self._show)
        self._reading.failed.connect(self._failed)
        self._reading.start()

    @Slot(object)
    def _show(self, found: tuple[Path, Measurement]) -> None:
        if found[0] == self.out:
            self.found.show_measurement(found[1])
        self._check()

    @Slot(object)
    def _failed(self, error: Exception) -> None:
        self.problem.setText(words.legible(str(error)))
        self.problem.show()

    @Slot()
    def _check(self) -> None:
        out = self.out
        running = out in self._jobs and not self._jobs[out].ended if out else False
        self.start.setVisible(not running and not (self.found.headline.isVisibleTo(self.found)))
        self.button.setEnabled(self.data.path() is not None)

    @Slot()
    def measure(self) -> None:
        """Start the sweep."""
        run, data, out = self._run, self.data.path(), self.out
        if run is None or data is None or out is None:
            return
        own = (run.folder / RECIPE).is_file() and run.split is not None
        asked = ("robustness", "--detector", str(run.installed.folder), "--data", str(data), "--out", str(out),
                 "--split", run.split if own and run.split else "all")  # fmt: skip
        job = ProcessJob(
            self.tr("Robustness of {0}").format(run.card.name), asked, again=asked,
            kept=self.tr("Every strength that was measured is kept."), page="evaluate",
        )  # fmt: skip
        self._jobs[out] = job
        job.finished.connect(lambda _last: self.read() if out == self.out else None)
        job.changed.connect(lambda: self._check() if out == self.out else None)
        self.card.follow(job)
        self._session.jobs.add(job, LANE)
        self._check()

    def shutdown(self) -> None:
        """Wait for what is being read."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading.wait()
