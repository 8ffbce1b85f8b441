"""The Scan page on stores that are there: what it shows, filters, sorts, marks and gives away."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from classifier.places import home
from forensics_app.core.store import Query, ScanStore
from forensics_app.gui.scan_histogram import Effect, effect
from forensics_app.gui.scan_model import COLUMNS
from forensics_app.gui.scan_page import ScanPage
from forensics_app.gui.window import Window
from tests.gui.conftest import LIMIT_MS
from tests.gui.scanned import fill, fill_with_pictures, scan_page, settle, show


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "shoebox"


@pytest.fixture
def page(qtbot: QtBot, window: Window, root: Path) -> ScanPage:
    """The page on nine pictures, three of each answer."""
    fill_with_pictures(home() / "scans.db", root, 9)
    found = scan_page(window)
    show(qtbot, found, root)
    return found


def names(page: ScanPage) -> list[str]:
    lines = [page.results.model.line(row) for row in range(page.results.model.rowCount())]
    return [line.name if line else "?" for line in lines]


def test_without_a_scan_there_is_one_button(qtbot: QtBot, window: Window) -> None:
    page = scan_page(window)
    assert page.start.choose.isVisible() and not page.start.cards
    assert not page.again.isVisible() and not (home() / "scans.db").exists()


def test_earlier_scans_are_a_list_to_start_from(qtbot: QtBot, window: Window, root: Path) -> None:
    fill(home() / "scans.db", root, 250)
    page = scan_page(window)
    qtbot.waitUntil(lambda: len(page.start.cards) == 1, timeout=LIMIT_MS)
    assert "250 files" in page.start.cards[0].accessibleName()
    QTest.keyClick(page.start.cards[0], Qt.Key.Key_Return)
    settle(qtbot, page)
    assert page.title.text() == "shoebox" and page.results.model.rowCount() == 250
    page.back.click()
    assert page.start.isVisible()


def test_a_view_says_how_many_of_what(page: ScanPage) -> None:
    results = page.results
    assert {name: chip.text().split()[-1] for name, chip in results.strip.answers.chips.items()} == {
        "fake": "3", "unsure": "3", "real": "3", "error": "0",
    }  # fmt: skip
    assert names(page)[:3] == ["06.png", "03.png", "00.png"]  # the likeliest first, the later of equals before
    assert results.details.headline.text() == "Likely generated"
    assert "Because of 6" in results.details.reason.text()
    assert page.results.strip.status.text() == "9 files, judged by default"


def test_pictures_come_from_the_guarded_process(qtbot: QtBot, page: ScanPage) -> None:
    model = page.results.model
    qtbot.waitUntil(lambda: all(model.thumb(id_) is not None for id_ in model.ids), timeout=LIMIT_MS)
    assert all(not model.thumb(id_).isNull() for id_ in model.ids)  # type: ignore[union-attr]


def test_chips_filter_and_are_cleared(qtbot: QtBot, page: ScanPage) -> None:
    results = page.results
    results.strip.answers.chips["real"].click()
    settle(qtbot, page, lambda: results.model.rowCount() == 3)
    assert {results.model.line(row).label for row in range(3)} == {"real"}  # type: ignore[union-attr]
    assert (
        results.strip.status.text() == "3 of 9 files, judged by default"
        and results.strip.answers.chips["real"].isChecked()
    )
    qtbot.keyClicks(results.chips.name, "08")
    settle(qtbot, page, lambda: results.model.rowCount() == 1)
    results.chips.clear.click()
    settle(qtbot, page, lambda: results.model.rowCount() == 9)
    assert results.chips.name.text() == "" and not results.strip.answers.chips["real"].isChecked()


def test_the_menus_offer_what_there_is(qtbot: QtBot, page: ScanPage, root: Path) -> None:
    chips = page.results.chips
    formats = {action.text(): action for action in chips.format.menu().actions()}
    formats["PNG  9"].trigger()
    settle(qtbot, page, lambda: page.results.view is not None and page.results.view.filters.formats == ("PNG",))
    assert chips.format.text() == "Format: PNG"
    chips.folder.menu().aboutToShow.emit()
    qtbot.waitUntil(lambda: len(chips.folder.menu().actions()) == 2, timeout=LIMIT_MS)
    chips.folder.menu().actions()[1].trigger()
    settle(qtbot, page)
    assert chips.folder.text() == "Folder: a"
    next(action for action in chips.evidence.menu().actions() if action.text() == "With evidence").trigger()
    settle(qtbot, page, lambda: page.results.model.rowCount() == 0)


def test_a_click_on_a_header_sorts(qtbot: QtBot, page: ScanPage) -> None:
    header = page.results.table.horizontalHeader()
    name = [column.key for column in COLUMNS].index("name")
    for first in ("00.png", "08.png"):
        at = QPoint(header.sectionViewportPosition(name) + 20, 10)
        QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=at)
        settle(qtbot, page, lambda first=first: names(page)[:1] == [first])
        assert header.sortIndicatorSection() == name
    mark = [column.key for column in COLUMNS].index("mark")
    at = QPoint(header.sectionViewportPosition(mark) + 20, 10)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert header.sortIndicatorSection() == name and names(page)[0] == "08.png"


def test_keys_mark_and_undo(qtbot: QtBot, window: Window, page: ScanPage) -> None:
    table = page.results.table
    window.activateWindow()
    table.setFocus()
    for key in (Qt.Key.Key_F, Qt.Key.Key_R, Qt.Key.Key_N, Qt.Key.Key_U):
        qtbot.waitUntil(lambda: page.results.current() is not None, timeout=LIMIT_MS)
        QTest.keyClick(table, key)
    model = page.results.model
    assert [model.text(line, "mark") for row in range(5) if (line := model.line(row))] == [
        "Generated", "Real", "", "Unsure", "",
    ]  # fmt: skip
    assert table.currentIndex().row() == 4
    QTest.keyClick(table, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert table.currentIndex().row() == 3 and model.line(3).mark is None  # type: ignore[union-attr]
    next(action for action in page.results.chips.mark.menu().actions() if action.text() == "Marked").trigger()
    settle(qtbot, page, lambda: page.results.model.rowCount() == 2)
    page.results.reader.shutdown()
    with ScanStore.open(home() / "scans.db", readonly=True) as store:
        kept = store.page(Query(1, sort="p_fake", descending=True)).rows
    assert [one.mark for one in kept] == ["fake", "real", *[None] * 7]


def test_letters_in_a_field_are_letters(qtbot: QtBot, window: Window, page: ScanPage) -> None:
    window.activateWindow()
    page.results.chips.name.setFocus()
    qtbot.keyClicks(page.results.chips.name, "fur")
    assert page.results.chips.name.text() == "fur"
    assert all(page.results.model.line(row).mark is None for row in range(9))  # type: ignore[union-attr]


def test_the_threshold_says_what_it_would_change() -> None:
    spread = {"fake": [0, 1, 0, 4], "unsure": [0, 0, 3, 0], "real": [9, 0, 1, 0]}
    assert effect(spread, 2) == Effect(8, 3, 1, 1)
    assert effect(spread, 0).fewer == 0 and effect(spread, 4).above == 0


def test_the_threshold_is_dragged_and_then_shown(qtbot: QtBot, page: ScanPage) -> None:
    strip = page.results.strip
    assert strip.histogram.threshold == 0.7 and "no others" in strip.told.text()
    assert strip.histogram.caption.startswith("files by p_fake, at most ")
    start, end = (QPoint(16 + round(at * (strip.histogram.width() - 32)), 60) for at in (0.7, 0.45))
    QTest.mousePress(strip.histogram, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(strip.histogram, end)
    QTest.mouseRelease(strip.histogram, Qt.MouseButton.LeftButton, pos=end)
    strip.histogram.put(0.45)
    assert strip.told.text().startswith("6 files have p of at least 0.45. Not called generated now: 3")
    QTest.keyClick(strip.histogram, Qt.Key.Key_Right)
    assert strip.histogram.threshold == 0.46
    assert page.results.chips.bound.text() == "p from 0.46"
    page.results.chips.bound.click()
    settle(qtbot, page, lambda: page.results.model.rowCount() == 6)
    page.results.chips.bound.click()
    settle(qtbot, page, lambda: page.results.model.rowCount() == 9)


def test_files_are_copied_and_never_over_others(qtbot: QtBot, page: ScanPage, tmp_path: Path, root: Path) -> None:
    target = tmp_path / "copies"
    target.mkdir()
    (target / "06.png").write_text("mine")
    page.results.table.selectAll()
    paths = [line.path for row in range(9) if (line := page.results.model.line(row))]
    page.results.selected(lambda found: paths.append(str(len(found))))
    assert paths.pop() == "9"
    with qtbot.waitSignal(page.outgoing.done, timeout=LIMIT_MS):
        page.outgoing.copy_to(paths, target)
    assert (target / "06.png").read_text() == "mine"
    assert (target / "06-2.png").read_bytes() == (root / "a" / "06.png").read_bytes()
    assert len(list(target.iterdir())) == 10
    (root / "a" / "06.png").unlink()
    with qtbot.waitSignal(page.outgoing.failed, timeout=LIMIT_MS) as told:
        page.outgoing.copy_to(paths, target)
    assert "06.png" in told.args[0] and "1 file could not" in told.args[0]


def test_lists_of_paths(qtbot: QtBot, page: ScanPage, tmp_path: Path, root: Path) -> None:
    page.outgoing.copy_path()
    assert QGuiApplication.clipboard().text() == str(root / "a" / "06.png")
    page.results.strip.answers.chips["fake"].click()
    settle(qtbot, page, lambda: page.results.model.rowCount() == 3)
    with qtbot.waitSignal(page.outgoing.done, timeout=LIMIT_MS):
        page.outgoing.write_list(tmp_path / "paths.txt")
    expected = [str(root / "a" / name) for name in ("06.png", "03.png", "00.png")]
    assert (tmp_path / "paths.txt").read_text().splitlines() == expected
    with qtbot.waitSignal(page._session.noticed, timeout=LIMIT_MS):
        page.outgoing.copy_list()
    assert QGuiApplication.clipboard().text().splitlines() == expected


def test_the_filtered_rows_are_exported_by_our_own_command(
    qtbot: QtBot, page: ScanPage, tmp_path: Path, root: Path
) -> None:
    page.results.mark("real", then_next=False)
    page.results.strip.answers.chips["fake"].click()
    settle(qtbot, page, lambda: page.results.model.rowCount() == 3)
    with qtbot.waitSignal(page.outgoing.done, timeout=LIMIT_MS):
        page.outgoing.export("csv", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["path"]: row["mark"] for row in rows} == {
        str(root / "a" / "06.png"): "real", str(root / "a" / "03.png"): "", str(root / "a" / "00.png"): "",
    }  # fmt: skip


def test_a_file_is_opened_in_inspect(qtbot: QtBot, window: Window, page: ScanPage) -> None:
    QTest.keyClick(page.results.table, Qt.Key.Key_Return)
    assert window.key == "inspect"
    qtbot.waitUntil(lambda: not window.inspect.desk.running and window.inspect.desk.total == 1, timeout=LIMIT_MS)
    assert window.inspect.toolbar.name.text() == "06.png"


def test_a_reports_folder_is_shown_as_a_whole(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    fill(tmp_path / "report" / "scan.db", tmp_path / "elsewhere", 120)
    page = scan_page(window)
    page.open_with(tmp_path / "report")
    settle(qtbot, page)
    assert page.results.model.rowCount() == 120 and not page.again.isVisible()
    page.show_start()
    assert page.results.reader.path == home() / "scans.db"


def test_a_store_that_is_none_is_told_on_the_page(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    (tmp_path / "wrong.db").write_text("no store, but long enough to be looked at" * 50)
    page = scan_page(window)
    page.open_with(tmp_path / "wrong.db")
    qtbot.waitUntil(page.notice.isVisible, timeout=LIMIT_MS)
    assert "not a store of scans" in page.notice.text.text()


def test_every_control_has_a_name(page: ScanPage) -> None:
    page.options.setChecked(True)
    kinds: Callable[[QWidget], bool] = lambda one: isinstance(one, QAbstractButton | QLineEdit | QComboBox)  # noqa: E731
    controls = [one for one in page.findChildren(QWidget) if kinds(one) and one.isVisible()]
    assert len(controls) > 20
    assert [one for one in controls if not (one.accessibleName() or getattr(one, "text", str)())] == []


def test_texts_from_outside_are_no_markup(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    evil = tmp_path / "<b>x\u202egnp"
    fill(home() / "scans.db", evil, 3)
    page = scan_page(window)
    show(qtbot, page, evil)
    assert page.title.text() == "<b>x\\u202egnp"
    assert page.title.textFormat() == Qt.TextFormat.PlainText
    assert os.fsencode(evil) == page.root
