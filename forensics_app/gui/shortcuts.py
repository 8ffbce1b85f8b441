"""The sheet that shows the keys, and what Enter does."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Qt
from PySide6.QtGui import QIcon, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from forensics_app.gui.labels import label

Keys = Sequence[tuple[str, object]]
"""A key and what it does, already in the reader's language."""

EVERYWHERE = (
    ("Ctrl+K", QT_TRANSLATE_NOOP("shortcuts", "Find an action")),
    ("Ctrl+1 … 9", QT_TRANSLATE_NOOP("shortcuts", "Turn to a page")),
    ("Ctrl+O", QT_TRANSLATE_NOOP("shortcuts", "Open pictures")),
    ("Ctrl+Shift+O", QT_TRANSLATE_NOOP("shortcuts", "Open a folder")),
    ("Ctrl+V", QT_TRANSLATE_NOOP("shortcuts", "Paste a picture or files")),
    ("Ctrl+J", QT_TRANSLATE_NOOP("shortcuts", "List the long jobs")),
    ("Ctrl+,", QT_TRANSLATE_NOOP("shortcuts", "Settings")),
    ("Esc", QT_TRANSLATE_NOOP("shortcuts", "Cancel judging")),
    ("Ctrl+Q", QT_TRANSLATE_NOOP("shortcuts", "Quit")),
    ("?", QT_TRANSLATE_NOOP("shortcuts", "This list")),
)
INSPECT = (
    ("Ctrl+E", QT_TRANSLATE_NOOP("shortcuts", "Export a report: HTML, PDF, JSON or the map")),
    ("Space", QT_TRANSLATE_NOOP("shortcuts", "Heat map on or off")),
    ("S", QT_TRANSLATE_NOOP("shortcuts", "Original left of a line, map right of it")),
    ("M", QT_TRANSLATE_NOOP("shortcuts", "Measure how far the map can be trusted")),
    ("W", QT_TRANSLATE_NOOP("shortcuts", "Tell that the verdict is wrong")),
    ("← →", QT_TRANSLATE_NOOP("shortcuts", "Picture before, next picture")),
    ("0", QT_TRANSLATE_NOOP("shortcuts", "Fit the picture to the window")),
    ("1", QT_TRANSLATE_NOOP("shortcuts", "One picture pixel per screen pixel")),
    ("+ −", QT_TRANSLATE_NOOP("shortcuts", "Zoom in, zoom out (or turn the wheel)")),
    ("Shift+arrows", QT_TRANSLATE_NOOP("shortcuts", "Move the picture (or drag it)")),
)


def said(keys: Keys) -> list[tuple[str, str]]:
    """Return one of this module's tables in the reader's language."""
    return [(key, QCoreApplication.translate("shortcuts", str(what))) for key, what in keys]


class ShortcutSheet(QDialog):
    """Lists of keys side by side, each under its title; Esc closes it."""

    def __init__(self, groups: Sequence[tuple[str, Keys]], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keys"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        row = QHBoxLayout()
        row.setSpacing(40)
        for title, keys in groups:
            if keys:
                row.addLayout(_grid(title, keys))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        for button in buttons.buttons():
            button.setIcon(QIcon())  # the style's own does not go with ours
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(16)
        column.addLayout(row)
        column.addWidget(buttons)


def _grid(title: str, keys: Keys) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(24)
    grid.setVerticalSpacing(8)
    heading = label("title")
    heading.setText(title)
    heading.setWordWrap(False)
    grid.addWidget(heading, 0, 0, 1, 2)
    for line, (key, what) in enumerate(keys, 1):
        cap, text = label("key"), label("body")
        for one, told in ((cap, key), (text, str(what))):
            one.setWordWrap(False)
            one.setText(told)
        grid.addWidget(cap, line, 0, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(text, line, 1)
    grid.setRowStretch(len(keys) + 1, 1)
    return grid


def enters(event: QKeyEvent) -> bool:
    """Press the button that has the focus on Enter, as Space does; Qt does so in dialogs alone."""
    focused = QApplication.focusWidget()
    if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter) or not isinstance(focused, QAbstractButton):
        return False
    focused.click()
    return True
