"""Figures of runs and detectors through the real window: opened, looked at from all sides, measured and compared."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from classifier.metrics import wilson
from forensics_app.core.run_folder import open_run
from forensics_app.core.run_tables import told
from forensics_app.gui.evaluate_overview import in_rows
from forensics_app.gui.evaluate_page import EvaluatePage
from forensics_app.gui.figure_table import FigureTable
from forensics_app.gui.plot_view import PlotView
from forensics_app.gui.window import Window
from tests.conftest import export_tiny
from tests.core.runs import change_card, write_run
from tests.gui.conftest import drop, files
from tests.gui.test_layout import cut_off, outside, overlapping

LIMIT_MS = 90_000
MANY = tuple(f"kind {number:02d}" for number in range(20))


@pytest.fixture
def page(qtbot: QtBot, window: Window, tmp_path: Path) -> EvaluatePage:
    """The page, with a folder for runs of its own."""
    window.session.settings.put("train/runs", str(tmp_path / "runs"))
    window.turn_to("evaluate")
    assert isinstance(window.current, EvaluatePage)
    return window.current


@pytest.fixture(scope="module")
def twenty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of twenty classes."""
    place = tmp_path_factory.mktemp("twenty")
    return write_run(place / "run", export_tiny(place / "many", classes=MANY, arch="mini_resnet"), MANY, n=2)


def opened(qtbot: QtBot, page: EvaluatePage, folder: Path) -> EvaluatePage:
    page.open_folder(folder)
    qtbot.waitUntil(lambda: page._reading is None, timeout=LIMIT_MS)
    return page


def drawn(qtbot: QtBot, view: PlotView) -> None:
    qtbot.waitUntil(lambda: view.painted is not None, timeout=LIMIT_MS)
    assert not view.problem


def cells(table: object) -> list[list[str]]:
    rows, columns = table.rowCount(), table.columnCount()  # type: ignore[attr-defined]
    return [[table.item(row, column).text() for column in range(columns)] for row in range(rows)]  # type: ignore[attr-defined]


