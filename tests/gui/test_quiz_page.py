"""The quiz through the window: a game by keys and buttons, its end, and what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from classifier.runtime import Detector
from forensics_app.core.quiz import Dealt, Tally, deal, tallies
from forensics_app.gui.quiz_page import QuizPage
from forensics_app.gui.window import Window
from tests.conftest import write_picture
from tests.core.test_quiz import filled
from tests.gui.conftest import LIMIT_MS, drop, files


@pytest.fixture
def page(window: Window) -> QuizPage:
    window.turn_to("quiz")
    found = window.current
    assert isinstance(found, QuizPage)
    return found


def shown(qtbot: QtBot, page: QuizPage) -> None:
    qtbot.waitUntil(lambda: page.play.view.painted is not None, timeout=LIMIT_MS)


@pytest.mark.journey
def test_a_game_by_keys_and_buttons(qtbot: QtBot, window: Window, page: QuizPage, tmp_path: Path) -> None:
    drop(window, files([filled(tmp_path / "set", 12, 12)]))
    for number in range(20):
        shown(qtbot, page)
        assert page.play.told.text().startswith(f"Picture {number + 1} of 20")
        assert "png" not in page.play.told.text() + page.play.view.accessibleDescription()
        if number == 0:
            page.play.unsure.click()
        elif number % 2:
            page.play.generated.click()
        else:
            window.activateWindow()
            QTest.keyClick(window, Qt.Key.Key_C)
    assert page.stack.currentWidget() is page.result and len(page._guesses) == 20
    assert [guess.yours for guess in page._guesses[:4]] == ["unsure", "fake", "real", "fake"]
    yours, detectors = tallies(page._guesses)
    assert f"{yours.right} of {yours.right + yours.wrong} answers" in page.result.yours.told.text()
    assert "unsure: 1" in page.result.yours.told.text() and "95 % interval" in page.result.yours.told.text()
    assert f"unsure: {detectors.unsure}" in page.result.detectors.told.text()
    apart = [guess for guess in page._guesses if guess.differ]
    looks = list(page.result.differed.findChildren(QPushButton))
    assert len(looks) == len(apart)
    before = [guess.card for guess in page._guesses]
    page.result.play.click()
    shown(qtbot, page)
    assert page.play.told.text().startswith("Picture 1 of 20") and not page._guesses
    qtbot.waitUntil(lambda: not page._dealing.busy, timeout=LIMIT_MS)
    assert [hand.dealt.card for hand in page._hands] != before


def test_the_samples_are_played_and_one_is_inspected(qtbot: QtBot, window: Window, page: QuizPage) -> None:
    page.samples.click()
    qtbot.waitUntil(lambda: not page._dealing.busy, timeout=LIMIT_MS)
    count = len(page._hands)
    for _ in range(count):
        page.play.answer("unsure")
    assert page.stack.currentWidget() is page.result and page.result.yours.number.text() == "No answers"
    assert "nothing to compare" in page.result.said.text()
    looks = page.result.differed.findChildren(QPushButton)
    assert looks
    looks[0].click()
    qtbot.waitUntil(
        lambda: len(window.inspect.desk.pictures.rows) == 1 and not window.inspect.desk.running, timeout=LIMIT_MS
    )
    assert window.key == "inspect"


def test_a_whole_game_by_keys_alone(qtbot: QtBot, window: Window, page: QuizPage) -> None:
    def press(key: Qt.Key) -> None:
        QTest.keyClick(QApplication.focusWidget() or window, key)

    window.activateWindow()
    page.field.setFocus()
    for _ in range(6):
        if page.samples.hasFocus():
            break
        press(Qt.Key.Key_Tab)
    press(Qt.Key.Key_Return)
    for key in (Qt.Key.Key_G, Qt.Key.Key_C, Qt.Key.Key_U, Qt.Key.Key_C, Qt.Key.Key_G):
        shown(qtbot, page)
        qtbot.waitUntil(lambda: not page._dealing.busy, timeout=LIMIT_MS)
        press(key)
    assert page.stack.currentWidget() is page.result and page.result.play.hasFocus()
    assert [guess.yours for guess in page._guesses] == ["fake", "real", "unsure", "real", "fake"]
    press(Qt.Key.Key_Return)
    shown(qtbot, page)
    assert page.stack.currentWidget() is page.play and not page._guesses


def test_a_game_that_is_stopped_tells_what_there_is(qtbot: QtBot, page: QuizPage, tmp_path: Path) -> None:
    page.open_with(filled(tmp_path / "set", 3, 3))
    shown(qtbot, page)
    page.play.stop.click()
    assert page.stack.currentWidget() is page.start
    page.go.click()
    shown(qtbot, page)
    page.play.generated.click()
    page.play.stop.click()
    assert page.stack.currentWidget() is page.result
    assert tallies(page._guesses)[0] in (Tally(1, 0, 0), Tally(0, 1, 0))


def test_the_last_answer_ends_the_game_although_the_thread_has_not_ended(
    qtbot: QtBot, page: QuizPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end, ended = threading.Event(), threading.Event()

    def slow(folder: Path | None, seed: int, detector: Detector) -> Iterator[Dealt]:
        yield from deal(folder, seed, detector)
        may_end.wait(LIMIT_MS / 1000)
        ended.set()

    monkeypatch.setattr("forensics_app.gui.quiz_page.deal", slow)
    page.begin(filled(tmp_path / "set", 2, 2))
    for _ in range(4):
        shown(qtbot, page)
        page.play.generated.click()
    at_once = page.stack.currentWidget() is page.result and not ended.is_set()
    may_end.set()
    assert at_once
    qtbot.waitUntil(ended.is_set, timeout=LIMIT_MS)
    qtbot.wait(50)
    assert page.stack.currentWidget() is page.result and len(page._guesses) == 4


def test_return_in_the_field_plays(qtbot: QtBot, page: QuizPage, tmp_path: Path) -> None:
    page.field.line.setText(str(filled(tmp_path / "set", 2, 2)))
    QTest.keyClick(page.field.line, Qt.Key.Key_Return)
    shown(qtbot, page)
    assert page.play.told.text().startswith("Picture 1 of 4")


def test_what_cannot_be_played_is_told(qtbot: QtBot, window: Window, page: QuizPage, tmp_path: Path) -> None:
    page.go.click()
    assert "Choose a folder" in page.notice.text.text()
    for kind in ("ants", "bees"):
        write_picture(tmp_path / "things" / kind / "0.png")
    drop(window, files([tmp_path / "things"]))
    qtbot.waitUntil(lambda: "'fake' and 'real' are needed" in page.notice.text.text(), timeout=LIMIT_MS)
    assert page.stack.currentWidget() is page.start
    drop(window, files([write_picture(tmp_path / "one.png")]))
    assert "one folder real" in page.notice.text.text()


def test_keys_do_nothing_where_no_picture_is_shown(window: Window, page: QuizPage) -> None:
    window.activateWindow()
    QTest.keyClick(window, Qt.Key.Key_G)
    page._key("fake")
    assert not page._guesses and page.stack.currentWidget() is page.start


def test_closing_while_pictures_are_read(qtbot: QtBot, window: Window, page: QuizPage, tmp_path: Path) -> None:
    page.open_with(filled(tmp_path / "set", 10, 10))
    shown(qtbot, page)
    window.quit()
    assert not page._dealing.busy
