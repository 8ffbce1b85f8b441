"""The line at the window's foot: what runs, how far it is, how long it will take, and a way to stop it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDialog, QLabel, QProgressBar, QStatusBar, QToolButton, QVBoxLayout, QWidget

from forensics_app.gui import words
from forensics_app.gui.job_card import JobCard, clock, progress_words
from forensics_app.gui.job_list import JobList
from forensics_app.gui.labels import label
from forensics_app.gui.process_job import TIME_LEFT_AFTER_S, ProcessJob

if TYPE_CHECKING:
    from forensics_app.gui.desk import Desk


class StatusLine(QStatusBar):
    """Shows what Inspect judges, or else the first of the long jobs; a button lists all of these."""

    def __init__(self, jobs: JobList, parent: QWidget) -> None:
        super().__init__(parent)
        self._desk: Desk | None = None
        self._jobs, self._told = jobs, ""
        self.text, self.bar, self.cancel, self.list = QLabel(), QProgressBar(), QToolButton(), QToolButton()
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(160, 6)
        self.bar.setAccessibleName(self.tr("Progress"))
        self.cancel.setText(self.tr("Cancel"))
        for button in (self.cancel, self.list):
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.cancel.clicked.connect(self.stop)
        self.list.clicked.connect(self.show_jobs)
        self.list.setToolTip(self.tr("Show the long jobs (Ctrl+J)"))
        self.setSizeGripEnabled(False)
        self.addWidget(self.text, 1)
        for widget in (self.bar, self.cancel, self.list):
            self.addPermanentWidget(widget)
        jobs.changed.connect(self.refresh)
        self.refresh()

    def follow(self, desk: Desk) -> None:
        """Show what is judged on Inspect's desk from now on."""
        self._desk = desk

    @property
    def _judging(self) -> bool:
        return self._desk is not None and self._desk.running

    @Slot(str)
    def tell(self, sentence: str) -> None:
        """Say something until the next thing happens."""
        self._told = words.legible(sentence)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show what runs now."""
        job = self._first()
        busy = self._judging or job is not None
        self.bar.setVisible(busy)
        self.cancel.setVisible(busy)
        self.cancel.setAccessibleName(self.tr("Cancel judging") if self._judging else self.tr("Cancel this job"))
        count = len(self._jobs.active)
        self.list.setVisible(bool(self._jobs.jobs))
        some = words.counted(self.tr("1 job"), self.tr("{count} jobs"), count)
        self.list.setText(some if count else self.tr("Jobs"))
        if self._judging or job is None:
            self._show_desk()
        else:
            self.bar.setRange(0, job.total)
            self.bar.setValue(job.done)
            self.text.setText(f"{words.legible(job.words)} · {progress_words(job)}")

    def _first(self) -> ProcessJob | None:
        return next((job for job in self._jobs.active if job.running), None)

    def _show_desk(self) -> None:
        desk, idle = self._desk, self._told or self.tr("Ready")
        if desk is None:
            self.text.setText(idle)
            return
        self.bar.setRange(0, desk.total)
        self.bar.setValue(desk.done)
        if desk.total == 0 or (self._told and not desk.running):
            self.text.setText(self.tr("Looking for pictures…") if desk.running else idle)
            return
        text = self.tr("{0:,} of {1:,} judged").format(desk.done, desk.total)
        seconds = time.monotonic() - desk.begun
        if desk.running and desk.done and seconds > TIME_LEFT_AFTER_S:
            text += self.tr(" · {0} left").format(clock(seconds / desk.done * (desk.total - desk.done)))
        if not desk.running and desk.done < desk.total:
            text = self.tr("Judging stopped: {0}").format(text)
        self.text.setText(text)

    @Slot()
    def desk_moved(self) -> None:
        """Show where judging is; what was told before is over."""
        if self._judging:
            self._told = ""
        self.refresh()

    @Slot()
    def stop(self) -> None:
        """Cancel what is shown."""
        if self._desk is not None and self._desk.running:
            self._desk.cancel()
        elif (job := self._first()) is not None:
            job.cancel()

    @Slot()
    def show_jobs(self) -> None:
        """List the long jobs."""
        JobsSheet(self._jobs, self.window()).show()


class JobsSheet(QDialog):
    """The long jobs of this window, the latest first; Esc closes it and stops none."""

    def __init__(self, jobs: JobList, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Jobs"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(560)
        self._jobs = jobs
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(16, 16, 16, 16)
        self._column.setSpacing(12)
        self._column.addStretch(1)
        jobs.added.connect(self._fill)
        self._fill()

    @Slot()
    def _fill(self) -> None:
        while self._column.count() > 1:
            item = self._column.takeAt(0)
            if item is not None and (widget := item.widget()) is not None:
                widget.deleteLater()
        for job in self._jobs.jobs:
            card = JobCard()
            card.follow(job)
            self._column.insertWidget(0, card)
            card.show()
        if not self._jobs.jobs:
            nothing = label("muted")
            nothing.setText(self.tr("No long job has run in this window yet."))
            self._column.insertWidget(0, nothing)
