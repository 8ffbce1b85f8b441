"""The map on the page: its colours, its class and stage, the line between original and map, its trust."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from forensics_app.gui.image_maps import Found, wanted
from forensics_app.gui.window import Window
from tests.conftest import write_picture
from tests.gui.conftest import LIMIT_MS, drop, files, wait_judged
from tests.gui.test_inspect import seen


@pytest.fixture
def inspecting(qtbot: QtBot, window: Window, tmp_path: Path) -> Window:
    """The window with one judged picture of 320 x 240."""
    drop(window, files([write_picture(tmp_path / "one.png", 320, 240)]))
    wait_judged(qtbot, window, 1)
    return window


def idle(qtbot: QtBot, window: Window) -> None:
    qtbot.waitUntil(lambda: window.inspect.side.maps.at is None, timeout=LIMIT_MS)


def test_another_colour_map_is_shown_and_kept(inspecting: Window) -> None:
    page = inspecting.inspect
    before, legend = seen(inspecting), page.map.legend.grab().toImage()
    page.map.choose_colours("viridis")
    assert np.abs(seen(inspecting) - before).max() > 30 and page.map.legend.grab().toImage() != legend
    assert inspecting.session.settings.text("map/colours") == "viridis"
    page.map.choose_colours("inferno")
    assert np.array_equal(seen(inspecting), before)


def test_the_line_shows_the_original_on_its_left_only(inspecting: Window) -> None:
    page, view = inspecting.inspect, inspecting.inspect.view
    with_map = seen(inspecting)
    view.set_map(False)
    original = seen(inspecting)
    view.set_map(True)
    QTest.keyClicks(view, "s")
    assert page.map.divide.isChecked()
    middle, divided = view.width() // 2, seen(inspecting)
    assert np.array_equal(divided[:, : middle - 16], original[:, : middle - 16])
    assert np.array_equal(divided[:, middle + 16 :], with_map[:, middle + 16 :])
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(middle, 20))
    QTest.mouseMove(view, QPoint(middle // 2, 20))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(middle // 2, 20))
    assert view.split == pytest.approx(0.25, abs=0.02)
    QTest.keyClicks(view, "]]")
    assert view.split == pytest.approx(0.35, abs=0.02)
    QTest.keyClicks(view, "s")
    assert np.array_equal(seen(inspecting), with_map)


def test_pixels_have_borders_from_800_per_cent_on(inspecting: Window) -> None:
    view = inspecting.inspect.view
    view.set_map(False)
    for zoom, borders in ((7.0, False), (16.0, True)):
        view.set_zoom(zoom)
        line = view.grab().toImage()
        inside = [line.pixelColor(x, 100).rgb() for x in range(100, 164)]
        runs = sum(one != other for one, other in pairwise(inside))
        assert (runs >= 7) and (borders == (runs > 64 / zoom + 1)), (zoom, runs)


def test_at_100_per_cent_a_picture_pixel_is_a_screen_pixel(inspecting: Window) -> None:
    view = inspecting.inspect.view
    view.set_map(False)
    view.set_zoom(1.0)
    target = view._target()
    assert target.x() == int(target.x()) and target.y() == int(target.y())
    judged = inspecting.inspect.shown()
    assert judged is not None
    x, y = int(target.x()), int(target.y())
    assert np.array_equal(
        seen(inspecting)[y + 40 : y + 200, x + 40 : x + 280], judged.analysis.file.pixels[40:200, 40:280]
    )


def test_the_map_of_the_other_class_is_drawn(qtbot: QtBot, inspecting: Window) -> None:
    page = inspecting.inspect
    first = page.side.shown_map()
    page.map.classes.setCurrentIndex(1)
    idle(qtbot, inspecting)
    second = page.side.shown_map()
    assert first is not None and second is not None and (second.cls, second.stage) == ("real", "last")
    assert not np.array_equal(first.heat.values, second.heat.values) and page.view.boxes == second.heat.boxes
    assert "no sign of generation" in page.map._note.text()


def test_trust_is_measured_on_demand_and_told(qtbot: QtBot, inspecting: Window) -> None:
    badge = inspecting.inspect.map.trust
    assert "not measured yet" in badge.level.text() and badge.measure.isVisible()
    QTest.keyClicks(inspecting.inspect.view, "m")
    qtbot.waitUntil(lambda: not badge.measure.isVisible(), timeout=LIMIT_MS)
    shown = inspecting.inspect.side.shown_map()
    assert shown is not None and shown.trust is not None
    assert shown.trust.level in badge.level.text() and badge.words.text() == shown.trust.words


def test_another_stage_is_drawn_and_measured_by_a_child(qtbot: QtBot, inspecting: Window) -> None:
    page = inspecting.inspect
    if not page.map.stages.isEnabled():
        pytest.skip("needs the extra 'train'")
    page.map.stages.setCurrentIndex(page.map.stages.findData("third"))
    assert page.side.shown_map() is None and page.view.heat is None
    idle(qtbot, inspecting)
    shown = page.side.shown_map()
    assert shown is not None and shown.stage == "third" and shown.trust is not None
    assert shown.heat.values.shape == (240, 320) and shown.heat.boxes and page.view.heat is not None
    assert not inspecting.session.jobs.active


def test_a_picture_starts_with_the_map_of_the_answer(qtbot: QtBot, inspecting: Window, tmp_path: Path) -> None:
    page = inspecting.inspect
    page.map.classes.setCurrentIndex(1)
    idle(qtbot, inspecting)
    drop(inspecting, files([write_picture(tmp_path / "two.png", 320, 240, seed=2)]))
    wait_judged(qtbot, inspecting, 2)
    assert (page.map.cls, page.map.stage) == ("fake", "last") and page.view.heat is not None


def test_a_map_that_cannot_be_drawn_is_told(qtbot: QtBot, inspecting: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    page = inspecting.inspect

    def broken(*_: object) -> Found:
        raise RuntimeError("no")

    monkeypatch.setattr("forensics_app.gui.image_maps.Maps.draw", broken)
    page.map.classes.setCurrentIndex(1)
    qtbot.waitUntil(page.notice.isVisible, timeout=LIMIT_MS)
    assert "RuntimeError" in page.notice.text.text() and page.map.draw.isVisible()
    judged = page.shown()
    assert judged is not None and page.side.maps.find(judged, wanted(judged, "real")) is None
