"""What a scan is asked for: which detector, how fast, with which maps, and which files. Kept in the settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QHBoxLayout, QLineEdit, QVBoxLayout

from classifier.detector import DEFAULT
from classifier.places import home
from forensics_app.core.detectors import Listed, listed
from forensics_app.gui import words
from forensics_app.gui.choice_fields import ComboBox
from forensics_app.gui.jobs import ThreadJob
from forensics_app.gui.labels import label
from forensics_app.gui.session import Session


def pictures_folder() -> Path:
    """Return where the heat maps and thumbnails of the window's scans are kept, named by content."""
    return home() / "scans"


class ScanSetup(QFrame):
    """A row that folds out; `arguments` is what it comes to."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._settings = session.settings
        self._job: ThreadJob | None = None
        self.detector = ComboBox()
        self.detector.setAccessibleName(self.tr("Detector"))
        self.detector.setMinimumWidth(112)
        self.fast, self.maps = QCheckBox(self.tr("Fast")), QCheckBox(self.tr("Heat maps"))
        self.archives = QCheckBox(self.tr("Archives too"))
        self.include, self.exclude = QLineEdit(), QLineEdit()
        self._explain()
        self._lay_out()
        self._recall()
        session.detectors_changed.connect(self.list_detectors)
        self.list_detectors()

    def _explain(self) -> None:
        tr = self.tr
        self.fast.setToolTip(tr("Judge in 8-bit integers, several times as fast. The answers can differ a little."))
        self.maps.setToolTip(tr("Draw a heat map for every file that is not called “no sign”. Takes longer."))
        self.archives.setToolTip(tr("Judge the pictures in zip and tar files too, without unpacking them."))
        self.include.setPlaceholderText(tr("all; or *.jpg, 2024/*"))
        self.exclude.setPlaceholderText(tr("none; or thumbnails, *.gif"))
        self.include.setAccessibleName(tr("Only these files: patterns, separated by commas"))
        self.exclude.setAccessibleName(tr("Not these files and folders: patterns, separated by commas"))
        for field in (self.include, self.exclude):
            field.setToolTip(field.accessibleName())

    def _lay_out(self) -> None:
        first, second = QHBoxLayout(), QHBoxLayout()
        for row in (first, second):
            row.setSpacing(12)
        first.addLayout(self._named(self.tr("Detector"), self.detector))
        for box in (self.fast, self.maps, self.archives):
            first.addWidget(box)
        first.addStretch(1)
        second.addLayout(self._named(self.tr("Only"), self.include), 1)
        second.addLayout(self._named(self.tr("Leave out"), self.exclude), 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(12)
        column.addLayout(first)
        column.addLayout(second)

    def _named(self, text: str, field: QComboBox | QLineEdit) -> QHBoxLayout:
        caption, row = label("muted"), QHBoxLayout()
        caption.setText(text)
        caption.setWordWrap(False)
        caption.setBuddy(field)
        row.setSpacing(8)
        row.addWidget(caption)
        row.addWidget(field, 1)
        return row

    def _recall(self) -> None:
        said = self._settings.text
        self.fast.setChecked(said("scan/fast") == "1")
        self.maps.setChecked(said("scan/maps") == "1")
        self.archives.setChecked(said("scan/archives", "1") == "1")
        self.include.setText(said("scan/include"))
        self.exclude.setText(said("scan/exclude"))

    # -- detectors

    @Slot()
    def list_detectors(self) -> None:
        """Offer the installed detectors that judge pictures."""
        if self._job is not None:
            return
        self._job = ThreadJob(_detectors, self)
        self._job.finished.connect(self._offer)
        self._job.failed.connect(lambda _error: self._offer([]))
        self._job.cancelled.connect(lambda: self._offer([]))
        self._job.start()

    @Slot(object)
    def _offer(self, found: list[Listed] | None) -> None:
        chosen = self.detector.currentData() or self._settings.text("scan/detector", DEFAULT)
        self.detector.clear()
        for one in found or ():
            self.detector.addItem(words.legible(one.name), one.name)
        if not found:
            self.detector.addItem(DEFAULT, DEFAULT)
        self.detector.setCurrentIndex(max(0, self.detector.findData(chosen)))
        if self._job is not None:
            self._job.deleteLater()
            self._job = None

    # -- what it comes to

    def arguments(self, folder: Path, store: Path) -> list[str]:
        """Return the words of the command that scans a folder into a store, and keep the choices."""
        self._keep()
        words = ["scan", str(folder), "--store", str(store), "--detector", self.detector.currentData() or DEFAULT]
        if self.fast.isChecked():
            words.append("--fast")
        if not self.archives.isChecked():
            words.append("--no-archives")
        if self.maps.isChecked():
            words += ["--out", str(pictures_folder()), "--heatmaps", "flagged"]
        for option, field in (("--include", self.include), ("--exclude", self.exclude)):
            for pattern in filter(None, (part.strip() for part in field.text().split(","))):
                words += [option, pattern]
        return words

    def _keep(self) -> None:
        put = self._settings.put
        put("scan/detector", self.detector.currentData() or DEFAULT)
        for name, box in (("fast", self.fast), ("maps", self.maps), ("archives", self.archives)):
            put(f"scan/{name}", str(int(box.isChecked())))
        put("scan/include", self.include.text())
        put("scan/exclude", self.exclude.text())

    def shutdown(self) -> None:
        """Wait for the list of detectors."""
        if self._job is not None:
            self._job.wait()


def _detectors() -> Iterator[list[Listed]]:
    yield [one for one in listed() if one.problem is None and set(one.classes) == {"fake", "real"}]
