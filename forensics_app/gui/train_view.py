"""A training as it runs: where it is, its curves, what it takes for what after each epoch, and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from forensics_app.core.run_list import REPORT
from forensics_app.gui import theme, words
from forensics_app.gui.choice_fields import Slider
from forensics_app.gui.job_card import JobCard
from forensics_app.gui.labels import label
from forensics_app.gui.plot_view import PlotView, plot_theme
from forensics_app.gui.titled_card import TitledCard
from forensics_app.gui.train_log import TrainingLog

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CURVES_PX, MATRIX_PX, WIDE_PX = 280, 380, 1080


class ResultCard(QFrame):
    """What came of a finished training, and what to do with it."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "good")
        self.headline, self.where = label("headline"), label("small", selectable=True)
        self.evaluate = QPushButton(self.tr("See how good it is"))
        self.evaluate.setProperty("role", "primary")
        self.report, self.use = QPushButton(self.tr("Open the report")), QPushButton(self.tr("Use this detector"))
        self._row = row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        row.setSpacing(8)
        for button in (self.evaluate, self.use, self.report):
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(8)
        column.addWidget(self.headline)
        column.addWidget(self.where)
        column.addLayout(row)

    def narrow(self, narrow: bool) -> None:
        """Stand the buttons below one another, or side by side."""
        sides = QBoxLayout.Direction
        self._row.setDirection(sides.TopToBottom if narrow else sides.LeftToRight)


