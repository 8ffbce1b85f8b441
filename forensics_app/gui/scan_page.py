"""The Scan page: a folder judged by our own command, and what it found, shown while it is being found."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from forensics_app.core.results import STORE
from forensics_app.core.store_lookup import file_of, of_user
from forensics_app.core.walk import is_archive
from forensics_app.core.words import shown
from forensics_app.gui import theme, words
from forensics_app.gui.empty_state import Notice
from forensics_app.gui.file_dialog import ask
from forensics_app.gui.intake import Intake
from forensics_app.gui.labels import label
from forensics_app.gui.page import Action, PageWidget
from forensics_app.gui.process_job import ProcessJob
from forensics_app.gui.scan_outgoing import Outgoing
from forensics_app.gui.scan_questions import Found
from forensics_app.gui.scan_results import ScanResults
from forensics_app.gui.scan_setup import ScanSetup
from forensics_app.gui.scan_start import ScanStart, earlier
from forensics_app.gui.session import Session
from forensics_app.gui.toolbar import Elided

REFRESH_MS, REST = 1_000, 4
"""While a scan writes, what is shown is looked up anew once a second, or at a fifth of the time at most."""


class ScanPage(PageWidget):
    """Starts scans and shows one of them, or what was scanned before."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.root: bytes | None = None
        self._scans: dict[bytes, ProcessJob] = {}
        self._wanted: bytes | None = None
        self.title, self.place, self.notice = label("headline"), Elided(), Notice()
        self.back, self.options = QToolButton(), QToolButton()
        self.choose, self.again = QPushButton(self.tr("Choose a folder…")), QPushButton(self.tr("Scan again"))
        self.setup, self.start = ScanSetup(session), ScanStart()
        self.results = ScanResults(of_user())
        self.outgoing = Outgoing(self.results, session)
        self.stack = QStackedWidget()
        self._fresh = QTimer(self, interval=REFRESH_MS, singleShot=True)
        self._lay_out()
        self._connect()
        self.redress()
        self.show_start()

    def _lay_out(self) -> None:
        self.title.setWordWrap(False)
        self.place.setProperty("role", "muted")
        self.back.setToolTip(self.tr("All scans"))
        self.back.setAccessibleName(self.tr("All scans"))
        self.options.setText(self.tr("Options"))
        self.options.setCheckable(True)
        self.options.setToolTip(self.tr("Which detector, which files"))
        self.options.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        head, column = QHBoxLayout(), QVBoxLayout(self)
        head.setSpacing(8)
        head.addWidget(self.back)
        head.addWidget(self.title)
        head.addSpacing(4)
        head.addWidget(self.place, 1)
        for button in (self.options, self.choose, self.again):
            head.addWidget(button)
        for page in (self.start, self.results):
            self.stack.addWidget(page)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(12)
        column.addLayout(head)
        for part in (self.setup, self.notice):
            part.hide()
            column.addWidget(part)
        column.addWidget(self.stack, 1)

    def _connect(self) -> None:
        self.options.toggled.connect(self.setup.setVisible)
        for button in (self.choose, self.start.choose):
            button.clicked.connect(self.choose_folder)
        self.again.clicked.connect(self.scan_again)
        self.back.clicked.connect(self.show_start)
        self.start.chosen.connect(self.show_root)
        self._fresh.timeout.connect(self.results.refresh)
        self.results.shown.connect(self._found)
        self.results.failed.connect(self.notice.tell)
        self.outgoing.failed.connect(self.notice.tell)
        self.outgoing.done.connect(self.notice.tell_good)

    # -- what is shown

    @Slot()
    def show_start(self) -> None:
        """Show what was scanned before."""
        self.root = None
        self._use(of_user())
        self._head(self.tr("Scan"), "")
        self.stack.setCurrentWidget(self.start)
        self.results.reader.told.connect(self._list, Qt.ConnectionType.UniqueConnection)
        self.results.reader.ask("start", earlier)

    @Slot(str, object)
    def _list(self, kind: str, step: object) -> None:
        if kind == "start" and isinstance(step, list):
            self.start.show_earlier(step)

    def show_root(self, root: bytes) -> None:
        """Show what is known of a folder or an archive, b"" for all of a store."""
        self.root, self._wanted = root, None
        path = os.fsdecode(root) if root else str(self.results.reader.path)
        self._head(words.legible(os.path.basename(path) or path), shown(os.path.dirname(path)))  # noqa: PTH119, PTH120
        self.notice.hide()
        self.stack.setCurrentWidget(self.results)
        self.results.strip.follow(self._scans.get(root))
        self.results.strip.say_idle("")
        self.results.open(root)
        self.results.table.setFocus()

    def _head(self, title: str, place: str) -> None:
        self.title.setText(title)
        self.place.tell(place)
        self.back.setVisible(self.root is not None)
        self.choose.setVisible(self.root is not None)
        self.again.setVisible(bool(self.root))

    def _use(self, store: Path) -> None:
        if self.results.reader.path != store:
            self.results.use(store)

    @Slot(object)
    def _found(self, found: Found | None) -> None:
        self.results.table.say_nothing(self._nothing(found))
        self.again.setVisible(bool(self.root) and self.root not in self._scans)
        if found is not None:
            whole = sum(found.whole.values())
            told = self.tr("{0:,} files, judged by {1}").format(whole, found.detector.name)
            if found.total != whole:
                told = self.tr("{0:,} of {1}").format(found.total, told)
            self.results.strip.say_idle(told)
            return
        scanning = self.root is not None and self.root in self._scans
        self.results.strip.say_idle("" if scanning else self.tr("No file of it is in the store."))
        if self._wanted is not None and self._wanted == self.root and not scanning:
            self._wanted = None
            self.scan(Path(os.fsdecode(self.root)))

    def _nothing(self, found: Found | None) -> str:
        if found is not None and found.view.is_filtered:
            return self.tr("No file matches these filters. “Clear” shows all of them.")
        if self.root in self._scans:
            return self.tr("Files appear here as they are judged.")
        return self.tr("No picture of it was judged. “Scan again” looks for pictures in it.")

    # -- scans

    @Slot()
    def choose_folder(self) -> None:
        """Ask for a folder with the system's dialog, and scan it."""
        dialog = QFileDialog(self, self.tr("Choose a folder to scan"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly, on=False)
        ask(dialog, lambda paths: self.scan(paths[0]))

    @Slot()
    def scan_again(self) -> None:
        """Scan the folder that is shown: only what is new or has changed is judged."""
        if self.root:
            self.scan(Path(os.fsdecode(self.root)))

    def scan(self, folder: Path) -> None:
        """Scan a folder or an archive and show it; one that is being scanned is shown only."""
        root = os.fsencode(os.path.abspath(folder))  # noqa: PTH100 - resolves no links
        self._use(of_user())
        if root not in self._scans:
            arguments = self.setup.arguments(Path(os.fsdecode(root)), of_user())
            job = ProcessJob(
                self.tr("Scan of {0}").format(shown(folder.name or str(folder))), arguments, again=arguments,
                kept=self.tr("What was judged is kept; the next scan of it goes on from there."), page="scan",
            )  # fmt: skip
            self._scans[root] = job
            job.changed.connect(self._scan_moved)
            job.happened.connect(self._scan_moved)
            for signal in (job.finished, job.failed, job.cancelled):
                signal.connect(lambda *_told, root=root: self._scan_ended(root))
            self._session.jobs.add(job, "scan")
        self.show_root(root)

    @Slot()
    def _scan_moved(self) -> None:
        if self.root in self._scans and not self._fresh.isActive() and self.isVisible():
            self._fresh.start(max(REFRESH_MS, round(REST * self.results.cost_s * 1000)))

    def _scan_ended(self, root: bytes) -> None:
        self._scans.pop(root, None)
        if root == self.root:
            self.results.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Look up what a scan has written while another page was shown."""
        super().showEvent(event)
        if self.root in self._scans:
            self.results.refresh()

    # -- what other parts of the window do

    def take(self, intake: Intake) -> bool:
        """Scan folders and archives that were dropped here; single pictures are for Inspect."""
        found = [one for one in intake.sources if isinstance(one, Path) and (one.is_dir() or is_archive(one.name))]
        for folder in reversed(found):
            self.scan(folder)
        return bool(found)

    def open_with(self, what: object) -> None:
        """Show a folder, which is scanned if nothing is known of it, or a report's folder or store."""
        if not isinstance(what, Path):
            return
        store = file_of(what)
        if what.suffix == ".db" or store.name == STORE:
            self._use(store)
            self.show_root(b"")
            return
        self._use(of_user())
        if not of_user().is_file():
            self.scan(what)
            return
        root = os.fsencode(os.path.abspath(what))  # noqa: PTH100 - resolves no links
        self.show_root(root)
        self._wanted = root

    def actions_now(self) -> tuple[Action, ...]:
        """Return what can be done, with the keys of triage."""
        results, tr = self.results, self.tr
        listed = self.stack.currentWidget() is results
        row, found = listed and results.table.currentIndex().isValid(), listed and results.found is not None
        return (
            Action(tr("Scan a folder"), self.choose_folder, "Ctrl+Shift+S"),
            Action(tr("Scan again"), self.scan_again, "F5", self.again.isVisible()),
            Action(tr("Show all scans"), self.show_start, ready=self.root is not None),
            Action(tr("Mark as generated"), lambda: results.mark("fake"), "F", row),
            Action(tr("Mark as real"), lambda: results.mark("real"), "R", row),
            Action(tr("Mark as unsure"), lambda: results.mark("unsure"), "U", row),
            Action(tr("Next file"), results.next, "N", row),
            Action(tr("Undo the last mark"), results.undo, "Ctrl+Z", listed and results.triage.can_undo),
            Action(tr("Open in Inspect"), self.outgoing.inspect, "Ctrl+I", row),
            Action(tr("Copy the path"), self.outgoing.copy_path, "Ctrl+C", row),
            Action(tr("Find by name"), results.chips.name.setFocus, "Ctrl+F", listed),
            Action(tr("Export what is shown as CSV"), lambda: self.outgoing.choose_export("csv"), "Ctrl+E", found),
        )

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        self.back.setIcon(theme.icon("back"))
        self.options.setIcon(theme.icon("settings"))
        self.results.export.setIcon(theme.icon("export"))
        for button in (self.back, self.options, self.results.export):
            button.setIconSize(QSize(18, 18))
        self.notice.redress()
        self.start.redress()
        self.results.redress()

    def shutdown(self) -> None:
        """End the page's threads."""
        self._fresh.stop()
        self.outgoing.shutdown()
        self.setup.shutdown()
        self.results.shutdown()
