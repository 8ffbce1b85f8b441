"""A detector's card on the page: its error rates with n and intervals, what it was trained on, what it can't tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from classifier.detector import open_folder
from forensics_app.core.detector_facts import Fact, Part, parts
from forensics_app.core.words import shown
from forensics_app.gui import words
from forensics_app.gui.cards import CAPTION_DROP_PX, TitledCard
from forensics_app.gui.detectors_list import Row
from forensics_app.gui.labels import label
from forensics_app.gui.toolbar import Elided

NAME_PX = 232


@dataclass(frozen=True)
class Read:
    """A card that was read: whose it is, its description, and its parts."""

    row: Row
    description: str
    parts: tuple[Part, ...]


def read(row: Row) -> Iterator[Read]:
    """Read a detector's card, its files unchecked; raises `BadDetector`."""
    installed = open_folder(row.listed.folder, check=False)
    yield Read(row, shown(installed.card.description), parts(installed))


class DetectorHead(QWidget):
    """The name of a detector, what it is to this computer, and what can be done with it."""

    def __init__(self) -> None:
        super().__init__()
        self.name, self.state = Elided(), label("small")
        self.name.setProperty("role", "headline")
        self.choose, self.evaluate = QPushButton(self.tr("Make it the default")), QPushButton(self.tr("Evaluate"))
        self.take_out, self.drop = QPushButton(self.tr("Export…")), QPushButton(self.tr("Remove…"))
        self.evaluate.setToolTip(self.tr("Its figures, and a measurement on other pictures"))
        row, column = QHBoxLayout(), QVBoxLayout(self)
        row.setSpacing(8)
        row.addWidget(self.name, 1)
        for button in (self.choose, self.evaluate, self.take_out, self.drop):
            row.addWidget(button)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.state)

    def tell(self, row: Row | None) -> None:
        """Show another detector, or none."""
        self.name.tell(row.listed.name if row else "")
        self.choose.setVisible(row is not None and row.judges and not row.default)
        for button in (self.take_out, self.evaluate):
            button.setEnabled(row is not None and row.listed.problem is None)
        self.drop.setEnabled(row is not None and row.mine)
        self.drop.setToolTip("" if row is None or row.mine else self.tr("It ships with the program."))
        self.state.setText(self._state(row) if row else "")

    def _state(self, row: Row) -> str:
        origin = self.tr("Installed on this computer.") if row.mine else self.tr("Ships with the program.")
        if row.default:
            return self.tr("The default: it judges wherever no other is named. {0}").format(origin)
        return self.tr("Not the default. {0}").format(origin)


class DetectorCards(QScrollArea):
    """The parts of one card below one another."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Card of the detector"))
        self.shown: Read | None = None

    def show_card(self, found: Read) -> None:
        """Show a card."""
        self.shown = found
        column = self._begin()
        if found.description:
            line = label("body", selectable=True)
            line.setText(words.legible(found.description))
            column.addWidget(line)
        for part in found.parts:
            column.addWidget(self._card(part))
        column.addStretch(1)

    def show_problem(self, sentence: str) -> None:
        """Show why a detector cannot be used."""
        self.shown = None
        column = self._begin()
        card = TitledCard(self.tr("It cannot be used"))
        line = label("body", selectable=True)
        line.setText(words.legible(sentence))
        card.body.addWidget(line)
        column.addWidget(card)
        column.addStretch(1)

    def _begin(self) -> QVBoxLayout:
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 4, 8)
        column.setSpacing(12)
        self.setWidget(whole)  # the one before is deleted
        return column

    def _card(self, part: Part) -> TitledCard:
        card = TitledCard(self.tr(part.title))
        for sentence in part.sentences:
            line = label("body" if not part.facts else "small", selectable=True)
            line.setText(("· " if len(part.sentences) > 1 else "") + words.legible(sentence))
            card.body.addWidget(line)
        if part.facts:
            card.body.addLayout(self._grid(part.facts))
        return card

    def _grid(self, facts: tuple[Fact, ...]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(6)
        grid.setColumnMinimumWidth(0, NAME_PX)
        counted = any(fact.n is not None for fact in facts)
        grid.setColumnStretch(3 if counted else 1, 1)
        for line, fact in enumerate(facts):
            caption, value = label("small"), label("body", selectable=True)
            caption.setText(words.legible(fact.name))
            caption.setContentsMargins(0, CAPTION_DROP_PX, 0, 0)
            value.setText(fact.value if counted else words.legible(fact.value))
            value.setWordWrap(not counted)
            grid.addWidget(caption, line, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, line, 1, Qt.AlignmentFlag.AlignRight if counted else Qt.AlignmentFlag.AlignTop)
            if fact.n is not None:
                count = label("number")
                count.setWordWrap(False)
                count.setText(f"n {fact.n:,}")
                grid.addWidget(count, line, 2, Qt.AlignmentFlag.AlignRight)
        return grid
