"""No page cuts a text off or lays one over another, also where a language needs 40 % more room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QPoint, QPointF, QRect, QSize, Qt, QTranslator
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QScrollBar,
    QSlider,
    QSpinBox,
    QTextEdit,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from forensics_app.gui.pages import PAGES
from forensics_app.gui.toolbar import Elided
from forensics_app.gui.train_page import TrainPage
from forensics_app.gui.window import Window
from tests.conftest import write_picture
from tests.gui.conftest import drop, files, wait_judged

SIZES = ((1280, 800), (900, 640))
CONTROLS = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QTextEdit, QAbstractItemView)
FILLER = " lorem ipsum dolor sit amet consetetur sadipscing elitr sed diam nonumy eirmod tempor invidunt ut labore"
SLACK_PX, ROW_PX = 1, 12


class Longer(QTranslator):
    """Makes every text of the window 40 % longer."""

    def translate(self, context: str, text: str, disambiguation: str | None = None, n: int = -1) -> str:  # type: ignore[override]
        """Return the text with filler words behind it."""
        more = max(1, round(0.4 * len(text))) if any(letter.isalpha() for letter in text) else 0
        return text + (FILLER * (more // len(FILLER) + 1))[:more].rstrip()


@pytest.fixture
def longer(qapp: QCoreApplication) -> Iterator[None]:
    """Texts that are 40 % longer, for one test."""
    translator = Longer()
    qapp.installTranslator(translator)
    yield
    qapp.removeTranslator(translator)


def cut_off(page: QWidget) -> list[str]:
    """Return the texts on a page that have less room than they need."""
    found = []
    for label in page.findChildren(QLabel):
        if not label.isVisibleTo(page) or isinstance(label, Elided) or not label.text().strip():
            continue
        margins = label.contentsMargins()
        if label.wordWrap():
            lacks = label.heightForWidth(label.width()) > label.height() + SLACK_PX
        else:
            room = label.contentsRect().width() - margins.left() - margins.right()
            lines = label.text().split("\n")
            lacks = max(label.fontMetrics().horizontalAdvance(line) for line in lines) > room + SLACK_PX
        if lacks:
            found.append(f"{type(label).__name__} '{label.text()}' in {label.width()} x {label.height()}")
    for button in page.findChildren(QAbstractButton):
        lacks = button.minimumSizeHint().width() > button.width() + SLACK_PX
        if button.isVisibleTo(page) and lacks and has_words(button):
            found.append(f"{named(button)} in {button.width()} x {button.height()}")
    return found


def has_words(button: QAbstractButton) -> bool:
    if isinstance(button, QToolButton) and button.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly:
        return False
    return isinstance(button, QPushButton | QToolButton | QCheckBox | QRadioButton) and bool(button.text())


def overlapping(page: QWidget) -> list[str]:
    """Return pairs of texts or controls of one parent that lie over each other."""
    found = []
    for parent in [page, *page.findChildren(QWidget)]:
        if isinstance(parent, QAbstractItemView) or not parent.isVisibleTo(page):
            continue
        inside = [
            child for child in parent.children()
            if isinstance(child, QLabel | QAbstractButton | QComboBox | QLineEdit) and child.isVisibleTo(page)
            and not isinstance(parent, QLineEdit | QComboBox | QAbstractSpinBox)
        ]  # fmt: skip
        for number, one in enumerate(inside):
            for other in inside[number + 1 :]:
                shared = one.geometry().intersected(other.geometry())
                if shared.width() > SLACK_PX and shared.height() > SLACK_PX:
                    found.append(f"{named(one)} over {named(other)}")
    return found


def outside(page: QWidget) -> list[str]:
    """Return controls that stand beyond the page's right edge, where nothing scrolls to."""
    edge = QRect(QPoint(0, 0), page.size())
    return [
        named(child) for child in page.findChildren(QWidget)
        if isinstance(child, CONTROLS) and child.isVisibleTo(page) and child.visibleRegion().isEmpty()
        and child.mapTo(page, QPoint(0, 0)).x() >= edge.right()
    ]  # fmt: skip


def is_part(control: QWidget) -> bool:
    """Return whether a control is a part that Qt has made of another one."""
    parent = control.parent()
    while isinstance(parent, QWidget):
        if isinstance(parent, QComboBox | QAbstractSpinBox | QLineEdit | QAbstractItemView | QMessageBox):
            return True
        parent = parent.parent()
    return False


def named(widget: QWidget) -> str:
    text = getattr(widget, "text", lambda: "")()
    return f"{type(widget).__name__} '{text or widget.accessibleName()}'"


def problems_of(window: Window, key: str, size: tuple[int, int], qtbot: QtBot) -> list[str]:
    window.resize(QSize(*size))
    window.turn_to(key)
    page, found = window.current, ["not looked at"]
    for _ in range(60):  # layouts that depend on each other settle, and what is made late is made
        QTest.qWait(20)
        found = [*cut_off(page), *overlapping(page), *outside(page), *cut_off(window.sidebar)]
        if not found:
            break
    return found


