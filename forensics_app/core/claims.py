"""What the source documents say of a recipe, and how a run differs from the recipe that does the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from classifier.recipes import BadRecipe, Recipe, load, recipe_files
from forensics_app.core.html import resource

CLAIMS = "claims.yaml"
NOT_SETTINGS = ("arch", "name", "description", "limits")


@dataclass(frozen=True)
class Claim:
    """A document's own figures, as it prints them: accuracies in per cent. `start` is how it says it began."""

    id: str
    recipe: str
    arch: str | None = None
    train: str | None = None
    test: str | None = None
    parameters: str | None = None
    remark: str | None = None
    start: str | None = None


@cache
def claims() -> tuple[Claim, ...]:
    """Return all figures of the documents that a recipe can be compared with."""
    return tuple(Claim(**row) for row in yaml.safe_load(resource(CLAIMS)))


def claim_of(recipe: str, arch: str) -> Claim | None:
    """Return what a document says of a recipe with an architecture, or None."""
    return next((one for one in claims() if one.recipe == recipe and one.arch in (None, arch)), None)


def changes_of(recipe: str, arch: str) -> dict[str, Any]:
    """Return what a document did otherwise for one architecture of a recipe."""
    found = claim_of(recipe, arch)
    return {"weights": found.start} if found and found.start else {}


def departures(recipe: Recipe) -> tuple[str, ...]:
    """Return how a run's recipe differs from the bundled one of its name, as `key: value instead of value`."""
    if recipe.name not in recipe_files():
        return ()
    try:
        usual = dict(_flat(load(recipe.name).model_dump(mode="json")))
    except BadRecipe:
        return ()
    usual.update(changes_of(recipe.name, recipe.arch))
    mine = dict(_flat(recipe.model_dump(mode="json")))
    keys = [key for key in {**usual, **mine} if key.partition(".")[0] not in NOT_SETTINGS]
    return tuple(
        f"{key}: {_said(mine.get(key))} instead of {_said(usual.get(key))}"
        for key in keys
        if mine.get(key) != usual.get(key)
    )


def _said(value: object) -> str:
    return "nothing" if value is None else str(value)


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _flat(one, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        for place, one in enumerate(value):
            yield from _flat(one, f"{name}.{place}")
    else:
        yield name, value
