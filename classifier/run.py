"""A whole run: recipe and folder in, calibrated and measured detector out."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from classifier import calibrate, checkpoint, zoo
from classifier.data import BadData, Item, Labelled, Pictures, Split, open_data
from classifier.detector import Card, Installed, open_folder
from classifier.evaluate import Batch, Scores, degradation, measured, score
from classifier.export import export, write_card
from classifier.metrics import Metrics
from classifier.preprocess import regions
from classifier.recipes import Recipe
from classifier.runtime import Detector, calibrated
from classifier.train import Epoch, Step, Trained, train

DETECTOR, RECIPE, PREDICTIONS, AUDIT = "detector", "recipe.json", "predictions.json", "audit.json"
CHECKED = 16
DEGRADED = "jpeg75"


@dataclass(frozen=True)
class Stage:
    """A part of the run begins; `name` says which in words."""

    name: str


@dataclass(frozen=True)
class LeftOut:
    """Pictures that cannot be read, each with the reason; the run goes on without them."""

    files: tuple[tuple[Path, str], ...]


@dataclass(frozen=True)
class Measured:
    """Figures of pictures set aside, `degrade` says what was done to them first (None: nothing)."""

    degrade: str | None
    metrics: Metrics
    split: Split = "test"


@dataclass(frozen=True)
class Finished:
    """The run's end: the detector's folder and id."""

    folder: Path
    id: str


def run(
    recipe: Recipe,
    root: Path,
    out: Path,
    *,
    resume: bool = False,
    device: str = "auto",
    audit: Mapping[str, Any] | None = None,
) -> Iterator[Stage | LeftOut | Step | Epoch | Batch | Measured | Finished]:
    """Train, export, calibrate and measure; `out` receives the checkpoints, the history and `detector/`.

    `audit` is what an audit of the pictures found (its `verdict`, `reasons` …): the card carries it, and a resumed run
    keeps the one that it began with.
    Raises `BadData` (also if `out` holds a run that is not resumed), `BadArch`, `TrainingFailed`, `ExportRefused`.
    """
    check_place(recipe, out, resume)
    audit = kept_audit(out) or audit
    yield Stage("Reading the pictures")
    data = open_data(root, recipe.data, recipe.seed)
    if data.unreadable:
        yield LeftOut(data.unreadable)
    pictures = Pictures()
    yield Stage("Training")
    for event in train(recipe, data, out, resume=resume, device=device, pictures=pictures):
        if not (out / RECIPE).is_file():  # only once training began: a run that never did leaves nothing in the way
            if audit:
                checkpoint.write_json(out / AUDIT, dict(audit))
            checkpoint.write_json(out / RECIPE, recipe.model_dump(mode="json"))
        if not isinstance(event, Trained):
            yield event
            continue
        checkpoint.write_json(out / "history.json", [asdict(epoch) for epoch in event.history])
        yield Stage("Exporting and calibrating")
        installed = _export(recipe, data, out, event, pictures, audit)
        installed = yield from _calibrated(recipe, data, installed, pictures)
        split = measured_split(recipe, data)
        yield Stage(f"Measuring on the {split} split")
        yield from _measured(data, split, installed, pictures)
        yield Finished(installed.folder, open_folder(installed.folder).id)


def check_place(recipe: Recipe, out: Path, resume: bool) -> None:
    """Raise `BadData` for a folder that holds anything but this run: a finished or other one is never written over."""
    wanted = recipe.model_dump(mode="json")
    if (out / RECIPE).is_file():
        if not resume:
            raise BadData(f"{out} already holds a run; add --resume to go on with it, or give another folder.")
        found = json.loads((out / RECIPE).read_text(encoding="utf-8"))
        if found != wanted:
            keys = ", ".join(sorted(key for key in wanted if wanted[key] != found.get(key)))
            raise BadData(f"The run in {out} was begun with another recipe (different: {keys}); give another folder.")
    elif out.is_dir() and any(out.iterdir()):
        raise BadData(f"{out} is not empty and holds no run; give a new folder.")


def kept_audit(out: Path) -> dict[str, Any] | None:
    """Return the audit that the run in a folder began with, or None."""
    if not (out / AUDIT).is_file():
        return None
    found: dict[str, Any] = json.loads((out / AUDIT).read_text(encoding="utf-8"))
    return found


def _export(
    recipe: Recipe, data: Labelled, out: Path, trained: Trained, pictures: Pictures, audit: Mapping[str, Any] | None
) -> Installed:
    network = zoo.build(recipe.arch, len(data.classes))
    network.load_state_dict(load_file(trained.weights))
    card = Card(
        name=recipe.name,
        description=recipe.description,
        arch=recipe.arch,
        classes=data.classes,
        preprocess=recipe.preprocess,
        training={**_facts(recipe, data, trained), **_audited(audit)},
        limits=recipe.limits,
    )
    sample = (data.splits["cal"] or data.splits["train"])[:CHECKED]
    check = np.concatenate([regions(pictures[item.path], recipe.preprocess).batch for item in sample])
    return export(network, card, out / DETECTOR, check=check)


def _facts(recipe: Recipe, data: Labelled, trained: Trained) -> dict[str, Any]:
    counts = {
        split: dict(sorted(Counter(f"{data.classes[item.label]}: {item.source}" for item in items).items()))
        for split, items in data.splits.items()
    }
    names = ("torch", "torchvision", "accelerate", "onnxruntime", "numpy", "pillow")
    return {
        "recipe": recipe.model_dump(mode="json"),
        "pictures": counts,
        "unreadable": len(data.unreadable),
        "epochs": len(trained.history),
        "seconds": round(sum(epoch.seconds for epoch in trained.history), 1),
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "versions": {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in names}},
    }


def _audited(audit: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what the card says of the audit; `shortcuts` are the reasons why a set failed that was trained on."""
    if not audit:
        return {}
    failed = {"shortcuts": list(audit["reasons"])} if audit.get("verdict") == "fail" else {}
    return {"audit": dict(audit), **failed}


