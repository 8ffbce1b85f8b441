"""The picture: zoom, pan, and the heat map laid on it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from classifier.preprocess import Box
from forensics_app.core.overlay import OPACITY
from forensics_app.gui import theme
from forensics_app.gui.pictures import Painted

MARGIN_PX = 16
MOST_ZOOM = 32.0
MOST_FITTING = 2.0
CORNER_PX = 8
ICON_PX = 56
PIXELATED_FROM = 3.0
STEP = 1.25
PAN_PX = 64


class ImageView(QWidget):
    """Shows one picture. Painting costs by the window's size, whatever the picture's: see `pictures.paintable`."""

    zoomed = Signal(float)
    """Screen pixels per picture pixel."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.painted: Painted | None = None
        self.map_on, self.opacity = True, OPACITY
        self._instead = ""
        self._scale: float | None = None
        self._centre = QPointF()
        self._grabbed: QPointF | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 200)
        self.setAccessibleName(self.tr("Picture"))

    def show_picture(self, painted: Painted | None, instead: str = "") -> None:
        """Show another picture, fitted to the window, or where there is none an icon instead."""
        self.painted, self._instead = painted, instead
        self.fit()

    def set_map(self, on: bool) -> None:
        """Lay the map on the picture or take it off."""
        self.map_on = on
        self.update()

    def set_opacity(self, opacity: float) -> None:
        """Set how much the map covers, in [0, 1]."""
        self.opacity = opacity
        self.update()

    @property
    def zoom(self) -> float:
        """Screen pixels per picture pixel."""
        return self._factor() * self.devicePixelRatioF()

    def fit(self) -> None:
        """Show the whole picture; a small one at most at 200 %."""
        self._scale = None
        width, height = self._size()
        self._centre = QPointF(width / 2, height / 2)
        self._moved()

    def set_zoom(self, zoom: float, at: QPointF | None = None) -> None:
        """Zoom to so many screen pixels per picture pixel; the point `at` of the window stays where it is."""
        if self.painted is None:
            return
        at = QPointF(self.rect().center()) if at is None else at
        held = self._to_picture(at)
        least = min(self._fitting(), 1 / self.devicePixelRatioF())
        self._scale = min(max(zoom / self.devicePixelRatioF(), least), MOST_ZOOM)
        self._centre = held - (at - QRectF(self.rect()).center()) / self._scale
        self._moved()

    def pan(self, x_px: float, y_px: float) -> None:
        """Move the picture by so many pixels of the window."""
        self._centre -= QPointF(x_px, y_px) / self._factor()
        self._moved()

    def _size(self) -> tuple[int, int]:
        return (0, 0) if self.painted is None else (self.painted.levels[0].width(), self.painted.levels[0].height())

    def _fitting(self) -> float:
        width, height = self._size()
        room = self.rect().adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)
        if not width or not height:
            return 1.0
        fitting = min(max(room.width(), 1) / width, max(room.height(), 1) / height)
        return min(fitting, MOST_FITTING / self.devicePixelRatioF())

    def _factor(self) -> float:
        return self._fitting() if self._scale is None else self._scale

    def _target(self) -> QRectF:
        """Return where the whole picture lies in the window."""
        factor, (width, height) = self._factor(), self._size()
        corner = QRectF(self.rect()).center() - self._centre * factor
        return QRectF(corner.x(), corner.y(), width * factor, height * factor)

    def _to_picture(self, point: QPointF) -> QPointF:
        return (point - QRectF(self.rect()).center()) / self._factor() + self._centre

    def _moved(self) -> None:
        """Keep the picture in reach: centred where it fits, its edges outside the window where it does not."""
        factor, (width, height) = self._factor(), self._size()
        half_x, half_y = self.width() / factor / 2, self.height() / factor / 2
        x = width / 2 if 2 * half_x >= width else min(max(self._centre.x(), half_x), width - half_x)
        y = height / 2 if 2 * half_y >= height else min(max(self._centre.y(), half_y), height - half_y)
        self._centre = QPointF(x, y)
        self.zoomed.emit(self.zoom)
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the picture in reach."""
        self._moved()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the visible part of the picture from the level that fits the zoom, then the map and its frames."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.current().canvas))
        if self.painted is not None:
            self._paint(painter, self.painted)
        elif self._instead:
            icon = theme.pixmap(self._instead, theme.current().muted, ICON_PX, self.devicePixelRatioF())
            painter.drawPixmap(self.rect().center() - QPoint(ICON_PX // 2, ICON_PX // 2), icon)
        self._round(painter)

    def _paint(self, painter: QPainter, painted: Painted) -> None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.zoom < PIXELATED_FROM)
        level = max(0, math.floor(math.log2(max(1.0, 1 / self.zoom))))
        self._draw(painter, painted.levels[min(level, len(painted.levels) - 1)])
        if self.map_on and painted.heat is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.setOpacity(self.opacity)
            self._draw(painter, painted.heat)
            painter.setOpacity(1)
            self._frame(painter, painted.boxes)

    def _round(self, painter: QPainter) -> None:
        """Round the corners by painting the window over them, which is cheaper than clipping to a curve."""
        colours, whole, inner = theme.current(), QPainterPath(), QPainterPath()
        whole.addRect(QRectF(self.rect()))
        inner.addRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), CORNER_PX, CORNER_PX)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(whole.subtracted(inner), QColor(colours.window))
        painter.setPen(QPen(QColor(colours.accent if self.hasFocus() else colours.border), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(inner)

    def _draw(self, painter: QPainter, image: QImage) -> None:
        """Draw an image of the whole picture, in any size, but touch only what is in sight."""
        target, seen = self._target(), QRectF(self.rect())
        x, y = target.width() / image.width(), target.height() / image.height()
        shown = target.intersected(seen).translated(-target.topLeft())
        left, top = max(0, math.floor(shown.left() / x)), max(0, math.floor(shown.top() / y))
        right = min(image.width(), math.ceil(shown.right() / x))
        bottom = min(image.height(), math.ceil(shown.bottom() / y))
        part = QRectF(left, top, right - left, bottom - top)
        place = QRectF(target.x() + left * x, target.y() + top * y, part.width() * x, part.height() * y)
        painter.drawImage(place, image, part)

    def _frame(self, painter: QPainter, boxes: Sequence[Box]) -> None:
        """Frame what the detector looked at: dark under light, to be seen on any picture."""
        target, factor = self._target(), self._factor()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for left, top, right, bottom in boxes:
            box = QRectF(left * factor, top * factor, (right - left) * factor, (bottom - top) * factor)
            box.translate(target.topLeft())
            for colour, width in ((QColor(0, 0, 0, 150), 3.0), (QColor(255, 255, 255, 230), 1.0)):
                painter.setPen(QPen(colour, width))
                painter.drawRect(box.adjusted(1, 1, -1, -1))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer."""
        self.set_zoom(self.zoom * 1.0015 ** event.angleDelta().y(), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Grab the picture."""
        if event.button() == Qt.MouseButton.LeftButton and self.painted is not None:
            self._grabbed = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the picture."""
        if self._grabbed is not None:
            moved = event.position() - self._grabbed
            self._grabbed = event.position()
            self.pan(moved.x(), moved.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let the picture go."""
        self._grabbed = None
        self.unsetCursor()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Pan with Shift and the arrow keys; all other keys are the window's."""
        steps = {Qt.Key.Key_Left: (1, 0), Qt.Key.Key_Right: (-1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}
        step = steps.get(Qt.Key(event.key()))
        if step is not None and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.pan(step[0] * PAN_PX, step[1] * PAN_PX)
        else:
            event.ignore()
