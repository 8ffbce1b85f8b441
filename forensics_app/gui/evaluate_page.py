"""Evaluate: how good a detector is, from a run, a measurement or its card."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from classifier.detector import folders
from forensics_app.core.run_folder import BadRun
from forensics_app.core.run_list import found
from forensics_app.gui.detector_install import Installation
from forensics_app.gui.empty_state import Notice
from forensics_app.gui.evaluate_board import Board
from forensics_app.gui.evaluate_start import MOST, MeasureCard, RunsCard
from forensics_app.gui.file_dialog import ask
from forensics_app.gui.intake import Intake
from forensics_app.gui.jobs import ThreadJob
from forensics_app.gui.labels import label
from forensics_app.gui.page import Action, PageWidget
from forensics_app.gui.session import Session
from forensics_app.gui.start_state import StartState
from forensics_app.gui.titled_card import column_of
from forensics_app.gui.train_start import runs_folder

if TYPE_CHECKING:
    from forensics_app.core.dashboard import Dashboard

RECENT, EMPTY_PX = "evaluate/recent", 400


class EvaluatePage(PageWidget):
    """The Evaluate page."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.notice = Notice()
        self.empty = StartState(
            "evaluate", self.tr("How good is a detector?"),
            self.tr("Open the folder of a training run, or measure a detector on pictures whose kind is known."),
            self.tr("Open a run…"),
        )  # fmt: skip
        self.runs, self.measure = RunsCard(), MeasureCard(session)
        self._reading: ThreadJob | None = None
        self._listing: ThreadJob | None = None
        self._offered: tuple[list[Path], Path | None] = [], None
        self._install = Installation(session, self)
        self.empty.setMinimumHeight(EMPTY_PX)
        self.stack = QStackedWidget()
        self.stack.addWidget(column_of(self.empty, self.runs, self.measure, filling=self.empty))
        self.title, self._head, page = label("headline"), QHBoxLayout(), QVBoxLayout(self)
        self.title.setText(self.tr("Evaluate"))
        self.title.setWordWrap(False)
        self._head.setContentsMargins(0, 0, 8, 0)
        self._head.setSpacing(12)
        self._head.addWidget(self.title)
        page.setContentsMargins(16, 12, 8, 8)
        page.setSpacing(12)
        page.addLayout(self._head)
        page.addWidget(self.notice)
        page.addWidget(self.stack, 1)
        self._connect()
        self.notice.hide()
        self.list_runs()

    def _connect(self) -> None:
        self.empty.button.clicked.connect(self.ask)
        self.runs.wanted.connect(self.open_folder)
        self.measure.measured.connect(self.open_folder)
        self._install.told.connect(self.notice.tell_good)
        self._install.failed.connect(self.notice.tell)

    # -- what is shown

    @cached_property
    def board(self) -> Board:
        """The views of a detector's figures, made when they are first needed."""
        made = Board(self._session)
        made.open.clicked.connect(self.ask)
        made.others.clicked.connect(self.show_start)
        made.use_wanted.connect(self._use)
        self._head.addWidget(made.bar, 1)
        self.stack.addWidget(made)
        made.compare.offer(*self._offered)
        return made

    @property
    def _made(self) -> Board | None:
        found: Board | None = self.__dict__.get("board")
        return found

    @Slot()
    def ask(self) -> None:
        """Ask for a folder."""
        start = str(runs_folder(self._session.settings))
        dialog = QFileDialog(self, self.tr("A run, a measurement or a detector"), start)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        ask(dialog, lambda paths: self.open_folder(paths[0]))

    @Slot(object)
    def open_folder(self, folder: Path) -> None:
        """Read a folder, off the GUI thread, and show what it holds."""
        self.notice.hide()
        if self._reading is not None:
            self._reading.finished.disconnect(self._show)
            self._reading.failed.disconnect(self._failed)

        def reading() -> Iterator[Dashboard]:
            from forensics_app.core.dashboard import dashboard

            yield dashboard(folder)

        self._reading = ThreadJob(reading, self)
        self._reading.finished.connect(self._show)
        self._reading.failed.connect(self._failed)
        self._reading.start()

    @Slot(object)
    def _failed(self, error: Exception) -> None:
        self._reading = None
        known = self.tr("This folder cannot be read: {0}.").format(type(error).__name__)
        self.notice.tell(str(error) if isinstance(error, BadRun) else known)

    @Slot(object)
    def _show(self, shown: Dashboard) -> None:
        self._reading = None
        self._remember(shown.run.folder)
        self.board.show_dashboard(shown)
        self.measure.offer(shown.run.installed.folder)
        self.stack.setCurrentIndex(1)
        self.board.bar.show()
        self.list_runs()

    # -- the runs

    @property
    def recent(self) -> list[Path]:
        """The folders that were opened last."""
        return [Path(name) for name in self._session.settings.text(RECENT).split("\n") if name]

    def _remember(self, folder: Path) -> None:
        names = [str(folder), *(str(one) for one in self.recent if one != folder)]
        self._session.settings.put(RECENT, "\n".join(names[:MOST]))

    @Slot()
    def list_runs(self) -> None:
        """List the runs that were opened last, and those in the runs folder, off the GUI thread."""
        root, recent = runs_folder(self._session.settings), self.recent
        self.measure.place = root
        if self._listing is not None:
            return

        def listing() -> Iterator[tuple[list[Path], list[Path]]]:
            finished = [one for one in found(root) if (one / "detector").is_dir()] if root.is_dir() else []
            runs = list(dict.fromkeys([*(one for one in recent if one.is_dir()), *finished]))
            yield runs, list(dict.fromkeys([*runs, *folders()]))

        self._listing = ThreadJob(listing, self)
        self._listing.finished.connect(self._listed)
        self._listing.start()

    @Slot(object)
    def _listed(self, found: tuple[list[Path], list[Path]]) -> None:
        self._listing = None
        self.runs.offer(found[0])
        shown = self._made.shown if self._made else None
        self._offered = found[1], shown.run.folder if shown else None
        if self._made:
            self._made.compare.offer(*self._offered)

    @Slot()
    def show_start(self) -> None:
        """Show where figures come from."""
        self.list_runs()
        self.stack.setCurrentIndex(0)
        if self._made:
            self._made.bar.hide()

    @Slot()
    def _use(self) -> None:
        if self.board.shown is not None:
            self._install.start(self.board.shown.run.installed.folder)

    # -- the page

    def actions_now(self) -> tuple[Action, ...]:
        """Return what can be done here."""
        return (
            Action(self.tr("Open a run, a measurement or a detector"), self.ask),
            Action(self.tr("Measure a detector on pictures"), self.show_start, ready=self.stack.currentIndex() > 0),
        )

    def take(self, intake: Intake) -> bool:
        """Open a dropped folder."""
        folders = [one for one in intake.sources if isinstance(one, Path) and one.is_dir()]
        if folders:
            self.open_folder(folders[0])
        return bool(folders)

    def open_with(self, what: object) -> None:
        """Open a run's or a detector's folder that another page sends."""
        if isinstance(what, Path):
            self.open_folder(what)

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        self.notice.redress()
        self.empty.redress()

    def shutdown(self) -> None:
        """Wait for the page's threads."""
        for job in (self._reading, self._listing):
            if job is not None:
                job.cancel()
                job.wait()
        if self._made:
            self._made.shutdown()
        self.measure.shutdown()
        self._install.shutdown()
