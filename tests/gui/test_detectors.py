"""Detectors through the window: their cards, brought in and taken out, removed, and which one judges."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from classifier.detector import default_name, find
from forensics_app.core.detector_archive import pack
from forensics_app.gui.detectors_page import DetectorsPage
from forensics_app.gui.evaluate_page import EvaluatePage
from forensics_app.gui.window import Window
from tests.conftest import write_picture
from tests.gui.conftest import LIMIT_MS, drop, files, wait_judged


@pytest.fixture
def page(qtbot: QtBot, window: Window) -> DetectorsPage:
    window.turn_to("detectors")
    found = window.current
    assert isinstance(found, DetectorsPage)
    qtbot.waitUntil(lambda: found.cards.shown is not None, timeout=LIMIT_MS)
    return found


def names(page: DetectorsPage) -> list[str]:
    return [row.listed.name for row in page.rows.rows]


def idle(qtbot: QtBot, page: DetectorsPage) -> None:
    workers = (page._work, page._listing, page._reading)
    qtbot.waitUntil(lambda: not any(worker.busy for worker in workers), timeout=LIMIT_MS)


def test_the_bundled_one_is_shown_with_its_figures(page: DetectorsPage) -> None:
    assert names(page) == ["default"] and page.head.name.text() == "default"
    texts = [line.text() for line in page.cards.findChildren(QLabel)]
    assert "generated called real" in texts and "How often it errs" in texts and "What it can't tell" in texts
    assert any(text.startswith("n ") for text in texts)
    assert not page.head.drop.isEnabled() and not page.head.choose.isVisible() and page.head.take_out.isEnabled()


@pytest.mark.journey
def test_a_dropped_zip_is_installed_judges_and_is_removed(
    qtbot: QtBot, window: Window, page: DetectorsPage, detector_folder: Path, tmp_path: Path
) -> None:
    list(pack(detector_folder, tmp_path / "tiny.zip"))
    drop(window, files([tmp_path / "tiny.zip"]))
    qtbot.waitUntil(lambda: names(page) == ["tiny", "default"] and page.head.name.text() == "tiny", timeout=LIMIT_MS)
    assert "Installed as “tiny”" in page.notice.text.text()
    assert page.head.state.text().startswith("Not the default")
    page.head.choose.click()
    qtbot.waitUntil(lambda: names(page) == ["tiny", "bundled"], timeout=LIMIT_MS)
    assert default_name() == "tiny" and page.rows.rows[0].default
    assert page.head.state.text().startswith("The default") and not page.head.choose.isVisible()
    window.inspect.add([write_picture(tmp_path / "one.png", 240, 180)])
    wait_judged(qtbot, window, 1)
    judged = window.inspect.desk.result(0)
    assert judged is not None and judged.analysis.detector_name == "tiny"
    idle(qtbot, page)
    page.head.drop.click()
    assert page.sure.isVisible() and "Remove “tiny”" in page._asked.text()
    page.really.click()
    qtbot.waitUntil(lambda: names(page) == ["default"], timeout=LIMIT_MS)
    assert default_name() == "default" and not (tmp_path / "home" / "detectors" / "tiny").exists()


def test_the_bundled_one_can_be_chosen_again(
    qtbot: QtBot, page: DetectorsPage, detector_folder: Path, bundled: Path
) -> None:
    page.install(detector_folder)
    qtbot.waitUntil(lambda: page.head.name.text() == "tiny", timeout=LIMIT_MS)
    page.make_default()
    qtbot.waitUntil(lambda: names(page) == ["tiny", "bundled"], timeout=LIMIT_MS)
    idle(qtbot, page)
    page.list.setCurrentIndex(page.rows.index(1))
    page.head.choose.click()
    qtbot.waitUntil(lambda: names(page) == ["tiny", "default"], timeout=LIMIT_MS)
    assert find("default") == bundled


def test_its_figures_are_a_click_away(qtbot: QtBot, window: Window, page: DetectorsPage, bundled: Path) -> None:
    page.head.evaluate.click()
    figures = window.current
    assert isinstance(figures, EvaluatePage)
    qtbot.waitUntil(lambda: figures.board.shown is not None, timeout=LIMIT_MS)
    assert figures.board.shown is not None and figures.board.shown.run.folder == bundled


def test_an_export_can_be_installed_again(qtbot: QtBot, page: DetectorsPage, tmp_path: Path) -> None:
    page.export_to(tmp_path / "out.zip")
    qtbot.waitUntil(page.notice.isVisible, timeout=LIMIT_MS)
    assert "Exported to" in page.notice.text.text()
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert {"default/detector.json", "default/fast/detector.json"} <= set(archive.namelist())
    page.install(tmp_path / "out.zip")
    qtbot.waitUntil(lambda: names(page) == ["default-2", "default"], timeout=LIMIT_MS)


def test_what_is_no_detector_is_refused_in_a_sentence(
    qtbot: QtBot, window: Window, page: DetectorsPage, tmp_path: Path
) -> None:
    drop(window, files([write_picture(tmp_path / "one.png")]))
    qtbot.waitUntil(page.notice.isVisible, timeout=LIMIT_MS)
    assert "no zip file" in page.notice.text.text()
    page.install(tmp_path)
    qtbot.waitUntil(lambda: "no detector" in page.notice.text.text(), timeout=LIMIT_MS)
    assert names(page) == ["default"]


def test_a_broken_one_is_a_row_that_says_why(qtbot: QtBot, window: Window, page: DetectorsPage, tmp_path: Path) -> None:
    broken = tmp_path / "home" / "detectors" / "broken"
    broken.mkdir(parents=True)
    (broken / "detector.json").write_text("{")
    window.session.detectors_changed.emit()
    qtbot.waitUntil(lambda: names(page) == ["broken", "default"], timeout=LIMIT_MS)
    idle(qtbot, page)
    page.list.setCurrentIndex(page.rows.index(0))
    idle(qtbot, page)
    texts = [line.text() for line in page.cards.findChildren(QLabel)]
    assert "It cannot be used" in texts and not page.head.take_out.isEnabled() and page.head.drop.isEnabled()
    page.list.grab()
    shutil.rmtree(broken)