def test_what_is_looked_for_is_found(qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    page.resize(300, 300)
    short, wrapped, button, below = (
        QLabel("far too long for so little room", page), QLabel("many words in a low place " * 9, page),
        QPushButton("A button with many words", page), QPushButton("Over it", page),
    )  # fmt: skip
    wrapped.setWordWrap(True)
    for widget, place in ((short, (0, 0, 40, 20)), (wrapped, (0, 40, 200, 20)), (button, (0, 100, 40, 30)),
                          (below, (10, 110, 120, 30))):  # fmt: skip
        widget.setGeometry(*place)
    beyond = QPushButton("Beyond", page)
    beyond.move(400, 0)
    page.show()
    assert len(cut_off(page)) == 3 and len(overlapping(page)) == 1 and outside(page) == ["QPushButton 'Beyond'"]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_every_page_has_room_for_its_texts(qtbot: QtBot, window: Window, tmp_path: Path, size: tuple[int, int]) -> None:
    drop(window, files([write_picture(tmp_path / "one.png", 900, 700)]))
    wait_judged(qtbot, window, 1)
    lacking = {page.key: told for page in PAGES if (told := problems_of(window, page.key, size, qtbot))}
    assert not lacking


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_and_for_texts_that_are_40_per_cent_longer(
    longer: None, qtbot: QtBot, window: Window, tmp_path: Path, size: tuple[int, int]
) -> None:
    drop(window, files([write_picture(tmp_path / "one.png", 900, 700)]))
    wait_judged(qtbot, window, 1)
    assert window.sidebar.button(0).accessibleName() != "Inspect"
    lacking = {page.key: told for page in PAGES if (told := problems_of(window, page.key, size, qtbot))}
    assert not lacking


def test_every_page_with_several_parts_has_its_title_on_top(window: Window) -> None:
    for page in PAGES:
        if page.key in ("inspect", "about"):  # a picture's name stands there; the program's
            continue
        window.turn_to(page.key)
        found = [one for one in window.current.findChildren(QLabel)
                 if one.text() == page.title and one.property("role") == "headline" and one.isVisible()]  # fmt: skip
        assert len(found) == 1 and found[0].mapTo(window.current, QPoint(0, 0)).y() < 32, page.key


def test_numbers_keep_off_the_edge_of_their_boxes(window: Window) -> None:
    window.turn_to("data")
    boxes = window.current.findChildren(QAbstractSpinBox)
    assert boxes and all(box.width() - box.lineEdit().geometry().right() > 8 for box in boxes if box.isVisible())


def tab_order(page: QWidget) -> list[QWidget]:
    """Return what Tab stops at on a page, in its order."""
    found, one = [], page.nextInFocusChain()
    while one is not page:
        if page.isAncestorOf(one) and one.isVisible() and one.focusPolicy() & Qt.FocusPolicy.TabFocus:
            found.append(one)
        one = one.nextInFocusChain()
    return [one for one in found if one.focusProxy() is None]


def column_of(control: QWidget, page: QWidget) -> QWidget:
    """Return the scroll area that a control is in, or the page."""
    place: QWidget | None = control
    while place is not None and place is not page and not isinstance(place, QScrollArea):
        place = place.parentWidget()
    return place or page


@pytest.mark.parametrize("key", [page.key for page in PAGES])
def test_tab_goes_down_one_column_after_the_other(qtbot: QtBot, window: Window, key: str) -> None:
    window.turn_to(key)
    page = window.current
    if isinstance(page, TrainPage):
        qtbot.waitUntil(lambda: page.recipe.recipe is not None)
        page.form.advanced.click()
    QTest.qWait(100)  # rows that were just made find their places
    visited, last = list[QWidget](), dict[QWidget, int]()
    for control in tab_order(page):
        column, y = column_of(control, page), control.mapTo(page, QPoint(0, 0)).y()
        if column is not page and column is not (visited[-1] if visited else None):
            assert column not in visited, f"{named(control)} comes after another column"
        assert isinstance(control, QScrollArea) or y >= last.get(column, 0) - ROW_PX, f"{named(control)} is further up"
        last[column] = y if not isinstance(control, QScrollArea) else 0
        visited.append(column)


def value_of(field: QWidget) -> int:
    return field.currentIndex() if isinstance(field, QComboBox) else field.value()  # type: ignore[attr-defined,no-any-return]


def test_the_wheel_changes_nothing_that_one_is_not_in(qtbot: QtBot, window: Window) -> None:
    seen = 0
    for page in PAGES:
        window.turn_to(page.key)
        window.setFocus()
        fields = [one for kind in (QComboBox, QSpinBox, QSlider) for one in window.current.findChildren(kind)]
        before = [value_of(one) for one in fields]
        for one in fields:
            for turn in (-120, 120):
                at = QPointF(one.rect().center())
                QApplication.sendEvent(
                    one, QWheelEvent(at, one.mapToGlobal(at), QPoint(), QPoint(0, turn), Qt.MouseButton.NoButton,
                                     Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)
                )  # fmt: skip
                assert [value_of(each) for each in fields] == before, one.accessibleName()
        seen += len(fields)
    assert seen > 20


def test_every_control_of_every_page_has_a_name(qtbot: QtBot, window: Window) -> None:
    nameless: dict[str, list[str]] = {}
    for page in PAGES:
        window.turn_to(page.key)
        for control in window.current.findChildren(QWidget):
            if not isinstance(control, CONTROLS) or isinstance(control, QScrollBar) or is_part(control):
                continue
            text = control.text() if isinstance(control, QAbstractButton) else ""
            if not (control.accessibleName() or text.strip()):
                nameless.setdefault(page.key, []).append(f"{named(control)} in {type(control.parent()).__name__}")
    assert not nameless
