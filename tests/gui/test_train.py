"""Training through the real window: chosen, started, paused, cancelled, closed, and gone on with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtWidgets import QLineEdit, QMessageBox
from pytestqt.qtbot import QtBot

from classifier.detector import find
from forensics_app.gui.evaluate_page import EvaluatePage
from forensics_app.gui.train_log import TrainingLog
from forensics_app.gui.train_page import TrainPage
from forensics_app.gui.window import Window
from tests.classifier.pictures import write_folder
from tests.gui.conftest import drop, files
from tests.journeys.test_training import write_recipe

LIMIT_MS = 90_000
MANY = 12
"""Epochs enough for a pause to come before the last."""
TINY = {"arch": "mini_resnet", "phases": [{"epochs": 1, "lr": 0.01}]}

pytest.importorskip("torch", reason="needs the extra 'train'")


@pytest.fixture
def page(qtbot: QtBot, window: Window, tmp_path: Path) -> TrainPage:
    """The page, with a folder for runs, a tiny recipe and 30 pictures chosen."""
    window.turn_to("train")
    page = window.current
    assert isinstance(page, TrainPage)
    page.place.runs.set_path(tmp_path / "runs")
    qtbot.waitUntil(lambda: page.recipe.recipe is not None, timeout=LIMIT_MS)
    page.recipe.add_file(str(write_recipe(tmp_path / "tiny.yaml", **TINY)))
    drop(window, files([write_folder(tmp_path / "data", n=15)]))
    qtbot.waitUntil(lambda: page.data.found is not None, timeout=LIMIT_MS)
    return page


def begun(qtbot: QtBot, page: TrainPage, *, epochs: int = 1) -> TrainingLog:
    page.form.set_text("phases.0.epochs", str(epochs))
    assert page.start.isEnabled(), page.why.text()
    page.start.click()
    return page.logs[-1]


def test_the_bundled_recipes_are_listed_and_explained(qtbot: QtBot, page: TrainPage) -> None:
    card = page.recipe
    names = [card.box.itemData(place) for place in range(card.box.count())]
    assert {"fake-real", "vehicles", "default"} <= set(names)
    card.box.setCurrentIndex(card.box.findData("vehicles"))
    assert "vehicles" in card.about.text() and "convnext_tiny" in card.facts.text()
    card.more.click()
    assert card.explanation.isVisible() and "Reproduces S1.1" in card.explanation.text()
    assert page.form.controls["phases.0.lr"].property("text") == "0.05"


def test_what_is_missing_or_wrong_is_told_and_keeps_it_from_starting(
    qtbot: QtBot, page: TrainPage, tmp_path: Path
) -> None:
    assert page.start.isEnabled() and page.data.told.text() == "2 classes, 30 pictures: fake 15, real 15."
    page.form.set_text("batch_size", "none at all")
    assert page.form.problems == {"batch_size": "a whole number is needed"} and not page.start.isEnabled()
    page.form.undo.click()
    assert page.start.isEnabled() and not page.form.settings()
    page.form.set_text("augment.jpeg.probability", "2")
    assert page.form.advanced.isChecked() and not page.start.isEnabled()
    page.form.undo.click()
    page.place.name.setText("../out")
    page.place.name.textEdited.emit("../out")
    assert not page.start.isEnabled() and "letters" in page.why.text()
    page.place.suggest("tiny")
    (tmp_path / "empty").mkdir()
    page.data.field.set_path(tmp_path / "empty")
    qtbot.waitUntil(lambda: not page.data.problem.isHidden(), timeout=LIMIT_MS)
    assert "no class folder" in page.data.problem.text() and page.why.text() == "Choose a folder of pictures."
    (tmp_path / "odd.yaml").write_text("name: odd\narch: resnet34\nphases: [{epochs: 1, lr: 0.1}]\n")
    page.recipe.add_file(str(tmp_path / "odd.yaml"))
    assert "resnet34" in page.recipe.problem.text() and page.why.text() == "Choose a recipe."


def test_only_what_differs_from_the_recipe_is_passed_on(page: TrainPage) -> None:
    lr = page.form.controls["phases.0.lr"]
    assert isinstance(lr, QLineEdit)
    lr.setText(lr.text())
    assert page.form.settings() == ()
    page.form.set_text("phases.0.lr", "1e-3")
    page.form.set_text("optimizer.name", "adam")
    assert page.form.settings() == ("phases.0.lr=1e-3", "optimizer.name=adam")
    assert page.form.title.text() == "Settings: 2 changed"


@pytest.mark.journey
def test_a_detector_is_trained_with_a_pause_and_used(
    qtbot: QtBot, window: Window, page: TrainPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr("forensics_app.gui.train_view.QDesktopServices.openUrl", opened.append)
    log = begun(qtbot, page, epochs=MANY)
    assert page.view.isVisible() and page.view.log is log and page.place.name.text() == "tiny-2"
    qtbot.waitUntil(lambda: len(log.epochs) >= 1, timeout=LIMIT_MS)
    page.view.card.pause.click()
    qtbot.waitUntil(lambda: log.job.state == "paused", timeout=LIMIT_MS)
    before = len(log.epochs)
    page.view.card.pause.click()
    qtbot.waitUntil(lambda: log.job.ended, timeout=LIMIT_MS)
    assert log.job.state == "finished", log.job.log
    assert before < MANY and [epoch["epoch"] for epoch in log.epochs] == list(range(MANY))
    assert log.confusions[-1].classes == ("fake", "real") and sum(map(sum, log.confusions[-1].counts)) == 6
    qtbot.waitUntil(lambda: bool(log.device) and page.view.curves.painted is not None, timeout=LIMIT_MS)
    assert page.view.result.isVisible() and "Balanced accuracy" in page.view.result.headline.text()
    page.view.result.report.click()
    assert Path(opened[0].toLocalFile()) == log.out / "report.html" and (log.out / "report.html").is_file()
    with qtbot.waitSignal(window.session.detectors_changed, timeout=LIMIT_MS):
        page.view.result.use.click()
    page.view.result.evaluate.click()
    figures = window.current
    assert isinstance(figures, EvaluatePage)
    qtbot.waitUntil(lambda: figures.board.shown is not None, timeout=LIMIT_MS)
    assert figures.board.shown is not None and figures.board.shown.run.folder == log.out
    assert figures.board.headline.text() == page.view.result.headline.text()
    assert find("tiny").parent.name == "detectors" and "“tiny” is installed" in page.notice.text.text()


@pytest.mark.journey
def test_several_wait_one_is_gone_on_with_and_closing_leaves_nothing(
    qtbot: QtBot, window: Window, page: TrainPage
) -> None:
    first, second, third = begun(qtbot, page, epochs=40), begun(qtbot, page), begun(qtbot, page)
    assert [log.out.name for log in page.logs] == ["tiny", "tiny-2", "tiny-3"]
    assert [log.job.state for log in page.logs] == ["running", "waiting", "waiting"] and page.queue.isVisible()
    page.queue.rows.button(1, "First").click()
    assert window.session.jobs.of_lane("train") == (first.job, third.job, second.job)
    for log in (third, second):
        page.queue.rows.button(0, "Remove").click()
        assert log.job.state == "cancelled"
    assert page.queue.isHidden()
    qtbot.waitUntil(lambda: len(first.epochs) >= 1, timeout=LIMIT_MS)
    page.view.card.cancel.click()
    qtbot.waitUntil(lambda: first.job.ended and not page.unfinished.isHidden(), timeout=LIMIT_MS)
    kept = len(json.loads((first.out / "history.json").read_text()))
    page.unfinished.rows.button(0, "Go on").click()
    again = page.logs[-1]
    qtbot.waitUntil(lambda: len(again.epochs) > kept, timeout=LIMIT_MS)
    assert again.out == first.out and again.total == 40 and page.view.log is again
    assert [epoch["epoch"] for epoch in again.epochs] == list(range(len(again.epochs)))
    close_while_it_trains(qtbot, window)
    assert again.job.state == "cancelled" and not again.job.running


def close_while_it_trains(qtbot: QtBot, window: Window) -> None:
    window.close()
    assert window.isVisible()
    box = window.findChild(QMessageBox)
    assert box is not None and "Every finished epoch is kept" in box.informativeText()
    next(button for button in box.buttons() if button.text() == "Stop and quit").click()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=LIMIT_MS)


def test_a_failure_is_the_commands_own_sentence(qtbot: QtBot, page: TrainPage) -> None:
    page.place.weights.set_path(Path("nowhere.pth"))
    log = begun(qtbot, page)
    qtbot.waitUntil(lambda: log.job.ended, timeout=LIMIT_MS)
    assert log.job.state == "failed" and "nowhere.pth" in log.job.why
    assert page.view.card.log.isVisible() and not page.view.result.isVisible()
    assert not page.view.curves.isVisible() and "before its first epoch" in page.view.nothing.text()
    assert page.view.nothing.isVisible()


def test_curves_come_with_the_first_epoch(qtbot: QtBot, page: TrainPage) -> None:
    log = begun(qtbot, page)
    assert page.view.nothing.isVisible() and "first epoch is finished" in page.view.nothing.text()
    qtbot.waitUntil(lambda: log.job.ended, timeout=LIMIT_MS)
    assert page.view.curves.isVisible() and not page.view.nothing.isVisible()


def test_a_recipe_file_is_asked_for_without_blocking(
    qtbot: QtBot, page: TrainPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = write_recipe(tmp_path / "own.yaml", **TINY)
    monkeypatch.setattr("forensics_app.gui.train_recipe.ask", lambda dialog, then: (dialog.deleteLater(), then([own])))
    page.recipe.file.click()
    assert page.recipe.box.currentText() == "own.yaml" and page.recipe.recipe is not None
