"""The first view of a detector's figures: what it takes for what, curves, and the tables of its report."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from forensics_app.gui import theme, words
from forensics_app.gui.figure_table import FigureTable
from forensics_app.gui.labels import label
from forensics_app.gui.plot_view import PlotView, plot_theme
from forensics_app.gui.titled_card import TitledCard, column_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from forensics_app.core.dashboard import Dashboard
    from forensics_app.core.run_plots import Draft

PLOT_PX, TABLE_PX = 360, 480
"""The least height and width of a plot, and the least width of a table, where more than two stand side by side."""
NO_LIMIT = 16_777_215
T = TypeVar("T")
MANY = 8
"""With more classes than this a confusion matrix takes the whole width."""
UNITS, MOST_BESIDE = 12, 4
"""Columns of the grid, which two, three and four cards share evenly, and how many cards a row has at most."""


def show_draft(view: PlotView, draft: Draft) -> None:
    """Draw a plot of a report in a view, in the window's colours."""

    def make(colours: theme.Colours, _inches: tuple[float, float]) -> Figure:
        return draft.draw(plot_theme(colours))

    view.draw(make, draft.words)


def in_rows(cards: Sequence[T], most: int) -> list[Sequence[T]]:
    """Return cards in as few rows of at most `most` as hold them, the rows as equally long as can be."""
    rows = -(-len(cards) // most)
    ends = [len(cards) * row // rows for row in range(rows + 1)] if rows else []
    return [cards[begin:end] for begin, end in pairwise(ends)]


class Overview(QWidget):
    """Cards in rows that they fill; `cell_wanted` brings the true and the taken class of a clicked cell."""

    cell_wanted = Signal(int, int)

    def __init__(self) -> None:
        super().__init__()
        tr = self.tr
        self.plots = {
            "confusion": (TitledCard(tr("What it takes for what")), PlotView()),
            "roc": (TitledCard(tr("How far it tells them apart")), PlotView()),
            "reliability": (TitledCard(tr("Whether a probability means what it says")), PlotView()),
            "precision": (TitledCard(tr("What is found, and how much of it is right")), PlotView()),
        }
        self._of_matrix = label("small")
        said = {
            "roc": tr("Each point is a threshold of p; the dashed line is guessing."),
            "reliability": tr("On the dashed line a probability means what it says. Below, how often each was given."),
            "precision": tr("Each point is a threshold. The dashed line is the part that guessing would get right."),
        }
        for name, (card, view) in self.plots.items():
            note = self._of_matrix if name == "confusion" else label("small")
            note.setText(said.get(name, ""))
            view.setMinimumHeight(PLOT_PX)
            card.body.addWidget(view, 1)
            card.body.addWidget(note)
        self.plots["confusion"][1].clicked.connect(self._clicked)
        self.tables = {
            "figures": (TitledCard(tr("Figures")), FigureTable(tr("Figures"))),
            "classes": (TitledCard(tr("Each class")), FigureTable(tr("Each class"))),
            "mixed_up": (TitledCard(tr("What it mixes up most often")), FigureTable(tr("What it mixes up most often"))),
            "pictures": (TitledCard(tr("The pictures it was made from")), FigureTable(tr("Pictures by split"))),
            "sources": (TitledCard(tr("Each source")), FigureTable(tr("Each source"))),
        }
        for card, table in self.tables.values():
            card.body.addWidget(table)
            card.body.addStretch(1)
        self.facts, self._made = TitledCard(tr("How it was made")), QGridLayout()
        self._made.setHorizontalSpacing(16)
        self._made.setVerticalSpacing(6)
        self._made.setColumnStretch(1, 1)
        self.facts.body.addLayout(self._made)
        self.facts.body.addStretch(1)
        self._inside = QWidget()
        for card in (*(card for card, _ in (*self.plots.values(), *self.tables.values())), self.facts):
            card.setParent(self._inside)  # shown without one it would be a window of its own
        self.grid = QGridLayout(self._inside)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setSpacing(12)
        self._classes, self._arranged = 0, (0, 0)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        self.area = column_of(self._inside)
        whole.addWidget(self.area)

    def show_dashboard(self, found: Dashboard) -> None:
        """Show what there is of a detector's figures."""
        measured = found.run.measured
        self._classes = len(measured.classes) if measured else 0
        for name, (card, view) in self.plots.items():
            draft = found.drafts.get(name)
            card.setVisible(draft is not None)
            view.clear()
            if draft is not None:
                show_draft(view, draft)
        matrix = self.plots["confusion"][1]
        kept = found.run.predictions is not None
        counts = self.tr("Counts, and per cent of the row.")
        self._of_matrix.setText(f"{counts} {self.tr('Click a cell to see its pictures.')}" if kept else counts)
        matrix.setCursor(Qt.CursorShape.PointingHandCursor if kept else Qt.CursorShape.ArrowCursor)
        high = PLOT_PX + 20 * max(0, min(self._classes, 24) - 6)
        matrix.setMinimumHeight(high)
        matrix.setMaximumWidth(2 * high if self._classes > MANY else NO_LIMIT)
        for name, (columns, rows, left) in _tables(found).items():
            card, table = self.tables[name]
            card.setVisible(bool(rows))
            if rows:
                table.show_rows(columns, rows, left=left)
        self._show_facts(_rows(found.origins["facts"]))
        self._arranged = (0, 0)
        self._arrange()

    def _show_facts(self, rows: Sequence[tuple[str, ...]]) -> None:
        while (item := self._made.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for line, (name, fact) in enumerate(rows):
            caption, value = label("small"), label("body", selectable=True)
            caption.setText(name)
            caption.setWordWrap(False)
            value.setText(words.legible(fact))
            self._made.addWidget(caption, line, 0, Qt.AlignmentFlag.AlignTop)
            self._made.addWidget(value, line, 1)

    def _arrange(self) -> None:
        beside = max(2, self.width() // PLOT_PX), max(2, self.width() // TABLE_PX)
        if beside == self._arranged:
            return
        self._arranged = beside
        plots = [card for card, _ in self.plots.values()]
        whole = [plots.pop(0)] if self._classes > MANY else []
        figures, *others, sources = (card for card, _ in self.tables.values())
        if len([card for card in plots if not card.isHidden()]) == 1:
            plots.append(others.pop(0))  # a plot alone in its row would be lost in it
        groups = (
            (whole, 1), (plots, beside[0]), ([figures], 1), ([*others, self.facts], beside[1]), ([sources], 1),
        )  # fmt: skip
        for card in [card for cards, _ in groups for card in cards]:
            self.grid.removeWidget(card)
        line = 0
        for cards, most in groups:
            for row in in_rows([card for card in cards if not card.isHidden()], min(most, MOST_BESIDE)):
                for place, card in enumerate(row):
                    self.grid.addWidget(card, line, place * UNITS // len(row), 1, UNITS // len(row))
                line += 1
        for column in range(UNITS):
            self.grid.setColumnStretch(column, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Use the width that there is."""
        super().resizeEvent(event)
        self._arrange()

    @Slot(int, float, float)
    def _clicked(self, axes: int, x: float, y: float) -> None:
        truth, taken = round(y), round(x)
        if axes == 0 and 0 <= truth < self._classes and 0 <= taken < self._classes:
            self.cell_wanted.emit(truth, taken)


Table = tuple[Sequence[str], Sequence[Sequence[str]], Sequence[int]]


def _tables(found: Dashboard) -> dict[str, Table]:
    """Return columns, rows and the columns of words of each table, as the report has them."""
    tables, made, tr = found.tables, found.origins, words.tr
    sets: list[str] = []
    for name in tables["columns"]:
        sets += [name, tr("n")]
    area = [tr("AUC")] if tables["areas"] else []
    answers = [tr("generated"), tr("can't tell"), tr("no sign")] if made["banded"] else []
    return {
        "figures": ((tr("Measured"), *sets), _rows(tables["figures"]), (0,)),
        "classes": (
            (tr("Class"), tr("precision"), tr("recall"), tr("F1"), tr("n"), *area),
            [*_rows(tables["classes"]), *_rows(tables["means"])], (0,),
        ),
        "sources": ((tr("Source"), tr("accuracy"), tr("n"), *answers), _rows(tables["sources"]), (0,)),
        "mixed_up": ((tr("Class, and what it was taken for"), tr("pictures")), _rows(tables["mixed_up"]), (0,)),
        "pictures": ((tr("Class: source"), *made["splits"]), _rows(made["pictures"]), (0,)),
    }  # fmt: skip


def _rows(found: Sequence[Any]) -> list[tuple[str, ...]]:
    return [(row.name, *row.cells) for row in found]
