"""Data sets: make a balanced one, look at it, ask whether it gives itself away, and mend it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from forensics_app.gui.dataset_form import DatasetForm, first_free
from forensics_app.gui.dataset_maker import LANE, Maker
from forensics_app.gui.dataset_view import DatasetView, PreviewCard
from forensics_app.gui.empty_state import Notice
from forensics_app.gui.file_dialog import ask
from forensics_app.gui.intake import Intake
from forensics_app.gui.job_card import JobCard
from forensics_app.gui.labels import label
from forensics_app.gui.page import Action, PageWidget
from forensics_app.gui.process_job import ProcessJob
from forensics_app.gui.session import Session
from forensics_app.gui.start_state import StartState

FORM_PX = 416
ASK_FROM_S = 60.0
AUDIT_LANE = "measure"


class DatasetPage(PageWidget):
    """The Data sets page."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.form, self.notice, self.job, self.preview = DatasetForm(), Notice(), JobCard(), PreviewCard()
        self.view, self.open_button = DatasetView(), QPushButton(self.tr("Open a data set…"))
        self.blank = StartState(
            "data", self.tr("Pictures to train on"),
            self.tr("Make a balanced set of generated and real pictures, or drop a folder with a subfolder per class."),
            self.tr("Open a data set…"),
        )  # fmt: skip
        self.blank.button.setProperty("role", "")  # "Generate" is what the page is for
        self.maker = Maker(session, self)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        title = label("headline")
        title.setText(self.tr("Data sets"))
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 4, 0)
        head.addWidget(title, 1)
        head.addWidget(self.open_button)
        side = QScrollArea()
        side.setWidget(self.form)
        side.setWidgetResizable(True)
        side.setFixedWidth(FORM_PX)
        side.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        side.setAccessibleName(self.tr("What to make"))
        self.stack = QStackedWidget()
        for widget in (self.blank, self.preview, self.view):
            self.stack.addWidget(widget)
        right = QVBoxLayout()
        right.setSpacing(12)
        right.addWidget(self.job)
        right.addWidget(self.stack, 1)
        body = QHBoxLayout()
        body.setSpacing(16)
        body.addWidget(side)
        body.addLayout(right, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 12, 12, 8)
        whole.setSpacing(12)
        whole.addLayout(head)
        whole.addWidget(self.notice)
        whole.addLayout(body, 1)
        self.notice.hide()
        self.stack.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def _connect(self) -> None:
        self.form.wanted.connect(self.generate)
        self.form.confirmed.connect(self._start)
        for button in (self.open_button, self.blank.button):
            button.clicked.connect(self.choose)
        for signal, slot in (
            (self.maker.begun, self.job.follow), (self.maker.costed, self._costed), (self.maker.made, self._made),
            (self.maker.refused, self._refused), (self.maker.cancelled, self._cancelled),
            (self.maker.staged, self.preview.stage.setText), (self.maker.previewed, self.preview.show_file),
        ):  # fmt: skip
            signal.connect(slot)
        self.view.failed.connect(self._not_shown)
        self.view.sheet.chosen.connect(lambda path: self._session.go("inspect", [path]))
        self.view.train_wanted.connect(lambda folder: self._session.go("train", folder))
        self.view.audit.audit_wanted.connect(self.audit)
        self.view.audit.mend_wanted.connect(self._mend)
        self.view.audit.report_wanted.connect(self._choose_report)
        self.view.train.setVisible(_has("train"))

    def actions_now(self) -> tuple[Action, ...]:
        """Return what the page offers."""
        return (
            Action(self.tr("Open a data set"), self.choose),
            Action(self.tr("Generate the data set"), self.generate, "Ctrl+Return"),
            Action(self.tr("Audit the data set"), self.audit, ready=self.stack.currentWidget() is self.view),
        )

    # -- a folder is shown

    def take(self, intake: Intake) -> bool:
        """Show a folder that was dropped."""
        folders = [source for source in intake.sources if isinstance(source, Path) and source.is_dir()]
        if folders:
            self.show_folder(folders[0])
        else:
            self.notice.tell(self.tr("Drop the folder of a data set here: one with one subfolder per class."))
        return True

    def open_with(self, what: object) -> None:
        """Show the data set that another page sends."""
        if isinstance(what, Path):
            self.show_folder(what)

    @Slot()
    def choose(self) -> None:
        """Ask for a data set."""
        dialog = QFileDialog(self, self.tr("Open a data set"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        ask(dialog, lambda paths: self.show_folder(paths[0]))

    def show_folder(self, folder: Path, *, note: str = "", before: str = "") -> None:
        """Show a data set's pictures."""
        self.notice.hide()
        self.view.open(folder, note=note, before=before)
        self.stack.setCurrentWidget(self.view)

    @Slot(str)
    def _not_shown(self, sentence: str) -> None:
        self.notice.tell(sentence)
        if self.stack.currentWidget() is self.view:
            self.stack.setCurrentWidget(self.blank)

    # -- one is made

    @Slot()
    def generate(self) -> None:
        """Measure what the data set costs, then begin; asked again after a question, begin all the same."""
        if self.maker.busy:
            self.form.tell(self.tr("One is being made already. Wait for it, or cancel it."))
        elif self.form.start.isVisible():
            self.form.start.click()
        elif missing := self.form.missing():
            self.form.tell(missing)
        else:
            self.form.tell(self.tr("Measuring how long it takes…"))
            self.maker.measure(self.form.arguments())

    @Slot(int, float, str)
    def _costed(self, pictures: int, seconds: float, device: str) -> None:
        text = self.tr("Sampling {0:,} pictures takes about {1} here, on {2}.")
        self.form.tell(text.format(pictures, self._long(seconds), device.upper()), ask=seconds > ASK_FROM_S)
        if seconds <= ASK_FROM_S:
            self._start()

    def _long(self, seconds: float) -> str:
        if seconds < 2 * ASK_FROM_S:
            return self.tr("{0:,.0f} seconds").format(max(seconds, 1))
        minutes = seconds / 60
        return (
            self.tr("{0:,.0f} minutes").format(minutes)
            if minutes < 90
            else self.tr("{0:,.1f} hours").format(minutes / 60)
        )

    @Slot()
    def _start(self) -> None:
        self.form.start.hide()
        self.preview.view.put(None)
        self.preview.stage.setText(self.tr("Starting…"))
        self.stack.setCurrentWidget(self.preview)
        self.maker.start()

    @Slot(str)
    def _refused(self, sentence: str) -> None:
        self.form.tell(sentence)
        self._leave_preview()

    @Slot()
    def _cancelled(self) -> None:
        self.form.tell("")
        self._leave_preview()

    def _leave_preview(self) -> None:
        if self.stack.currentWidget() is self.preview:
            self.stack.setCurrentWidget(self.view if self.view.folder else self.blank)

    def _follow(self, job: ProcessJob, lane: str) -> None:
        self.job.follow(job)
        self._session.jobs.add(job, lane)

    @Slot(Path, str, object)
    def _made(self, folder: Path, note: str, audit: dict[str, Any] | None) -> None:
        self.show_folder(folder, note=note)
        self._session.settings.opened([folder])
        self.form.tell("")
        self.form.next_folder()
        self.job.follow(None)
        if audit is not None:
            self.view.audit.show_audit(audit)

    # -- and audited

    @Slot()
    def audit(self) -> None:
        """Audit the data set that is shown."""
        if (folder := self.view.folder) is None:
            self.notice.tell(self.tr("Open a data set first, or drop its folder here."))
            return
        self._run_audit(folder, ("audit", str(folder)))

    def _run_audit(self, folder: Path, arguments: tuple[str, ...], report: Path | None = None) -> None:
        job = ProcessJob(self.tr("Auditing {0}").format(folder.name), arguments, page="data")
        self.view.audit.wait(on=True)
        job.finished.connect(lambda found: self._audited(folder, found, report))
        job.failed.connect(self._not_audited)
        job.cancelled.connect(lambda: self.view.audit.wait(on=False))
        self._follow(job, AUDIT_LANE)

    def _audited(self, folder: Path, found: dict[str, Any], report: Path | None) -> None:
        self.job.follow(None)
        if folder == self.view.folder and found.get("event") == "audit":
            self.view.audit.show_audit(found)
        if report is not None:
            self.notice.tell_good(self.tr("Saved: {0}").format(report))

    def _not_audited(self, sentence: str) -> None:
        self.view.audit.wait(on=False)
        self.notice.tell(sentence)

    @Slot(list)
    def _mend(self, arguments: list[str]) -> None:
        place = arguments.index("--out") + 1
        out = first_free(Path(arguments[place]))
        arguments = [*arguments[:place], str(out), *arguments[place + 1 :]]
        before = self.tr("Written anew from {0}, whose audit said: {1}").format(
            self.view.folder, self.view.audit.headline.text()
        )
        job = ProcessJob(self.tr("Writing all alike: {0}").format(out.name), arguments, page="data")
        job.finished.connect(lambda _last: self._mended(out, before))
        job.failed.connect(self.notice.tell)
        self._follow(job, LANE)

    def _mended(self, folder: Path, before: str) -> None:
        self.show_folder(folder, before=before)
        self.audit()

    @Slot()
    def _choose_report(self) -> None:
        if (folder := self.view.folder) is None:
            return
        dialog = QFileDialog(self, self.tr("Save the audit's report"), "", self.tr("Page (*.html)"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("html")
        dialog.selectFile(f"{folder.name}-audit.html")
        ask(dialog, lambda paths: self.save_report(paths[0]))

    def save_report(self, target: Path) -> None:
        """Audit the shown data set again and write the page that explains it."""
        if (folder := self.view.folder) is not None:
            self._run_audit(folder, ("audit", str(folder), "--out", str(target)), target)

    # -- the rest

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        for widget in (self.blank, self.notice, self.view.audit):
            widget.redress()

    def shutdown(self) -> None:
        """Stop reading pictures, and remove the preview."""
        self.view.shutdown()
        self.maker.shutdown()


def _has(key: str) -> bool:
    from forensics_app.gui.pages import PAGES

    return any(page.key == key for page in PAGES)