def _calibrated(recipe: Recipe, data: Labelled, installed: Installed, pictures: Pictures) -> Any:
    """Fit temperature and band on the calibration split, yielding a Batch now and then; return the detector."""
    items = data.splits["cal"]
    if len({item.label for item in items}) < len(data.classes):
        return installed  # too few pictures to set any aside: the card says so by having no band
    for event in score(Detector(installed.folder), items, pictures=pictures):
        if isinstance(event, Scores):
            write_card(installed.folder, _calibrate(recipe, installed.card, event))
        else:
            yield event
    return open_folder(installed.folder)


def _calibrate(recipe: Recipe, card: Card, scores: Scores) -> Card:
    """Return the card with temperature, for two classes also the bias, and for fake and real the abstain band."""
    if len(card.classes) > 2:
        return card.model_copy(update={"temperature": calibrate.temperature(scores.logits, scores.labels)})
    temperature, bias = calibrate.platt(scores.logits, scores.labels)
    card = card.model_copy(update={"temperature": temperature, "bias": (bias, 0.0)})
    if set(card.classes) != {"fake", "real"}:
        return card
    p, fake = calibrated(scores.logits, card), card.classes.index("fake")
    band = calibrate.abstain_band(p, scores.labels, fake, max_fpr=recipe.max_fpr, max_fnr=recipe.max_fnr)
    return card.model_copy(update={"band": band})


def measured_split(recipe: Recipe, data: Labelled) -> Split:
    """Return the split that a run is measured on: `test`, or `val` where there is no other and nothing looked at it."""
    chose = recipe.select != "last" or recipe.early_stop is not None or recipe.scheduler.name == "plateau"
    return "test" if data.splits["test"] or chose else "val"


def _measured(data: Labelled, split: Split, installed: Installed, pictures: Pictures) -> Iterator[Batch | Measured]:
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
                _write_predictions(installed.folder.parent / PREDICTIONS, split, detector, event, items)
            yield Measured(degrade, whole, split)
    write_card(installed.folder, installed.card.model_copy(update={"metrics": found}))


def _write_predictions(path: Path, split: Split, detector: Detector, scores: Scores, items: Sequence[Item]) -> None:
    """Write each measured picture's calibrated probabilities, for the report and for comparisons."""
    classes, p = detector.card.classes, calibrated(scores.logits, detector.card)
    pictures = [
        {"path": str(item.path), "class": classes[item.label], "p": [round(float(one), 6) for one in row]}
        for item, row in zip(items, p, strict=True)
    ]
    checkpoint.write_json(path, {"split": split, "classes": list(classes), "pictures": pictures})
