"""The threshold explorer: what a threshold does to both errors, live, from the probabilities that were kept."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from classifier.metrics import Figure as Measured
from classifier.thresholds import answer_lines, answers_at, error_lines, errors_at
from forensics_app.core.run_folder import Run
from forensics_app.core.run_tables import told
from forensics_app.gui import theme, words
from forensics_app.gui.choice_fields import Slider
from forensics_app.gui.figure_table import FigureTable
from forensics_app.gui.labels import label
from forensics_app.gui.plot_view import PlotView, plot_theme
from forensics_app.gui.titled_card import TitledCard, column_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLOT_PX, STEPS = 260, 200
SHARES = (0.5, 0.1, 0.01)
"""Parts of generated pictures that are told what they do to a verdict: half as measured, then as they are out there."""


class ThresholdPlot(PlotView):
    """A plot over thresholds, with a line at the one that is chosen: moving it draws nothing anew."""

    def __init__(self) -> None:
        super().__init__()
        self.threshold = 0.5
        self.band: tuple[float, float] | None = None

    def mark(self, threshold: float) -> None:
        """Move the line."""
        self.threshold = threshold
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the plot, the abstain band as a tint, and the line."""
        super().paintEvent(event)
        if self.painted is None or not self.painted.places:
            return
        part, colours = self.painted.places[0].rect, theme.current()
        left, wide = part.x() * self.width(), part.width() * self.width()
        top, bottom = part.y() * self.height(), (part.y() + part.height()) * self.height()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.band is not None and self.band[1] > self.band[0]:
            tint = QColor(colours.unsure)
            tint.setAlphaF(0.12)
            start, end = (left + wide * edge for edge in self.band)
            painter.fillRect(round(start), round(top), round(end - start), round(bottom - top), tint)
        painter.setPen(QPen(QColor(colours.accent), 2))
        x = left + wide * self.threshold
        painter.drawLine(QPointF(x, top), QPointF(x, bottom))
        painter.end()


class ThresholdView(QWidget):
    """A slider, the curves, and what the chosen threshold means in counts."""

    def __init__(self) -> None:
        super().__init__()
        self.card, self.meaning = TitledCard(self.tr("Threshold")), TitledCard(self.tr("At this threshold"))
        self.slider, self.value = Slider(Qt.Orientation.Horizontal), label("headline")
        self.slider.setRange(0, STEPS)
        self.slider.setMinimumHeight(24)
        self.slider.setAccessibleName(self.tr("Threshold in two-hundredths"))
        self.value.setWordWrap(False)
        self.value.setFixedWidth(96)
        self.plot, self.note = ThresholdPlot(), label("small")
        self.plot.setMinimumHeight(PLOT_PX)
        self.errors, self.shares = (
            FigureTable(self.tr("Both errors")),
            FigureTable(self.tr("By how many are generated")),
        )
        self.why = label("small")
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(self.value)
        row.addWidget(self.slider, 1)
        self.card.body.addLayout(row)
        self.card.body.addWidget(self.plot, 1)
        self.card.body.addWidget(self.note)
        for widget in (self.errors, self.shares, self.why):
            self.meaning.body.addWidget(widget)
        self.missing = label("muted")
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(column_of(self.missing, self.card, self.meaning))
        self._run: Run | None = None
        self._place = 0
        self._p: NDArray[np.float64] = np.zeros((0, 2))
        self._labels: NDArray[np.int64] = np.zeros(0, np.int64)
        self.slider.valueChanged.connect(self._moved)
        self.plot.clicked.connect(lambda _axes, x, _y: self.slider.setValue(round(x * STEPS)))

    @property
    def _two(self) -> bool:
        return bool(self._p.shape[1] == 2)

    def show_run(self, run: Run) -> None:
        """Explore what a run's detector said of the pictures that were measured."""
        predictions = run.predictions
        able = predictions is not None and len(set(predictions.labels.tolist())) > 1
        for card in (self.card, self.meaning):
            card.setVisible(able)
        self.missing.setVisible(not able)
        self.missing.setText(self.tr("What it said of each picture was not kept, or there is one class only."))
        if not able or predictions is None:
            return
        self._run, self._p, self._labels = run, predictions.p, predictions.labels
        self._place = predictions.classes.index("fake") if "fake" in predictions.classes else 0
        band = run.card.band if run.installed.judges else None
        self.plot.band = (band.low, band.high) if band else None
        self.note.setText(self.tr(
            "The tinted stretch is where this detector says “can't tell”. Click into the plot or move the slider."
        ) if band and band.low < band.high else self.tr("Click into the plot or move the slider."))  # fmt: skip
        self._draw()
        start = round((band.high if band else 0.5) * STEPS)
        self.slider.setValue(start)
        self._moved(start)

    def _names(self) -> tuple[str, str]:
        run = self._run
        if run is None or not self._two:
            return self.tr("gets an answer"), self.tr("right among those")
        if run.installed.judges:
            return self.tr("real called generated"), self.tr("generated that are missed")
        name, other = (words.legible(run.card.classes[place]) for place in (self._place, 1 - self._place))
        return self.tr("{0} taken for {1}").format(other, name), self.tr("{0} that are missed").format(name)

    def _draw(self) -> None:
        p, labels, place, names, two = self._p, self._labels, self._place, self._names(), self._two
        title = self.tr("Both errors by threshold") if two else self.tr("Answers by threshold")
        x = self.tr("threshold of p") if two else self.tr("least p of the most probable class")

        def make(colours: theme.Colours, _inches: tuple[float, float]) -> Figure:
            from classifier.threshold_figures import over_threshold

            dress = plot_theme(colours)
            lines = error_lines(p[:, place], labels == place, names) if two else answer_lines(p, labels, names)
            inks = (dress.real, dress.fake) if two else (dress.unsure, dress.accent)
            return over_threshold(lines, dress, title=f"{title}, n = {len(p):,}", x=x, inks=inks)

        self.plot.draw(make, title)

    @Slot(int)
    def _moved(self, step: int) -> None:
        threshold = step / STEPS
        self.value.setText(f"p ≥ {threshold:.2f}")
        self.plot.mark(threshold)
        if not len(self._p):
            return
        names = self._names()
        if self._two:
            found = errors_at(self._p[:, self._place], self._labels == self._place, threshold)
            rows = [_row(name, one) for name, one in zip(names, (found.false_alarm, found.missed), strict=True)]
            shares = [(f"{100 * share:g} %", _percent(found.precision(share))) for share in SHARES]
            what = words.legible(self._run.card.classes[self._place]) if self._run else ""
            self.shares.show_rows((self.tr("if so many are {0}").format(what),
                                   self.tr("of those called {0}, right").format(what)), shares)  # fmt: skip
            self.why.setText(self.tr("Where few pictures are generated, most of those that are flagged are real."))
        else:
            given = answers_at(self._p, self._labels, threshold)
            rows = [_row(name, one) for name, one in zip(names, (given.given, given.right), strict=True)]
        for widget in (self.shares, self.why):
            widget.setVisible(self._two)
        self.errors.show_rows(("", self.tr("part (95 % interval)"), self.tr("pictures")), rows)


def _row(name: str, one: Measured) -> tuple[str, str, str]:
    count = round(one.value * one.n) if one.n else 0
    return name, told(one), words.tr("{0:,} of {1:,}").format(count, one.n)


def _percent(part: float) -> str:
    return "–" if math.isnan(part) else f"{100 * part:.0f} %"
