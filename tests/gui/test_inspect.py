from __future__ import annotations

import dataclasses
import gc
import json
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QLabel, QSlider, QWidget
from pytestqt.qtbot import QtBot

from forensics_app.gui import theme
from forensics_app.gui.pages import PAGES
from forensics_app.gui.shortcuts import ShortcutSheet
from forensics_app.gui.window import Window
from tests.conftest import write_picture
from tests.gui.conftest import LIMIT_MS, drop, files, wait_judged

Make = Callable[[int], list[Path]]


@pytest.fixture
def inspecting(qtbot: QtBot, window: Window, tmp_path: Path) -> Window:
    """The window with one judged picture of 900 x 700."""
    drop(window, files([write_picture(tmp_path / "one.png", 900, 700)]))
    wait_judged(qtbot, window, 1)
    return window


def seen(window: Window) -> np.ndarray:
    image = (
        window.inspect.view.grab().toImage().convertToFormat(window.inspect.view.grab().toImage().Format.Format_RGB888)
    )
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def test_space_toggles_the_map(inspecting: Window) -> None:
    with_map = seen(inspecting)
    QTest.keyClick(inspecting.inspect.view, Qt.Key.Key_Space)
    assert not inspecting.inspect.map.switch.isChecked()
    without = seen(inspecting)
    assert np.abs(with_map - without).max() > 30
    QTest.keyClick(inspecting.inspect.strip, Qt.Key.Key_Space)
    assert np.array_equal(seen(inspecting), with_map)


def test_the_map_touches_only_what_the_detector_looked_at(inspecting: Window) -> None:
    view = inspecting.inspect.view
    with_map = seen(inspecting)
    view.set_map(False)
    changed = np.abs(with_map - seen(inspecting)).max(axis=2) > 0
    target, factor = view._target(), view._factor()
    for left, top, right, bottom in view.painted.boxes if view.painted else ():
        x, y = target.x() + left * factor, target.y() + top * factor
        changed[
            int(y) - 3 : int(y + (bottom - top) * factor) + 4, int(x) - 3 : int(x + (right - left) * factor) + 4
        ] = False
    assert not changed.any()


def test_opacity_starts_at_45_and_follows_the_slider(inspecting: Window) -> None:
    page = inspecting.inspect
    assert page.map.slider.value() == 45 and page.view.opacity == pytest.approx(0.45)
    faint = seen(inspecting)
    page.map.slider.setFocus()
    QTest.keyClick(page.map.slider, Qt.Key.Key_End)
    assert page.view.opacity == 1.0
    assert np.abs(seen(inspecting) - faint).max() > 30


def test_zoom_by_keys_and_wheel(inspecting: Window) -> None:
    view = inspecting.inspect.view
    fitted = view.zoom
    QTest.keyClick(view, Qt.Key.Key_1)
    assert view.zoom == pytest.approx(1.0)
    assert inspecting.inspect.toolbar.zoom.text() == "100 %"
    QTest.keyClicks(view, "++")
    assert view.zoom == pytest.approx(1.25**2)
    held = view._to_picture(QPointF(100, 120))
    view.set_zoom(4.0, QPointF(100, 120))
    assert (view._to_picture(QPointF(100, 120)) - held).manhattanLength() < 1e-6
    QTest.keyClick(view, Qt.Key.Key_0)
    assert view.zoom == pytest.approx(fitted)


