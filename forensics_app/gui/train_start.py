"""What a run is called, where it goes and what it runs on; and the command that comes of it all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLineEdit, QWidget

from classifier.detector import NAME
from forensics_app.gui import words
from forensics_app.gui.choice_fields import ComboBox
from forensics_app.gui.labels import label
from forensics_app.gui.path_field import PathField
from forensics_app.gui.settings import Settings
from forensics_app.gui.titled_card import TitledCard

CAPTION_PX = 168
RUNS = "train/runs"


@dataclass(frozen=True)
class Asked:
    """A training that was asked for: its folder, and the words of `forensics train` to begin and to go on with it."""

    out: Path
    arguments: tuple[str, ...]

    @property
    def again(self) -> tuple[str, ...]:
        """The words that go on with it."""
        return self.arguments if "--resume" in self.arguments else (*self.arguments, "--resume")


class StartCard(TitledCard):
    """Name, place and device of the next run; `changed` tells that one of them did."""

    changed = Signal()

    def __init__(self, settings: Settings) -> None:
        super().__init__("")
        self.title.setText(self.tr("Run"))
        self.setAccessibleName(self.tr("Run"))
        self._settings, self._recipe = settings, ""
        self.busy: frozenset[Path] = frozenset()
        """Folders that trainings in the queue will be written to."""
        self.name = QLineEdit()
        self.runs = PathField(self.tr("Folder for runs"))
        self.weights = PathField(self.tr("Weights to start from"), "file", self.tr("as the recipe says"))
        self.device = ComboBox()
        self.device.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for key, text in (("auto", self.tr("Automatic")), ("cpu", self.tr("Processor")),
                          ("cuda", self.tr("NVIDIA GPU (CUDA)")), ("mps", self.tr("Apple GPU (MPS)"))):  # fmt: skip
            self.device.addItem(text, key)
        self.allow = QCheckBox(self.tr("Train even if the audit fails"))
        self.allow.setToolTip(words.tip(self.tr(
            "The audit asks whether anything but the picture tells the classes apart. The detector's card will say so."
        )))  # fmt: skip
        self.problem = label("problem")
        self.problem.hide()
        self._lay_out()
        self.runs.set_path(runs_folder(settings))
        self.name.textEdited.connect(self._check)
        self.runs.changed.connect(self._keep_place)

    def _lay_out(self) -> None:
        place = QWidget()
        grid = QGridLayout(place)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        rows: tuple[tuple[str, QWidget], ...] = (
            (self.tr("Name"), self.name), ("", self.problem), (self.tr("Folder for runs"), self.runs),
            (self.tr("Runs on"), self.device), (self.tr("Weights to start from"), self.weights),
        )  # fmt: skip
        for line, (text, control) in enumerate(rows):
            caption = label("body")
            caption.setText(text)
            caption.setFixedWidth(CAPTION_PX)
            if text:
                control.setAccessibleName(text)
                grid.addWidget(caption, line, 0)
            grid.addWidget(control, line, 1)
        grid.addWidget(self.allow, len(rows), 0, 1, 2)
        self.body.addWidget(place)

    def suggest(self, recipe: str) -> None:
        """Offer a recipe's name, numbered where it is taken."""
        self._recipe = recipe or self._recipe
        number, name = 1, self._recipe
        while self._recipe and self._taken(self.root / name):
            number += 1
            name = f"{self._recipe}-{number}"
        self.name.setText(name)
        self._check()

    def _taken(self, folder: Path) -> bool:
        return folder in self.busy or folder.exists()

    @property
    def root(self) -> Path:
        """The folder that runs go into."""
        return self.runs.path() or runs_folder(self._settings)

    @property
    def out(self) -> Path:
        """The folder of the next run."""
        return self.root / self.name.text().strip()

    def wrong(self) -> str:
        """Return what is wrong with the name, or nothing."""
        name = self.name.text().strip()
        if not re.fullmatch(NAME.pattern, name):
            return self.tr("A name has letters, digits, dots, dashes and underscores, at most 64.")
        return self.tr("There is a run of this name: choose another.") if self._taken(self.out) else ""

    def asked(self, recipe: str, data: Path, settings: tuple[str, ...]) -> Asked:
        """Return the training that the cards ask for."""
        weights = self.weights.path()
        return Asked(
            self.out,
            (
                "train", "--recipe", recipe, "--data", str(data), "--out", str(self.out),
                "--set", f"name={self.name.text().strip()}",
                *(word for one in settings for word in ("--set", one)),
                *(("--weights", str(weights)) if weights else ()),
                *(("--allow-shortcuts",) if self.allow.isChecked() else ()),
                "--device", str(self.device.currentData()),
            ),
        )  # fmt: skip

    @Slot()
    def _check(self) -> None:
        self.problem.setText(self.wrong())
        self.problem.setVisible(bool(self.wrong()))
        self.changed.emit()

    @Slot()
    def _keep_place(self) -> None:
        self._settings.put(RUNS, str(self.root))
        self.suggest("")


def runs_folder(settings: Settings) -> Path:
    """Return the folder that runs go into, at first one among the user's documents."""
    if chosen := settings.text(RUNS):
        return Path(chosen)
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    return Path(place or Path.home(), "forensics", "runs")
