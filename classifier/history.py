"""What a training tells and remembers: its events, where it stands, which epoch is the best, its history on disk."""

from __future__ import annotations

import csv
import io
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from classifier.atomic import replacing, write_json
from classifier.recipes import Recipe

HISTORY, TABLE = "history.json", "history.csv"


@dataclass(frozen=True)
class Step:
    """One optimizer step: `done` of `total` steps of the whole run, the batch's mean loss."""

    done: int
    total: int
    epoch: int
    loss: float
    images_per_s: float


@dataclass(frozen=True)
class Extracted:
    """A frozen trunk's features of `pictures` of `of` pictures were computed, to be used in every epoch of a phase."""

    pictures: int
    of: int


@dataclass(frozen=True)
class Validated:
    """The network answered `pictures` of `of` pictures of the validation split."""

    pictures: int
    of: int


@dataclass(frozen=True)
class Confusion:
    """What the network took the validation split for after an epoch.

    `counts[i][j]` are the pictures of class i taken for class j, `classes` their names.
    """

    epoch: int
    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Epoch:
    """One epoch's figures: accuracies as parts of 1, NaN where there is no validation split.

    `lr` and `head_lr` are the learning rates that it began with, `seconds` is wall time, validation and the computing
    of features included, `images_per_s` of training alone. `best` marks the best so far, `cached` that only the head
    was computed. With MixUp and CutMix the accuracy counts the class that a mixture has most of.
    """

    epoch: int
    phase: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    val_balanced_accuracy: float
    lr: float
    head_lr: float
    seconds: float
    images_per_s: float
    best: bool
    cached: bool


@dataclass(frozen=True)
class Trained:
    """The end of training: the file with the chosen weights and the history of all epochs."""

    weights: Path
    history: tuple[Epoch, ...]


class Answered(NamedTuple):
    """What the validation split says of an epoch: loss and accuracies, NaN where it is empty."""

    loss: float
    accuracy: float
    balanced_accuracy: float

    def score(self, metric: str) -> float:
        """Return a figure of that name as a score: the higher the better; the least where answers were no numbers."""
        if not math.isfinite(self.loss):
            return -sys.float_info.max
        return -self.loss if metric == "loss" else float(getattr(self, metric))


@dataclass
class Progress:
    """Where a run stands; everything a resumed run needs beside the tensors."""

    phase: int = 0
    epoch_in_phase: int = 0
    epoch: int = 0
    best: float = -math.inf
    best_in_phase: float = -math.inf
    watched: float = -math.inf
    stalled: int = 0
    scheduler: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)

    def next_phase(self) -> None:
        """Begin the next phase, with nothing learned of it yet."""
        self.phase, self.epoch_in_phase, self.scheduler = self.phase + 1, 0, {}
        self.best_in_phase, self.watched, self.stalled = -math.inf, -math.inf, 0

    def judge(self, recipe: Recipe, answered: Answered | None) -> tuple[bool, bool]:
        """Return whether an epoch is the best of the run and of its phase, and count how long none was better.

        Without a validation split (None), and where the recipe says so, the last is the best.
        """
        if recipe.early_stop and answered:
            score = answered.score(recipe.early_stop.metric)
            self.watched, self.stalled = (score, 0) if score > self.watched else (self.watched, self.stalled + 1)
        if recipe.select == "last" or answered is None:
            return True, True
        score = answered.score(recipe.select)
        best = score > self.best, score > self.best_in_phase
        self.best = score if best[0] else self.best
        self.best_in_phase = score if best[1] else self.best_in_phase
        return best

    def stops(self, recipe: Recipe) -> bool:
        """Return whether the phase ends here, because nothing has improved for long enough."""
        return recipe.early_stop is not None and self.stalled >= recipe.early_stop.patience


def write_history(out: Path, entries: Sequence[dict[str, Any]]) -> None:
    """Write all epochs so far as JSON, and as a table in which what was not measured is an empty cell."""
    write_json(out / HISTORY, list(entries))
    text = io.StringIO()
    table = csv.DictWriter(text, [one.name for one in fields(Epoch)], lineterminator="\n")
    table.writeheader()
    table.writerows({key: _cell(value) for key, value in entry.items()} for entry in entries)
    with replacing(out / TABLE) as file:
        file.write(text.getvalue().encode())


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    return "" if isinstance(value, float) and math.isnan(value) else value