@pytest.mark.journey
def test_a_dropped_run_is_shown_with_the_figures_of_its_report(
    qtbot: QtBot, window: Window, page: EvaluatePage, tmp_path: Path, second_detector: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    folder = write_run(tmp_path / "runs" / "first", second_detector, ("fake", "real"), n=6)
    (folder / "report.html").write_text("a report")
    drop(window, files([folder]))
    board = page.board
    qtbot.waitUntil(lambda: board.shown is not None, timeout=LIMIT_MS)
    run = open_run(folder)
    assert run.measured is not None
    assert told(run.measured.balanced_accuracy) in board.headline.text() and board.isVisible()
    for name in ("confusion", "roc", "reliability", "precision"):
        drawn(qtbot, board.overview.plots[name][1])
    assert cells(board.overview.tables["figures"][1])[0][1:3] == [told(run.measured.accuracy), "12"]
    assert [row[0] for row in cells(board.overview.tables["classes"][1])][:2] == ["fake", "real"]
    links: list[QUrl] = []
    monkeypatch.setattr("forensics_app.gui.evaluate_board.QDesktopServices.openUrl", links.append)
    board.report.click()
    assert Path(links[0].toLocalFile()) == folder / "report.html"
    board.others.click()
    qtbot.waitUntil(lambda: len(page.runs.findChildren(QPushButton)) == 1, timeout=LIMIT_MS)
    assert page.empty.isVisible()
    page.runs.rows.button(0, "Open").click()
    qtbot.waitUntil(board.isVisible, timeout=LIMIT_MS)


def test_cards_fill_their_rows_at_any_width(
    qtbot: QtBot, window: Window, page: EvaluatePage, tmp_path: Path, second_detector: Path
) -> None:
    folder = write_run(tmp_path / "first", second_detector, ("fake", "real"), n=6)
    overview = opened(qtbot, page, folder).board.overview
    cards = [card for card, _ in (*overview.plots.values(), *overview.tables.values())] + [overview.facts]

    def filled(plots: int) -> bool:
        rows: dict[int, list[int]] = {}
        for card in (card for card in cards if card.isVisible()):
            rows.setdefault(card.y(), []).append(card.width())
        whole = {sum(widths) + overview.grid.spacing() * (len(widths) - 1) for widths in rows.values()}
        return len(rows[min(rows)]) == plots and whole == {overview._inside.width()}

    for width, plots in ((1280, 2), (1920, 4)):
        window.resize(width, 1000)
        qtbot.waitUntil(lambda plots=plots: filled(plots), timeout=LIMIT_MS)  # type: ignore[misc]
    (folder / "predictions.json").unlink()
    opened(qtbot, page, folder)
    assert [name for name, (card, _) in overview.plots.items() if card.isVisible()] == ["confusion"]
    qtbot.waitUntil(lambda: overview.plots["confusion"][0].y() == overview.tables["classes"][0].y(), timeout=LIMIT_MS)


@pytest.mark.parametrize(
    ("cards", "most", "rows"), [(0, 3, []), (1, 3, [1]), (4, 3, [2, 2]), (4, 4, [4]), (5, 3, [2, 3])]
)
def test_rows_are_few_and_equally_long(cards: int, most: int, rows: list[int]) -> None:
    found = in_rows(range(cards), most)
    assert [len(row) for row in found] == rows and [card for row in found for card in row] == [*range(cards)]


def test_a_table_shortens_names_only_where_that_spares_the_scrolling(qtbot: QtBot) -> None:
    table = FigureTable("Sources")
    qtbot.addWidget(table)
    table.show()
    table.show_rows(("Source", "accuracy", "n"), [("generated/" + "stable_diffusion_" * 3, "0.93 (0.69–0.99)", "14")])
    bar = table.horizontalScrollBar()

    def name_at(width: int, *, scrolls: bool) -> int:
        table.resize(width, 200)
        qtbot.waitUntil(lambda: bar.isVisible() == scrolls, timeout=LIMIT_MS)
        return table.columnWidth(0)

    whole, most = name_at(900, scrolls=False), table.horizontalHeader().length()
    assert whole > 232
    assert 120 <= name_at(most - 60, scrolls=False) < whole
    assert name_at(most - whole + 60, scrolls=True) == 232
    table.setColumnWidth(0, 150)  # as a hand does
    qtbot.wait(50)
    assert table.columnWidth(0) == 150


def test_a_click_on_a_cell_shows_its_pictures_and_one_is_inspected(
    qtbot: QtBot, window: Window, page: EvaluatePage, tmp_path: Path, second_detector: Path
) -> None:
    folder = write_run(tmp_path / "runs" / "first", second_detector, ("fake", "real"), n=6)
    board = opened(qtbot, page, folder).board
    run = open_run(folder)
    assert run.measured is not None
    view = board.overview.plots["confusion"][1]
    drawn(qtbot, view)
    assert view.painted is not None
    rect = view.painted.places[0].rect
    at = QPoint(round(view.width() * (rect.x() + 0.75 * rect.width())),
                round(view.height() * (rect.y() + 0.25 * rect.height())))  # fmt: skip
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=at)
    pictures, count = board.pictures, run.measured.confusion[0][1]
    assert pictures.isVisible() and count
    assert pictures.title.text() == f"fake taken for real: {count} pictures" and pictures.list.count() == count
    pictures.maps.setChecked(True)
    qtbot.waitUntil(
        lambda: sum(tile.mapped is not None for tile in pictures._tiles.values()) == count, timeout=LIMIT_MS
    )
    assert pictures.list.item(0).text().startswith("fake taken for real")
    pictures.back.click()
    wrong = run.measured.n - sum(run.measured.confusion[place][place] for place in (0, 1))
    assert pictures.list.count() == wrong
    pictures.list.itemActivated.emit(pictures.list.item(0))
    assert window.key == "inspect"
    qtbot.waitUntil(
        lambda: bool(window.inspect.desk.pictures.rows) and not window.inspect.desk.running, timeout=LIMIT_MS
    )


def test_the_threshold_tells_both_errors_live(
    qtbot: QtBot, page: EvaluatePage, tmp_path: Path, second_detector: Path
) -> None:
    board = opened(qtbot, page, write_run(tmp_path / "first", second_detector, ("fake", "real"), n=6)).board
    view = board.threshold
    board.turn_to(view)
    drawn(qtbot, view.plot)
    assert board.shown is not None and board.shown.run.predictions is not None
    predictions = board.shown.run.predictions
    scores, fake = predictions.p[:, 0], predictions.labels == 0
    for step in (0, 90, 200):
        view.slider.setValue(step)
        alarms, misses = int((scores[~fake] >= step / 200).sum()), int((scores[fake] < step / 200).sum())
        assert view.value.text() == f"p ≥ {step / 200:.2f}"
        assert [row[1:] for row in cells(view.errors)] == [
            [told(wilson(count, 6)), f"{count} of 6"] for count in (alarms, misses)
        ]


def test_twenty_classes_and_their_answers_by_threshold(qtbot: QtBot, page: EvaluatePage, twenty: Path) -> None:
    board = opened(qtbot, page, twenty).board
    for name in ("confusion", "roc", "precision"):
        drawn(qtbot, board.overview.plots[name][1])
    assert len(cells(board.overview.tables["classes"][1])) == 22
    assert not [*cut_off(page), *overlapping(page), *outside(page)]
    board.turn_to(board.threshold)
    drawn(qtbot, board.threshold.plot)
    board.threshold.slider.setValue(0)
    assert cells(board.threshold.errors)[0][1:] == [told(wilson(40, 40)), "40 of 40"]


