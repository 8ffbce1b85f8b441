"""How p is spread over the files, with a threshold to drag that says at once what it would change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from forensics_app.core.verdict import Policy
from forensics_app.gui import theme
from forensics_app.gui.scan_questions import SPREAD_BINS

SIDE_PX, HEAD_PX, FOOT_PX = 16, 20, 20
STACKED = ("fake", "unsure", "real")
KNOB_PX, NUMBER_PX = 7.0, 48


@dataclass(frozen=True)
class Effect:
    """What calling everything from a threshold on generated would change.

    `above` files have p at or above it; of these `more_unsure` and `more_real` are not called generated now, and
    `fewer` below it are.
    """

    above: int
    more_unsure: int
    more_real: int
    fewer: int


def effect(spread: Mapping[str, Sequence[int]], step: int) -> Effect:
    """Return what a threshold of `step` hundredths would change."""
    above = {label: sum(bins[step:]) for label, bins in spread.items()}
    fewer = sum(spread.get("fake", ())[:step])
    return Effect(sum(above.values()), above.get("unsure", 0), above.get("real", 0), fewer)


class Histogram(QWidget):
    """Bars of hundredths or fiftieths, each answer in its colour; the threshold snaps to hundredths."""

    moved = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spread: Mapping[str, Sequence[int]] = {}
        self._policy = Policy(0.5, 0.5)
        self._step = SPREAD_BINS // 2
        self._touched = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("How p is spread; the arrow keys move the threshold"))
        self.setToolTip(self.tr("Drag the line: the sentence below says what that threshold would change."))

    def sizeHint(self) -> QSize:
        """Return room for bars of some height, the numbers below and the threshold above."""
        return QSize(400, 104)

    @property
    def threshold(self) -> float:
        """Where the line is, in [0, 1]."""
        return self._step / SPREAD_BINS

    @property
    def effect(self) -> Effect:
        """What the threshold would change."""
        return effect(self._spread, self._step)

    def show_spread(self, spread: Mapping[str, Sequence[int]], policy: Policy) -> None:
        """Show other files; the line stands where the detector has it until it is moved."""
        self._spread, self._policy = spread, policy
        if not self._touched:
            self._step = round(policy.high * SPREAD_BINS)
        self.moved.emit(self.threshold)
        self.update()

    def forget(self) -> None:
        """Let the line go back to where the detector has it."""
        self._touched = False

    def put(self, threshold: float) -> None:
        """Move the line."""
        step = max(0, min(SPREAD_BINS, round(threshold * SPREAD_BINS)))
        if step != self._step:
            self._step, self._touched = step, True
            self.setAccessibleDescription(f"{self.threshold:.2f}")
            self.moved.emit(self.threshold)
            self.update()

    # -- what Qt calls

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Bring the line here."""
        self.put((event.position().x() - SIDE_PX) / max(self._width(), 1))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the line."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the line by hundredths, or by tenths."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_PageDown: -10, Qt.Key.Key_PageUp: 10}
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.put((self._step + step) / SPREAD_BINS)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the stretch in which the detector abstains, the bars, the numbers and the line."""
        painter, colours = QPainter(self), theme.current()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QRectF(SIDE_PX, HEAD_PX, self._width(), self.height() - HEAD_PX - FOOT_PX)
        low, high = (ground.left() + at * ground.width() for at in (self._policy.low, self._policy.high))
        painter.fillRect(QRectF(low, ground.top(), high - low, ground.height()), QColor(colours.unsure_soft))
        self._bars(painter, ground, colours)
        painter.setPen(QPen(QColor(colours.border), 1))
        painter.drawLine(ground.bottomLeft(), ground.bottomRight())
        self._numbers(painter, ground, colours)
        self._caption(painter, ground, colours)
        self._line(painter, ground, colours)

    def _width(self) -> int:
        return self.width() - 2 * SIDE_PX

    def _heights(self) -> list[list[int]]:
        """Return the files of each bar by answer, stacked from the bottom."""
        joined = 1 if self._width() >= 4 * SPREAD_BINS else 2
        return [
            [sum(self._spread.get(label, (0,) * SPREAD_BINS)[start : start + joined]) for label in STACKED]
            for start in range(0, SPREAD_BINS, joined)
        ]

    @property
    def caption(self) -> str:
        """What the bars count, and how many files the tallest has."""
        return self.tr("files by p_fake, at most {0:,} a bar").format(max(map(sum, self._heights()), default=0))

    def _caption(self, painter: QPainter, ground: QRectF, colours: theme.Colours) -> None:
        """Write the caption above the bars, on that side of the line where there is more room."""
        painter.setFont(self._font())
        painter.setPen(QColor(colours.muted))
        x, side = ground.left() + self.threshold * ground.width(), Qt.AlignmentFlag.AlignLeft
        place = QRectF(ground.left(), 0, x - NUMBER_PX / 2 - ground.left(), HEAD_PX - 4)
        if self.threshold < 0.5:
            place, side = (
                QRectF(x + NUMBER_PX / 2, 0, ground.right() - x - NUMBER_PX / 2, HEAD_PX - 4),
                (Qt.AlignmentFlag.AlignRight),
            )
        text = painter.fontMetrics().elidedText(self.caption, Qt.TextElideMode.ElideRight, int(place.width()))
        painter.drawText(place, side | Qt.AlignmentFlag.AlignVCenter, text)

    def _bars(self, painter: QPainter, ground: QRectF, colours: theme.Colours) -> None:
        bars = self._heights()
        most, width = max((sum(bar) for bar in bars), default=0), ground.width() / len(bars)
        if not most:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for number, bar in enumerate(bars):
            bottom, left = ground.bottom(), ground.left() + number * width
            for label, rows in zip(STACKED, bar, strict=True):
                if rows:
                    height = max(2.0, rows / most * ground.height())
                    painter.fillRect(QRectF(left, bottom - height, width - 1, height), QColor(getattr(colours, label)))
                    bottom -= height
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def _numbers(self, painter: QPainter, ground: QRectF, colours: theme.Colours) -> None:
        painter.setFont(self._font())
        painter.setPen(QColor(colours.muted))
        for at in (0.0, 0.25, 0.5, 0.75, 1.0):
            place = QRectF(ground.left() + at * ground.width() - 24, ground.bottom() + 2, 48, FOOT_PX - 2)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, f"{at:g}")

    def _line(self, painter: QPainter, ground: QRectF, colours: theme.Colours) -> None:
        x = ground.left() + self.threshold * ground.width()
        painter.setPen(QPen(QColor(colours.accent), 2))
        painter.drawLine(QPointF(x, ground.top() - 4), QPointF(x, ground.bottom()))
        painter.setPen(QPen(QColor(colours.text if self.hasFocus() else colours.surface), 2))
        painter.setBrush(QColor(colours.accent))
        painter.drawEllipse(QPointF(x, ground.bottom()), KNOB_PX, KNOB_PX)
        painter.setFont(self._font(bold=True))
        painter.setPen(QColor(colours.accent))
        place = QRectF(max(0.0, min(x - 24, self.width() - 48.0)), 0, 48, HEAD_PX - 4)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, f"{self.threshold:.2f}")

    def _font(self, *, bold: bool = False) -> QFont:
        font = self.font()
        font.setPixelSize(12)
        font.setBold(bold)
        return font
