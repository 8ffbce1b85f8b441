"""What happens to long jobs when the window is closed: a question first, then a clean stop that blocks nothing."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from forensics_app.gui import words
from forensics_app.gui.job_list import JobList


def ask_to_close(window: QWidget, jobs: JobList, *, stop: Callable[[], None]) -> None:
    """Ask whether the jobs may be stopped, and return at once; `stop` is called if they may."""

    def tr(text: str) -> str:
        return QCoreApplication.translate("closing", text)

    box = QMessageBox(window)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle(tr("Forensics"))
    one, several = tr("A job is still running. Stop it and quit?"), tr("{count} jobs are not done. Stop them and quit?")
    box.setText(words.counted(one, several, len(jobs.active)))
    box.setInformativeText("\n".join(f"{job.words}. {job.kept}".strip() for job in jobs.active))
    agree = box.addButton(tr("Stop and quit"), QMessageBox.ButtonRole.AcceptRole)
    stay = box.addButton(tr("Keep running"), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(stay)
    agree.clicked.connect(stop)
    box.open()


def stop_all(jobs: JobList, *, then: Callable[[], object]) -> None:
    """Cancel all jobs cleanly; call `then` once the last has ended."""

    def look() -> None:
        if not jobs.active:
            then()

    jobs.ended.connect(look)
    for job in reversed(jobs.active):  # so that none of those that wait starts
        job.cancel()
    look()
