"""What a new data set is to be: the model, how many pictures, the real ones beside them, and how all are written."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from forensics_app.gui import words
from forensics_app.gui.cards import TitledCard
from forensics_app.gui.choice_fields import ComboBox, SpinBox
from forensics_app.gui.labels import label
from forensics_app.gui.path_field import PathField

OWN = "own"
CAPTION_PX, FIELD_PX = 72, 80
SETS = ("pets-cats", "microsoft-cats", "flowers102", "hymenoptera")


class DatasetForm(TitledCard):
    """Fields that become the arguments of `forensics generate`."""

    wanted = Signal()
    confirmed = Signal()

    def __init__(self) -> None:
        super().__init__(self.tr("Make a data set"))
        self.model, self.real = ComboBox(), ComboBox()
        self.scheduler, self.format = ComboBox(), ComboBox()
        self.count, self.steps = self._number(1, 1_000_000, 150), self._number(1, 1000, 50)
        self.seed, self.side = self._number(0, 2**31 - 1, 0), self._number(0, 4096, 0)
        self.quality = self._number(1, 100, 90)
        self.side.setSpecialValueText(self.tr("the model's"))
        self.own_model = PathField(
            self.tr("A folder of a diffusion model"), placeholder=self.tr("folder, or owner/name")
        )
        self.own_real = PathField(self.tr("A folder of your own photographs"), placeholder=self.tr("folder or archive"))
        self.split = QLineEdit()
        self.split.setPlaceholderText(self.tr("100/50, or 70/15/15 per cent"))
        self.matched = QCheckBox(self.tr("Qualities like the real ones"))
        self.out = PathField(self.tr("A new folder for the data set"), "new")
        self.out.set_path(first_free(documents() / "forensics" / "cats"))
        self.go = QPushButton(self.tr("Generate"))
        self.go.setProperty("role", "primary")
        self.start, self.cost = QPushButton(self.tr("Start all the same")), label("body")
        self._fill()
        self._lay_out()
        self._connect()

    @staticmethod
    def _number(low: int, high: int, value: int) -> QSpinBox:
        box = SpinBox()
        box.setRange(low, high)
        box.setValue(value)
        box.setGroupSeparatorShown(True)
        box.setAlignment(Qt.AlignmentFlag.AlignRight)
        return box

    def _fill(self) -> None:
        for text, name in (
            (self.tr("Bundled: heads of cats, 64 px"), "bundled"),
            (self.tr("google/ddpm-cat-256: cats, 256 px (460 MB once)"), "google/ddpm-cat-256"),
            (self.tr("Another one…"), OWN),
        ):
            self.model.addItem(text, name)
        for text, name in (
            (self.tr("Crops of two photographs, only to try"), "samples"),
            (self.tr("Photographs of mine…"), OWN),
            *((self.tr("Fetch: {0}").format(name), name) for name in SETS),
            (self.tr("None"), "none"),
        ):
            self.real.addItem(text, name)
        for name in ("ddim", "ddpm", "dpm", "unipc"):
            self.scheduler.addItem({"dpm": "DPM-Solver++", "unipc": "UniPC"}.get(name, name.upper()), name)
        for name in ("jpeg", "png"):
            self.format.addItem(name.upper(), name)
        for box in (self.model, self.real):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(12)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(8)
        grid.setColumnMinimumWidth(0, CAPTION_PX)
        for column in (1, 3):
            grid.setColumnStretch(column, 1)
        lines: tuple[tuple[tuple[str, QWidget], ...], ...] = (
            ((self.tr("Model"), self.model),), (("", self.own_model),),
            ((self.tr("Pictures"), self.count), (self.tr("Seed"), self.seed)),
            ((self.tr("Scheduler"), self.scheduler), (self.tr("Steps"), self.steps)),
            ((self.tr("Real ones"), self.real),), (("", self.own_real),),
            ((self.tr("Split"), self.split),),
            ((self.tr("Written as"), self.format), (self.tr("Quality"), self.quality)),
            ((self.tr("Side, px"), self.side),), (("", self.matched),),
            ((self.tr("Folder"), self.out),),
        )  # fmt: skip
        for line, fields in enumerate(lines):
            for place, (name, widget) in enumerate(fields):
                span = 3 if len(fields) == 1 and widget is not self.side else 1
                if name:
                    grid.addWidget(self._caption(name), line, 2 * place)
                grid.addWidget(widget, line, 2 * place + 1, 1, span)
                if name:
                    widget.setAccessibleName(name)
                widget.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
                widget.setMinimumWidth(FIELD_PX)
        self.body.addLayout(grid)
        for widget in (self.go, self.cost, self.start):
            self.body.addWidget(widget)
        self.body.addStretch(1)
        for widget in (self.cost, self.start):
            widget.hide()

    @staticmethod
    def _caption(text: str) -> QWidget:
        caption = label("small")
        caption.setWordWrap(False)
        caption.setText(text)
        return caption

    def _connect(self) -> None:
        self.go.clicked.connect(self.wanted)
        self.start.clicked.connect(self.confirmed)
        for box in (self.model, self.real, self.format):
            box.currentIndexChanged.connect(self._refresh)
        self._refresh()

    @Slot()
    def _refresh(self, _number: int = 0) -> None:
        self.own_model.setVisible(self.model.currentData() == OWN)
        self.own_real.setVisible(self.real.currentData() == OWN)
        jpeg, reals = self.format.currentData() == "jpeg", self.real.currentData() != "none"
        self.quality.setEnabled(jpeg)
        self.matched.setEnabled(jpeg and reals)

    @property
    def folder(self) -> Path | None:
        """Where the data set goes."""
        return self.out.path()

    def missing(self) -> str:
        """Return what has to be filled in yet, or nothing."""
        if self.folder is None:
            return self.tr("Give a new folder for the data set.")
        if self.model.currentData() == OWN and self.own_model.path() is None:
            return self.tr("Give the folder of a diffusion model, or its name on the hub.")
        if self.real.currentData() == OWN and self.own_real.path() is None:
            return self.tr("Give the folder of your photographs, or choose where real pictures come from.")
        return ""

    def arguments(self) -> list[str]:
        """Return the arguments of `forensics generate` for what is filled in."""
        model, real = str(self.model.currentData()), str(self.real.currentData())
        jpeg = self.format.currentData() == "jpeg"
        return [
            "generate", "--n", str(self.count.value()), "--out", str(self.folder),
            "--model", self.own_model.line.text().strip() if model == OWN else model,
            "--real", str(self.own_real.path()) if real == OWN else real,
            "--scheduler", str(self.scheduler.currentData()), "--steps", str(self.steps.value()),
            "--seed", str(self.seed.value()), "--format", str(self.format.currentData()),
            *(("--quality", str(self.quality.value())) if jpeg else ()),
            *(("--match-quality",) if self.matched.isEnabled() and self.matched.isChecked() else ()),
            *(("--size", str(max(self.side.value(), 32))) if self.side.value() else ()),
            *(("--split", self.split.text().strip()) if self.split.text().strip() else ()),
        ]  # fmt: skip

    def tell(self, text: str, *, ask: bool = False) -> None:
        """Say what it costs or what is wrong; `ask` offers to start all the same."""
        self.cost.setText(words.legible(text))
        self.cost.setVisible(bool(text))
        self.start.setVisible(ask)

    def next_folder(self) -> None:
        """Propose another folder, because this one is filled now."""
        if (folder := self.folder) is not None:
            self.out.set_path(first_free(folder))


def documents() -> Path:
    """Return the user's folder for documents."""
    found = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    return Path(found) if found else Path.home()


def first_free(folder: Path) -> Path:
    """Return the folder, or the first of `name-2`, `name-3` … that is not there."""
    tried, number = folder, 1
    while tried.exists():
        number += 1
        tried = folder.with_name(f"{folder.name}-{number}")
    return tried
