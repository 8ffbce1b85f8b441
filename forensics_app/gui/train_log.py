"""What a training has told so far, epoch by epoch: the model behind the curves, kept as long as its job."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from forensics_app.core.unfinished_runs import Begun, begun
from forensics_app.core.words import figure
from forensics_app.gui import words
from forensics_app.gui.jobs import ThreadJob
from forensics_app.gui.process_job import ProcessJob


@dataclass(frozen=True)
class Taken:
    """What the validation split was taken for after an epoch, counted from 0: counts by true and by taken class."""

    epoch: int
    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class TrainingLog(QObject):
    """Follows a training into its folder `out`; `phases` are the epochs of each phase, and what it trains in words."""

    grown = Signal()
    """An epoch's figures or confusion matrix came in."""
    moved = Signal()
    """It is at something else, or the result is there."""

    def __init__(self, job: ProcessJob, out: Path, phases: Sequence[tuple[str, int]], parent: QObject) -> None:
        super().__init__(parent)
        self.job, self.out, self.phases = job, out, tuple(phases)
        self.epochs: list[Mapping[str, Any]] = []
        self.confusions: list[Taken] = []
        self.stage, self.device, self.headline = "", "", ""
        self.speed = 0.0
        self._reading: ThreadJob | None = None
        job.happened.connect(self._take)
        if (out / "recipe.json").exists():
            self._read()

    @property
    def total(self) -> int:
        """How many epochs there will be, unless it stops early."""
        return sum(count for _, count in self.phases)

    @property
    def kept(self) -> int | None:
        """The epoch, from 1, whose weights are kept so far."""
        return max((place for place, epoch in enumerate(self.epochs, 1) if epoch.get("best")), default=None)

    @property
    def passed(self) -> list[tuple[str, int]]:
        """The phases that were begun, each with the epochs that it has so far."""
        numbers = [epoch.get("phase") for epoch in self.epochs]
        return [(name, many) for place, (name, _) in enumerate(self.phases) if (many := numbers.count(place))]

    def column(self, name: str) -> list[float]:
        """Return a figure of every epoch, NaN where it was not measured."""
        found = (epoch.get(name) for epoch in self.epochs)
        return [float(one) if isinstance(one, (int, float)) else math.nan for one in found]

    def confusion(self, epoch: int) -> Taken | None:
        """Return the latest matrix up to an epoch, counted from 0."""
        return next((one for one in reversed(self.confusions) if one.epoch <= epoch), None)

    @Slot(dict)
    def _take(self, event: dict[str, Any]) -> None:
        kind = event.get("event")
        if kind == "epoch":
            self.epochs = [one for one in self.epochs if one.get("epoch") != event["epoch"]] + [event]
            self.grown.emit()
        elif kind == "confusion":
            self.confusions = [one for one in self.confusions if one.epoch < event["epoch"]]
            counts = tuple(tuple(row) for row in event["counts"])
            self.confusions.append(Taken(event["epoch"], tuple(event["classes"]), counts))
        elif kind == "step":
            self.speed = float(event["images_per_s"] or 0)
            if not self.device:
                self._read()
        self._tell(str(kind), event)

    def _tell(self, kind: str, event: dict[str, Any]) -> None:
        stage = {"looked": words.tr("Auditing the pictures"), "step": words.tr("Training"),
                 "validated": words.tr("Validating"), "extracted": words.tr("Computing features"),
                 "finished": words.tr("Writing the report")}.get(kind)  # fmt: skip
        if kind == "stage":
            stage = words.legible(str(event.get("name", "")))
        elif kind == "measured" and event.get("degrade") is None:
            metrics = event.get("metrics", {})
            told = figure(metrics.get("balanced_accuracy"))
            self.headline = words.tr("Balanced accuracy {0} on {1:,} pictures it had never seen").format(
                told, metrics.get("n", 0)
            )
        if stage and stage != self.stage:
            self.stage = stage
            self.moved.emit()

    def _read(self) -> None:
        """Read what the folder tells: the device, and the epochs of a run that is gone on with."""
        if self._reading is not None:
            return

        def reading() -> Iterator[Begun]:
            yield begun(self.out)

        self._reading = ThreadJob(reading, self)
        self._reading.finished.connect(self._known)
        self._reading.start()

    @Slot(object)
    def _known(self, found: Begun) -> None:
        self._reading = None
        self.device = found.device
        numbers = {epoch.get("epoch") for epoch in self.epochs}
        before = [epoch for epoch in found.history if epoch.get("epoch") not in numbers]
        if before:
            self.epochs = sorted([*before, *self.epochs], key=lambda epoch: int(epoch.get("epoch", 0)))
            self.grown.emit()
        self.moved.emit()

    def shutdown(self) -> None:
        """Wait for what is being read."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading.wait()
