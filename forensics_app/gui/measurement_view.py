"""A measurement in the window as its page has it: the finding, on what it rests, plots and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from forensics_app.gui.evaluate_overview import show_draft
from forensics_app.gui.figure_table import FigureTable
from forensics_app.gui.labels import label
from forensics_app.gui.plot_view import PlotView
from forensics_app.gui.titled_card import TitledCard

if TYPE_CHECKING:
    from forensics_app.core.measurement import Measurement

PLOT_PX = 560


class MeasurementView(QWidget):
    """Empty until a measurement is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.headline, self.context, self.notes = label("headline", selectable=True), label("muted"), label("hint")
        self._sections = QVBoxLayout()
        self._sections.setSpacing(12)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for widget in (self.headline, self.context, self.notes):
            column.addWidget(widget)
        column.addLayout(self._sections)
        self.clear()

    def clear(self) -> None:
        """Show nothing."""
        while (item := self._sections.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for widget in (self.headline, self.context, self.notes):
            widget.hide()

    def show_measurement(self, found: Measurement) -> None:
        """Show a measurement instead of what was there."""
        self.clear()
        for widget, text in ((self.headline, found.headline), (self.context, found.context),
                             (self.notes, " ".join(found.notes))):  # fmt: skip
            widget.setText(text)
            widget.setVisible(bool(text))
        for section in found.sections:
            card = TitledCard(section.title)
            for draft in section.plots:
                view = PlotView()
                view.setMinimumHeight(PLOT_PX)
                card.body.addWidget(view)
                show_draft(view, draft)
            for table in section.tables:
                shown = FigureTable(table.title or section.title)
                shown.show_rows(table.columns, table.rows)
                card.body.addWidget(shown)
                if table.note:
                    self._say(card, table.note)
            if section.note:
                self._say(card, section.note)
            self._sections.addWidget(card)

    @staticmethod
    def _say(card: TitledCard, text: str) -> None:
        note = label("small")
        note.setText(text)
        card.body.addWidget(note)
