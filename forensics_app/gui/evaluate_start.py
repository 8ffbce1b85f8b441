"""Where figures come from: a run that is opened, or a detector that is measured on pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QPushButton, QWidget

from forensics_app.gui import words
from forensics_app.gui.button_rows import ButtonRows, Line
from forensics_app.gui.choice_fields import ComboBox
from forensics_app.gui.job_card import JobCard
from forensics_app.gui.jobs import ThreadJob
from forensics_app.gui.labels import label
from forensics_app.gui.path_field import PathField
from forensics_app.gui.process_job import ProcessJob
from forensics_app.gui.session import Session
from forensics_app.gui.titled_card import TitledCard

if TYPE_CHECKING:
    from forensics_app.core.detectors import Listed

LANE, MOST = "measure", 12
CAPTION_PX = 168


class RunsCard(TitledCard):
    """Runs that can be opened, by folder; `wanted` brings the one."""

    wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__("")
        self.title.setText(self.tr("Runs"))
        self.setAccessibleName(self.tr("Runs"))
        self.rows = ButtonRows("compact")
        self.body.addWidget(self.rows)
        self.hide()

    def offer(self, folders: list[Path]) -> None:
        """List folders, the latest first."""
        self.rows.show_lines([self._line(folder) for folder in folders[:MOST]])
        self.setVisible(bool(folders))

    def _line(self, folder: Path) -> Line:
        return Line(folder.name, str(folder.parent), ((self.tr("Open"), lambda: self.wanted.emit(folder)),))


class MeasureCard(TitledCard):
    """Measures a detector on a folder of pictures with our own command; `measured` brings the folder of figures."""

    measured = Signal(object)

    def __init__(self, session: Session) -> None:
        super().__init__("")
        self.title.setText(self.tr("Measure a detector on other pictures"))
        self.setAccessibleName(self.title.text())
        self._session = session
        self.place = Path()
        """The folder that figures go below."""
        self.detector, self.split = ComboBox(), ComboBox()
        self.data = PathField(
            self.tr("Folder of pictures"), placeholder=self.tr("A folder with one subfolder per class")
        )
        for key, text in (("all", self.tr("All of the folder")), ("test", self.tr("Its test part")),
                          ("val", self.tr("Its validation part"))):  # fmt: skip
            self.split.addItem(text, key)
        self.button, self.card = QPushButton(self.tr("Measure")), JobCard()
        self._lay_out()
        self._listing: ThreadJob | None = None
        self.button.clicked.connect(self.measure)
        self.data.changed.connect(self._check)
        session.detectors_changed.connect(self.list_detectors)
        self._check()
        self.list_detectors()

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        controls: tuple[tuple[str, QWidget], ...] = (
            (self.tr("Detector"), self.detector),
            (self.tr("Pictures"), self.data),
            (self.tr("Which of them"), self.split),
        )
        for line, (text, control) in enumerate(controls):
            caption = label("body")
            caption.setText(text)
            caption.setFixedWidth(CAPTION_PX)
            control.setAccessibleName(text)
            grid.addWidget(caption, line, 0)
            grid.addWidget(control, line, 1)
        grid.addWidget(self.button, len(controls), 1, Qt.AlignmentFlag.AlignLeft)
        self.body.addLayout(grid)
        self.body.addWidget(self.card)

    @Slot()
    def list_detectors(self) -> None:
        """List the installed detectors, off the GUI thread."""
        if self._listing is not None:
            return

        def listing() -> Iterator[list[Listed]]:
            from forensics_app.core.detectors import listed

            yield listed()

        self._listing = ThreadJob(listing, self)
        self._listing.finished.connect(self._fill)
        self._listing.start()

    @Slot(object)
    def _fill(self, found: list[Listed]) -> None:
        self._listing = None
        chosen = self.detector.currentData()
        self.detector.clear()
        sound = [one for one in found if one.problem is None]
        for one in sound:
            self.detector.addItem(words.legible(one.name), str(one.folder))
        default = next((number for number, one in enumerate(sound) if one.default), 0)
        place = self.detector.findData(chosen)
        self.detector.setCurrentIndex(default if place < 0 else place)
        self._check()

    def offer(self, folder: Path) -> None:
        """Choose a detector by its folder."""
        if self.detector.findData(str(folder)) < 0:
            self.detector.addItem(words.legible(f"{folder.parent.name}/{folder.name}"), str(folder))
        self.detector.setCurrentIndex(self.detector.findData(str(folder)))

    @Slot()
    def _check(self) -> None:
        self.button.setEnabled(self.data.path() is not None and self.detector.currentData() is not None)

    @Slot()
    def measure(self) -> None:
        """Start to measure."""
        data, detector = self.data.path(), self.detector.currentData()
        if data is None or detector is None:
            return
        out = self._free(f"{self.detector.currentText()} on {data.name}".replace("/", " "))
        job = ProcessJob(
            self.tr("Measuring {0} on {1}").format(self.detector.currentText(), data.name),
            ("evaluate", "--detector", detector, "--data", str(data), "--split", str(self.split.currentData()),
             "--out", str(out)), page="evaluate",
        )  # fmt: skip
        job.finished.connect(lambda _last: self.measured.emit(out))
        self.card.follow(job)
        self._session.jobs.add(job, LANE)

    def _free(self, name: str) -> Path:
        root = self.place / "evaluations"
        number, folder = 1, root / name
        while folder.exists():
            number += 1
            folder = root / f"{name} {number}"
        return folder

    def shutdown(self) -> None:
        """Wait for the list."""
        if self._listing is not None:
            self._listing.cancel()
            self._listing.wait()
