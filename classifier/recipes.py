"""Recipes: a training run as a YAML file, validated so that an error names the file, the key and what is allowed."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from classifier import zoo
from classifier.places import resources
from classifier.schema import Augment, Data, Phase, Recipe

__all__ = (
    "Augment", "BadRecipe", "Data", "Phase", "Recipe", "covered", "find", "header", "load", "override", "recipe_files",
    "validate",
)  # fmt: skip

MAX_RECIPE_BYTES = 256 * 1024
MAX_DEPTH = 20
OPENING = (
    yaml.BlockSequenceStartToken, yaml.BlockMappingStartToken, yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken,
)  # fmt: skip
CLOSING = (yaml.BlockEndToken, yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)


class _OnceLoader(yaml.SafeLoader):
    """YAML in which no mapping has a key twice: the last one would count, without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for place, key in enumerate(names):
            if key.value in (other.value for other in names[:place]):
                raise yaml.YAMLError(f"the key '{key.value}' is there twice, again in line {key.start_mark.line + 1}")
        return super().construct_mapping(node, deep)


class BadRecipe(Exception):
    """A recipe that cannot be used; `str()` names the file, the key and the allowed values."""


def recipe_files() -> dict[str, Path]:
    """Return the bundled recipes by name."""
    found = {path.stem: path for path in (resources() / "recipes").glob("*.yaml")}
    return dict(sorted(found.items()))


def find(name_or_file: str | Path) -> Path:
    """Return the file of a bundled recipe, or the file itself; raises `BadRecipe` with the nearest name."""
    bundled = recipe_files()
    path = bundled.get(str(name_or_file), Path(name_or_file))
    if path.is_file():
        return path
    near = difflib.get_close_matches(str(name_or_file), bundled, 1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise BadRecipe(f"There is no recipe '{name_or_file}'.{hint} Bundled: {', '.join(bundled)}; or give a YAML file.")


def load(name_or_file: str | Path, *, listed: bool = False) -> Recipe:
    """Read a bundled recipe by name, or a YAML file; raises `BadRecipe`.

    `listed` refuses a network that has no row of its own: what else torchvision has, only torch can tell.
    """
    path = find(name_or_file)
    try:
        raw = _plain_yaml(_text(path))
    except (ValueError, yaml.YAMLError, RecursionError) as error:  # a date such as 2001-99-99 is a ValueError
        raise _unreadable(path, error) from None
    if listed and isinstance(raw, dict) and raw.get("arch", "resnet18") not in zoo.ARCHS:
        raise BadRecipe(f"The recipe {path} is for the network '{raw['arch']}', which is none of those in the list.")
    return validate(raw, str(path))


def header(name_or_file: str | Path) -> str:
    """Return what a recipe's leading comment says of it, as plain lines; raises `BadRecipe`."""
    comment = itertools.takewhile(lambda line: line.startswith("#"), _text(find(name_or_file)).splitlines())
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in comment)


def covered(name_or_file: str | Path) -> tuple[str, ...]:
    """Return the IDs of the source documents' lines that a recipe's header names, such as `S0.5`, in its order."""
    return tuple(dict.fromkeys(re.findall(r"\bS\d\.\d+\b", header(name_or_file))))


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_RECIPE_BYTES:
            raise BadRecipe(f"The recipe {path} is larger than 256 KiB: refused.")
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> BadRecipe:
    return BadRecipe(f"The recipe {path} is not readable YAML: {' '.join(str(error).split())[:200]}")


def _plain_yaml(text: str) -> Any:
    depth = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        depth += isinstance(token, OPENING) - isinstance(token, CLOSING)
        if depth > MAX_DEPTH:
            raise yaml.YAMLError("it is nested too deeply")
        if isinstance(token, yaml.AliasToken):
            raise yaml.YAMLError("aliases are refused, they can make a small file huge")
    return _OnceLoader(text).get_single_data()


