"""The table of many thousand rows: only what is looked at is fetched, and what is seen stays where it is."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel
from pytestqt.qtbot import QtBot

from classifier.places import home
from forensics_app.core.store import Entry, ScanStore
from forensics_app.gui.scan_model import KEPT_LINES
from forensics_app.gui.scan_page import ScanPage
from forensics_app.gui.scan_results import MOST_SELECTED
from forensics_app.gui.window import Window
from tests.conftest import write_picture
from tests.core.stored import installed
from tests.gui.conftest import LIMIT_MS, drop, files
from tests.gui.scanned import fill, scan_page, settle, show

ROWS, ROOT = 6_000, Path("/nowhere/shoebox")


def judged(path: Path | str, p: float, sha256: str = "ab" * 32, **more: object) -> Entry:
    label = "fake" if p > 0.7 else "real"
    row = {"sha256": sha256, "format": "PNG", "width": 9, "height": 9, "evidence": [], "heatmap": None,
           "verdict": {"label": label, "p_fake": p, "reason": "It looks so."}, "thumbnail": None}  # fmt: skip
    return Entry(os.fsencode(path), 5, 5, row | more)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 6,000 rows, made once."""
    path = tmp_path_factory.mktemp("stored") / "scans.db"
    fill(path, ROOT, ROWS)
    return path


@pytest.fixture
def page(qtbot: QtBot, window: Window, stored: Path) -> ScanPage:
    home().mkdir(exist_ok=True)
    shutil.copy(stored, home() / "scans.db")
    found = scan_page(window)
    show(qtbot, found, ROOT)
    return found


def test_rows_are_fetched_where_one_looks(qtbot: QtBot, page: ScanPage) -> None:
    table, model = page.results.table, page.results.model
    assert model.rowCount() == ROWS and model.line(ROWS - 1) is None
    table.verticalScrollBar().setValue(table.verticalScrollBar().maximum())
    qtbot.waitUntil(lambda: all(model.line(row) is not None for row in table.in_sight()), timeout=LIMIT_MS)
    assert table.in_sight().stop == ROWS and model.line(ROWS // 2) is None
    page.results.table.go_to(ROWS // 2)
    qtbot.waitUntil(lambda: page.results.current() is not None, timeout=LIMIT_MS)
    assert page.results.details.line == page.results.current()
    assert len(model._lines) < KEPT_LINES


def test_what_is_seen_stays_while_rows_come_in(qtbot: QtBot, page: ScanPage) -> None:
    table, results = page.results.table, page.results
    table.go_to(3_000)
    qtbot.waitUntil(lambda: results.current() is not None, timeout=LIMIT_MS)
    chosen, place = results.current(), table.rowViewportPosition(3_000)
    with ScanStore.open(home() / "scans.db") as store:
        store.put(1, [judged(ROOT / f"new{at}.png", 1.0) for at in range(700)])
    results.refresh()
    settle(qtbot, page, lambda: results.model.rowCount() == ROWS + 700)
    assert table.currentIndex().row() == 3_700 and table.current_id() == chosen.id  # type: ignore[union-attr]
    assert table.rowViewportPosition(3_700) == place
    table.go_to(0)
    table.scrollToTop()
    with ScanStore.open(home() / "scans.db") as store:
        store.put(1, [judged(ROOT / f"newer{at}.png", 1.0) for at in range(50)])
    results.refresh()
    settle(qtbot, page, lambda: results.model.rowCount() == ROWS + 750)
    assert table.verticalScrollBar().value() == 0  # at the top the newest are seen


def test_too_many_selected_are_a_sentence(qtbot: QtBot, page: ScanPage) -> None:
    page.results.table.selectAll()
    with qtbot.waitSignal(page.results.failed, timeout=LIMIT_MS) as told:
        page.results.mark("fake")
    assert f"More than {MOST_SELECTED:,} files" in told.args[0] and page.notice.isVisible()


def test_rows_that_were_never_seen_are_marked_too(qtbot: QtBot, page: ScanPage) -> None:
    table, model = page.results.table, page.results.model
    flags = QItemSelectionModel.SelectionFlag
    for row in (0, 2_500, 5_900):
        table.selectionModel().select(model.index(row, 1), flags.Select | flags.Rows)
    with qtbot.waitSignal(page.results.triage.marked, timeout=LIMIT_MS):
        page.results.mark("unsure", then_next=False)
    next(action for action in page.results.chips.mark.menu().actions() if action.text() == "Marked").trigger()
    settle(qtbot, page, lambda: model.rowCount() == 3)


def test_what_a_detector_said_is_chosen(qtbot: QtBot, page: ScanPage) -> None:
    chips = page.results.chips
    assert not chips.judge.isVisible()
    with ScanStore.open(home() / "scans.db") as store:
        store.put(store.detector(installed("other", "0123456789abcdef")), [judged(ROOT / "one.png", 0.9)])
    page.results.refresh()
    qtbot.waitUntil(lambda: page.results.model.rowCount() == 1, timeout=LIMIT_MS)
    assert chips.judge.isVisible() and chips.judge.text().startswith("Detector: other")
    chips.judge.menu().actions()[1].trigger()
    settle(qtbot, page, lambda: page.results.model.rowCount() == ROWS)


def test_archives_maps_and_files_that_are_gone(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    root = tmp_path / "shoebox"
    picture = write_picture(tmp_path / "a.png", 50, 40)
    root.mkdir()
    with zipfile.ZipFile(root / "box.zip", "w") as box:
        box.write(picture, "a.png")
    write_picture(home() / "scans" / "heatmaps" / "m.jpg", 60, 60)
    write_picture(home() / "scans" / "thumbnails" / "t.jpg", 30, 20)
    with ScanStore.open(home() / "scans.db") as store:
        store.put(store.detector(installed()), [
            judged(f"{root}/box.zip!/a.png", 0.95, "aa" * 32, heatmap="heatmaps/m.jpg"),
            judged(root / "gone.png", 0.9, "bb" * 32, thumbnail="thumbnails/t.jpg"),
            judged(root / "gone2.png", 0.85, "cc" * 32),
        ])  # fmt: skip
    page = scan_page(window)
    show(qtbot, page, root)
    results, model = page.results, page.results.model
    qtbot.waitUntil(lambda: all(model.thumb(id_) is not None for id_ in model.ids), timeout=LIMIT_MS)
    assert [model.thumb(id_).isNull() for id_ in model.ids] == [False, False, True]  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: results.details.picture._image.width() == 50, timeout=LIMIT_MS)
    results.details.map.click()
    qtbot.waitUntil(lambda: results.details.picture._image.width() == 60, timeout=LIMIT_MS)
    results.table.opened.emit()
    assert "Unpack the archive" in page.notice.text.text() and window.key == "scan"


def test_a_picture_that_is_dropped_here_goes_to_inspect(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    page = scan_page(window)
    drop(window, files([write_picture(tmp_path / "one.png", 240, 180)]))
    assert window.key == "inspect" and page.root is None
    qtbot.waitUntil(lambda: not window.inspect.desk.running, timeout=LIMIT_MS)


def test_the_theme_may_change_at_any_time(window: Window, page: ScanPage, monkeypatch: pytest.MonkeyPatch) -> None:
    before = page.results.table.grab().toImage()
    monkeypatch.setenv("FORENSICS_THEME", "dark")
    window.redress()
    assert page.results.table.grab().toImage() != before
