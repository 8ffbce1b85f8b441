"""What is asked for: a recipe, changes to it, weights and data; a run that is resumed was asked for already."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from classifier import recipes
from classifier.recipes import BadRecipe, Recipe

ENVIRONMENT, RECIPE = "environment.json", "recipe.json"


@dataclass(frozen=True)
class Request:
    """A recipe's name or file, `key=value` settings, the weights to start from, the data folder, and what is logged."""

    recipe: str
    settings: tuple[str, ...]
    weights: str | None
    data: str
    tensorboard: bool = False


def planned(recipe: str, settings: Sequence[str], weights: str | None) -> Recipe:
    """Return the recipe of that name or file with its settings and weights; raises `BadRecipe`."""
    chosen = recipes.override(recipes.load(recipe), settings)
    return chosen.model_copy(update={"weights": weights}) if weights else chosen


def resumed(out: Path, recipe: str | None, settings: Sequence[str], weights: str | None) -> Recipe | None:
    """Return the recipe that the run in a folder goes on with; None where there is no run. Raises `BadRecipe`.

    What is not said again is as it was: `run.check_place` refuses what contradicts it.
    """
    if not (out / RECIPE).is_file():
        return None
    begun = request_in(out)
    if recipe is not None:
        before = begun or Request(recipe, (), None, "")
        return planned(recipe, settings or before.settings, weights or before.weights)
    kept = recipe_in(out)
    if kept is None:
        raise BadRecipe(f"{out / RECIPE} is damaged: name the run's recipe with --recipe, or give another folder.")
    chosen = recipes.override(kept, settings)
    return chosen.model_copy(update={"weights": weights}) if weights else chosen


def recipe_in(out: Path) -> Recipe | None:
    """Return the recipe that a run was begun with, or None where the folder has none that can be read."""
    try:
        return recipes.validate(json.loads((out / RECIPE).read_text(encoding="utf-8")), str(out / RECIPE))
    except (OSError, ValueError, BadRecipe):
        return None


def request_in(out: Path) -> Request | None:
    """Return what was asked for when the run in a folder was begun, or None where it does not say."""
    try:
        found = json.loads((out / ENVIRONMENT).read_text(encoding="utf-8"))["asked"]
        return Request(found["recipe"], tuple(found["settings"]), found["weights"], found["data"], found["tensorboard"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
