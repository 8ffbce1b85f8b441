"""What is painted over a picture: frames, the grid of its pixels, the divider of the side-by-side view, corners."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from classifier.preprocess import Box
from forensics_app.gui import theme

CORNER_PX = 8
HANDLE_PX = 14
GRAB_PX = 10
GRID_FROM = 8.0
"""Screen pixels per picture pixel from which on the borders of pixels are drawn."""
GRID = QColor(128, 128, 128, 130)


def frame(painter: QPainter, target: QRectF, factor: float, boxes: Sequence[Box]) -> None:
    """Frame what the detector looked at: dark under light, to be seen on any picture."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for left, top, right, bottom in boxes:
        box = QRectF(left * factor, top * factor, (right - left) * factor, (bottom - top) * factor)
        box.translate(target.topLeft())
        for colour, width in ((QColor(0, 0, 0, 150), 3.0), (QColor(255, 255, 255, 230), 1.0)):
            painter.setPen(QPen(colour, width))
            painter.drawRect(box.adjusted(1, 1, -1, -1))


def grid(painter: QPainter, target: QRectF, factor: float, room: QRectF) -> None:
    """Draw the borders of the pixels that are in sight; `factor` is the side of a pixel in the window."""
    seen = target.intersected(room)
    if seen.isEmpty():
        return
    first_x, last_x = (math.ceil((x - target.x()) / factor) for x in (seen.left(), seen.right()))
    first_y, last_y = (math.ceil((y - target.y()) / factor) for y in (seen.top(), seen.bottom()))
    across = [target.x() + number * factor for number in range(first_x, last_x + 1)]
    down = [target.y() + number * factor for number in range(first_y, last_y + 1)]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
    pen = QPen(GRID, 0)  # one pixel of the screen, whatever its ratio
    painter.setPen(pen)
    painter.drawLines([QLineF(x, seen.top(), x, seen.bottom()) for x in across])
    painter.drawLines([QLineF(seen.left(), y, seen.right(), y) for y in down])


def divider(painter: QPainter, x: float, room: QRectF) -> None:
    """Draw the line between the picture as it is and the picture with its map, with a handle in its middle."""
    colours = theme.current()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for colour, width in ((QColor(0, 0, 0, 150), 4.0), (QColor(255, 255, 255), 2.0)):
        painter.setPen(QPen(colour, width))
        painter.drawLine(QPointF(x, room.top()), QPointF(x, room.bottom()))
    middle = QPointF(x, room.center().y())
    painter.setPen(QPen(QColor(255, 255, 255), 2))
    painter.setBrush(QColor(colours.accent))
    painter.drawEllipse(middle, HANDLE_PX, HANDLE_PX)
    painter.setPen(QPen(QColor(colours.on_accent), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    for side in (-1, 1):
        tip = middle + QPointF(8 * side, 0)
        painter.drawLine(tip, tip + QPointF(-4 * side, -4))
        painter.drawLine(tip, tip + QPointF(-4 * side, 4))


def corners(painter: QPainter, room: QRectF, *, focused: bool) -> None:
    """Round the corners by painting the window over them, which is cheaper than clipping to a curve."""
    colours, whole, inner = theme.current(), QPainterPath(), QPainterPath()
    whole.addRect(room)
    inner.addRoundedRect(room.adjusted(0.5, 0.5, -0.5, -0.5), CORNER_PX, CORNER_PX)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillPath(whole.subtracted(inner), QColor(colours.window))
    painter.setPen(QPen(QColor(colours.accent if focused else colours.border), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(inner)
