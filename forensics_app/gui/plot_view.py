"""A plot in the window: drawn by matplotlib in a thread, sharp on any screen, in the window's colours."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPointF, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from forensics_app.gui import theme
from forensics_app.gui.garbage import collect_passed, lasting, passing
from forensics_app.gui.jobs import ThreadJob

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from classifier.drawing import Theme

Make = Callable[[theme.Colours, tuple[float, float]], "Figure"]
"""Takes the window's colours and a size in inches; runs in a thread, so it touches no widget."""

DPI = 96
SOON_MS = 40
LEAST = QSize(200, 140)
"""Nothing smaller is drawn: axes and their names would not fit."""


@dataclass(frozen=True)
class Place:
    """Where an axes lies on the plot, in parts of its size from the top left, and what a point (x, y in px) means."""

    rect: QRectF
    to_data: Callable[[tuple[float, float]], Any]


@dataclass(frozen=True)
class Painted:
    """A finished plot; `height_px` is that of its own pixels."""

    image: QImage
    places: tuple[Place, ...]
    height_px: int


def plot_theme(colours: theme.Colours) -> Theme:
    """Return the window's colours as the plots of reports take them. Imports matplotlib: not for the GUI thread."""
    from classifier.drawing import Theme

    return Theme(
        ground=colours.surface, text=colours.text, soft=colours.muted, line=colours.border, accent=colours.accent,
        fake=colours.fake, real=colours.real, unsure=colours.unsure,
    )  # fmt: skip


@cache
def _canvases() -> Callable[[Figure], Any]:  # the methods of a canvas have no types
    with lasting():
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        import classifier.figures  # noqa: F401 - most of what matplotlib consists of
    return FigureCanvasAgg


def paint(make: Make, colours: theme.Colours, size: QSize, ratio: float) -> Painted:
    """Draw a plot that fills `size` (logical px) on a screen with that pixel ratio. Not for the GUI thread."""
    # For good: taking it back would race with the other threads' filters.
    for harmless in ("Glyph .* missing from font", "constrained_layout not applied"):
        warnings.filterwarnings("ignore", message=harmless)
    canvas_of = _canvases()
    with passing():
        return _painted(make, colours, size, ratio, canvas_of)


def _painted(
    make: Make, colours: theme.Colours, size: QSize, ratio: float, canvas_of: Callable[[Figure], Any]
) -> Painted:
    inches = size.width() / DPI, size.height() / DPI
    plot = make(colours, inches)
    plot.set_size_inches(*inches)
    plot.set_dpi(DPI * ratio)
    canvas = canvas_of(plot)
    canvas.draw()
    width, height = canvas.get_width_height()
    image = QImage(canvas.buffer_rgba(), width, height, QImage.Format.Format_RGBA8888).copy()
    image.setDevicePixelRatio(ratio)
    places = []
    for axes in plot.axes:
        box = axes.get_window_extent().transformed(plot.transFigure.inverted())
        rect = QRectF(box.x0, 1 - box.y1, box.width, box.height)
        places.append(Place(rect, axes.transData.inverted().transform))
    return Painted(image, tuple(places), height)


class Artist(QObject):
    """Draws the plots of all views, one at a time: matplotlib's caches of fonts are no place for two threads."""

    drawn = Signal(object, object)
    """The view, and its `Painted` or the exception."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._orders: dict[PlotView, Callable[[], Painted]] = {}
        self._job: ThreadJob | None = None

    def order(self, view: PlotView, work: Callable[[], Painted]) -> None:
        """Have a view's plot drawn; of several orders of one view only the last counts."""
        self._orders[view] = work
        self._next()

    def withdraw(self, view: PlotView) -> None:
        """Forget what a view has ordered."""
        self._orders.pop(view, None)

    @Slot()
    def wait(self) -> None:
        """Forget all orders, and block until the plot at hand is drawn."""
        self._orders.clear()
        if self._job is not None:
            self._job.wait()

    def _next(self) -> None:
        if self._job is not None or not self._orders:
            return
        view = next(iter(self._orders))
        work = self._orders.pop(view)

        def events() -> Iterator[Painted]:
            yield work()

        job = ThreadJob(events, self)
        job.finished.connect(lambda painted: self._end(view, painted))
        job.failed.connect(lambda error: self._end(view, error))
        self._job = job
        job.start()

    def _end(self, view: PlotView, outcome: Painted | Exception) -> None:
        if self._job is not None:
            self._job.deleteLater()
            self._job = None
        self.drawn.emit(view, outcome)
        collect_passed()
        self._next()


