from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from forensics_app.core.verdict import HEADLINES, Policy, Verdict
from forensics_app.gui import words
from forensics_app.gui.intake import sources_in
from forensics_app.gui.pictures import image_over
from forensics_app.gui.window import Window
from tests.conftest import picture, write_picture
from tests.gui.conftest import LIMIT_MS, drag_in, drop, files, wait_judged

VERDICTS = {"fake", "real", "unsure"}
Make = Callable[[int], list[Path]]


@pytest.mark.journey
def test_a_dropped_picture_is_judged_and_shown(qtbot: QtBot, window: Window, pictures: Make) -> None:
    drop(window, files(pictures(1)))
    (state,) = wait_judged(qtbot, window, 1)
    page = window.inspect
    judged = page.shown()
    assert state in VERDICTS and judged is not None
    assert page.verdict.headline.text() == HEADLINES[judged.analysis.verdict.label]
    assert page.verdict.scale.isVisible() and page.map.isVisible() and page.file.isVisible()
    assert page.view.painted is judged.painted
    assert "default" in page.verdict.knowledge.text()
    assert page.file.facts["Pixels"].text() == "240 × 180"
    assert not page.strip.isVisible() and not window.veil.isVisible()
    assert window.status_line.text.text() == "1 of 1 judged" and not window.status_line.cancel.isVisible()


def test_what_is_left_open_follows_from_the_cause() -> None:
    policy = Policy(0.3, 0.7, 256)
    hinted, between = Verdict("unsure", 0.04, ""), Verdict("unsure", 0.5, "")
    assert "contradict" in words.open_question(hinted, policy, 500)
    assert "either way" in words.open_question(between, policy, 500)
    assert "larger version" in words.open_question(hinted, policy, 100)


def test_one_is_told_apart_from_several() -> None:
    told = [words.counted("1 job", "{count} jobs", count) for count in (0, 1, 2, 12_000)]
    assert told == ["0 jobs", "1 job", "2 jobs", "12,000 jobs"]


def test_the_veil_shows_while_something_is_dragged_over(window: Window, pictures: Make) -> None:
    assert drag_in(window, files(pictures(1)))
    assert window.veil.isVisible() and window.veil.size() == window.size()


def test_text_is_not_taken(window: Window) -> None:
    mime = QMimeData()
    mime.setText("hello")
    assert not drag_in(window, mime)
    assert not window.veil.isVisible()


@pytest.mark.journey
def test_several_make_a_strip_that_the_arrows_move_through(qtbot: QtBot, window: Window, pictures: Make) -> None:
    drop(window, files(pictures(3)))
    assert set(wait_judged(qtbot, window, 3)) <= VERDICTS
    page = window.inspect
    assert page.strip.isVisible() and page.toolbar.name.text() == "0.png"
    QTest.keyClick(page.view, Qt.Key.Key_Right)
    assert page.toolbar.name.text() == "1.png"
    page.strip.setFocus()
    QTest.keyClick(page.strip, Qt.Key.Key_Right)
    assert page.toolbar.name.text() == "2.png"
    QTest.keyClick(page.view, Qt.Key.Key_Left)
    assert page.toolbar.name.text() == "1.png"
    assert window.status_line.text.text() == "3 of 3 judged"


