"""Train: a recipe, pictures and settings on the left; on the right what is being trained, and what waits."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from classifier.recipes import override
from forensics_app.core.maps import has_torch
from forensics_app.core.run_phases import trained
from forensics_app.core.unfinished_runs import Begun
from forensics_app.gui.button_rows import ButtonRows, Line
from forensics_app.gui.detector_install import Installation
from forensics_app.gui.empty_state import Notice
from forensics_app.gui.intake import Intake
from forensics_app.gui.labels import label
from forensics_app.gui.page import Action, PageWidget
from forensics_app.gui.process_job import ProcessJob
from forensics_app.gui.session import Session
from forensics_app.gui.start_state import StartState
from forensics_app.gui.titled_card import TitledCard, column_of
from forensics_app.gui.train_data import DataCard
from forensics_app.gui.train_form import FormCard
from forensics_app.gui.train_log import TrainingLog
from forensics_app.gui.train_queue import LANE, QueueCard, UnfinishedCard
from forensics_app.gui.train_recipe import RecipeCard
from forensics_app.gui.train_start import Asked, StartCard
from forensics_app.gui.train_view import TrainView

SIDE_PX, EMPTY_PX, NARROW_PX = 440, 440, 1080


class TrainPage(PageWidget):
    """The Train page."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.recipe, self.data, self.form = RecipeCard(self), DataCard(), FormCard()
        self.place = StartCard(session.settings)
        self.start, self.why = QPushButton(self.tr("Start training")), label("small")
        self.start.setProperty("role", "primary")
        self.notice, self.view = Notice(), TrainView()
        self.queue, self.unfinished, self.done = QueueCard(session.jobs), UnfinishedCard(), TitledCard(self.tr("Ended"))
        self.empty = StartState(
            "train", self.tr("Teach it your own pictures"),
            self.tr("Choose a folder with one subfolder of pictures per class, and a recipe. Nothing leaves this "
                    "computer."),
            self.tr("Choose pictures…"),
        )  # fmt: skip
        self._ended, self.logs = ButtonRows(), list[TrainingLog]()
        self._listed: tuple[int, tuple[TrainingLog, ...]] = 0, ()
        self._install = Installation(session, self)
        self._lay_out()
        self._connect()
        self.look()

    def _lay_out(self) -> None:
        side = column_of(self.recipe, self.data, self.form, self.place)
        foot = QHBoxLayout()
        foot.setContentsMargins(0, 0, 8, 0)
        foot.setSpacing(12)
        foot.addWidget(self.start)
        foot.addWidget(self.why, 1)
        left = QWidget()
        left.setFixedWidth(SIDE_PX)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(side, 1)
        column.addLayout(foot)
        self.done.body.addWidget(self._ended)
        self.done.hide()
        self.view.hide()
        self.empty.setMinimumHeight(EMPTY_PX)
        right = column_of(self.empty, self.view, self.queue, self.done, self.unfinished, filling=self.empty)
        self._right: QScrollArea = right
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 12, 8, 8)
        whole.setSpacing(12)
        row, title = QHBoxLayout(), label("headline")
        title.setText(self.tr("Train"))
        row.setSpacing(16)
        row.addWidget(left)
        row.addWidget(right, 1)
        whole.addWidget(title)
        whole.addWidget(self.notice)
        whole.addLayout(row, 1)
        self.notice.hide()

    def _connect(self) -> None:
        self.recipe.chosen.connect(self._recipe_chosen)
        for card in (self.data, self.form, self.place):
            card.changed.connect(self._check)
        self.place.runs.changed.connect(self.look)
        self.start.clicked.connect(self.begin)
        self.empty.button.clicked.connect(self.data.field.ask)
        self.unfinished.wanted.connect(self.go_on)
        self.view.wanted.connect(self._wanted)
        self._install.told.connect(self.notice.tell_good)
        self._install.failed.connect(self.notice.tell)
        self._check()

    # -- before it begins

    @Slot()
    def _recipe_chosen(self) -> None:
        recipe = self.recipe.recipe
        self.form.use(recipe)
        self.data.use(recipe)
        self.place.suggest(recipe.name if recipe else "")

    def _missing(self) -> str:
        """Return what keeps the training from starting, or nothing."""
        if not has_torch():
            return self.tr("Training needs the extra 'train': see the README, then start the program again.")
        if self.recipe.recipe is None:
            return self.tr("Choose a recipe.")
        if self.data.found is None:
            return self.tr("Choose a folder of pictures.")
        if self.form.problems:
            return self.tr("Mend the settings that are marked.")
        return self.place.wrong()

    @Slot()
    def _check(self) -> None:
        missing = self._missing()
        self.start.setEnabled(not missing)
        self.why.setText(missing)

    @Slot()
    def begin(self) -> None:
        """Start the training that was asked for, after those that wait."""
        recipe, found = self.recipe.recipe, self.data.found
        if recipe is None or found is None or self._missing():
            return
        asked = self.place.asked(self.recipe.name, found.root, self.form.settings())
        plan = override(recipe, self.form.settings())
        self._add(asked, tuple((trained(phase), phase.epochs) for phase in plan.phases))

    @Slot(object)
    def go_on(self, run: Begun) -> None:
        """Go on with a run that was not finished."""
        asked = Asked(run.folder, ("train", "--out", str(run.folder), "--resume"))
        self._add(asked, tuple((str(place), count) for place, count in enumerate(run.phases, 1)))

    def _add(self, asked: Asked, phases: tuple[tuple[str, int], ...]) -> None:
        kept = self.tr("Every finished epoch is kept; it can go on from there.")
        words = self.tr("Training {0}").format(asked.out.name)
        job = ProcessJob(words, asked.arguments, again=asked.again, kept=kept, page="train")
        log = TrainingLog(job, asked.out, phases, self)
        self.logs.append(log)
        job.changed.connect(self._turn)
        self._session.jobs.add(job, LANE)
        self.place.busy = self.busy
        self.place.suggest("")
        self._turn()

    # -- while it runs

    @property
    def busy(self) -> frozenset[Path]:
        """The folders that are being trained into, or will be."""
        return frozenset(log.out for log in self.logs if not log.job.ended)

    @Slot()
    def _turn(self) -> None:
        """Show the training that runs, or the last that did."""
        running = next((log for log in self.logs if log.job.state not in ("waiting",) and not log.job.ended), None)
        if running is not None and running is not self.view.log:
            self.view.follow(running)
        self.view.setVisible(self.view.log is not None)
        self.empty.setVisible(self.view.log is None)
        others = tuple(log for log in self.logs if log.job.ended and log is not self.view.log)
        ended = sum(log.job.ended for log in self.logs)
        if (ended, others) != self._listed:
            if ended != self._listed[0]:
                self.place.busy = self.busy
                self.look()
            self._listed = ended, others
            self._list_ended(others)
        self.progressed.emit()

    def _list_ended(self, others: tuple[TrainingLog, ...]) -> None:
        self._ended.show_lines([self._line(log) for log in others])
        self.done.setVisible(bool(others))

    def _line(self, log: TrainingLog) -> Line:
        state = {"finished": log.headline, "failed": log.job.why}.get(log.job.state, self.tr("stopped"))
        return Line(log.out.name, state or self.tr("done"), ((self.tr("Show"), lambda: self.show_log(log)),))

    def show_log(self, log: TrainingLog) -> None:
        """Show a training that has ended."""
        self.view.follow(log)
        self._turn()
        self._right.ensureVisible(0, 0)

    @Slot()
    def look(self) -> None:
        """Look for runs that were not finished."""
        self.unfinished.look(self.place.root, self.busy)

    # -- when it has ended

    @Slot(str, object)
    def _wanted(self, what: str, folder: Path) -> None:
        if what == "evaluate":
            self._session.go("evaluate", folder)
        else:
            self._install.start(folder)

    # -- the page

    def actions_now(self) -> tuple[Action, ...]:
        """Return what can be done here."""
        return (
            Action(self.tr("Start training"), self.begin, "Ctrl+Return"),
            Action(self.tr("Choose the pictures to train on"), self.data.field.ask),
            Action(self.tr("Choose a recipe file"), self.recipe.file.click),
        )

    def take(self, intake: Intake) -> bool:
        """Take a dropped folder as the pictures to train on, a dropped recipe as the recipe."""
        for source in intake.sources:
            if isinstance(source, Path) and source.suffix in (".yaml", ".yml"):
                self.recipe.add_file(str(source))
                return True
            if isinstance(source, Path) and source.is_dir():
                self.data.field.set_path(source)
                return True
        return False

    def open_with(self, what: object) -> None:
        """Take a folder of pictures that another page sends."""
        if isinstance(what, Path):
            self.data.field.set_path(what)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Make do with a small window."""
        super().resizeEvent(event)
        self.view.result.narrow(event.size().width() < NARROW_PX)

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        self.notice.redress()
        self.empty.redress()

    def shutdown(self) -> None:
        """Wait for the page's threads."""
        self.recipe.shutdown()
        self.data.shutdown()
        self.unfinished.shutdown()
        self._install.shutdown()
        for log in self.logs:
            log.shutdown()
