"""The window: a sidebar with the pages, drops and keys that work everywhere, and a status bar for the job that runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSettings, QSize, Qt, Slot
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
    QKeySequence,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QProgressBar,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from classifier.places import home
from forensics_app.gui import theme
from forensics_app.gui.about_page import AboutPage
from forensics_app.gui.empty_state import DropVeil
from forensics_app.gui.image_page import ImagePage
from forensics_app.gui.intake import offers, sources_in
from forensics_app.gui.page import PageWidget
from forensics_app.gui.shortcuts import ShortcutSheet

TIME_LEFT_AFTER_S = 4.0


@dataclass(frozen=True)
class Page:
    """A row of the sidebar."""

    title: str
    icon: str
    make: Callable[[], PageWidget]


PAGES = (
    Page("Inspect", "inspect", ImagePage),
    Page("About", "about", AboutPage),
)


class Window(QMainWindow):
    """The application's only window."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle(self.tr("Forensics"))
        self.setAcceptDrops(True)
        self.pages = QStackedWidget()
        self._tabs = QButtonGroup(self)
        self._made = tuple(page.make() for page in PAGES)
        for made in self._made:
            self.pages.addWidget(made)
        self.inspect = next(made for made in self._made if isinstance(made, ImagePage))
        whole = QWidget()
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._sidebar())
        row.addWidget(self.pages, 1)
        self.setCentralWidget(whole)
        self.veil = DropVeil(self)
        self._status_bar()
        self._shortcuts()
        self._restore()

    # -- parts

    def _sidebar(self) -> QWidget:
        bar = QFrame()
        bar.setProperty("role", "sidebar")
        column = QVBoxLayout(bar)
        column.setContentsMargins(8, 12, 8, 8)
        column.setSpacing(4)
        for number, page in enumerate(PAGES):
            button = self._side_button(self.tr(page.title))
            button.setCheckable(True)
            button.setChecked(number == 0)
            self._tabs.addButton(button, number)
            column.addWidget(button)
        column.addStretch(1)
        self.keys = self._side_button(self.tr("Keys"))
        self.keys.setToolTip(self.tr("Show the keyboard shortcuts (?)"))
        self.keys.clicked.connect(self.show_keys)
        column.addWidget(self.keys)
        self._tabs.idClicked.connect(self.pages.setCurrentIndex)
        self._dress_sidebar()
        return bar

    def _side_button(self, text: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setAccessibleName(text)
        button.setProperty("role", "tab")
        button.setIconSize(QSize(24, 24))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setFixedSize(72, 60)
        return button

    def _dress_sidebar(self) -> None:
        for number, page in enumerate(PAGES):
            self._tabs.button(number).setIcon(theme.icon(page.icon, size_px=24))
        self.keys.setIcon(theme.icon("keys", size_px=24))

    def _status_bar(self) -> None:
        self.status, self.bar, self.cancel = QLabel(), QProgressBar(), QToolButton()
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(160, 6)
        self.bar.setAccessibleName(self.tr("Progress"))
        self.cancel.setText(self.tr("Cancel"))
        self.cancel.setAccessibleName(self.tr("Cancel judging"))
        self.cancel.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.cancel.clicked.connect(self.inspect.desk.cancel)
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().addWidget(self.status, 1)
        self.statusBar().addPermanentWidget(self.bar)
        self.statusBar().addPermanentWidget(self.cancel)
        self.inspect.progressed.connect(self._progress)
        self._progress()

    def _shortcuts(self) -> None:
        page = self.inspect
        for keys, slot in (
            ("Ctrl+O", page.choose_files), ("Ctrl+Shift+O", page.choose_folder), ("Ctrl+V", page.paste),
            ("Ctrl+E", page.choose_export), ("Esc", page.desk.cancel), ("Ctrl+Q", self.close),
        ):  # fmt: skip
            QShortcut(QKeySequence(keys), self, slot)

    # -- what runs

    @Slot()
    def _progress(self) -> None:
        desk = self.inspect.desk
        for widget in (self.bar, self.cancel):
            widget.setVisible(desk.running)
        self.bar.setRange(0, desk.total)
        self.bar.setValue(desk.done)
        if desk.total == 0:
            self.status.setText(self.tr("Looking for pictures…") if desk.running else self.tr("Ready"))
            return
        text = self.tr("{0:,} of {1:,} judged").format(desk.done, desk.total)
        seconds = time.monotonic() - desk.begun
        if desk.running and desk.done and seconds > TIME_LEFT_AFTER_S:
            left = round(seconds / desk.done * (desk.total - desk.done))
            text += self.tr(" · {0}:{1:02d} left").format(*divmod(left, 60))
        if not desk.running and desk.done < desk.total:
            text = self.tr("Judging stopped: {0}").format(text)
        self.status.setText(text)

    # -- drops

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Say that it can be dropped."""
        if offers(event.mimeData()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.veil.setGeometry(self.rect())
            self.veil.raise_()
            self.veil.show()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Accept a drop anywhere."""
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Lift the veil."""
        self.veil.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Judge what was dropped."""
        self.veil.hide()
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self._turn_to(0)
        self.inspect.take(sources_in(event.mimeData()))

    def open(self, paths: list[Path]) -> None:
        """Judge files and folders named on the command line."""
        self.inspect.add(paths)

    # -- the rest

    def _turn_to(self, number: int) -> None:
        self._tabs.button(number).setChecked(True)
        self.pages.setCurrentIndex(number)

    @Slot()
    def show_keys(self) -> None:
        """Show the keyboard shortcuts."""
        ShortcutSheet(self).open()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Show the keys on ?; let the page act on keys that no widget wanted, wherever the focus is."""
        if event.text() == "?":
            self.show_keys()
        elif self.pages.currentWidget() is self.inspect:
            self.inspect.keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the veil over the whole window."""
        super().resizeEvent(event)
        self.veil.setGeometry(self.rect())

    @Slot()
    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        self._dress_sidebar()
        for made in self._made:
            made.redress()

    def _restore(self) -> None:
        self.resize(QSize(1280, 800).boundedTo(self.screen().availableSize()))
        geometry = _settings().value("window/geometry")
        if geometry is not None:
            self.restoreGeometry(geometry)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Keep the geometry, then stop all work and wait for it."""
        _settings().setValue("window/geometry", self.saveGeometry())
        for made in self._made:
            made.shutdown()
        super().closeEvent(event)


def _settings() -> QSettings:
    return QSettings(str(home() / "window.ini"), QSettings.Format.IniFormat)
