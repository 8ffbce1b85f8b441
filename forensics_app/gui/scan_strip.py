"""The summary of a scan: how far it is, what the files came to, how p is spread, and what a threshold would change."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout

from forensics_app.gui import words
from forensics_app.gui.job_card import LogSheet, progress_words
from forensics_app.gui.labels import label
from forensics_app.gui.process_job import ProcessJob
from forensics_app.gui.scan_chips import AnswerChips
from forensics_app.gui.scan_histogram import Histogram
from forensics_app.gui.scan_questions import NOTHING, Found

TOLD_PX = 50


class ScanStrip(QFrame):
    """Follows the job of the folder that is shown, if there is one."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.job: ProcessJob | None = None
        self._idle, self._rate = "", 0.0
        self.status, self.kept, self.told = label("title"), label("small"), label("small")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName(self.tr("Progress"))
        self.pause, self.cancel, self.log = (
            QPushButton(self.tr("Pause")),
            QPushButton(self.tr("Cancel")),
            QPushButton(self.tr("Log")),
        )
        self.answers, self.histogram = AnswerChips(), Histogram()
        self.status.setWordWrap(False)
        self.told.setMinimumHeight(TOLD_PX)
        self.told.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._lay_out()
        self._connect()
        self._show_job()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.status, 1)
        for button in (self.pause, self.cancel, self.log):
            top.addWidget(button)
        left, right, foot = QVBoxLayout(), QVBoxLayout(), QHBoxLayout()
        left.setSpacing(8)
        left.addLayout(top)
        left.addWidget(self.bar)
        left.addWidget(self.kept)
        left.addStretch(1)
        left.addWidget(self.answers)
        right.setSpacing(0)
        right.addWidget(self.histogram, 1)
        foot.setContentsMargins(16, 0, 16, 0)
        foot.addWidget(self.told, 1)
        right.addLayout(foot)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 12, 16, 12)
        row.setSpacing(24)
        row.addLayout(left, 1)
        row.addLayout(right, 1)

    def _connect(self) -> None:
        self.pause.clicked.connect(self._pause)
        self.cancel.clicked.connect(self._cancel)
        self.log.clicked.connect(self._show_log)
        self.histogram.moved.connect(self._say_effect)

    # -- the job

    def follow(self, job: ProcessJob | None) -> None:
        """Show a job from now on, or none."""
        if self.job is job:
            return
        if self.job is not None:
            self.job.changed.disconnect(self._show_job)
            self.job.happened.disconnect(self._hear)
            self.job.destroyed.disconnect(self._forget)
        self.job, self._rate = job, 0.0
        if job is not None:
            job.changed.connect(self._show_job)
            job.happened.connect(self._hear)
            job.destroyed.connect(self._forget)
        self._show_job()

    @Slot()
    def _forget(self) -> None:
        self.job = None

    @Slot(dict)
    def _hear(self, event: dict[str, object]) -> None:
        rate = event.get("rate")
        if isinstance(rate, float):
            self._rate = rate

    @Slot()
    def _show_job(self) -> None:
        job = self.job
        running = job is not None and not job.ended
        for widget in (self.bar, self.cancel):
            widget.setVisible(running)
        self.pause.setVisible(job is not None and job.can_pause and job.state in ("running", "pausing", "paused"))
        self.log.setVisible(job is not None and job.state == "failed")
        self.kept.setVisible(False)
        if job is None or job.state == "finished":
            self.status.setText(self._idle)
            return
        self.status.setText(self._words(job))
        self.bar.setRange(0, job.total if job.total or job.state != "running" else 0)
        self.bar.setValue(job.done)
        self.pause.setText(self.tr("Go on") if job.state == "paused" else self.tr("Pause"))
        self.pause.setEnabled(job.state != "pausing")
        self.cancel.setEnabled(job.state != "stopping")
        self.kept.setText(job.why if job.state == "failed" else job.kept)
        self.kept.setVisible(job.state in ("paused", "cancelled", "failed"))

    def _words(self, job: ProcessJob) -> str:
        if job.state == "failed":
            return self.tr("The scan stopped")
        told = progress_words(job)
        if job.state == "running" and self._rate >= 1:
            told += self.tr(" · {0:,.0f} a second").format(self._rate)
        return told

    def say_idle(self, text: str) -> None:
        """Say what there is to say while nothing runs."""
        self._idle = words.legible(text)
        self._show_job()

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

    # -- what was found

    def show_found(self, found: Found | None) -> None:
        """Show counts and how p is spread."""
        self.answers.show_counts(NOTHING if found is None else found.counts)
        if found is not None:
            self.answers.show_chosen(found.view.filters.labels)
            self.histogram.show_spread(found.spread, found.policy)

    @Slot(float)
    def _say_effect(self, threshold: float) -> None:
        what, tr = self.histogram.effect, self.tr
        told = [tr("{1:,} files have p of at least {0:.2f}.").format(threshold, what.above)]
        if what.more_unsure or what.more_real:
            more = tr("Not called generated now: {0:,} “can't tell”, {1:,} “no sign”.")
            told.append(more.format(what.more_unsure, what.more_real))
        if what.fewer:
            told.append(tr("Called generated below it: {0:,}.").format(what.fewer))
        if len(told) == 1 and what.above:
            told.append(tr("All of them are called generated now, and no others."))
        self.told.setText(" ".join(told))

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        self.answers.redress()
        self.histogram.update()
