"""How the quiz went: your accuracy and the detector's with their intervals, and the pictures where you differed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from forensics_app.core.quiz import Guess, Tally, tallies
from forensics_app.gui import theme
from forensics_app.gui.cards import TitledCard
from forensics_app.gui.labels import label

THUMB = QSize(128, 96)
COLUMNS = 2


class Interval(QWidget):
    """A proportion with its interval on a line from 0 to 1, and where guessing would be."""

    def __init__(self) -> None:
        super().__init__()
        self._figure: tuple[float, float, float] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return the height of a line."""
        return QSize(200, 20)

    def put(self, tally: Tally) -> None:
        """Show how one side did."""
        found = tally.accuracy
        self._figure = (found.value, found.low, found.high) if found.n else None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the line, the interval, the value, and a mark at one half."""
        painter, colours = QPainter(self), theme.current()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = QRectF(8, self.height() / 2 - 2, self.width() - 16, 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.border))
        painter.drawRoundedRect(line, 2, 2)
        painter.setPen(QPen(QColor(colours.muted), 1))
        middle = line.center().x()
        painter.drawLine(int(middle), 2, int(middle), self.height() - 2)
        if self._figure is None:
            return
        value, low, high = (line.x() + part * line.width() for part in self._figure)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.accent))
        painter.drawRoundedRect(QRectF(low, line.y() - 1, max(high - low, 2), 6), 3, 3)
        painter.setPen(QPen(QColor(colours.surface), 2))
        painter.drawEllipse(QRectF(value - 7, line.center().y() - 7, 14, 14))


class SideCard(TitledCard):
    """One side: a large number, its interval, and what it rests on."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.number, self.interval, self.told = label("hero"), Interval(), label("muted")
        for widget in (self.number, self.interval, self.told):
            self.body.addWidget(widget)
        self.body.addStretch(1)

    def put(self, tally: Tally) -> None:
        """Show how it did."""
        found, answered = tally.accuracy, tally.right + tally.wrong
        self.interval.put(tally)
        if answered:
            self.number.setText(self.tr("{0:.0f} % right").format(100 * found.value))
            text = self.tr("{0} of {1} answers (95 % interval {2:.0f} to {3:.0f} %); unsure: {4}")
            self.told.setText(text.format(tally.right, answered, 100 * found.low, 100 * found.high, tally.unsure))
        else:
            self.number.setText(self.tr("No answers"))
            self.told.setText(self.tr("unsure: {0}").format(tally.unsure))


class ResultView(QScrollArea):
    """The end of a game."""

    again = Signal()
    other = Signal()
    inspect = Signal(Path)

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setAccessibleName(self.tr("Result of the quiz"))
        self.yours, self.detectors = SideCard(self.tr("You")), SideCard(self.tr("The detector"))
        self.said, self.differed = label("body"), TitledCard(self.tr("Where you differed"))
        self.play = QPushButton(self.tr("Play again"))
        self.play.setProperty("role", "primary")
        self.elsewhere = QPushButton(self.tr("Other pictures…"))
        self.play.clicked.connect(self.again)
        self.elsewhere.clicked.connect(self.other)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(12)
        for column in range(COLUMNS):
            self._grid.setColumnStretch(column, 1)
        self.differed.body.addLayout(self._grid)
        self._lay_out()

    def _lay_out(self) -> None:
        sides = QHBoxLayout()
        sides.setSpacing(12)
        sides.addWidget(self.yours, 1)
        sides.addWidget(self.detectors, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.play, self.elsewhere):
            button.setMinimumHeight(40)
            buttons.addWidget(button)
        buttons.addStretch(1)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 4, 8)
        column.setSpacing(12)
        column.addLayout(sides)
        column.addWidget(self.said)
        column.addLayout(buttons)
        column.addWidget(self.differed)
        column.addStretch(1)
        self.setWidget(whole)

    def show_result(self, guesses: Sequence[Guess], thumbs: Mapping[Path, QImage]) -> None:
        """Show how both sides did, and the pictures of which they said different things."""
        yours, detectors = tallies(guesses)
        self.yours.put(yours)
        self.detectors.put(detectors)
        self.said.setText(self._compared(yours, detectors))
        while (item := self._grid.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        apart = [guess for guess in guesses if guess.differ]
        for number, guess in enumerate(apart):
            self._grid.addWidget(self._cell(guess, thumbs.get(guess.card.path)), number // COLUMNS, number % COLUMNS)
        self.differed.setVisible(bool(apart))
        self.verticalScrollBar().setValue(0)
        self.play.setFocus()

    def _compared(self, yours: Tally, detectors: Tally) -> str:
        one, other = yours.accuracy, detectors.accuracy
        if not one.n or not other.n:
            return self.tr("One side gave no answer, so there is nothing to compare.")
        if one.low > other.high or other.low > one.high:
            better = self.tr("you") if one.value > other.value else self.tr("the detector")
            return self.tr("The intervals lie apart: {0} did better on pictures like these.").format(better)
        return self.tr("The intervals overlap: so few pictures can't tell who is better. Play again to know more.")

    def _cell(self, guess: Guess, thumb: QImage | None) -> QWidget:
        cell, picture = QWidget(), QLabel()
        picture.setFixedSize(THUMB)
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        if thumb is not None:
            picture.setPixmap(_fitted(thumb, self.devicePixelRatioF()))
        row = QHBoxLayout(cell)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(picture)
        words = QVBoxLayout()
        words.setSpacing(2)
        for role, text in (
            ("title", self.tr("It is generated") if guess.card.truth == "fake" else self.tr("It is from a camera")),
            ("body", self.tr("You: {0}").format(self._word(guess.yours))),
            ("body", self.tr("Detector: {0}, p {1:.2f}").format(self._word(guess.detectors), guess.p_fake)),
        ):
            line = label(role)
            line.setText(text)
            words.addWidget(line)
        look = QPushButton(self.tr("Inspect"))
        look.setProperty("role", "compact")
        look.setAccessibleName(self.tr("Inspect {0}").format(guess.card.path.name))
        look.clicked.connect(lambda: self.inspect.emit(guess.card.path))
        words.addWidget(look, 0, Qt.AlignmentFlag.AlignLeft)
        words.addStretch(1)
        row.addLayout(words, 1)
        return cell

    def _word(self, said: str) -> str:
        return {"fake": self.tr("generated"), "real": self.tr("camera"), "unsure": self.tr("unsure")}[said]


def _fitted(image: QImage, ratio: float) -> QPixmap:
    size = THUMB * ratio
    made = QPixmap.fromImage(
        image.scaled(size, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
    )
    made.setDevicePixelRatio(ratio)
    return made
