from __future__ import annotations

import gc
from collections.abc import Callable

import pytest
from matplotlib.figure import Figure
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from forensics_app.core.words import COLOURS
from forensics_app.gui import app as entry
from forensics_app.gui import theme
from forensics_app.gui.plot_view import PlotView, artist, paint, plot_theme
from tests.gui.conftest import LIMIT_MS
from tests.test_imports import loaded_after

Size = tuple[float, float]


def two_axes(colours: theme.Colours, inches: Size) -> Figure:
    """Draw two axes from 0 to 10 and from 0 to 100, filled with the colour of `fake`."""
    plot = Figure(inches, facecolor=colours.surface)
    for number, end in enumerate((10, 100), 1):
        axes = plot.add_subplot(1, 2, number, facecolor=plot_theme(colours).fake)
        axes.set(xlim=(0, end), ylim=(0, end))
    return plot


@pytest.fixture
def view(qtbot: QtBot, qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> PlotView:
    """A view of 480 x 240 px in the light theme."""
    monkeypatch.setenv("FORENSICS_THEME", "light")
    entry.dress(qapp)
    made = PlotView()
    qtbot.addWidget(made)
    made.resize(480, 240)
    made.show()
    qtbot.waitExposed(made)
    return made


def colour_at(view: PlotView, x_part: float, y_part: float) -> str:
    image = view.grab().toImage()
    return QColor(image.pixel(round(image.width() * x_part), round(image.height() * y_part))).name()


def test_a_plot_is_drawn_in_the_windows_colours_and_again_in_another_theme(
    qtbot: QtBot, qapp: QApplication, view: PlotView, monkeypatch: pytest.MonkeyPatch
) -> None:
    with qtbot.waitSignal(view.shown, timeout=LIMIT_MS):
        view.draw(two_axes, "Two squares")
    assert view.accessibleName() == "Two squares"
    assert colour_at(view, 0.3, 0.5) == COLOURS["light"]["fake"] and colour_at(view, 0.01, 0.01) == theme.LIGHT.surface
    monkeypatch.setenv("FORENSICS_THEME", "dark")
    with qtbot.waitSignal(view.shown, timeout=LIMIT_MS):
        theme.apply(qapp)
    assert colour_at(view, 0.3, 0.5) == COLOURS["dark"]["fake"] and colour_at(view, 0.01, 0.01) == theme.DARK.surface


def test_a_plot_is_drawn_anew_at_another_size(qtbot: QtBot, view: PlotView) -> None:
    with qtbot.waitSignal(view.shown, timeout=LIMIT_MS):
        view.draw(two_axes)
    assert view.painted and view.painted.image.size() == QSize(480, 240)
    with qtbot.waitSignal(view.shown, timeout=LIMIT_MS):
        view.resize(300, 200)
    assert view.painted and view.painted.image.size() == QSize(300, 200)


def test_a_plot_is_sharp_on_a_dense_screen() -> None:
    painted = paint(two_axes, theme.LIGHT, QSize(320, 160), 2.0)
    assert painted.image.size() == QSize(640, 320) and painted.image.devicePixelRatio() == 2.0
    assert painted.height_px == 320 and len(painted.places) == 2


@pytest.mark.parametrize(("place", "axes", "end"), [(0, 0, 10), (1, 1, 100)])
def test_a_click_is_told_in_the_units_of_the_data(
    qtbot: QtBot, view: PlotView, place: int, axes: int, end: int
) -> None:
    with qtbot.waitSignal(view.shown, timeout=LIMIT_MS):
        view.draw(two_axes)
    assert view.painted
    rect = view.painted.places[place].rect
    at = QPoint(round((rect.x() + rect.width() * 0.25) * 480), round((rect.y() + rect.height() * 0.25) * 240))
    with qtbot.waitSignal(view.clicked, timeout=LIMIT_MS) as told:
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=at)
    number, x, y = told.args or ()
    assert number == axes and x / end == pytest.approx(0.25, abs=0.01) and y / end == pytest.approx(0.75, abs=0.01)
    with qtbot.assertNotEmitted(view.clicked):
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(2, 2))


def test_a_plot_that_cannot_be_drawn_is_a_sentence(qtbot: QtBot, view: PlotView) -> None:
    def broken(_colours: theme.Colours, _inches: Size) -> Figure:
        raise ValueError("no figures")

    view.draw(broken)
    qtbot.waitUntil(lambda: bool(view.problem), timeout=LIMIT_MS)
    assert view.problem == "This plot could not be drawn: no figures" and view.painted is None
    with qtbot.waitSignal(view.shown, timeout=LIMIT_MS):
        view.draw(two_axes)
    assert not view.problem


def test_what_is_hidden_is_drawn_when_it_is_shown(qtbot: QtBot, view: PlotView) -> None:
    view.hide()
    with qtbot.assertNotEmitted(view.shown, wait=120):
        view.draw(two_axes)
    with qtbot.waitSignal(view.shown, timeout=LIMIT_MS):
        view.show()


def test_many_views_are_drawn_and_waiting_ends_it(qtbot: QtBot, view: PlotView) -> None:
    told: list[int] = []
    others = [PlotView() for _ in range(4)]

    def listening(number: int) -> Callable[[], None]:
        return lambda: told.append(number)

    for number, other in enumerate(others):
        qtbot.addWidget(other)
        other.resize(200, 160)
        other.shown.connect(listening(number))
        other.show()
        other.draw(two_axes)
    qtbot.waitUntil(lambda: sorted(told) == [0, 1, 2, 3], timeout=LIMIT_MS)
    view.draw(two_axes)
    qtbot.waitUntil(lambda: artist()._job is not None, timeout=LIMIT_MS)
    artist().wait()
    assert artist()._job is None


def test_the_window_draws_no_plot_and_loads_no_matplotlib_by_itself() -> None:
    assert loaded_after("import forensics_app.gui.plot_view", ("matplotlib", "torch")) == []


def test_a_plot_that_was_drawn_is_gone_and_does_not_wait_for_a_full_collection(qtbot: QtBot, view: PlotView) -> None:
    gc.collect()
    gc.disable()
    try:
        before = sum(type(one) is Figure for one in gc.get_objects())
        with qtbot.waitSignal(view.shown, timeout=LIMIT_MS):
            view.draw(two_axes)
        assert view.painted is not None and not view.painted.image.isNull()
        qtbot.waitUntil(lambda: artist()._job is None, timeout=LIMIT_MS)  # a resize may have had it drawn again
        assert sum(type(one) is Figure for one in gc.get_objects()) == before
    finally:
        gc.enable()
