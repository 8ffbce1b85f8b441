"""How far the runs of a series have come: new, begun, finished or failed, and what lies in the way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from classifier.atomic import write_json
from classifier.data import BadData
from classifier.detector import CARD, BadDetector, open_folder
from classifier.recipes import Recipe
from classifier.request import RECIPE
from classifier.run import DETECTOR, is_bare
from classifier.split_record import Record, recorded

FAILED = "failed.json"

Standing = Literal["new", "begun", "finished", "failed"]


def check_folder(out: Path) -> None:
    """Raise `BadData` for a folder that holds anything but a series: nothing is mixed with what lies there."""
    if out.exists() and not out.is_dir():
        raise BadData(f"{out} is a file; give a folder.")
    bare = out.is_dir() and all(path.is_dir() and is_bare(path) for path in out.iterdir())
    if out.is_dir() and not bare and not (out / FAILED).is_file() and not any(out.glob(f"*/{RECIPE}")):
        raise BadData(f"{out} is not empty and holds no comparison; give a new folder.")


def standing(recipe: Recipe, folder: Path, record: Record, *, resume: bool) -> Standing:
    """Return how far the run of a recipe on these pictures has come in a folder.

    One that failed is so until `resume` is given. Raises `BadData` for a run of other pictures, and for one that was
    interrupted unless `resume`.
    """
    failed = not resume and failure(recipe, folder, record) is not None
    if not (folder / RECIPE).is_file():
        return "failed" if failed else "new"
    found = recorded(folder)
    if found is None or found.digest != record.digest:
        which = "other pictures or other splits" if found else "pictures that it does not name"
        raise BadData(f"The run in {folder} was made from {which}; give another folder.")
    if _finished(folder):
        return "finished"
    if failed:
        return "failed"
    if not resume:
        raise BadData(f"The run in {folder} was interrupted; add --resume to go on with it, or give another folder.")
    return "begun"


def failure(recipe: Recipe, folder: Path, record: Record) -> str | None:
    """Return why the run of a recipe on these pictures failed, or None if it did not."""
    found = _failures(folder.parent).get(folder.name)
    if isinstance(found, dict) and {**found, "why": ""} == _facts(recipe, record, ""):
        return str(found["why"])
    return None


def remember_failure(recipe: Recipe, folder: Path, record: Record, why: str | None) -> None:
    """Keep why a run failed beside the series' folders, or with None that it did not."""
    before = _failures(folder.parent)
    after = {name: found for name, found in before.items() if name != folder.name}
    if why is not None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        after[folder.name] = _facts(recipe, record, why)
    if after != before:
        write_json(folder.parent / FAILED, after)


def _facts(recipe: Recipe, record: Record, why: str) -> dict[str, Any]:
    return {"why": why, "recipe": recipe.model_dump(mode="json"), "pictures": record.digest}


def _failures(out: Path) -> Mapping[str, Any]:
    try:
        found = json.loads((out / FAILED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _finished(folder: Path) -> bool:
    """Return whether a run came to its end: its figures are the last that is written on the card."""
    try:
        return (folder / DETECTOR / CARD).is_file() and bool(open_folder(folder / DETECTOR).card.metrics)
    except BadDetector:
        return False
