"""A folder of 5,000 files through the real window and the real command: filter, pause, go on, cancel, close."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from classifier.places import home
from forensics_app.core.store import Query, ScanStore
from forensics_app.gui.process_job import ProcessJob
from forensics_app.gui.scan_page import ScanPage
from forensics_app.gui.window import Window
from tests.conftest import write_picture
from tests.gui.conftest import LIMIT_MS, drop, files
from tests.gui.scanned import scan_page, settle

MANY, DIFFERENT = 5_000, 250


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """5,000 files in 50 folders, links to 250 pictures: the same bytes are judged once."""
    top = tmp_path_factory.mktemp("many")
    pictures = [write_picture(top / "pictures" / f"{at}.png", 64, 64, seed=at) for at in range(DIFFERENT)]
    root = top / "shoebox"
    for at in range(MANY):
        here = root / f"{at // 100:02d}"
        here.mkdir(parents=True, exist_ok=True)
        os.link(pictures[at * 7 % DIFFERENT], here / f"{at:04d}.png")
    return root


@pytest.fixture
def page(window: Window, second_detector: Path) -> ScanPage:
    """The page, with a small detector to scan with."""
    shutil.copytree(second_detector, home() / "detectors" / second_detector.name)
    window.session.settings.put("scan/detector", second_detector.name)
    return scan_page(window)


def running(page: ScanPage) -> ProcessJob:
    job = page.results.strip.job
    assert job is not None
    return job


def dropped(qtbot: QtBot, window: Window, page: ScanPage, folder: Path) -> ProcessJob:
    """Drop the folder, and wait until rows of it are in the table."""
    qtbot.waitUntil(lambda: page.setup.detector.count() > 1, timeout=LIMIT_MS)
    drop(window, files([folder]))
    job = running(page)
    qtbot.waitUntil(lambda: page.results.found is not None and page.results.found.total > 0, timeout=LIMIT_MS)
    assert not page.notice.isVisible(), page.notice.text.text()
    return job


@pytest.mark.journey
def test_a_folder_is_scanned_paused_marked_and_finished(
    qtbot: QtBot, window: Window, page: ScanPage, folder: Path
) -> None:
    job = dropped(qtbot, window, page, folder)
    assert window.key == "scan" and page.title.text() == "shoebox"
    page.results.strip.pause.click()
    qtbot.waitUntil(lambda: job.state == "paused", timeout=LIMIT_MS)
    assert page.results.strip.pause.text() == "Go on" and 0 < job.done < MANY
    page.results.strip.pause.click()
    assert job.state == "running"
    page.results.mark("real", then_next=False)  # while the scan writes
    window.turn_to("inspect")
    window.turn_to("scan")
    page.results.chips.name.setText("00")
    page.results.chips.name.textEdited.emit("00")
    qtbot.waitUntil(lambda: job.state == "finished", timeout=LIMIT_MS)
    settle(qtbot, page, lambda: page.results.view is not None and page.results.view.filters.name == "00")
    expected = sum("00" in f"{at:04d}" for at in range(MANY))
    qtbot.waitUntil(lambda: page.results.model.rowCount() == expected, timeout=LIMIT_MS)
    assert page.results.strip.status.text() == f"{expected:,} of 5,000 files, judged by second"
    page.results.reader.shutdown()
    with ScanStore.open(home() / "scans.db", readonly=True) as store:
        assert store.count(Query(1)) == MANY and store.count(Query(1, marks=frozenset({"real"}))) == 1


@pytest.mark.journey
def test_a_cancelled_scan_keeps_what_was_judged(qtbot: QtBot, window: Window, page: ScanPage, folder: Path) -> None:
    job = dropped(qtbot, window, page, folder)
    page.results.strip.cancel.click()
    qtbot.waitUntil(lambda: job.state == "cancelled", timeout=LIMIT_MS)
    settle(qtbot, page)
    kept = page.results.model.rowCount()
    assert 0 < kept < MANY and "kept" in page.results.strip.kept.text()
    page.again.click()
    qtbot.waitUntil(lambda: running(page).state == "finished", timeout=LIMIT_MS)
    qtbot.waitUntil(lambda: page.results.model.rowCount() == MANY, timeout=LIMIT_MS)
    assert running(page).last["known"] >= kept


@pytest.mark.journey
def test_the_window_is_closed_while_it_scans(qtbot: QtBot, window: Window, page: ScanPage, folder: Path) -> None:
    job = dropped(qtbot, window, page, folder)
    window.close()
    (box,) = window.findChildren(QMessageBox)
    assert window.isVisible() and job.running
    agree = next(button for button in box.findChildren(QPushButton) if button.text() == "Stop and quit")
    QTest.mouseClick(agree, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=LIMIT_MS)
    assert job.state == "cancelled"
    with ScanStore.open(home() / "scans.db", readonly=True) as store:
        assert 0 < store.count(Query(1)) < MANY


def test_a_scan_that_fails_is_a_sentence_with_a_log(
    qtbot: QtBot, page: ScanPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    qtbot.waitUntil(lambda: page.setup.detector.count() > 1, timeout=LIMIT_MS)
    page.scan(tmp_path / "missing")
    job = running(page)
    qtbot.waitUntil(lambda: job.state == "failed", timeout=LIMIT_MS)
    strip = page.results.strip
    assert strip.status.text() == "The scan stopped" and "is not a folder" in strip.kept.text()
    assert strip.log.isVisible()


def test_options_become_the_words_of_the_command(page: ScanPage, qtbot: QtBot, tmp_path: Path) -> None:
    qtbot.waitUntil(lambda: page.setup.detector.count() > 1, timeout=LIMIT_MS)
    setup = page.setup
    setup.archives.setChecked(False)
    setup.fast.setChecked(True)
    setup.maps.setChecked(True)
    setup.include.setText("*.jpg, 2024/*")
    setup.exclude.setText(" *.gif ,")
    assert setup.arguments(tmp_path, home() / "scans.db") == [
        "scan", str(tmp_path), "--store", str(home() / "scans.db"), "--detector", "second", "--fast", "--no-archives",
        "--out", str(home() / "scans"), "--heatmaps", "flagged",
        "--include", "*.jpg", "--include", "2024/*", "--exclude", "*.gif",
    ]  # fmt: skip
    assert setup._settings.text("scan/include") == "*.jpg, 2024/*"