def artist() -> Artist:
    """Return the application's only artist; it ends its work before the application does."""
    app = QCoreApplication.instance()
    if app is None:
        raise RuntimeError("a plot needs an application")
    found = app.findChild(Artist)
    if found is None:
        found = Artist(app)
        app.aboutToQuit.connect(found.wait)
    return found


class PlotView(QWidget):
    """Shows one plot; draws it anew when its size, the screen or the theme changes, never in the GUI thread."""

    clicked = Signal(int, float, float)
    """The number of an axes of the plot, and x and y in its data's units."""
    shown = Signal()
    """A plot was drawn and is on the screen from the next repaint on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(LEAST)
        self._make: Make | None = None
        self.painted: Painted | None = None
        self.problem = ""
        self._soon = QTimer(self, interval=SOON_MS, singleShot=True)
        self._soon.timeout.connect(self._order)
        artist().drawn.connect(self._take)

    def draw(self, make: Make, words: str = "") -> None:
        """Show what `make` draws; `words` tell it to those who do not see it."""
        self._make, self.problem = make, ""
        self.setAccessibleName(words or self.tr("Plot"))
        self._soon.start()

    def clear(self) -> None:
        """Show nothing."""
        self._make = self.painted = None
        self.problem = ""
        artist().withdraw(self)
        self.update()

    def sizeHint(self) -> QSize:
        """Return what a plot of two axes side by side needs."""
        return QSize(480, 280)

    @Slot()
    def _order(self) -> None:
        make, size = self._make, self.size()
        if make is None or not self.isVisible() or size.width() < LEAST.width() or size.height() < LEAST.height():
            return
        colours, ratio = theme.current(), self.devicePixelRatioF()
        artist().order(self, lambda: paint(make, colours, size, ratio))

    @Slot(object, object)
    def _take(self, view: object, outcome: object) -> None:
        if view is not self or self._make is None:
            return
        if isinstance(outcome, Painted):
            self.painted = outcome
            self.shown.emit()
        else:
            self.painted = None
            self.problem = self.tr("This plot could not be drawn: {0}").format(outcome or type(outcome).__name__)
        self.update()

    def place_at(self, at: QPointF) -> tuple[int, float, float] | None:
        """Return the axes under a point of the widget and the point in its data's units, or None beside all axes."""
        if self.painted is None or not self.width() or not self.height():
            return None
        part = QPointF(at.x() / self.width(), at.y() / self.height())
        for number, place in enumerate(self.painted.places):
            if place.rect.contains(part):
                width, height = self.painted.image.width(), self.painted.height_px
                x, y = place.to_data((part.x() * width, (1 - part.y()) * height))
                return number, float(x), float(y)
        return None

    # -- events

    def changeEvent(self, event: QEvent) -> None:
        """Draw anew in other colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._soon.start()

    def event(self, event: QEvent) -> bool:
        """Draw anew for another screen."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._soon.start()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw anew at another size."""
        super().resizeEvent(event)
        self._soon.start()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what was asked for while the view was hidden."""
        super().showEvent(event)
        self._soon.start()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell what was clicked on."""
        found = self.place_at(event.position()) if event.button() == Qt.MouseButton.LeftButton else None
        if found is not None:
            self.clicked.emit(*found)
        super().mousePressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the plot, stretched for the moment until one of the right size is there, or why there is none."""
        painter = QPainter(self)
        if self.painted is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(QRectF(self.rect()), self.painted.image)
        elif self.problem:
            painter.setPen(QColor(theme.current().muted))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(16, 8, -16, -8), int(flags), self.problem)
        painter.end()
