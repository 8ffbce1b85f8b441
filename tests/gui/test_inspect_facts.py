"""What stands beside the picture: metadata, another detector, reports, and telling that a verdict is wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from forensics_app.core import examples
from forensics_app.gui.window import Window
from tests.conftest import write_picture
from tests.gui.conftest import LIMIT_MS, drop, files, wait_judged


@pytest.fixture
def inspecting(qtbot: QtBot, window: Window, tmp_path: Path) -> Window:
    """The window with one judged photograph that says which camera made it."""
    exif = Image.Exif()
    exif[271], exif[305] = "Canon", "<b>Photo</b> shop"
    drop(window, files([write_picture(tmp_path / "one.jpg", 320, 240, exif=exif)]))
    wait_judged(qtbot, window, 1)
    return window


def test_metadata_is_listed_and_copied(inspecting: Window) -> None:
    card = inspecting.inspect.side.metadata
    names = [card.table.item(row, 0).text() for row in range(card.table.rowCount())]
    assert names[:2] == ["Make", "Software"] and card.table.item(1, 1).text() == "<b>Photo</b> shop"
    assert "&lt;b&gt;" in card.table.item(1, 1).toolTip()
    card.copy.click()
    assert "EXIF\tMake\tCanon\n" in QGuiApplication.clipboard().text()
    card.table.selectRow(0)
    QTest.keyClick(card.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "Make\tCanon"


def test_a_file_that_says_nothing(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    drop(window, files([write_picture(tmp_path / "bare.png", 240, 180)]))
    wait_judged(qtbot, window, 1)
    card = window.inspect.side.metadata
    assert not card.table.isVisible() and not card.copy.isVisible() and "nothing" in card._note.text()


def test_another_detector_judges_the_same_picture(
    qtbot: QtBot, inspecting: Window, detector_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(detector_folder, tmp_path / "home" / "detectors" / "mine")
    inspecting.session.detectors_changed.emit()
    card, page = inspecting.inspect.side.compare, inspecting.inspect
    qtbot.waitUntil(lambda: page.shown() is not None and not page.desk.running, timeout=LIMIT_MS)
    qtbot.waitUntil(lambda: card.choice.findText("mine") > 0, timeout=LIMIT_MS)
    card.choice.setCurrentIndex(card.choice.findText("mine"))
    qtbot.waitUntil(card.second.isVisible, timeout=LIMIT_MS)
    judged = page.shown()
    assert judged is not None and card._second is not None
    assert card.first.name.text() == "default" and card.second.name.text() == "mine"
    assert card.first.p.text() == f"p {judged.analysis.verdict.p_fake:.2f}"
    assert card.second.p.text() == f"p {card._second.analysis.verdict.p_fake:.2f}" and "apart" in card.note.text()
    drop(inspecting, files([write_picture(tmp_path / "two.png", 240, 180, seed=3)]))
    wait_judged(qtbot, inspecting, 2)
    qtbot.waitUntil(lambda: card.second.isVisible() and not card._judging.busy, timeout=LIMIT_MS)
    assert card._second.analysis.file.width == 240
    card.choice.setCurrentIndex(0)
    assert not card.second.isVisible() and not card.note.isVisible()


def test_a_second_detector_that_is_broken_is_told(
    qtbot: QtBot, inspecting: Window, detector_folder: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "home" / "detectors" / "mine"
    shutil.copytree(detector_folder, mine)
    (mine / "weights.safetensors").write_bytes(b"damaged")
    inspecting.session.detectors_changed.emit()
    card = inspecting.inspect.side.compare
    qtbot.waitUntil(lambda: card.choice.findText("mine") > 0, timeout=LIMIT_MS)
    card.choice.setCurrentIndex(card.choice.findText("mine"))
    qtbot.waitUntil(lambda: "SHA-256 differs" in card.note.text(), timeout=LIMIT_MS)
    assert not card.second.isVisible()


@pytest.mark.journey
@pytest.mark.parametrize(("name", "begins"), [("r.html", b"<!doctype html>"), ("r.pdf", b"%PDF-"), ("r.json", b"{")])
def test_a_report_is_written_in_the_form_that_its_name_says(
    qtbot: QtBot, inspecting: Window, tmp_path: Path, name: str, begins: bytes
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    inspecting.inspect.export_to(out / name)
    qtbot.waitUntil(inspecting.inspect.notice.isVisible, timeout=LIMIT_MS)
    data = (out / name).read_bytes()
    assert data.startswith(begins) and [path.name for path in out.iterdir()] == [name]
    if name == "r.html":
        assert b"Canon" in data and b"&lt;b&gt;Photo" in data and data.count(b"<img") == 2
    if name == "r.pdf":
        assert len(data) > 10_000 and data.rstrip().endswith(b"%%EOF")
    if name == "r.json":
        told = json.loads(data)
        assert told["map"] == {"class": "fake", "stage": "last", "colours": "inferno", "trust": None}


def test_a_wrong_verdict_becomes_an_example_and_can_be_taken_back(qtbot: QtBot, inspecting: Window) -> None:
    page, bar = inspecting.inspect, inspecting.inspect.side.wrong
    QTest.keyClicks(page.view, "w")
    assert bar.camera.isVisible() and bar.generated.isVisible() and not bar.ask.isVisible()
    bar.back.click()
    assert bar.ask.isVisible() and not examples.folder().exists()
    bar.ask.click()
    bar.generated.click()
    qtbot.waitUntil(bar.undo.isVisible, timeout=LIMIT_MS)
    judged = page.shown()
    assert judged is not None
    (kept,) = (examples.folder() / "fake").iterdir()
    assert kept.read_bytes() == judged.analysis.file.data and kept.stem == judged.analysis.file.sha256
    assert "0 from cameras and 1 generated" in bar.told.text()
    line = json.loads((examples.folder() / examples.RECORD).read_text())
    assert line["truth"] == "fake" and line["verdict"] == judged.analysis.verdict.label
    bar.undo.click()
    qtbot.waitUntil(bar.ask.isVisible, timeout=LIMIT_MS)
    assert examples.counts() == {"real": 0, "fake": 0}


def test_an_example_that_cannot_be_kept_is_told(qtbot: QtBot, inspecting: Window) -> None:
    examples.folder().parent.mkdir(parents=True, exist_ok=True)
    examples.folder().write_text("in the way")
    inspecting.inspect.side.wrong.ask.click()
    inspecting.inspect.side.wrong.camera.click()
    qtbot.waitUntil(inspecting.inspect.notice.isVisible, timeout=LIMIT_MS)
    assert "could not be kept" in inspecting.inspect.notice.text.text()


def test_what_was_opened_is_remembered(inspecting: Window, tmp_path: Path) -> None:
    assert inspecting.session.settings.recent == (tmp_path / "one.jpg",)


def test_another_default_judges_anew(qtbot: QtBot, inspecting: Window) -> None:
    page = inspecting.inspect
    before = page.shown()
    inspecting.session.detectors_changed.emit()
    qtbot.waitUntil(lambda: page.shown() not in (None, before) and not page.desk.running, timeout=LIMIT_MS)
    assert page.desk.pictures.rows[0].state == before.analysis.verdict.label if before else False
