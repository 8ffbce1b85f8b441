"""The recipe to train with: chosen from those that come with the program or from a file, and explained."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QObject, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QFileDialog, QPushButton

from classifier.recipes import BadRecipe, Recipe, header, load, recipe_files
from forensics_app.gui import words
from forensics_app.gui.choice_fields import ComboBox
from forensics_app.gui.file_dialog import ask
from forensics_app.gui.jobs import ThreadJob
from forensics_app.gui.labels import label
from forensics_app.gui.titled_card import TitledCard

FIRST_CHOICE = "fake-real"


class RecipeCard(TitledCard):
    """Tells `chosen` when another recipe is there, or none."""

    chosen = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__("")
        self.title.setText(self.tr("Recipe"))
        self.setAccessibleName(self.tr("Recipe"))
        self.recipe: Recipe | None = None
        self.name = ""
        self.box, self.file = ComboBox(), QPushButton(self.tr("From a file…"))
        self.box.setAccessibleName(self.tr("Recipe"))
        self.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.about, self.facts, self.problem = label("body"), label("small"), label("problem")
        self.more = QPushButton(self.tr("What it does"))
        self.more.setProperty("role", "inline-link")
        self.more.setCheckable(True)
        self.explanation = label("small", selectable=True)
        self.head.addWidget(self.file)
        for widget in (self.box, self.about, self.facts, self.problem):
            self.body.addWidget(widget)
        self.body.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        self.body.addWidget(self.explanation)
        self.explanation.hide()
        self.more.toggled.connect(self.explanation.setVisible)
        self.box.currentIndexChanged.connect(self._choose)
        self.file.clicked.connect(self._ask)
        self._listing = ThreadJob(_listed, parent)
        self._listing.finished.connect(self._fill)
        self._listing.start()

    def shutdown(self) -> None:
        """Wait for the list."""
        self._listing.cancel()
        self._listing.wait()

    @Slot(object)
    def _fill(self, found: list[tuple[str, str]]) -> None:
        with QSignalBlocker(self.box):
            for place, (name, about) in enumerate(found):
                self.box.addItem(name, name)
                self.box.setItemData(place, words.tip(about), Qt.ItemDataRole.ToolTipRole)
        self.box.setCurrentIndex(-1)
        self.box.setCurrentIndex(max(0, self.box.findData(FIRST_CHOICE)))

    @Slot(int)
    def _choose(self, place: int) -> None:
        if place >= 0:
            self.open(str(self.box.itemData(place)))

    def open(self, name: str) -> None:
        """Take a bundled recipe or a file, or say why it is none."""
        self.name = name
        try:
            self.recipe = load(name, listed=True)
            text = header(name)
        except BadRecipe as error:
            self.recipe, text = None, ""
            self.problem.setText(words.legible(str(error)))
        recipe = self.recipe
        self.problem.setVisible(recipe is None)
        for widget in (self.about, self.facts, self.more):
            widget.setVisible(recipe is not None)
        if recipe is not None:
            self.about.setText(words.legible(recipe.description))
            self.facts.setText(facts(recipe))
        self.more.setVisible(bool(text))
        self.explanation.setText(_paragraphs(text))
        self.explanation.setVisible(self.more.isChecked() and bool(text))
        self.chosen.emit()

    @Slot()
    def _ask(self) -> None:
        dialog = QFileDialog(self, self.tr("Recipe"), "", self.tr("Recipes (*.yaml *.yml)"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        ask(dialog, lambda paths: self.add_file(str(paths[0])))

    def add_file(self, name: str) -> None:
        """Choose a recipe file of one's own."""
        if self.box.findData(name) < 0:
            self.box.addItem(Path(name).name, name)
        self.box.setCurrentIndex(self.box.findData(name))


def facts(recipe: Recipe) -> str:
    """Return a recipe in a line: `resnet18 · 20 epochs · 224 px`."""
    epochs = " + ".join(str(phase.epochs) for phase in recipe.phases)
    start = words.tr("from ImageNet weights") if recipe.weights == "imagenet" else words.tr("from scratch")
    return " · ".join((recipe.arch, words.tr("{0} epochs").format(epochs), f"{recipe.preprocess.size} px", start))


def _paragraphs(text: str) -> str:
    """Return a comment's lines joined to paragraphs: the window breaks them anew."""
    parts: list[str] = []
    for line in text.splitlines():
        if not line.strip():
            parts.append("")
        elif parts and parts[-1]:
            parts[-1] += f" {line.strip()}"
        else:
            parts.append(line.strip())
    return "\n\n".join(words.legible(part) for part in parts if part)


def _listed() -> Iterator[list[tuple[str, str]]]:
    """Yield the names of the bundled recipes, each with what it is for."""
    found = []
    for name in recipe_files():
        found.append((name, load(name, listed=True).description))
    yield found
