"""The frame: its pages, the palette, the keys, themes and closing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from forensics_app.gui import app as entry
from forensics_app.gui import theme, words
from forensics_app.gui.labels import label
from forensics_app.gui.page import Action
from forensics_app.gui.pages import PAGES
from forensics_app.gui.palette import Palette, rank
from forensics_app.gui.process_job import ProcessJob
from forensics_app.gui.settings import Settings
from forensics_app.gui.settings_page import SettingsPage
from forensics_app.gui.shortcuts import ShortcutSheet
from forensics_app.gui.status import JobsSheet
from forensics_app.gui.window import Window
from tests.conftest import write_picture
from tests.gui.conftest import LIMIT_MS, drop, files, wait_judged
from tests.test_imports import loaded_after


class Shown(QObject):
    """Notes every widget that shows as a window of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.widgets: list[QObject] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.widgets.append(watched)
        return False


@pytest.fixture
def long_job(tmp_path: Path, second_detector: Path) -> Iterator[ProcessJob]:
    """A scan of many files, not started."""
    first = write_picture(tmp_path / "many" / "0.png", 64, 64).read_bytes()
    for number in range(1, 600):
        (tmp_path / "many" / f"{number}.png").write_bytes(first + number.to_bytes(4, "big"))
    store = str(tmp_path / "scan.db")
    words = ("scan", str(tmp_path / "many"), "--store", store, "--detector", str(second_detector))
    yield ProcessJob("Scanning many", words, again=words, kept="What was judged is kept.", page="settings")


def test_every_page_can_be_turned_to_and_none_opens_a_window_of_its_own(qtbot: QtBot, window: Window) -> None:
    shown = Shown()
    QApplication.instance().installEventFilter(shown)  # type: ignore[union-attr]
    for number, page in enumerate(PAGES):
        window.turn_to(page.key)
        assert window.pages.currentIndex() == number and window.current.isVisible()
        assert window.sidebar.button(number).isChecked()
    assert not shown.widgets