def override(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """Return the recipe with settings `key.path=value` applied in order; raises `BadRecipe`.

    Values are YAML, a number in the path is a place in a list (`phases.0.lr=1e-3`). `epochs=N` sets every phase's.
    """
    if not settings:
        return recipe
    raw = recipe.model_dump(mode="json")
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key:
            raise BadRecipe(f"--set takes KEY=VALUE, such as phases.0.lr=1e-3, not '{setting}'.")
        try:
            value = _plain_yaml(text)
        except (ValueError, yaml.YAMLError, RecursionError) as error:
            raise BadRecipe(f"--set {setting}: the value is no YAML: {' '.join(str(error).split())[:200]}") from None
        _put(raw, key, value)
    return validate(raw, f"{recipe.name} with --set {' --set '.join(settings)}")


def _put(raw: dict[str, Any], key: str, value: Any) -> None:
    """Set a value in nested mappings and lists. A key that does not belong there is left to `validate` to name."""
    if key == "epochs":
        for phase in raw["phases"] if isinstance(raw["phases"], list) else ():
            if isinstance(phase, dict):
                phase["epochs"] = value
        return
    parts = key.split(".")
    if parts[0] not in Recipe.model_fields:
        raise BadRecipe(f"--set {key}: {_unknown(parts[0], [*Recipe.model_fields, 'epochs'])}.")
    place: Any = raw
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        index = _index(place, part, key) if isinstance(place, list) else part
        if after is None:
            place[index] = value
            return
        if isinstance(place, dict) and place.get(part) is None:
            place[part] = {}
        place = place[index]
        if not isinstance(place, dict | list):
            raise BadRecipe(f"--set {key}: there is no '{after}' in '{part}', which is one value.")


def _index(place: list[Any], part: str, key: str) -> int:
    if not part.isdecimal() or int(part) >= len(place):
        raise BadRecipe(f"--set {key}: '{part}' is no place in that list of {len(place)}, the first is 0.")
    return int(part)


def validate(raw: Any, where: str) -> Recipe:
    """Return the recipe of a parsed mapping; raises `BadRecipe` that names `where`, the key and what is allowed."""
    if not isinstance(raw, dict):
        raise BadRecipe(f"The recipe {where} must be a mapping of keys, not {type(raw).__name__}.")
    try:
        return Recipe.model_validate(raw)
    except ValidationError as error:
        found = error.errors()
        inner = {problem["loc"][0] for problem in found if len(problem["loc"]) > 1}
        # A list whose items are all wrong is reported as empty, too.
        told = [problem for problem in found if problem["type"] != "too_short" or problem["loc"][0] not in inner]
        problems = "; ".join(dict.fromkeys(_explain(problem) for problem in told))
        raise BadRecipe(f"The recipe {where} is not valid: {problems}.") from None


def _explain(problem: Any) -> str:
    where = problem["loc"]
    if "trainable" in where:
        key = ".".join(str(part) for part in where[: where.index("trainable") + 1])
        return f"{key}: allowed are all, head, a number from 1 to 50, or a list of stages"
    key = ".".join(str(part) for part in where)
    if problem["type"] != "extra_forbidden":
        message = str(problem["msg"]).removeprefix("Value error, ").replace("a valid tuple", "a list")
        message = re.sub("a valid dictionary( or instance of .*)?", "a mapping of keys", message)
        return f"{key}: {message}" if key else message
    return f"{key}: {_unknown(str(where[-1]), _model_at(where[:-1]).model_fields)}"


def _unknown(key: str, allowed: Iterable[str]) -> str:
    near = difflib.get_close_matches(key, sorted(allowed), 1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    return f"unknown key{hint}, allowed are {', '.join(sorted(allowed))}"


def _model_at(location: tuple[Any, ...]) -> type[BaseModel]:
    """Return the part of a recipe that a location in it belongs to."""
    model: type[BaseModel] = Recipe
    for part in location:
        kind = model.model_fields[part].annotation if part in model.model_fields else None
        for choice in (kind, *get_args(kind)):
            if isinstance(choice, type) and issubclass(choice, BaseModel):
                model = choice
    return model
