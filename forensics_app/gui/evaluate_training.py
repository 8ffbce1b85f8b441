"""How a run learned: its curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from forensics_app.gui.evaluate_overview import show_draft
from forensics_app.gui.plot_view import PlotView
from forensics_app.gui.titled_card import TitledCard, column_of

if TYPE_CHECKING:
    from forensics_app.core.dashboard import Dashboard

PLOT_PX = 360


class TrainingView(QWidget):
    """Loss and accuracy by epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.card, self.curves = TitledCard(self.tr("How it learned")), PlotView()
        self.curves.setMinimumHeight(PLOT_PX)
        self.card.body.addWidget(self.curves)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(column_of(self.card))

    def show_dashboard(self, found: Dashboard) -> None:
        """Show the curves of a run; nothing for a detector without one."""
        draft = found.drafts.get("curves")
        self.card.setVisible(draft is not None)
        self.curves.clear()
        if draft is not None:
            show_draft(self.curves, draft)