def test_the_window_is_painted_before_what_judges_is_made(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> None:
    entry.dress(qapp)
    made = Window()
    qtbot.addWidget(made)
    made.setUpdatesEnabled(False)  # as on a screen that takes its time
    made.show()
    qtbot.wait(100)
    assert not made._made
    made.setUpdatesEnabled(True)
    qtbot.waitUntil(lambda: "inspect" in made._made, timeout=LIMIT_MS)
    assert made.inspect.isVisible() and made.key == "inspect"
    assert made.focusWidget() is made.centralWidget()  # no button stands framed
    made.close()


def test_what_the_pages_need_comes_soon_after_and_no_page_and_no_torch() -> None:
    code = """
import os, time
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PySide6.QtWidgets import QApplication
from forensics_app.gui.pages import AHEAD
from forensics_app.gui.window import Window
app, window = QApplication([]), Window()
window.show()
begun = time.monotonic()
while not set(AHEAD) <= set(sys.modules) and time.monotonic() - begun < 60:
    app.processEvents()
assert list(window._made) == ["inspect"], list(window._made)
window.quit()
"""
    modules = ["forensics_app.core.store", "classifier.request", "generator.zips"]
    assert loaded_after(code, (*modules, "forensics_app.gui.scan_page", "torch", "matplotlib")) == modules


@pytest.mark.parametrize(
    ("wanted", "text", "place"),
    [("", "Open", 0), ("op", "Open pictures", 0), ("pict", "Open pictures", 1), ("ictu", "Open pictures", 2),
     ("oprs", "Open pictures", 3), ("xyz", "Open pictures", None)],
)  # fmt: skip
def test_the_palette_ranks_starts_before_words_before_letters(wanted: str, text: str, place: int | None) -> None:
    assert rank(wanted, text) == place


def test_the_palette_does_what_is_typed(qtbot: QtBot, window: Window) -> None:
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palette = window.findChild(Palette)
    assert palette is not None and palette.isVisible() and palette.list.count() >= len(PAGES)
    QTest.keyClicks(palette.line, "go to about")
    assert palette.list.count() == 1
    QTest.keyClick(palette.line, Qt.Key.Key_Return)
    assert window.key == "about"


def test_the_palette_leaves_out_what_would_do_nothing_now(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    def offered() -> set[str]:
        window.show_palette()
        palette = window.findChild(Palette)
        assert palette is not None
        texts = {palette.list.item(row).text() for row in range(palette.list.count())}
        palette.reject()
        qtbot.waitUntil(lambda: window.findChild(Palette) is None, timeout=LIMIT_MS)
        return texts

    def own() -> set[str]:
        return {action.text for action in window.current.actions_now()}

    assert own() and not own() & offered()
    drop(window, files([write_picture(tmp_path / "a.png", 64, 64)]))
    wait_judged(qtbot, window, 1)
    qtbot.waitUntil(lambda: own() <= offered(), timeout=LIMIT_MS)
    for key, always in (("scan", {"Scan a folder"}), ("quiz", {"Play the quiz with the samples"}),
                        ("data", {"Open a data set", "Generate the data set"})):  # fmt: skip
        window.turn_to(key)
        assert own() & offered() == always
    window.turn_to("detectors")
    qtbot.waitUntil(lambda: "Export the detector" in offered(), timeout=LIMIT_MS)
    assert "Make the detector the default" not in offered()  # it is


def test_tab_stops_at_the_page_that_is_shown_and_arrows_turn_on(qtbot: QtBot, window: Window) -> None:
    window.turn_to("quiz")
    stops = [button for button in window.sidebar.tabs.buttons() if button.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert [button.accessibleName() for button in stops] == ["Quiz"]
    stops[0].setFocus()
    QTest.keyClick(stops[0], Qt.Key.Key_Down)
    assert window.key == [page.key for page in PAGES][[page.key for page in PAGES].index("quiz") + 1]
    assert window.focusWidget() is window.sidebar.button([page.key for page in PAGES].index(window.key))
    QTest.mouseClick(window.sidebar.button(4), Qt.MouseButton.LeftButton)
    window.turn_to("inspect")
    assert window.focusWidget() is window.sidebar.button(0)
    QTest.mousePress(window.sidebar.button(5), Qt.MouseButton.LeftButton)
    QTest.mouseRelease(window.sidebar.button(5), Qt.MouseButton.LeftButton, pos=QPoint(-50, -50))
    stops = [button for button in window.sidebar.tabs.buttons() if button.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert window.key == "inspect" and stops == [window.sidebar.button(0)]


def test_the_palette_moves_with_the_arrows_and_says_when_nothing_fits(qtbot: QtBot, window: Window) -> None:
    done: list[str] = []
    palette = Palette([Action("One", lambda: done.append("one")), Action("Two", lambda: done.append("two"))], window)
    palette.open()
    QTest.keyClick(palette.line, Qt.Key.Key_Down)
    QTest.keyClick(palette.line, Qt.Key.Key_Return)
    assert done == ["two"]
    palette = Palette([], window)
    palette.open()
    assert palette.list.item(0).text() == "Nothing is called that."
    QTest.keyClick(palette.line, Qt.Key.Key_Return)
    assert palette.isVisible()
    palette.reject()


def test_numbers_turn_the_pages(window: Window) -> None:
    window.activateWindow()
    for number in range(len(PAGES), 0, -1):
        QTest.keyClick(window, Qt.Key(Qt.Key.Key_0 + number), Qt.KeyboardModifier.ControlModifier)
        assert window.key == PAGES[number - 1].key


def test_the_theme_of_the_settings_is_worn_at_once_and_kept(qtbot: QtBot, qapp: QApplication, window: Window) -> None:
    entry.choose_theme(qapp, window)
    window.turn_to("settings")
    page = window.current
    assert isinstance(page, SettingsPage)
    try:
        for name in ("dark", "light"):
            page.theme.setCurrentIndex(page.theme.findData(name))
            assert theme.current() is theme.THEMES[name]
            assert qapp.palette().window().color().name() == theme.THEMES[name].window
        window.session.settings.write()
        assert Settings().theme == "light"
    finally:
        qapp.setProperty(theme.CHOSEN, None)


@pytest.mark.parametrize("content", ["", "theme=mauve\nopacity=banana\nrecent=@Invalid()", "\x00\xff", "[x\n=\n"])
def test_settings_that_cannot_be_read_are_as_if_never_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setenv("FORENSICS_HOME", str(tmp_path))
    (tmp_path / "window.ini").write_text(f"[General]\n{content}", encoding="latin-1")
    settings = Settings()
    assert settings.theme == "system" and settings.number("opacity", 0.45, 0, 1) == 0.45 and settings.recent == ()


def test_recent_files_are_the_latest_first_once_each(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    paths = [write_picture(tmp_path / f"{number}.png", 64, 64, seed=number) for number in range(2)]
    for path in (*paths, paths[0]):
        drop(window, files([path]))
    wait_judged(qtbot, window, 3)
    assert window.session.settings.recent == (paths[0], paths[1])
    window.show_palette()
    palette = window.findChild(Palette)
    assert palette is not None
    QTest.keyClicks(palette.line, "1.png")
    assert palette.list.item(0).text().replace("\u200b", "") == f"Open {paths[1]}"
    palette.reject()


def test_a_job_is_told_at_the_foot_and_marks_its_page(qtbot: QtBot, window: Window, long_job: ProcessJob) -> None:
    button = window.sidebar.button([page.key for page in PAGES].index("settings"))
    window.session.jobs.add(long_job, "scan")
    qtbot.waitUntil(lambda: long_job.done >= 1, timeout=LIMIT_MS)
    qtbot.waitUntil(lambda: "Scanning many" in window.status_line.text.text(), timeout=LIMIT_MS)
    assert button.mark == "running" and window.status_line.cancel.isVisible()
    window.status_line.show_jobs()
    sheet = window.findChild(JobsSheet)
    assert sheet is not None and sheet.isVisible()
    sheet.reject()
    window.status_line.cancel.click()
    qtbot.waitUntil(lambda: long_job.ended, timeout=LIMIT_MS)
    assert long_job.state == "cancelled" and button.mark == "" and not window.status_line.cancel.isVisible()


@pytest.mark.journey
def test_closing_asks_while_a_job_runs_and_then_stops_it(qtbot: QtBot, window: Window, long_job: ProcessJob) -> None:
    window.session.jobs.add(long_job, "scan")
    qtbot.waitUntil(lambda: long_job.done >= 1, timeout=LIMIT_MS)
    assert not window.close()
    box = window.findChild(QMessageBox)
    assert box is not None and "Scanning many" in box.informativeText() and window.isVisible()
    box.buttons()[1].click()
    assert window.isVisible() and long_job.running
    assert not window.close()
    qtbot.waitUntil(lambda: len(window.findChildren(QMessageBox)) == 1, timeout=LIMIT_MS)
    next(one for one in window.findChild(QMessageBox).buttons() if one.text() == "Stop and quit").click()  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=LIMIT_MS)
    assert long_job.state == "cancelled" and not long_job.running


def test_the_keys_of_the_page_stand_beside_those_of_the_window(qtbot: QtBot, window: Window) -> None:
    window.activateWindow()
    QTest.keyClicks(window, "?")
    sheet = window.findChild(ShortcutSheet)
    assert sheet is not None
    told = {label.text() for label in sheet.findChildren(QWidget) if hasattr(label, "text")}
    assert {"Everywhere", "Inspect", "Ctrl+K", "Ctrl+E", "Space"} <= told
    sheet.reject()


def test_a_text_is_copied_without_the_places_where_it_may_break(qtbot: QtBot, window: Window) -> None:
    line = label("body", selectable=True)
    qtbot.addWidget(line)
    line.setText(words.legible("a" * 60 + ".jpg"))
    line.show()
    assert "\u200b" in line.text()
    line.setSelection(0, len(line.text()))
    QTest.keyClick(line, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "a" * 60 + ".jpg"
