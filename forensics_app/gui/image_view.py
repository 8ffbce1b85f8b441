"""The picture: zoom, pan, and the heat map laid on it."""

from __future__ import annotations

import math

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from classifier.preprocess import Box
from forensics_app.core.overlay import OPACITY
from forensics_app.gui import image_overlays, theme
from forensics_app.gui.pictures import Painted

MARGIN_PX = 16
MOST_ZOOM = 32.0
MOST_FITTING = 2.0
ICON_PX = 56
PIXELATED_FROM = 3.0
ALIGNED_FROM = 1.0
"""From one screen pixel per picture pixel on, the picture lies edge on edge with the screen's pixels."""
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
        self.heat: QImage | None = None
        self.boxes: tuple[Box, ...] = ()
        self.split: float | None = None
        self._instead = ""
        self._scale: float | None = None
        self._centre = QPointF()
        self._grabbed: QPointF | None = None
        self._dividing = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 200)
        self.setAccessibleName(self.tr("Picture"))

    def show_picture(self, painted: Painted | None, instead: str = "") -> None:
        """Show another picture, fitted to the window, or where there is none an icon instead."""
        self.painted, self._instead = painted, instead
        self.show_heat(painted.heat if painted else None, painted.boxes if painted else ())
        self.fit()

    def show_heat(self, heat: QImage | None, boxes: tuple[Box, ...]) -> None:
        """Lay another map on the picture, with the parts that the detector looked at."""
        self.heat, self.boxes = heat, boxes
        self.update()

    def set_map(self, on: bool) -> None:
        """Lay the map on the picture or take it off."""
        self.map_on = on
        self.update()

    def set_opacity(self, opacity: float) -> None:
        """Set how much the map covers, in [0, 1]."""
        self.opacity = opacity
        self.update()

    def set_split(self, at: float | None) -> None:
        """Show the map only right of a line, at a part of the window's width; None for all over the picture."""
        self.split = None if at is None else min(max(at, 0.02), 0.98)
        self.setMouseTracking(self.split is not None)
        self.unsetCursor()
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
        if self.zoom >= ALIGNED_FROM:
            ratio = self.devicePixelRatioF()
            corner = QPointF(round(corner.x() * ratio) / ratio, round(corner.y() * ratio) / ratio)
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
        image_overlays.corners(painter, QRectF(self.rect()), focused=self.hasFocus())

    def _paint(self, painter: QPainter, painted: Painted) -> None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.zoom < PIXELATED_FROM)
        level = max(0, math.floor(math.log2(max(1.0, 1 / self.zoom))))
        self._draw(painter, painted.levels[min(level, len(painted.levels) - 1)])
        if self.map_on and self.heat is not None:
            self._paint_map(painter, self.heat)
        if self.zoom >= image_overlays.GRID_FROM:
            image_overlays.grid(painter, self._target(), self._factor(), QRectF(self.rect()))
        if self._divided():
            image_overlays.divider(painter, self._divider(), QRectF(self.rect()))

    def _paint_map(self, painter: QPainter, heat: QImage) -> None:
        painter.save()
        if self._divided():
            painter.setClipRect(QRectF(self._divider(), 0, self.width(), self.height()))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setOpacity(self.opacity)
        self._draw(painter, heat)
        painter.setOpacity(1)
        image_overlays.frame(painter, self._target(), self._factor(), self.boxes)
        painter.restore()

    def _divided(self) -> bool:
        return self.split is not None and self.map_on and self.heat is not None

    def _divider(self) -> float:
        return (self.split or 0.0) * self.width()

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

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer."""
        self.set_zoom(self.zoom * 1.0015 ** event.angleDelta().y(), event.position())
        event.accept()

    def _at_divider(self, point: QPointF) -> bool:
        return self._divided() and abs(point.x() - self._divider()) <= image_overlays.GRAB_PX

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Grab the divider, or the picture."""
        if event.button() != Qt.MouseButton.LeftButton or self.painted is None:
            return
        self._dividing = self._at_divider(event.position())
        if not self._dividing:
            self._grabbed = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag what was grabbed; say where the divider can be."""
        if self._dividing:
            self.set_split(event.position().x() / max(self.width(), 1))
        elif self._grabbed is not None:
            moved = event.position() - self._grabbed
            self._grabbed = event.position()
            self.pan(moved.x(), moved.y())
        if self._grabbed is None:
            over = self._dividing or self._at_divider(event.position())
            self.setCursor(Qt.CursorShape.SplitHCursor if over else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._grabbed, self._dividing = None, False
        self.unsetCursor()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Pan with Shift and the arrow keys; all other keys are the window's."""
        steps = {Qt.Key.Key_Left: (1, 0), Qt.Key.Key_Right: (-1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}
        step = steps.get(Qt.Key(event.key()))
        if step is not None and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.pan(step[0] * PAN_PX, step[1] * PAN_PX)
        else:
            event.ignore()
