"""The window: a sidebar with the pages, drops and keys that work everywhere, and a line for the jobs that run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QByteArray, QCoreApplication, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
    QKeySequence,
    QPaintEvent,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QWidget

from forensics_app.gui.actions import actions_of, recent_of
from forensics_app.gui.closing import ask_to_close, stop_all
from forensics_app.gui.empty_state import DropVeil
from forensics_app.gui.garbage import Collector, lasting
from forensics_app.gui.intake import offers, sources_in
from forensics_app.gui.latest import Latest
from forensics_app.gui.page import PageWidget
from forensics_app.gui.pages import PAGES, import_ahead
from forensics_app.gui.palette import Palette
from forensics_app.gui.process_job import ProcessJob
from forensics_app.gui.session import Session
from forensics_app.gui.shortcuts import EVERYWHERE, ShortcutSheet, enters, said
from forensics_app.gui.sidebar import Mark, Sidebar
from forensics_app.gui.status import StatusLine
from forensics_app.gui.welcome import Welcome

if TYPE_CHECKING:
    from forensics_app.gui.image_page import ImagePage

NARROW_BELOW_PX = 1000
AHEAD_MS = 1500
"""How long after the first paint the modules of other pages are imported: a picture that came along goes first."""
OF_CONTROLS = ("Space", "Return", "Enter", "Left", "Right", "Up", "Down")
"""Keys that the control with the focus needs; a page acts on them only where no control wants them."""
NUMBERS = {page.key: number for number, page in enumerate(PAGES)}


class Window(QMainWindow):
    """The application's only window."""

    redressed = Signal()
    """Another theme was chosen: the application is to be dressed anew."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle(self.tr("Forensics"))
        self.setAcceptDrops(True)
        self._collector, self.session = Collector(self), Session(self)
        self.pages, self.sidebar = QStackedWidget(), Sidebar()
        self._made: dict[str, PageWidget] = {}
        self._page_keys: list[QShortcut] = []
        self._painted, self._may_close, self._ahead = False, False, Latest(self)
        for page in PAGES:
            self.pages.addWidget(Welcome() if page.key == "inspect" else QWidget())
        whole = QWidget()
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.sidebar)
        row.addWidget(self.pages, 1)
        whole.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setCentralWidget(whole)
        whole.setFocus()  # else the first button would stand framed before anyone has touched a key
        self.veil = DropVeil(self)
        self.status_line = StatusLine(self.session.jobs, self)
        self.setStatusBar(self.status_line)
        self._connect()
        self._shortcuts()
        self._restore()

    def _connect(self) -> None:
        session = self.session
        self.sidebar.chosen.connect(lambda number: self.turn_to(PAGES[number].key))
        self.sidebar.keys_wanted.connect(self.show_keys)
        session.noticed.connect(self.status_line.tell)
        session.page_wanted.connect(self.turn_to)
        session.jobs.changed.connect(self._mark_jobs)
        session.jobs.ended.connect(self._job_ended)
        session.settings.changed.connect(self._setting_changed)

    def _shortcuts(self) -> None:
        for action in actions_of(self):
            if action.keys:
                QShortcut(QKeySequence(action.keys), self, action.run)
        for keys, slot in (("Ctrl+K", self.show_palette), ("Ctrl+Shift+P", self.show_palette),
                           ("Esc", self.status_line.stop)):  # fmt: skip
            QShortcut(QKeySequence(keys), self, slot)

    # -- pages

    def page(self, key: str) -> PageWidget:
        """Return a page, made at its first visit."""
        if key not in self._made:
            number = NUMBERS[key]
            with lasting():
                made = self._made[key] = PAGES[number].find()(self.session)
            shown = self.pages.currentIndex()
            self.pages.insertWidget(number, made)
            if (before := self.pages.widget(number + 1)) is not None:
                self.pages.removeWidget(before)
                before.deleteLater()
            self.pages.setCurrentIndex(shown)
            if key == self.key:
                self._put_keys(made)
            if (desk := getattr(made, "desk", None)) is not None:
                self.status_line.follow(desk)
                made.progressed.connect(self.status_line.desk_moved)
        return self._made[key]

    @property
    def inspect(self) -> ImagePage:
        """The page that judges what is dropped; made at the latest when the window has been painted."""
        return cast("ImagePage", self.page("inspect"))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Let the window be seen first, which a window manager may delay; then import what judges."""
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self, lambda: self.inspect)
            QTimer.singleShot(AHEAD_MS, self, self._import_ahead)

    @Slot()
    def _import_ahead(self) -> None:
        if self.isVisible():
            self._ahead.ask(import_ahead)

    @property
    def current(self) -> PageWidget:
        """The page that is shown."""
        return self.page(self.key)

    @property
    def key(self) -> str:
        """The key of the page that is shown."""
        return PAGES[self.pages.currentIndex()].key

    @Slot(str, object)
    def turn_to(self, key: str, what: object = None) -> None:
        """Show a page, and on it what another page sends there."""
        page, number = self.page(key), NUMBERS[key]
        self.sidebar.button(number).setChecked(True)
        self.pages.setCurrentIndex(number)
        self._mark(key, "running" if self._runs(key) else "")
        self._put_keys(page)
        if what is not None:
            page.open_with(what)

    def _put_keys(self, page: PageWidget) -> None:
        for shortcut in self._page_keys:
            shortcut.setEnabled(False)  # it is there until the event loop gets to it
            shortcut.deleteLater()
        wanted = [action for action in page.actions_now() if action.keys and action.keys not in OF_CONTROLS]
        self._page_keys = [QShortcut(QKeySequence(action.keys), self, action.run) for action in wanted]

    # -- jobs

    def _runs(self, key: str) -> bool:
        return any(job.page == key and job.running for job in self.session.jobs.active)

    def _mark(self, key: str, mark: Mark) -> None:
        self.sidebar.button(NUMBERS[key]).show_mark(mark)

    @Slot()
    def _mark_jobs(self) -> None:
        for page in PAGES:
            shown = self.sidebar.button(NUMBERS[page.key]).mark
            if self._runs(page.key):
                self._mark(page.key, "running")
            elif shown == "running":
                self._mark(page.key, "")

    @Slot(ProcessJob)
    def _job_ended(self, job: ProcessJob) -> None:
        if job.page in NUMBERS and job.page != self.key and job.state in ("finished", "failed"):
            self._mark(job.page, "done" if job.state == "finished" else "failed")
        if job.state == "failed":
            self.status_line.tell(f"{job.words}: {job.why}")
        elif job.state == "finished":
            self.status_line.tell(self.tr("{0}: done").format(job.words))

    # -- actions

    @Slot()
    def show_palette(self) -> None:
        """Offer all that can be done now, the page's own actions first, the recent files last."""
        Palette((*self.current.actions_now(), *actions_of(self), *recent_of(self)), self).open()

    @Slot()
    def show_keys(self) -> None:
        """Show the keyboard shortcuts."""
        own = [(action.keys, action.text) for action in self.current.actions_now() if action.keys]
        title = QCoreApplication.translate("pages", PAGES[NUMBERS[self.key]].title)
        ShortcutSheet([(self.tr("Everywhere"), said(EVERYWHERE)), (title, own)], self).open()

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
        """Give what was dropped to the page that is shown, or else have it judged."""
        self.veil.hide()
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        intake = sources_in(event.mimeData())
        if not self.current.take(intake):
            self.turn_to("inspect")
            self.inspect.take(intake)

    def open(self, paths: list[Path]) -> None:
        """Judge files and folders named on the command line."""
        self.inspect.add(paths)

    # -- the rest

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Show the keys on ?; let the page act on keys that no widget wanted, wherever the focus is."""
        if event.text() == "?":
            self.show_keys()
        elif not enters(event) and self.current is self.inspect:
            self.inspect.keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the veil over the whole window; give a narrow one's pages more room."""
        super().resizeEvent(event)
        self.veil.setGeometry(self.rect())
        self.sidebar.narrow(self.width() < NARROW_BELOW_PX)

    @Slot(str)
    def _setting_changed(self, name: str) -> None:
        if name == "theme":
            self.redressed.emit()

    @Slot()
    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        self.sidebar.redress()
        for made in self._made.values():
            made.redress()

    def _restore(self) -> None:
        self.resize(QSize(1280, 800).boundedTo(self.screen().availableSize()))
        geometry = self.session.settings.bytes_of("window/geometry")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask if long jobs run; then keep the geometry, stop all work and wait for it."""
        if self.session.jobs.active and not self._may_close:
            event.ignore()
            ask_to_close(self, self.session.jobs, stop=self._stop_and_quit)
            return
        self.session.settings.put_bytes("window/geometry", self.saveGeometry())
        self._ahead.shutdown()
        self.session.jobs.shutdown()
        for made in self._made.values():
            made.shutdown()
        self.session.settings.write()
        self._collector.shutdown()
        super().closeEvent(event)

    def quit(self) -> None:
        """Close without a question; jobs are stopped cleanly."""
        self._may_close = True
        self.close()

    def _stop_and_quit(self) -> None:
        self._may_close = True
        self.status_line.tell(self.tr("Stopping…"))
        stop_all(self.session.jobs, then=self.close)
