"""A long job on a page: what happens in words, a bar, the time left, pause, cancel, and its log."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Qt, Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from forensics_app.gui import words
from forensics_app.gui.labels import label
from forensics_app.gui.process_job import ProcessJob

STATES = {
    "waiting": QT_TRANSLATE_NOOP("JobCard", "Waits for its turn"),
    "pausing": QT_TRANSLATE_NOOP("JobCard", "Pausing: it finishes what it is at…"),
    "paused": QT_TRANSLATE_NOOP("JobCard", "Paused"),
    "stopping": QT_TRANSLATE_NOOP("JobCard", "Stopping…"),
    "finished": QT_TRANSLATE_NOOP("JobCard", "Done"),
    "cancelled": QT_TRANSLATE_NOOP("JobCard", "Cancelled"),
}


def progress_words(job: ProcessJob) -> str:
    """Return where a job is: `1,204 of 5,000 files · 01:12 left`, or its state."""
    state = STATES.get(job.state)
    told = [] if state is None else [QCoreApplication.translate("JobCard", str(state))]
    if job.total and job.state in ("running", "pausing", "paused", "stopping"):
        told.append(QCoreApplication.translate("JobCard", "{0:,} of {1:,}").format(job.done, job.total) + _unit(job))
    if (left := job.left_s()) is not None:
        told.append(QCoreApplication.translate("JobCard", "{0} left").format(clock(left)))
    return " · ".join(told) or QCoreApplication.translate("JobCard", "Starting…")


def _unit(job: ProcessJob) -> str:
    return f" {words.legible(job.unit)}" if job.unit else ""


def clock(seconds: float) -> str:
    """Return a time span as `00:42`, or `1:02:03` from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


class JobCard(QFrame):
    """Follows one job after the other; hidden without one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.job: ProcessJob | None = None
        self._title, self._told, self._kept = label("title"), label("muted"), label("small")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName(self.tr("Progress"))
        self.pause, self.cancel, self.log = (QPushButton(text) for text in (self.tr("Pause"), self.tr("Cancel"),
                                                                             self.tr("Log")))  # fmt: skip
        self.pause.clicked.connect(self._pause)
        self.cancel.clicked.connect(self._cancel)
        self.log.clicked.connect(self._show_log)
        self._lay_out()
        self.hide()

    def _lay_out(self) -> None:
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addWidget(self._title)
        text.addWidget(self._told)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addLayout(text, 1)
        for button in (self.pause, self.cancel, self.log):
            top.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(self.bar)
        column.addWidget(self._kept)

    def follow(self, job: ProcessJob | None) -> None:
        """Show a job from now on, or none."""
        if self.job is not None:
            self.job.changed.disconnect(self._show)
            self.job.destroyed.disconnect(self._forget)
        self.job = job
        self.setVisible(job is not None)
        if job is not None:
            job.changed.connect(self._show)
            job.destroyed.connect(self._forget)
            self._show()

    @Slot()
    def _forget(self) -> None:
        self.job = None

    @Slot()
    def _show(self) -> None:
        if (job := self.job) is None:
            return
        self._title.setText(words.legible(job.words))
        self._told.setText(words.legible(job.why) if job.state == "failed" else progress_words(job))
        self.bar.setRange(0, job.total if job.total or job.state != "running" else 0)
        self.bar.setValue(job.done)
        self.bar.setVisible(not job.ended)
        self.pause.setText(self.tr("Go on") if job.state == "paused" else self.tr("Pause"))
        self.pause.setVisible(job.can_pause and job.state in ("running", "pausing", "paused"))
        self.pause.setEnabled(job.state != "pausing")
        self.cancel.setVisible(not job.ended)
        self.cancel.setEnabled(job.state != "stopping")
        self.log.setVisible(job.state == "failed" or (job.ended and job.code != 0))
        self._kept.setText(job.kept)
        self._kept.setVisible(bool(job.kept) and job.state in ("pausing", "paused", "stopping", "cancelled"))

    @Slot()
    def _pause(self) -> None:
        if self.job is not None:
            self.job.pause_or_go_on()

    @Slot()
    def _cancel(self) -> None:
        if self.job is not None:
            self.job.cancel()

    @Slot()
    def _show_log(self) -> None:
        if self.job is not None:
            LogSheet(self.job.words, self.job.log, self).open()


class LogSheet(QDialog):
    """What a job's command said, to read and to copy; Esc closes it."""

    def __init__(self, title: str, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(720, 440)
        shown = QPlainTextEdit(text)
        shown.setReadOnly(True)
        shown.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        shown.setAccessibleName(self.tr("Log"))
        copy, close = QPushButton(self.tr("Copy")), QPushButton(self.tr("Close"))
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(text))
        close.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(copy)
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addWidget(shown, 1)
        column.addLayout(row)