def test_what_was_not_measured_or_not_kept_is_said(
    qtbot: QtBot, page: EvaluatePage, tmp_path: Path, second_detector: Path, bundled: Path
) -> None:
    folder = write_run(tmp_path / "first", second_detector, ("fake", "real"))
    change_card(folder, metrics={})
    (folder / "predictions.json").unlink()
    board = opened(qtbot, page, folder).board
    board.turn_to(board.threshold)
    assert board.headline.text().startswith("Nothing was measured") and board.threshold.missing.isVisibleTo(
        board.threshold
    )
    opened(qtbot, page, bundled)
    assert "was not kept" in board.notes.text() and not board.overview.plots["confusion"][0].isHidden()
    assert board.overview.plots["roc"][0].isHidden() and len(cells(board.overview.tables["sources"][1])) > 2
    assert board.tabs.button(4).isHidden() and "Click" not in board.overview._of_matrix.text()
    for broken, word in ((tmp_path, "neither a run nor a detector"), (tmp_path / "odd", "only be read with torch")):
        broken.mkdir(exist_ok=True)
        if broken.name == "odd":
            shutil.copytree(folder, broken, dirs_exist_ok=True)
            (broken / "recipe.json").write_text('{"arch": "resnet34"}')
        opened(qtbot, page, broken)
        assert word in page.notice.text.text() and "\\u200b" not in page.notice.text.text()


@pytest.fixture
def small_set(tmp_path: Path, pictures: Callable[[int], list[Path]]) -> Path:
    """Six pictures in two folders."""
    for number, path in enumerate(pictures(6)):
        place = tmp_path / "data" / ("fake", "real")[number % 2] / path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    return tmp_path / "data"


@pytest.mark.journey
def test_a_detector_is_measured_on_pictures_then_damaged_ones_and_compared(
    qtbot: QtBot, window: Window, page: EvaluatePage, tmp_path: Path, second_detector: Path, detector_folder: Path,
    small_set: Path,
) -> None:  # fmt: skip
    board = page.board
    for detector in (detector_folder, second_detector):
        page.measure.offer(detector)
        page.measure.data.set_path(small_set)
        board.shown = None
        page.measure.button.click()
        qtbot.waitUntil(lambda: board.shown is not None, timeout=LIMIT_MS)
    shown = board.shown
    assert shown is not None and shown.run.split == "all" and shown.run.folder.parent.name == "evaluations"
    assert "on 6 pictures" in board.headline.text() and shown.run.predictions is not None
    drawn(qtbot, board.overview.plots["roc"][1])
    board.turn_to(board.robustness)
    board.robustness.data.set_path(small_set)
    board.robustness.button.click()
    job = window.session.jobs.active[-1]
    qtbot.waitUntil(lambda: job.done > 0, timeout=LIMIT_MS)
    board.robustness.card.pause.click()
    qtbot.waitUntil(lambda: job.state == "paused", timeout=LIMIT_MS)
    job.start()
    qtbot.waitUntil(board.robustness.found.headline.isVisible, timeout=LIMIT_MS)
    assert "Balanced accuracy" in board.robustness.found.headline.text() and job.state == "finished"
    board.turn_to(board.compare)
    board.compare.offer([detector_folder, second_detector], None)
    for line in range(2):
        board.compare.list.item(line).setCheckState(Qt.CheckState.Checked)
    board.compare.data.set_path(small_set)
    board.compare.button.click()
    qtbot.waitUntil(board.compare.found.isVisible, timeout=LIMIT_MS)
    assert sorted(row[0] for row in cells(board.compare.rows)) == ["second", "tiny"]
    assert len(cells(board.compare.pairs)) == 1 and "No difference can be seen" in board.compare.found.title.text()


@pytest.mark.journey
def test_the_window_is_closed_while_it_measures(
    qtbot: QtBot, window: Window, page: EvaluatePage, second_detector: Path, small_set: Path
) -> None:
    page.measure.offer(second_detector)
    page.measure.data.set_path(small_set)
    page.measure.button.click()
    job = window.session.jobs.active[-1]
    assert not window.close() and job.running
    (box,) = window.findChildren(QMessageBox)
    next(one for one in box.buttons() if one.text() == "Stop and quit").click()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=LIMIT_MS)
    assert job.state == "cancelled" and page.board.shown is None
    assert not [one for one in (small_set.parent / "runs").rglob("*") if one.is_file()]
