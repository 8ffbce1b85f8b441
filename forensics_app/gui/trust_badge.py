"""How far the map on the page can be trusted: a mark, a word and a sentence, or a button that has it measured."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from classifier.trust import Trust
from forensics_app.core.map_words import MARKS, badge
from forensics_app.gui.labels import label

COLOURS = {"good": "real", "fair": "unsure", "poor": "error", "untested": "unsure"}


class TrustBadge(QWidget):
    """Shows a `Trust`; asks for one with `measure_wanted`."""

    measure_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.level, self.words, self.figures = label("title"), label("body", selectable=True), label("small")
        self.measure = QPushButton(self.tr("Measure"))
        self.measure.setAccessibleName(self.tr("Measure how far this map can be trusted"))
        self.measure.setToolTip(
            self.tr(
                "Deletes and puts back what the map marks, and compares with the same map laid elsewhere; about 2 s"
            )
        )
        self.measure.clicked.connect(self.measure_wanted)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.level, 1)
        head.addWidget(self.measure)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.words)
        column.addWidget(self.figures)
        self.show_trust(None, busy=False)

    def show_trust(self, trust: Trust | None, *, busy: bool) -> None:
        """Show what was measured, that it is being measured, or that it was not."""
        self.measure.setVisible(trust is None)
        self.measure.setEnabled(not busy)
        self.measure.setText(self.tr("Measuring…") if busy else self.tr("Measure"))
        shown = badge(trust) if trust else None
        mark, level = (shown.mark, shown.level) if shown else (MARKS["untested"], self.tr("not measured yet"))
        self.level.setText(self.tr("Trust: {0} {1}").format(mark, level))
        self._colour(COLOURS[trust.level] if trust else "")
        for line, text in ((self.words, shown.words if shown else ""), (self.figures, shown.figures if shown else "")):
            line.setText(text)
            line.setVisible(bool(text))

    def _colour(self, verdict: str) -> None:
        self.level.setProperty("verdict", verdict)
        self.level.style().unpolish(self.level)
        self.level.style().polish(self.level)
