"""What can be taken from the page: an export of the filtered rows, their paths, and copies of selected files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu

from forensics_app.core.members import INSIDE
from forensics_app.core.store import Query
from forensics_app.core.words import shown
from forensics_app.gui import words
from forensics_app.gui.file_dialog import ask
from forensics_app.gui.jobs import ThreadJob
from forensics_app.gui.process_job import ProcessJob
from forensics_app.gui.scan_lists import Copied, Listed, copy_files, export_arguments, paths_of, write_list
from forensics_app.gui.scan_results import ScanResults
from forensics_app.gui.session import Session

MOST_INSPECTED = 50


class Outgoing(QObject):
    """Asks where to, starts the work and tells how it ended; an input is only ever read."""

    done = Signal(str)
    failed = Signal(str)

    def __init__(self, results: ScanResults, session: Session) -> None:
        super().__init__(results)
        self._results, self._session = results, session
        self._jobs: list[ThreadJob] = []
        menu, tr = QMenu(results.export), self.tr
        for text, slot in (
            (tr("Table for a spreadsheet (CSV)…"), partial(self.choose_export, "csv")),
            (tr("JSON lines…"), partial(self.choose_export, "jsonl")),
            (tr("List of paths…"), self.choose_list),
            (tr("Copy the list of paths"), self.copy_list),
            (tr("Copy the selected files to a folder…"), self.choose_copies),
        ):
            menu.addAction(text, slot)
        results.export.setMenu(menu)
        results.copy_wanted.connect(self.copy_path)
        results.inspect_wanted.connect(self.inspect)

    # -- the selected files

    def copy_path(self) -> None:
        """Put the paths of the selected files on the clipboard, one a line."""
        self._results.selected(lambda found: self._copy_paths([line.path for line in found]))

    def _copy_paths(self, paths: list[str]) -> None:
        if paths:
            QGuiApplication.clipboard().setText("\n".join(map(shown, paths)))
            self._tell_copied(len(paths))

    def _tell_copied(self, count: int) -> None:
        self._session.noticed.emit(words.counted(self.tr("1 path copied"), self.tr("{count} paths copied"), count))

    def inspect(self) -> None:
        """Open the selected files in Inspect."""
        self._results.selected(lambda found: self._inspect([line.path for line in found]))

    def _inspect(self, paths: list[str]) -> None:
        files = [Path(path) for path in paths if INSIDE not in path][:MOST_INSPECTED]
        if files:
            self._session.go("inspect", files)
        elif paths:
            self.failed.emit(self.tr("The picture lies in an archive. Unpack the archive to look at it in Inspect."))

    def choose_copies(self) -> None:
        """Ask for a folder and copy the selected files there."""
        self._results.selected(lambda found: self._choose_copies([line.path for line in found]))

    def _choose_copies(self, paths: list[str]) -> None:
        if paths:
            self._ask(self.tr("Copy the selected files to"), "", partial(self.copy_to, paths), folder=True)
        else:
            self.failed.emit(self.tr("No file is selected. Select the files to copy in the table."))

    def copy_to(self, paths: list[str], folder: Path) -> None:
        """Copy files to a folder; nothing there is written over."""
        self._start(lambda: copy_files(paths, folder), partial(self._copied, folder))

    def _copied(self, folder: Path, last: object) -> None:
        if not isinstance(last, Copied):
            return
        if not last.left:
            told = words.counted(self.tr("1 file copied to {0}"), self.tr("{count} files copied to {0}"), last.done)
            self.done.emit(told.format(shown(str(folder))))
            return
        path, reason = last.left[0]
        told = words.counted(
            self.tr("1 file could not be copied to {0}; it was {1}: {2}"),
            self.tr("{count} files could not be copied to {0}; the first was {1}: {2}"),
            len(last.left),
        )
        self.failed.emit(told.format(shown(str(folder)), shown(Path(path).name), reason))

    # -- all that is shown

    def _query(self) -> Query | None:
        results = self._results
        if results.view is None or results.found is None:
            return None
        return results.view.query(results.found.detector.number)

    def copy_list(self) -> None:
        """Put the paths of all shown files on the clipboard."""
        if (query := self._query()) is not None:
            store = self._results.reader.path
            self._start(lambda: paths_of(store, query), self._to_clipboard)

    def _to_clipboard(self, last: object) -> None:
        if isinstance(last, Listed):
            QGuiApplication.clipboard().setText("\n".join(shown(os.fsdecode(path)) for path in last.paths))
            self._tell_copied(len(last.paths))

    def choose_list(self) -> None:
        """Ask for a file and write the paths of all shown files there."""
        self._ask(self.tr("List of paths"), "paths.txt", self.write_list)

    def write_list(self, target: Path) -> None:
        """Write the paths of all shown files to a text."""
        if (query := self._query()) is not None:
            store = self._results.reader.path
            told = self.tr("The list is in {0}").format(shown(str(target)))
            self._start(lambda: write_list(store, query, target), lambda _last: self.done.emit(told))

    def choose_export(self, form: str) -> None:
        """Ask for a file and export the shown rows there."""
        self._ask(self.tr("Export"), f"scan.{form}", partial(self.export, form))

    def export(self, form: str, target: Path) -> None:
        """Export the shown rows with our own command."""
        results = self._results
        if (view := results.view) is None or results.found is None:
            return
        under = view.root if view.under is None else view.under
        arguments = export_arguments(results.reader.path, under, results.found.detector.id, view.filters, form, target)
        words = self.tr("Export to {0}").format(shown(target.name))
        job = ProcessJob(words, arguments, kept=self.tr("No file is left behind."), page="scan")
        job.finished.connect(lambda _last: self.done.emit(self.tr("Exported to {0}").format(shown(str(target)))))
        job.failed.connect(self.failed)
        self._session.jobs.add(job, "export")

    # -- how

    def _ask(self, title: str, name: str, then: Callable[[Path], None], *, folder: bool = False) -> None:
        dialog = QFileDialog(self._results, title, name)
        if folder:
            dialog.setFileMode(QFileDialog.FileMode.Directory)
        else:
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            dialog.selectFile(name)
        ask(dialog, lambda paths: then(paths[0]))

    def _start(self, work: Callable[[], Iterator[object]], then: Callable[[object], None]) -> None:
        job = ThreadJob(work, self)
        self._jobs.append(job)
        job.finished.connect(then)
        job.failed.connect(self._failed)
        for signal in (job.finished, job.failed, job.cancelled):
            signal.connect(lambda *_told, job=job: self._end(job))
        job.start()

    def _end(self, job: ThreadJob) -> None:
        self._jobs.remove(job)
        job.deleteLater()

    def _failed(self, error: Exception) -> None:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        self.failed.emit(self.tr("That did not work: {0}. Choose another place.").format(reason.rstrip(".")))

    def shutdown(self) -> None:
        """Stop what is being read or copied, and wait for it."""
        for job in tuple(self._jobs):
            job.cancel()
            job.wait()
