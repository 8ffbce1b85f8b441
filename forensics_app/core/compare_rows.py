"""A comparison's table: a row for each detector with its figures on the same pictures, what it costs, and remarks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from classifier.compare import log_losses
from classifier.metrics import Figure, Metrics, bootstrap, measure
from classifier.pairing import Shared
from classifier.recipes import Phase, Recipe
from forensics_app.core.claims import Claim, claim_of
from forensics_app.core.contenders import Contender
from forensics_app.core.run_folder import tensors_of
from forensics_app.core.run_report import REPORT

GUESSING = "cannot be told from guessing"
STARTS = {"none": "from scratch", "imagenet": "from ImageNet weights"}


@dataclass(frozen=True)
class Row:
    """One detector of a comparison. `failure` says why there is none; then every figure is None.

    `train` is its accuracy on the pictures that it learned from, `epoch_s` the mean seconds of an epoch, `image_ms` the
    milliseconds for a picture on one thread.
    """

    name: str
    arch: str
    folder: Path
    training: str = ""
    failure: str | None = None
    train: Figure | None = None
    accuracy: Figure | None = None
    balanced_accuracy: Figure | None = None
    auc: Figure | None = None
    log_loss: Figure | None = None
    parameters: int | None = None
    megabytes: float | None = None
    epoch_s: float | None = None
    image_ms: float | None = None
    confusion: tuple[tuple[int, ...], ...] = ()
    report: Path | None = None
    claim: Claim | None = None
    remarks: tuple[str, ...] = ()


def row_of(
    one: Contender, judged: Shared, place: int, *, train: Figure | None = None, image_ms: float | None = None
) -> Row:
    """Return the row of a contender, which is the `place`-th of those that judged the same pictures."""
    found = measure(judged.p[place], judged.labels, judged.classes)
    lost = log_losses(judged.p[place], judged.labels)
    report = one.folder / REPORT
    recipe = one.run.recipe if one.run else None
    return Row(
        name=one.name,
        arch=one.card.arch,
        folder=one.folder,
        training=training_type(recipe) if recipe else "",
        train=train,
        accuracy=found.accuracy,
        balanced_accuracy=found.balanced_accuracy,
        auc=found.auc,
        log_loss=bootstrap(lambda index: float(lost[index].mean()), judged.labels),
        parameters=sum(tensors_of(one.installed).values()),
        megabytes=sum((one.installed.folder / name).stat().st_size for name in one.card.files) / 2**20,
        epoch_s=_epoch_s(one),
        image_ms=image_ms,
        confusion=tuple(tuple(line) for line in found.confusion),
        report=report if one.run and report.is_file() else None,
        claim=claim_of(recipe.name, recipe.arch) if recipe else None,
        remarks=tuple(_remarks(one, found)),
    )


def failed_row(arch: str, folder: Path, why: str, recipe: str) -> Row:
    """Return the row of a model that could not be trained or exported."""
    return Row(name=arch, arch=arch, folder=folder, failure=why, claim=claim_of(recipe, arch))


def training_type(recipe: Recipe) -> str:
    """Return what a recipe trains, in words: from which weights, and which layers in which phase."""
    phases = list(dict.fromkeys(_layers(phase) for phase in recipe.phases))
    return f"{STARTS.get(recipe.weights, 'from given weights')}, {', then '.join(phases)}"


def _layers(phase: Phase) -> str:
    if isinstance(phase.trainable, int):
        return f"last {phase.trainable} stages and head"
    if isinstance(phase.trainable, tuple):
        return ", ".join(phase.trainable)
    return {"all": "all layers", "head": "head only"}[phase.trainable]


def _epoch_s(one: Contender) -> float | None:
    seconds = [epoch for epoch in (one.run.column("seconds") if one.run else []) if epoch == epoch]  # noqa: PLR0124
    return sum(seconds) / len(seconds) if seconds else None


def _remarks(one: Contender, found: Metrics) -> Iterator[str]:
    chance = 1 / len(found.classes)
    if found.balanced_accuracy.low <= chance:
        yield GUESSING
    if one.card.training.get("shortcuts"):
        yield "trained although its classes can be told apart without looking at the pictures"


def ranked(rows: Sequence[Row]) -> list[int]:
    """Return the places of the rows with figures, the most accurate first."""
    figures: Mapping[int, Figure] = {place: row.accuracy for place, row in enumerate(rows) if row.accuracy}
    return sorted(figures, key=lambda place: -figures[place].value)
