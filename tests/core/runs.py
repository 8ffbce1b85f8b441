"""Runs as they are left behind: of a detector with random weights, with pictures that were measured."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np

from classifier.detector import open_folder
from classifier.export import write_card
from classifier.metrics import measure
from forensics_app.core.run_folder import Predictions, open_run
from forensics_app.core.run_report import write
from tests.classifier.test_train import recipe_of
from tests.conftest import write_picture


def change_card(folder: Path, **changes: Any) -> None:
    card = open_folder(folder / "detector").card
    write_card(folder / "detector", card.model_copy(update=changes))


def write_run(folder: Path, detector: Path, classes: Sequence[str], *, n: int = 3, split: str = "test") -> Path:
    """Write the run that a detector with random weights would come from, with n measured pictures of each class."""
    shutil.copytree(detector, folder / "detector")
    band = open_folder(detector).card.band if set(classes) == {"fake", "real"} else None
    change_card(folder, classes=tuple(classes), band=band)
    rng, labels = np.random.default_rng(0), np.arange(n * len(classes)) % len(classes)
    p = rng.dirichlet(np.ones(len(classes)), len(labels)).round(6)
    p[: len(classes)] = np.eye(len(classes))  # one of each is right for certain
    metrics = {split: asdict(measure(p, labels, tuple(classes)))}
    training = {"pictures": {"train": {f"{name}: {name}": 5 for name in classes}}, "seconds": 4000, "device": "cpu"}
    change_card(folder, metrics=metrics, training=training)
    listed = [
        {"path": str(write_picture(folder / f"{k}.png", 72, 64)), "class": classes[label], "p": p[k].tolist()}
        for k, label in enumerate(labels.tolist())
    ]
    names = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")
    history = [{"epoch": k, "phase": 0, "best": True, **dict.fromkeys(names)} for k in range(2)]
    write_json(folder / "predictions.json", {"split": split, "classes": list(classes), "pictures": listed})
    write_json(folder / "history.json", history)
    write_json(folder / "recipe.json", recipe_of().model_dump(mode="json"))
    return folder


def predicted(folder: Path) -> Predictions:
    found = open_run(folder).predictions
    assert found is not None
    return found


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value))


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def words(page: str) -> str:
    """Return a page's text as it is read."""
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def said_of(folder: Path) -> str:
    return words(write(folder, trust_s=0).read_text(encoding="utf-8"))
