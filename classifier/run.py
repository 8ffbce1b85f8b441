"""A whole run: recipe and folder in, calibrated and measured detector out."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from math import fsum
from pathlib import Path
from typing import Any

import numpy as np

from classifier import checkpoint, split_record, zoo
from classifier.atomic import write_json
from classifier.board import FOLDER, board
from classifier.data import BadData, Labelled, Pictures, made_note, open_data
from classifier.detector import Card, Installed, open_folder
from classifier.environment import environment
from classifier.evaluate import Batch, Stage
from classifier.export import compared_on, export
from classifier.history import Confusion, Epoch, Extracted, Step, Trained, Validated
from classifier.keeping import LAST
from classifier.lock import only_one
from classifier.measuring import Measured, calibrate_detector, chooses, measure_detector, measured_split
from classifier.quantize import fast_twin_of
from classifier.recipes import Recipe
from classifier.request import ENVIRONMENT, RECIPE, Request, recipe_in
from classifier.split_record import PICTURES
from classifier.train import train

__all__ = (
    "AUDIT", "DETECTOR", "RECIPE", "Finished", "LeftOut", "Measured", "Stage", "check_network", "check_place",
    "kept_audit", "run",
)  # fmt: skip

DETECTOR, AUDIT, LOCK = "detector", "audit.json", ".lock"
LEFTOVER = re.compile(rf"\.(.+\.)?part|\.{DETECTOR}\..+")
"""What a killed program leaves of a file or of the detector that it was writing."""


@dataclass(frozen=True)
class LeftOut:
    """Pictures that cannot be read, each with the reason; the run goes on without them."""

    files: tuple[tuple[Path, str], ...]


@dataclass(frozen=True)
class Finished:
    """The run's end: the detector's folder and id."""

    folder: Path
    id: str


Event = Stage | LeftOut | Step | Extracted | Validated | Confusion | Epoch | Batch | Measured | Finished


def run(
    recipe: Recipe,
    root: Path,
    out: Path,
    *,
    resume: bool = False,
    device: str = "auto",
    audit: Mapping[str, Any] | None = None,
    asked: Request | None = None,
) -> Iterator[Event]:
    """Train, export, calibrate and measure; `out` receives the checkpoints, the history and `detector/`.

    `audit` is what an audit of the pictures found (its `verdict`, `reasons` …): the card carries it, and a resumed run
    keeps the one that it began with. `asked` is kept in environment.json.
    Raises `BadData` (also if `out` holds a run that is not resumed), `BadArch`, `TrainingFailed`, `ExportRefused`.
    """
    check_place(recipe, out, resume)
    busy = BadData(f"Another program is training into {out}: wait until it ends, or give another folder.")
    out.mkdir(parents=True, exist_ok=True)
    try:
        with only_one(out / LOCK, busy):
            _sweep(out)
            yield from _run(recipe, root, out, resume=resume, device=device, audit=audit, asked=asked)
    finally:
        with suppress(OSError):  # it holds a run
            out.rmdir()


def _run(
    recipe: Recipe,
    root: Path,
    out: Path,
    *,
    resume: bool,
    device: str,
    audit: Mapping[str, Any] | None,
    asked: Request | None,
) -> Iterator[Event]:
    audit = kept_audit(out) or audit
    yield Stage("Reading the pictures")
    data = open_data(root, recipe.data, recipe.seed)
    check_splits(recipe, data)
    if data.unreadable:
        yield LeftOut(data.unreadable)
    pictures, trained, begun = Pictures(), Trained(out, ()), False
    logs = out / FOLDER if (asked and asked.tensorboard) or (out / FOLDER).is_dir() else None
    yield Stage("Training")
    events = train(recipe, data, out, resume=resume, device=device, pictures=pictures)
    with board(logs, epochs=_epochs_in(out) if resume else 0) as told:
        for event in events:
            if not begun:  # only once training began: a run that never did leaves nothing in the way
                begun = True
                _begin(recipe, out, audit, environment(recipe, asked, device), data)
            if isinstance(event, Trained):
                trained = event
                continue
            if isinstance(event, Epoch):
                told.epoch(event)
            yield event
        yield Stage("Exporting and calibrating")
        installed = _export(recipe, data, out, trained, pictures, audit)
        installed = yield from calibrate_detector(recipe, data, installed, pictures)
        split = measured_split(recipe, data)
        if data.splits[split]:
            yield Stage(f"Measuring on the {split} split")
        for found in measure_detector(data, split, installed, pictures):
            if isinstance(found, Measured) and found.degrade is None:
                told.measured(split, found.metrics.accuracy.value, found.metrics.balanced_accuracy.value)
            yield found
        yield from fast_twin_of(data, split, open_folder(installed.folder))
    yield Finished(installed.folder, open_folder(installed.folder).id)


def check_place(recipe: Recipe, out: Path, resume: bool) -> None:
    """Raise `BadData` for a folder that holds anything but this run: a finished or other one is never written over."""
    if out.exists() and not out.is_dir():
        raise BadData(f"{out} is a file; give a new folder.")
    if (out / RECIPE).is_file():
        if not resume:
            raise BadData(f"{out} already holds a run; add --resume to go on with it, or give another folder.")
        found, wanted = recipe_in(out), recipe.model_dump(mode="json")
        if found != recipe:
            before = found.model_dump(mode="json") if found else {}
            keys = ", ".join(sorted(key for key in wanted if wanted[key] != before.get(key)))
            raise BadData(f"The run in {out} was begun with another recipe (different: {keys}); give another folder.")
    elif out.is_dir() and not is_bare(out):
        raise BadData(f"{out} is not empty and holds no run; give a new folder.")


def is_bare(out: Path) -> bool:
    """Return whether a folder holds nothing but what a run leaves that was killed before it began."""
    early = (LOCK, PICTURES, AUDIT, ENVIRONMENT)
    return all(path.name in early or LEFTOVER.fullmatch(path.name) for path in out.iterdir())


def _sweep(out: Path) -> None:
    """Remove what a killed program left half written, and what it wrote for a run that never began."""
    early = () if (out / RECIPE).is_file() else (PICTURES, AUDIT, ENVIRONMENT)
    for path in out.iterdir():
        if path.name not in early and not LEFTOVER.fullmatch(path.name):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def check_network(recipe: Recipe, out: Path) -> None:
    """Raise `BadArch` if the network or its weights cannot be had; a run that was begun needs the weights no more."""
    weights = "none" if (out / RECIPE).is_file() else recipe.weights
    zoo.build(recipe.arch, 2, weights, size=recipe.preprocess.size, dropout=recipe.dropout)


def check_tensorboard() -> None:
    """Raise `ModuleNotFoundError` where TensorBoard's events cannot be written."""
    import torch.utils.tensorboard  # noqa: F401