class Facts(QWidget):
    """Some figures beside one another, each below its name."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(2)
        self.values: list[QLabel] = []
        for place, name in enumerate(names):
            caption, value = label("small"), label("title", selectable=True)
            caption.setText(name)
            value.setAccessibleName(name)
            grid.addWidget(caption, 0, place)
            grid.addWidget(value, 1, place)
            grid.setColumnStretch(place, 1)
            self.values.append(value)

    def tell(self, *texts: str) -> None:
        """Show the figures; an empty one is a dash."""
        for value, text in zip(self.values, texts, strict=True):
            value.setText(words.legible(text) or "–")


class TrainView(QWidget):
    """Follows one training after the other."""

    wanted = Signal(str, object)
    """What the user asks for of a finished run: `evaluate` or `use`, and its folder."""

    def __init__(self) -> None:
        super().__init__()
        self.card, self.result = JobCard(), ResultCard()
        self.facts = Facts((self.tr("Now"), self.tr("Epoch"), self.tr("Pictures a second"), self.tr("Device")))
        self.curves, self.matrix, self.nothing = PlotView(), PlotView(), label("muted")
        self.slider, self.of_epoch = Slider(Qt.Orientation.Horizontal), label("number")
        self.log: TrainingLog | None = None
        self._lay_out()
        self.result.evaluate.clicked.connect(lambda: self._ask("evaluate"))
        self.result.use.clicked.connect(lambda: self._ask("use"))
        self.result.report.clicked.connect(self._open_report)
        self.slider.valueChanged.connect(self._draw_matrix)

    def _lay_out(self) -> None:
        learning, taking = TitledCard(self.tr("How it learns")), TitledCard(self.tr("What it takes for what"))
        self.curves.setMinimumHeight(CURVES_PX)
        self.matrix.setFixedSize(MATRIX_PX + 48, MATRIX_PX)
        learning.body.addWidget(self.facts)
        self.nothing.setMinimumHeight(CURVES_PX)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        learning.body.addWidget(self.curves)
        learning.body.addWidget(self.nothing)
        note = label("small")
        note.setText(self.tr("On the validation pictures, which it does not learn from. Rows are what they are."))
        self.slider.setAccessibleName(self.tr("Epoch of the confusion matrix"))
        self.of_epoch.setWordWrap(False)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.of_epoch)
        row.addWidget(self.slider, 1)
        taking.body.addWidget(note)
        taking.body.addWidget(self.matrix, 0, Qt.AlignmentFlag.AlignHCenter)
        taking.body.addLayout(row)
        self._taking = taking
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self._beside = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._beside.setSpacing(12)
        self._beside.addWidget(learning, 1)
        self._beside.addWidget(taking)
        for widget in (self.card, self.result):
            column.addWidget(widget)
        column.addLayout(self._beside)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the matrix beside the curves where there is room for both."""
        super().resizeEvent(event)
        beside = event.size().width() >= WIDE_PX
        sides = QBoxLayout.Direction
        self._beside.setDirection(sides.LeftToRight if beside else sides.TopToBottom)

    def follow(self, log: TrainingLog) -> None:
        """Show a training from now on."""
        if self.log is not None:
            self.log.grown.disconnect(self._grown)
            self.log.moved.disconnect(self._moved)
            self.log.job.changed.disconnect(self._moved)
        self.log = log
        log.grown.connect(self._grown)
        log.moved.connect(self._moved)
        log.job.changed.connect(self._moved)
        self.card.follow(log.job)
        self.slider.setRange(0, 0)
        self.matrix.clear()
        self._grown()
        self._moved()

    @Slot()
    def _moved(self) -> None:
        if (log := self.log) is None:
            return
        running = log.job.state in ("running", "pausing", "stopping")
        of = f"{len(log.epochs)} / {log.total}" if log.total else str(len(log.epochs))
        self.facts.tell(log.stage if running else "", of, f"{log.speed:,.0f}" if log.speed else "", log.device)
        self._tell_nothing(log)
        done = log.job.state == "finished"
        self.result.setVisible(done)
        self.card.setVisible(not done)
        if done:
            self.result.headline.setText(words.legible(log.headline or self.tr("The detector is ready")))
            self.result.where.setText(words.legible(str(log.out)))

    def _tell_nothing(self, log: TrainingLog) -> None:
        """Say in words that there is no epoch to draw."""
        ended = log.job.ended
        self.curves.setVisible(bool(log.epochs))
        self.nothing.setVisible(not log.epochs)
        self.nothing.setText(
            self.tr("It ended before its first epoch was finished: there is nothing to draw.") if ended
            else self.tr("The curves begin when the first epoch is finished.")
        )  # fmt: skip

    @Slot()
    def _grown(self) -> None:
        if (log := self.log) is None:
            return
        loss = {"training": log.column("train_loss"), "validation": log.column("val_loss")}
        accuracy = {"training": log.column("train_accuracy"), "validation": log.column("val_accuracy")}
        phases, kept = log.passed, log.kept

        def make(colours: theme.Colours, _inches: tuple[float, float]) -> Figure:
            from classifier.figures import curves

            return curves(loss, accuracy, plot_theme(colours), phases=phases, kept=kept)

        self._tell_nothing(log)
        told = self.tr("Loss and accuracy over {0} epochs").format(len(log.epochs))
        self.curves.draw(make, told)
        self._taking.setVisible(bool(log.confusions))
        followed = self.slider.value() == self.slider.maximum()
        self.slider.setMaximum(max(0, len(log.epochs) - 1))
        self.slider.setVisible(len(log.epochs) > 1)
        if followed:
            self.slider.setValue(self.slider.maximum())
        self._draw_matrix()

    @Slot()
    def _draw_matrix(self) -> None:
        taken = self.log.confusion(self.slider.value()) if self.log else None
        if taken is None:
            return
        counts, classes = np.array(taken.counts, np.int64), [words.legible(name) for name in taken.classes]
        title = self.tr("After epoch {0}, {1:,} pictures").format(taken.epoch + 1, int(counts.sum()))
        self.of_epoch.setText(self.tr("Epoch {0}").format(taken.epoch + 1))

        def make(colours: theme.Colours, _inches: tuple[float, float]) -> Figure:
            from classifier.figures import confusion_matrix

            return confusion_matrix(counts, classes, plot_theme(colours), title=title)

        right = int(np.trace(counts))
        self.matrix.draw(make, self.tr("{0}: {1:,} right").format(title, right))

    def _ask(self, what: str) -> None:
        if self.log is not None:
            self.wanted.emit(what, self.log.out)

    @Slot()
    def _open_report(self) -> None:
        if self.log is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.log.out / REPORT)))
