"""What a training run left in its folder, read and checked: recipe, history, detector, figures and predictions."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, SkipValidation, TypeAdapter, ValidationError, model_validator

from classifier.detector import WEIGHTS, BadDetector, Card, Installed, open_folder
from classifier.files import BadImage, read
from classifier.metrics import Metrics
from classifier.recipes import BadRecipe, Recipe, validate

RECIPE, HISTORY, PREDICTIONS, DETECTOR = "recipe.json", "history.json", "predictions.json", "detector"
MAX_BYTES = 256 * 2**20
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


class BadRun(Exception):
    """A folder that holds no finished run; `str()` says what is missing or wrong, and where."""


class Predicted(BaseModel):
    """One measured picture: where it was, its class, and the calibrated probability of each class."""

    model_config = ConfigDict(frozen=True)

    path: SkipValidation[str]
    """Not validated as text: a file name that is no UTF-8 is none."""
    cls: str = Field(alias="class")
    p: tuple[float, ...]


class Predictions(BaseModel):
    """What the detector said of the pictures that it was measured on (predictions.json)."""

    model_config = ConfigDict(frozen=True)

    split: str
    classes: tuple[str, ...]
    pictures: tuple[Predicted, ...]

    @model_validator(mode="after")
    def _fitting(self) -> Predictions:
        for picture in self.pictures:
            if not isinstance(picture.path, str):
                raise ValueError("a path is needed for each picture")  # noqa: TRY004 - what pydantic reports
            if len(picture.p) != len(self.classes) or not all(0 <= one <= 1 for one in picture.p):
                raise ValueError(f"{picture.path}: a probability from 0 to 1 is needed for each class")
            if picture.cls not in self.classes:
                raise ValueError(f"{picture.path}: there is no class '{picture.cls}'")
        return self

    @property
    def p(self) -> NDArray[np.float64]:
        """Calibrated probabilities (N, C)."""
        return np.array([picture.p for picture in self.pictures], np.float64).reshape(-1, len(self.classes))

    @property
    def labels(self) -> NDArray[np.int64]:
        """Which of the classes each picture is (N,)."""
        places = {name: place for place, name in enumerate(self.classes)}
        return np.array([places[picture.cls] for picture in self.pictures], np.int64)


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run. `history` has an epoch's figures by name; `metrics` those of each measured set by its name.

    `split` names the pictures that it was measured on, None where nothing was; `predictions` is None for a run from
    before they were kept.
    """

    folder: Path
    recipe: Recipe
    installed: Installed
    history: tuple[Mapping[str, float], ...]
    metrics: Mapping[str, Metrics]
    split: str | None
    predictions: Predictions | None

    @property
    def card(self) -> Card:
        """The detector's card."""
        return self.installed.card

    @property
    def measured(self) -> Metrics | None:
        """The figures of the pictures set aside, as they are; None where nothing was measured."""
        return self.metrics[self.split] if self.split else None

    @cached_property
    def tensors(self) -> Mapping[str, int]:
        """How many numbers each tensor of the network has, by name, without the statistics of its normalization."""
        return tensors_of(self.installed)

    @property
    def parameters(self) -> int:
        """How many numbers the network learned."""
        return sum(self.tensors.values())

    def column(self, name: str) -> list[float]:
        """Return one figure of every epoch, NaN where it was not measured."""
        return [epoch.get(name, float("nan")) for epoch in self.history]


def tensors_of(installed: Installed) -> Mapping[str, int]:
    """Return how many numbers each tensor of a network has, without the statistics of its normalization."""
    from safetensors import safe_open

    with safe_open(installed.folder / WEIGHTS, framework="numpy") as file:
        learned = [name for name in file.keys() if not name.endswith(STATISTICS)]  # noqa: SIM118 - not a mapping
        return {name: math.prod(file.get_slice(name).get_shape()) for name in learned}


def open_run(folder: Path) -> Run:
    """Read a finished run's folder; raises `BadRun`."""
    try:
        installed = open_folder(folder / DETECTOR)
        recipe = validate(_json(folder / RECIPE), str(folder / RECIPE))
        history = _history(folder / HISTORY)
        metrics = {
            name: TypeAdapter(Metrics).validate_python(figures_of(found))
            for name, found in installed.card.metrics.items()
        }
        predictions = Predictions.model_validate(_json(folder / PREDICTIONS)) if _is_there(folder) else None
    except (BadDetector, BadRecipe) as error:
        raise BadRun(f"{folder} holds no finished run: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadRun(f"The run in {folder} is damaged ({error.title}, {where}: {first['msg']}).") from None
    if any(set(one.classes) != set(installed.card.classes) or not _square(one) for one in metrics.values()):
        raise BadRun(f"The run in {folder} is damaged: the figures on its card are not those of its classes.")
    split = next((name for name in ("test", "val") if name in metrics), None)
    if predictions and predictions.classes != installed.card.classes:
        raise BadRun(f"{folder / PREDICTIONS} is of another detector: its classes differ from those on the card.")
    return Run(folder, recipe, installed, history, metrics, split, predictions)


def _history(path: Path) -> tuple[dict[str, float], ...]:
    """Return the figures of every epoch; one that was not measured is null on disk."""
    found = TypeAdapter(tuple[dict[str, float | None], ...]).validate_python(_json(path))
    return tuple({name: math.nan if one is None else one for name, one in epoch.items()} for epoch in found)


def _square(metrics: Metrics) -> bool:
    count = len(metrics.classes)
    return [len(row) for row in metrics.confusion] == [count] * count and set(metrics.per_class) == set(metrics.classes)


def _is_there(folder: Path) -> bool:
    return (folder / PREDICTIONS).exists()


def _json(path: Path) -> Any:
    try:
        return json.loads(read(path, max_bytes=MAX_BYTES))
    except (ValueError, RecursionError) as error:
        detail = " ".join(str(error).split())[:120]
        raise BadRun(f"{path} is no JSON: {detail}. Train again, or restore the file.") from None
    except BadImage as error:
        raise BadRun(f"{path.parent} holds no finished run; {path.name}: {error}") from None


def figures_of(found: object) -> object:
    """Return figures as they were measured: one of no picture at all has no value, which JSON has no number for."""
    if not isinstance(found, dict):
        return found
    whole = {key: figures_of(value) for key, value in found.items()}
    return {**whole, "value": math.nan} if whole.get("n") == 0 and whole.get("value", 0) is None else whole