def check_splits(recipe: Recipe, data: Labelled) -> None:
    """Raise `BadData` where a split stays empty that the recipe asks for, or lets decide something."""
    shares = {"val": recipe.data.val, "cal": recipe.data.cal, "test": recipe.data.test}
    for split in ("val", "cal", "test"):
        if shares[split] and not data.splits[split]:
            n = sum(len(found) for found in data.splits.values())
            raise BadData(
                f"The {n} pictures of {data.root} are too few to set {shares[split]:.0%} of each class aside for "
                f"'{split}': add pictures, or go without with --set data.{split}=0."
            )
    if not data.splits["val"] and (key := chooses(recipe)):
        raise BadData(
            f"The recipe's '{key}' needs a validation split, and {data.root} leaves none: set data.val, or select: "
            "last without early_stop and plateau."
        )


def kept_audit(out: Path) -> dict[str, Any] | None:
    """Return the audit that the run in a folder began with, or None."""
    if not (out / RECIPE).is_file() or not (out / AUDIT).is_file():
        return None
    return _kept(out / AUDIT)


def _kept(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        found = error
    if not isinstance(found, dict):
        raise BadData(f"{path} is damaged: restore it, or begin anew in another folder.")
    return found


def _epochs_in(out: Path) -> int:
    return int(checkpoint.facts(out / LAST)["progress"]["epoch"]) if (out / LAST).is_file() else 0


def _begin(recipe: Recipe, out: Path, audit: Mapping[str, Any] | None, facts: dict[str, Any], data: Labelled) -> None:
    """Write what the run was begun with and keep what is there; the recipe last: a folder that has it is a run."""
    if not (out / PICTURES).is_file():
        split_record.write(out, split_record.record_of(data))
    written = {AUDIT: dict(audit or {}), ENVIRONMENT: facts, RECIPE: recipe.model_dump(mode="json")}
    for name, what in written.items():
        if what and not (out / name).is_file():
            write_json(out / name, what)


def _export(
    recipe: Recipe, data: Labelled, out: Path, trained: Trained, pictures: Pictures, audit: Mapping[str, Any] | None
) -> Installed:
    network = zoo.build(recipe.arch, len(data.classes), size=recipe.preprocess.size, dropout=recipe.dropout)
    checkpoint.load(trained.weights, network)
    note = made_note(data.root)
    card = Card(
        name=recipe.name,
        description=recipe.description,
        arch=recipe.arch,
        classes=data.classes,
        preprocess=recipe.preprocess,
        training={
            **_facts(recipe, data, out, trained.history),
            **_audited(audit, data.classes),
            **({"note": note} if note else {}),
        },
        limits=(*((note,) if note else ()), *recipe.limits),
    )
    check = compared_on(data.splits["cal"] or data.splits["train"], pictures, recipe.preprocess)
    return export(network, card, out / DETECTOR, check=check)


def _facts(recipe: Recipe, data: Labelled, out: Path, history: Sequence[Epoch]) -> dict[str, Any]:
    made = _kept(out / ENVIRONMENT)
    return {
        "recipe": recipe.model_dump(mode="json"),
        "pictures": split_record.picture_counts(data),
        "unreadable": len(data.unreadable),
        "epochs": len(history),
        "seconds": round(fsum(epoch.seconds for epoch in history), 1),
        "phases": [_phase_facts(recipe, number, list(those)) for number, those in groupby(history, _phase_of)],
        **{key: made[key] for key in ("device", "device_name", "precision", "versions")},
    }


def _phase_of(epoch: Epoch) -> int:
    return epoch.phase


def _phase_facts(recipe: Recipe, number: int, epochs: Sequence[Epoch]) -> dict[str, Any]:
    trainable = recipe.phases[number].model_dump(mode="json")["trainable"]
    return {
        "trainable": trainable,
        "epochs": len(epochs),
        "seconds": round(fsum(epoch.seconds for epoch in epochs), 1),
        "images_per_s": round(float(np.median([epoch.images_per_s for epoch in epochs])), 1),
        "cached_features": all(epoch.cached for epoch in epochs),
    }


def _audited(audit: Mapping[str, Any] | None, classes: Sequence[str]) -> dict[str, Any]:
    """Return what the card says of the audit; `shortcuts` are the reasons why a set failed that was trained on.

    Only for fake and real: what tells ants from bees beside their looks is no way to fool anyone.
    """
    if not audit:
        return {}
    failed = audit.get("verdict") == "fail" and set(classes) == {"fake", "real"}
    return {"audit": dict(audit), **({"shortcuts": list(audit["reasons"])} if failed else {})}
