"""A recipe's settings as a form: what differs from the recipe is passed on, what is wrong is told beside its line."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from classifier.recipes import Recipe
from forensics_app.core.recipe_form import Entry, Section, problems, sections, settings
from forensics_app.gui import words
from forensics_app.gui.choice_fields import ComboBox
from forensics_app.gui.labels import label
from forensics_app.gui.titled_card import TitledCard

CAPTION_PX = 168
SOON_MS = 150


class FormCard(TitledCard):
    """Tells `changed` when a text has changed and was checked."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__("")
        self.title.setText(self.tr("Settings"))
        self.setAccessibleName(self.tr("Settings"))
        self.undo = QPushButton(self.tr("Undo all"))
        self.undo.setProperty("role", "inline-link")
        self.undo.hide()
        self.head.addWidget(self.undo)
        self.advanced = QPushButton(self.tr("Show all settings"))
        self.advanced.setProperty("role", "inline-link")
        self.advanced.setCheckable(True)
        self.problem = label("problem")
        self.problem.hide()
        self._form, self._hidden = QWidget(), QWidget()
        self._places: dict[QWidget, QVBoxLayout] = {}
        for place in (self._form, self._hidden):
            column = QVBoxLayout(place)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(16)
            self._places[place] = column
        self._hidden.hide()
        self.body.addWidget(self._form)
        self.body.addWidget(self.advanced, 0, Qt.AlignmentFlag.AlignLeft)
        self.body.addWidget(self._hidden)
        self.body.addWidget(self.problem)
        self.controls: dict[str, QLineEdit | QComboBox] = {}
        self._told: dict[str, QLabel] = {}
        self._recipe: Recipe | None = None
        self._waiting: list[Section] = []
        self.problems: dict[str, str] = {}
        self._soon = QTimer(self, interval=SOON_MS, singleShot=True)
        self._soon.timeout.connect(self.check)
        self.advanced.toggled.connect(self._fold)
        self.undo.clicked.connect(self._undo)

    # -- what is in it

    def use(self, recipe: Recipe | None) -> None:
        """Draw the form of a recipe, with its own values."""
        self._recipe = recipe
        self.controls, self._told, self.problems = {}, {}, {}
        for column in self._places.values():
            while (item := column.takeAt(0)) is not None:
                if (old := item.widget()) is not None:
                    old.hide()
                    old.deleteLater()
        self._waiting = [section for section in sections(recipe) if section.advanced] if recipe else []
        for section in sections(recipe) if recipe else ():
            if not section.advanced:
                self._places[self._form].addWidget(self._drawn(section))
        if self.advanced.isChecked():
            self._draw_hidden()
        self._order()
        self.setEnabled(recipe is not None)
        self.check()

    def _draw_hidden(self) -> None:
        """Draw what is folded away: some fifty controls, which take their time to be dressed."""
        for section in self._waiting:
            self._places[self._hidden].addWidget(self._drawn(section))
        self._waiting = []
        self._order()

    def _order(self) -> None:
        """Let Tab go from line to line, and from the last to what stands below."""
        shown = [control for control in self.controls.values() if self._form.isAncestorOf(control)]
        hidden = [control for control in self.controls.values() if self._hidden.isAncestorOf(control)]
        for before, after in pairwise((self.undo, *shown, self.advanced, *hidden)):
            QWidget.setTabOrder(before, after)

    def settings(self) -> tuple[str, ...]:
        """Return what `--set` is to say."""
        return settings(self._recipe, self._texts()) if self._recipe else ()

    def set_text(self, key: str, text: str) -> None:
        """Change a line, as if it were typed."""
        if key not in self.controls:
            self._draw_hidden()
        self._put(key, text)
        self.check()

    def _texts(self) -> dict[str, str]:
        return {
            key: str(control.currentData()) if isinstance(control, QComboBox) else control.text()
            for key, control in self.controls.items()
        }

    @Slot()
    def check(self) -> None:
        """Look for what is wrong, and say it beside its line."""
        self._soon.stop()
        self.problems = problems(self._recipe, self._texts()) if self._recipe else {}
        for key, told in self._told.items():
            text = self.problems.get(key, "")
            told.setText(words.legible(text))
            told.setVisible(bool(text))
            if text and self._hidden.isAncestorOf(self.controls[key]):
                self.advanced.setChecked(True)
        self.problem.setText(words.legible(self.problems.get("", "")))
        self.problem.setVisible("" in self.problems)
        count = len(self.settings())
        self.title.setText(self.tr("Settings: {0} changed").format(count) if count else self.tr("Settings"))
        self.undo.setVisible(bool(count))
        self.changed.emit()

    # -- how it is drawn

    def _drawn(self, section: Section) -> QWidget:
        part = QWidget()
        grid = QGridLayout(part)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        line = 0
        if section.advanced:
            heading = label("title")
            heading.setText(words.tr(section.title))
            grid.addWidget(heading, 0, 0, 1, 2)
            line = 1
        for entry in section.entries:
            caption, told = label("body"), label("problem")
            caption.setText(words.tr(entry.words))
            caption.setFixedWidth(CAPTION_PX)
            control = self._control(entry)
            self.controls[entry.key], self._told[entry.key] = control, told
            told.hide()
            grid.addWidget(caption, line, 0)
            grid.addWidget(control, line, 1)
            grid.addWidget(told, line + 1, 1)
            line += 2
        return part

    def _control(self, entry: Entry) -> QLineEdit | QComboBox:
        control: QLineEdit | QComboBox
        if entry.choices:
            control = ComboBox()
            control.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            named = {"true": self.tr("yes"), "false": self.tr("no"), "": self.tr("not set")}
            for choice in entry.choices:
                control.addItem(named.get(choice, choice), choice)
            control.setCurrentIndex(control.findData(entry.text))
            control.currentIndexChanged.connect(self._soon.start)
            control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        else:
            control = QLineEdit(entry.text)
            control.setPlaceholderText(self.tr("not set"))
            control.textChanged.connect(self._soon.start)
        control.setAccessibleName(words.tr(entry.words))
        control.setToolTip(words.tip(*filter(None, (entry.help, entry.bounds, f"--set {entry.key}"))))
        return control

    @Slot(bool)
    def _fold(self, open_: bool) -> None:
        if open_:
            self._draw_hidden()
        self._hidden.setVisible(open_)
        self.advanced.setText(self.tr("Show fewer settings") if open_ else self.tr("Show all settings"))

    @Slot()
    def _undo(self) -> None:
        for section in sections(self._recipe) if self._recipe else ():
            for entry in (entry for entry in section.entries if entry.key in self.controls):
                with QSignalBlocker(self.controls[entry.key]):
                    self._put(entry.key, entry.text)
        self.check()

    def _put(self, key: str, text: str) -> None:
        control = self.controls[key]
        if isinstance(control, QComboBox):
            control.setCurrentIndex(control.findData(text))
        else:
            control.setText(text)
