"""The end of a run: its detector calibrated on pictures of their own, and measured on others that nothing looked at."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from classifier import calibrate
from classifier.data import Labelled, Pictures, Split
from classifier.degradations import degradation
from classifier.detector import Installed, open_folder
from classifier.evaluate import Batch, Scores, measured, score
from classifier.evaluation_record import PREDICTIONS, write_predictions
from classifier.export import write_card
from classifier.metrics import Metrics
from classifier.recipes import Recipe
from classifier.runtime import Detector

DEGRADED = "jpeg75"


@dataclass(frozen=True)
class Measured:
    """Figures of pictures set aside, `degrade` says what was done to them first (None: nothing)."""

    degrade: str | None
    metrics: Metrics
    split: Split = "test"


def calibrate_detector(
    recipe: Recipe, data: Labelled, installed: Installed, pictures: Pictures
) -> Generator[Batch, None, Installed]:
    """Fit temperature and band on the calibration split, yielding a Batch now and then; return the detector."""
    items = data.splits["cal"]
    if len({item.label for item in items}) < len(data.classes):
        return installed  # too few pictures to set any aside: the card says so by having no band
    for event in score(Detector(installed.folder), items, pictures=pictures):
        if isinstance(event, Scores):
            write_card(installed.folder, calibrate.refit(installed.card, event, recipe.max_fpr, recipe.max_fnr))
        else:
            yield event
    return open_folder(installed.folder)


def measured_split(recipe: Recipe, data: Labelled) -> Split:
    """Return the split that a run is measured on: `test`, or `val` where there is no other and nothing looked at it."""
    return "test" if data.splits["test"] or chooses(recipe) else "val"


def chooses(recipe: Recipe) -> str | None:
    """Return the key of a recipe that lets the validation split decide something, or None where nothing does."""
    if recipe.select != "last":
        return f"select: {recipe.select}"
    if recipe.early_stop is not None:
        return "early_stop"
    watches = recipe.scheduler.name == "plateau" and recipe.scheduler.metric == "val_loss"
    return "scheduler: plateau" if watches else None


def measure_detector(
    data: Labelled, split: Split, installed: Installed, pictures: Pictures
) -> Iterator[Batch | Measured]:
    """Measure a split as it is, recompressed, and without the sources that were never trained on."""
    items, held = data.splits[split], installed.card.training["recipe"]["data"]["holdout"]
    found: dict[str, Any] = {}
    detector = Detector(installed.folder)
    for degrade in (None, DEGRADED) if items else ():
        for event in score(detector, items, degrade=degradation(degrade), pictures=pictures):
            if isinstance(event, Batch):
                yield event
                continue
            name = f"{split}_{degrade}" if degrade else split
            whole = measured(detector, event, items)
            found[name] = asdict(whole)
            if held:
                found[f"{name}_seen"] = asdict(measured(detector, event, items, held))
            if degrade is None:
                write_predictions(installed.folder.parent / PREDICTIONS, split, detector, event, items)
            yield Measured(degrade, whole, split)
    write_card(installed.folder, installed.card.model_copy(update={"metrics": found}))
