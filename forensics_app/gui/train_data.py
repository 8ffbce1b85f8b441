"""The pictures to train on: a folder, and what is found in it, counted off the GUI thread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Signal, Slot

from classifier.data import BadData, find_pictures
from classifier.recipes import Recipe
from forensics_app.gui import words
from forensics_app.gui.jobs import ThreadJob
from forensics_app.gui.labels import label
from forensics_app.gui.path_field import PathField
from forensics_app.gui.titled_card import TitledCard

NAMED = 6


@dataclass(frozen=True)
class Counted:
    """How many pictures of each class a data folder has, in all its splits; `splits` names its own, if any."""

    root: Path
    classes: dict[str, int]
    splits: tuple[str, ...]


def count(root: Path, recipe: Recipe) -> Iterator[Counted]:
    """Yield what a data folder holds for a recipe; raises `BadData`."""
    found = find_pictures(root, recipe.data)
    totals: dict[str, int] = {}
    for part in found.values():
        for name, files in part.items():
            totals[name] = totals.get(name, 0) + len(files)
    yield Counted(root, dict(sorted(totals.items())), tuple(found) if len(found) > 1 else ())


class DataCard(TitledCard):
    """Tells `changed` when another count, or none, is there; `found` is the latest."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__("")
        self.title.setText(self.tr("Pictures"))
        self.setAccessibleName(self.tr("Pictures"))
        self.field = PathField(
            self.tr("Folder of pictures"), placeholder=self.tr("A folder with one subfolder per class")
        )
        self.told, self.problem = label("small"), label("problem")
        self.told.setText(self.tr("The names of its folders are the classes, such as fake and real."))
        for widget in (self.field, self.told, self.problem):
            self.body.addWidget(widget)
        self.problem.hide()
        self.found: Counted | None = None
        self._recipe: Recipe | None = None
        self._jobs: list[ThreadJob] = []
        self.field.changed.connect(self.look)

    def use(self, recipe: Recipe | None) -> None:
        """Count what this recipe would take."""
        if recipe is None or self._recipe is None or recipe.data != self._recipe.data:
            self._recipe = recipe
            self.look()

    @Slot()
    def look(self) -> None:
        """Count anew; an earlier count that is still running is no longer wanted."""
        self.found = None
        root, recipe = self.field.path(), self._recipe
        for job in self._jobs:
            job.cancel()
        self.problem.hide()
        if root is not None and recipe is not None:
            self.told.setText(self.tr("Counting…"))
            job = ThreadJob(lambda: count(root, recipe), self)
            job.finished.connect(lambda found: self._counted(job, found))
            job.failed.connect(lambda error: self._failed(job, error))
            job.cancelled.connect(lambda: self._jobs.remove(job))
            self._jobs.append(job)
            job.start()
        self.changed.emit()

    def _counted(self, job: ThreadJob, found: object) -> None:
        if self._latest(job) and isinstance(found, Counted):
            self.found = found
            self.told.setText(_sentence(found))
            self.changed.emit()

    def _failed(self, job: ThreadJob, error: Exception) -> None:
        if self._latest(job):
            self.told.setText("")
            told = str(error) if isinstance(error, BadData) else self.tr("This folder cannot be read.")
            self.problem.setText(words.legible(told))
            self.problem.show()
            self.changed.emit()

    def _latest(self, job: ThreadJob) -> bool:
        latest = bool(self._jobs) and self._jobs[-1] is job
        self._jobs.remove(job)
        job.deleteLater()
        return latest

    def shutdown(self) -> None:
        """Wait for counts that are running."""
        for job in tuple(self._jobs):
            job.cancel()
            job.wait()


def _sentence(found: Counted) -> str:
    named = [f"{words.legible(name)} {number:,}" for name, number in list(found.classes.items())[:NAMED]]
    more = words.tr(" and {0} more").format(len(found.classes) - NAMED) if len(found.classes) > NAMED else ""
    told = words.tr("{0} classes, {1:,} pictures: {2}{3}.").format(
        len(found.classes), sum(found.classes.values()), ", ".join(named), more
    )
    if found.splits:
        return told + " " + words.tr("It has its own splits: {0}.").format(", ".join(found.splits))
    return told