def test_dragging_moves_the_picture_but_never_out_of_sight(inspecting: Window) -> None:
    view = inspecting.inspect.view
    view.set_zoom(3.0)
    before = view._centre.x()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(300, 200))
    QTest.mouseMove(view, QPoint(240, 200))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(240, 200))
    assert view._centre.x() == pytest.approx(before + 20)
    view.pan(-100_000, -100_000)
    assert view._target().bottomRight().x() == pytest.approx(view.width())
    QTest.keyClick(view, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert view._target().bottomRight().x() > view.width()


def test_export_writes_the_map_and_the_json(qtbot: QtBot, inspecting: Window, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    page = inspecting.inspect
    QTest.keyClick(inspecting, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    dialog = inspecting.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    dialog.setDirectory(str(out))
    dialog.selectFile(str(out / "result.png"))
    dialog.accept()
    qtbot.waitUntil(page.notice.isVisible, timeout=LIMIT_MS)
    told = json.loads((out / "result.json").read_text(encoding="utf-8"))
    judged = page.shown()
    assert judged is not None and told["sha256"] == judged.analysis.file.sha256
    assert told["heatmap"] == str(out / "result.png") and told["verdict"]["label"] == judged.analysis.verdict.label
    with Image.open(out / "result.png") as image:
        assert image.size == (900, 700)
    assert sorted(path.name for path in out.iterdir()) == ["result.json", "result.png"]


def test_an_export_that_fails_says_so_and_leaves_nothing(qtbot: QtBot, inspecting: Window, tmp_path: Path) -> None:
    inspecting.inspect.export_to(tmp_path / "no such folder" / "x.png")
    qtbot.waitUntil(inspecting.inspect.notice.isVisible, timeout=LIMIT_MS)
    assert "could not be written" in inspecting.inspect.notice.text.text()
    assert not (tmp_path / "no such folder").exists()


def test_an_export_replaces_nothing_but_what_was_chosen(qtbot: QtBot, inspecting: Window, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in ("holiday.png", "holiday.json", "my.png"):
        (out / name).write_text("mine")
    told: list[str] = []
    inspecting.inspect._exporter.done.connect(told.append)
    inspecting.inspect.export_to(out / "holiday.png")
    inspecting.inspect.export_to(out / "my.photo")
    qtbot.waitUntil(lambda: len(told) == 2, timeout=LIMIT_MS)
    assert (out / "holiday.json").read_text() == (out / "my.png").read_text() == "mine"
    written = {"holiday.png", "holiday-2.json", "my.photo.png", "my.photo.json"}
    assert {path.name for path in out.iterdir()} == {*written, "holiday.json", "my.png"}
    assert json.loads((out / "holiday-2.json").read_text(encoding="utf-8"))["heatmap"] == str(out / "holiday.png")
    assert "holiday-2.json" in told[0]


def test_an_export_lets_go_of_the_picture(qtbot: QtBot, inspecting: Window, tmp_path: Path) -> None:
    judged = inspecting.inspect.shown()
    assert judged is not None
    copy = dataclasses.replace(judged)
    alive, exporter = weakref.ref(copy), inspecting.inspect._exporter
    with qtbot.waitSignal(exporter.done, timeout=LIMIT_MS):
        exporter.start(copy, tmp_path / "copy.png", inspecting.inspect.side.shown_map())
    del copy
    qtbot.waitUntil(lambda: not exporter.children(), timeout=LIMIT_MS)
    gc.collect()
    assert alive() is None


def test_metadata_cannot_pose_as_the_windows_own_words(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[271] = "Canon\n\n<b>Proof:</b> A valid signature\u202e. " + "W" * 120
    drop(window, files([write_picture(tmp_path / "<b>forged.jpg", 240, 180, exif=exif)]))
    wait_judged(qtbot, window, 1)
    page = window.inspect
    (line,) = page.evidence._lines
    text = line.text().replace("\u200b", "")
    assert "(Canon\\x0a\\x0a<b>Proof:" in text and line.textFormat() == Qt.TextFormat.PlainText
    assert "\n" not in text and "\u202e" not in text
    for label in page.side.findChildren(QLabel):
        assert label.minimumSizeHint().width() <= page.side.viewport().width()
    assert "&lt;b&gt;forged" in page.toolbar.name.toolTip() and "<b>" not in page.toolbar.name.toolTip()


def test_the_hash_is_copied(inspecting: Window) -> None:
    inspecting.inspect.file.copy.click()
    judged = inspecting.inspect.shown()
    assert judged is not None and QGuiApplication.clipboard().text() == judged.analysis.file.sha256


def test_question_mark_shows_the_keys(qtbot: QtBot, inspecting: Window) -> None:
    QTest.keyClicks(inspecting.inspect.view, "?")
    sheet = inspecting.findChild(ShortcutSheet)
    assert sheet is not None and sheet.isVisible()
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: inspecting.findChild(ShortcutSheet) is None)


def test_every_control_is_reached_by_tab_and_has_a_name(inspecting: Window) -> None:
    controls = {
        widget for widget in inspecting.findChildren(QWidget)
        if isinstance(widget, QAbstractButton | QSlider) and widget.isVisible() and widget.isEnabled()
    } - set(inspecting.sidebar.tabs.buttons()[1:])  # fmt: skip
    inspecting.activateWindow()
    inspecting.inspect.view.setFocus()
    reached, focus = set(), inspecting.inspect.view
    for _ in range(200):
        QTest.keyClick(focus, Qt.Key.Key_Tab)
        focus = QApplication.focusWidget() or focus
        reached.add(focus)
    assert inspecting.inspect.view in reached
    assert not [control.accessibleName() for control in controls if control not in reached]
    assert not [
        control for control in controls if not (control.accessibleName() or getattr(control, "text", lambda: "")())
    ]


def test_pages_are_the_rows_of_the_table(inspecting: Window) -> None:
    shown = [inspecting.sidebar.button(number).accessibleName() for number in range(len(PAGES))]
    assert shown == [page.title for page in PAGES]
    inspecting.activateWindow()
    inspecting.sidebar.tabs.button(0).setFocus()
    QTest.keyClick(inspecting.sidebar.tabs.button(0), Qt.Key.Key_Down)
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    assert inspecting.pages.currentIndex() == 1
    QTest.keyClick(inspecting, Qt.Key.Key_Space)
    assert inspecting.inspect.map.switch.isChecked()


def test_a_new_window_fits_the_screen(window: Window) -> None:
    room = window.screen().availableSize()  # 800 x 800 without a screen
    assert window.width() <= room.width() < 1280 and window.height() <= room.height()
    assert window.minimumSizeHint().width() <= 900 and window.minimumSizeHint().height() <= 600


def test_the_geometry_is_kept(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    window.resize(QSize(780, 640))
    window.close()
    assert (tmp_path / "home" / "window.ini").is_file()
    again = Window()
    qtbot.addWidget(again)
    assert again.size() == QSize(780, 640)
    again.close()


def test_samples_are_offered(qtbot: QtBot, window: Window) -> None:
    page = window.inspect
    if not page.samples:
        pytest.skip("resources/samples has no pictures")
    page.empty.sample.click()
    assert "error" not in wait_judged(qtbot, window, len(page.samples))


def test_a_theme_that_changes_while_the_window_is_open(
    inspecting: Window, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("dark", "light"):
        monkeypatch.setenv("FORENSICS_THEME", name)
        theme.apply(qapp)
        inspecting.redress()
        corner = inspecting.grab().toImage().pixelColor(inspecting.width() - 3, 40)
        assert corner.name() == theme.THEMES[name].window
