from __future__ import annotations

import re
from dataclasses import asdict

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QLineEdit, QListWidget
from pytestqt.qtbot import QtBot

from classifier.places import resources
from forensics_app.gui import theme


@pytest.mark.parametrize("name", theme.THEMES)
def test_text_can_be_read(name: str) -> None:
    colours = theme.THEMES[name]
    faint = {
        pair: round(theme.contrast(getattr(colours, pair[0]), getattr(colours, pair[1])), 2)
        for pair in theme.TEXT_PAIRS
        if theme.contrast(getattr(colours, pair[0]), getattr(colours, pair[1])) < 4.5
    }
    assert not faint


def test_contrast_is_that_of_wcag() -> None:
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_the_style_sheet_names_only_known_colours() -> None:
    sheet = re.sub(r"/\*.*?\*/", "", (resources() / "style.qss").read_text(encoding="utf-8"), flags=re.S)
    assert set(re.findall(r"\$(\w+)", sheet)) <= {*asdict(theme.LIGHT), "check", "down"}
    assert not re.search(r"#[0-9a-f]{6}", sheet)


@pytest.mark.parametrize("name", theme.THEMES)
def test_both_themes_can_be_put_on(name: str, qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORENSICS_THEME", name)
    theme.apply(qapp)
    assert theme.current() is theme.THEMES[name]
    assert qapp.palette().window().color().name() == theme.THEMES[name].window


def test_every_icon_has_strokes(qapp: QApplication) -> None:
    for path in sorted((resources() / "icons").glob("*.svg")):
        image = theme.pixmap(path.stem, "#ff0000", 24).toImage()
        assert any(image.pixelColor(x, y).alpha() > 128 for x in range(24) for y in range(24)), path.name


@pytest.mark.parametrize("name", theme.THEMES)
def test_hints_in_fields_and_boxes_to_tick_can_be_seen(
    name: str, qapp: QApplication, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORENSICS_THEME", name)
    theme.apply(qapp)
    muted = QColor(theme.THEMES[name].muted)
    field, boxes = QLineEdit(), QListWidget()
    field.setPlaceholderText("Name contains…")
    boxes.addItem("a run")
    boxes.item(0).setCheckState(Qt.CheckState.Unchecked)
    for widget in (field, boxes):
        qtbot.addWidget(widget)
        widget.show()
    assert field.palette().color(QPalette.ColorRole.PlaceholderText) == muted
    row = boxes.grab(boxes.visualItemRect(boxes.item(0))).toImage()
    assert any(row.pixelColor(x, row.height() // 2) == muted for x in range(24))