@pytest.mark.journey
def test_a_folder_is_looked_through(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    root = tmp_path / "album"
    for name in ("a.png", "b/c.jpg", "b/d/e.webp"):
        write_picture(root / name, 160, 120)
    (root / "notes.txt").write_text("not a picture")
    drop(window, files([root]))
    assert len(wait_judged(qtbot, window, 3)) == 3
    assert {row.picture.name for row in window.inspect.desk.pictures.rows} == {"a.png", "c.jpg", "e.webp"}


def test_an_empty_folder_is_told_in_place(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    (tmp_path / "void").mkdir()
    drop(window, files([tmp_path / "void"]))
    qtbot.waitUntil(window.inspect.notice.isVisible, timeout=LIMIT_MS)
    assert "void" in window.inspect.notice.text.text()
    wait_judged(qtbot, window, 0)


def rubbish(folder: Path) -> dict[str, Path]:
    (folder / "text.jpg").write_text("this is no picture\n" * 10)
    (folder / "empty.png").touch()
    os.mkfifo(folder / "pipe.jpg")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    return {
        "unknown_format": folder / "text.jpg", "empty": folder / "empty.png", "not_regular": folder / "pipe.jpg",
        "missing": folder / "gone.jpg", "missing ": folder / "loop.png",
        "too_small": write_picture(folder / "dot.png", 1, 1),
    }  # fmt: skip


@pytest.mark.journey
def test_rubbish_is_told_in_place_and_the_others_go_on(
    qtbot: QtBot, window: Window, tmp_path: Path, pictures: Make
) -> None:
    bad = rubbish(tmp_path)
    drop(window, files([*bad.values(), *pictures(1)]))
    states = wait_judged(qtbot, window, len(bad) + 1)
    rows = window.inspect.desk.pictures.rows
    assert states[:-1] == ["error"] * len(bad) and states[-1] in VERDICTS
    assert [row.kind for row in rows[:-1]] == [kind.strip() for kind in bad]
    page = window.inspect
    for number in range(len(bad)):
        page.strip.setCurrentIndex(page.desk.pictures.index(number))
        assert page.verdict.headline.text() == "Could not be judged"
        assert page.verdict.reason.text() and page.verdict.limits.text()
        assert not page.map.isVisible() and not page.toolbar.export.isEnabled()
    assert not page.notice.isVisible() and QGuiApplication.modalWindow() is None


def test_a_name_that_cannot_be_looked_up_does_not_stop_the_others(
    qtbot: QtBot, window: Window, tmp_path: Path, pictures: Make
) -> None:
    window.open([tmp_path / f"{'a' * 300}.jpg", tmp_path / "nul\0.jpg", *pictures(2)])
    states = wait_judged(qtbot, window, 4)
    assert states[:2] == ["error", "error"] and set(states[2:]) <= VERDICTS
    assert all(row.message for row in window.inspect.desk.pictures.rows[:2])


def test_every_malformed_file_leaves_the_window_standing(qtbot: QtBot, window: Window, shared_data: Path) -> None:
    some = sorted((shared_data / "malformed").iterdir())[::9]
    drop(window, files(some))
    assert set(wait_judged(qtbot, window, len(some))) <= {*VERDICTS, "error"}


@pytest.mark.parametrize(
    "name", [b"caf\xe9.png", b"50% off \xe9.png", b"100%.png", b"a%20b#?.png", "caf\u00e9 \ufffd.png".encode()]
)
def test_a_url_keeps_every_byte_of_a_name(tmp_path: Path, name: bytes) -> None:
    mime = QMimeData()
    mime.setData(
        "text/uri-list", QByteArray(b"file://" + quote(os.fsencode(tmp_path) + b"/" + name).encode() + b"\r\n")
    )
    assert sources_in(mime).sources == (tmp_path / os.fsdecode(name),)


def test_web_addresses_are_not_fetched(window: Window) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl("https://example.org/cat.jpg")])
    drop(window, mime)
    assert "web" in window.inspect.notice.text.text() and not window.inspect.desk.running


def png() -> bytes:
    memory = QByteArray()
    buffer = QBuffer(memory)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image_over(picture(200, 150)).save(buffer, "PNG")
    return bytes(memory.data())


@pytest.mark.parametrize("kind", ["image", "bytes", "files"])
def test_paste(qtbot: QtBot, window: Window, pictures: Make, kind: str) -> None:
    mime = files(pictures(1)) if kind == "files" else QMimeData()
    if kind == "image":
        mime.setImageData(QImage(image_over(picture(200, 150)).copy()))
    elif kind == "bytes":
        mime.setData("image/png", QByteArray(png()))
    QGuiApplication.clipboard().setMimeData(mime)
    window.inspect.empty.open.setFocus()
    QTest.keyClick(window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    (state,) = wait_judged(qtbot, window, 1)
    assert state in VERDICTS
    assert window.inspect.toolbar.name.text() == ("0.png" if kind == "files" else "Pasted picture")


def test_pasted_bytes_are_judged_as_they_were_copied() -> None:
    mime = QMimeData()
    mime.setData("image/png", QByteArray(png()))
    assert sources_in(mime).sources == (png(),)


def test_pasting_nothing_says_so(window: Window) -> None:
    QGuiApplication.clipboard().setMimeData(QMimeData())
    QTest.keyClick(window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert window.inspect.notice.isVisible()
