"""A recipe as a form: every key that can be changed, with its meaning, bounds and choices, drawn from the schema."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import textwrap
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from classifier.recipes import BadRecipe, Recipe, override
from classifier.zoo import ARCHS

UNSET = ""
LEFT_OUT = ("name", "description", "limits", "data.classes", "data.holdout")
"""What a form has no line for: the run's own name, texts, and a data set's folders."""
FIRST = ("arch", "weights", "batch_size", "preprocess.size", "seed")
"""What is shown first, beside every phase's epochs and learning rates."""
SECTIONS = {
    "data": "Splits",
    "preprocess": "What the network sees",
    "augment": "How training pictures are varied",
    "optimizer": "Optimizer",
    "scheduler": "Learning rate's course",
    "early_stop": "Early stopping",
    "": "Training and choice of weights",
}
BOUNDS = {"ge": "at least {0:,.10g}", "gt": "above {0:,.10g}", "le": "at most {0:,.10g}", "lt": "below {0:,.10g}"}

PLAINER = {
    "Input should be a valid integer": "a whole number is needed",
    "Input should be a valid number": "a number is needed",
    "Input should be ": "it should be ",
}


@dataclass(frozen=True)
class Entry:
    """A line of the form.

    `key` is the path that `--set` takes, `text` the recipe's own value as YAML, "" for none. With `choices` only these
    are allowed. `help` is what the key means, `bounds` what its numbers may be.
    """

    key: str
    words: str
    text: str
    choices: tuple[str, ...] = ()
    help: str = ""
    bounds: str = ""


@dataclass(frozen=True)
class Section:
    """Lines that belong together; `advanced` ones are folded away."""

    title: str
    entries: tuple[Entry, ...]
    advanced: bool


def sections(recipe: Recipe) -> tuple[Section, ...]:
    """Return a recipe's form: what most change first, then each part of the schema."""
    entries = [entry for entry in _entries(Recipe, recipe, "") if entry.key not in LEFT_OUT]
    first = [next(entry for entry in entries if entry.key == key) for key in FIRST[:2]]
    phases = [entry for entry in entries if entry.key.startswith("phases.")]
    first += [*phases, *(entry for entry in entries if entry.key in FIRST[2:])]
    rest = [entry for entry in entries if entry not in first]
    found = [Section("Most changed", tuple(first), advanced=False)]
    for part, title in SECTIONS.items():
        mine = tuple(entry for entry in rest if (entry.key.partition(".")[0] if "." in entry.key else "") == part)
        if mine:
            found.append(Section(title, mine, advanced=True))
    return tuple(found)


def _entries(model: type[BaseModel], value: BaseModel | None, prefix: str) -> Iterator[Entry]:
    for name, info in model.model_fields.items():
        current, key = getattr(value, name, None), f"{prefix}{name}"
        if name == "phases" and isinstance(current, tuple):
            for number, phase in enumerate(current):
                yield from _entries(type(phase), phase, f"phases.{number}.")
        elif (inner := _model_in(info.annotation)) is not None:
            yield from _entries(inner, current, f"{key}.")
        else:
            yield _entry(key, info, current, _meanings(model).get(name, ""))


@cache
def _meanings(model: type[BaseModel]) -> Mapping[str, str]:
    """Return what the text below each key of a part of the schema says, nothing where the source is not at hand."""
    try:
        source = textwrap.dedent(inspect.getsource(model))
    except OSError:  # a program frozen into one file
        return {}
    (found,) = ast.parse(source).body
    lines = found.body if isinstance(found, ast.ClassDef) else []
    return {
        key.target.id: str(text.value.value)
        for key, text in itertools.pairwise(lines)
        if isinstance(key, ast.AnnAssign) and isinstance(key.target, ast.Name)
        and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }  # fmt: skip


def _model_in(kind: Any) -> type[BaseModel] | None:
    for choice in (kind, *get_args(kind)):
        if isinstance(choice, type) and issubclass(choice, BaseModel):
            return choice
    return None


def _entry(key: str, info: FieldInfo, value: object, meaning: str) -> Entry:
    text = as_text(value)
    choices = {"arch": tuple(sorted(ARCHS)), "weights": ("none", "imagenet")}.get(key) or _choices(info.annotation)
    if choices and text not in choices:
        choices = (text, *choices)
    bounds = [
        words.format(found)
        for one in info.metadata
        for name, words in BOUNDS.items()
        if isinstance(found := getattr(one, name, None), (int, float))
    ]
    return Entry(key, _words(key), text, choices, " ".join(meaning.replace("`", "").split()), ", ".join(bounds))


def _choices(kind: Any) -> tuple[str, ...]:
    """Return what is allowed where that is a list of words or yes and no, and nothing else."""
    if kind is bool:
        return ("true", "false")
    parts = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    if all(get_origin(part) is Literal for part in parts):
        return tuple(str(one) for part in parts for one in get_args(part))
    return ()


def _words(key: str) -> str:
    parts = key.split(".")
    if parts[0] == "phases":
        return f"Phase {int(parts[1]) + 1}: {_spelt(parts[2])}"
    if parts[:2] == ["augment", "jpeg"]:
        return f"JPEG {_spelt(parts[2])}"
    return _spelt(parts[-1])[:1].upper() + _spelt(parts[-1])[1:]


def _spelt(name: str) -> str:
    words = {"lr": "learning rate", "head_lr": "head's learning rate", "arch": "network", "val": "validation",
             "cal": "calibration", "rotation_deg": "rotation, degrees", "max_fpr": "allowed false alarms",
             "max_fnr": "allowed misses", "select": "keep the weights of the best"}  # fmt: skip
    return words.get(name, name.replace("_", " "))


def as_text(value: object) -> str:
    """Return a value as a recipe writes it: numbers short, lists in brackets, nothing for None."""
    if value is None:
        return UNSET
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(as_text(one) for one in value)}]"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def settings(recipe: Recipe, texts: Mapping[str, str]) -> tuple[str, ...]:
    """Return what `--set` is to say: the keys whose text differs from the recipe's own."""
    own = {entry.key: entry.text for entry in _entries(Recipe, recipe, "")}
    return tuple(
        f"{key}={text.strip() or 'null'}" for key, text in texts.items() if text.strip() != own.get(key, UNSET)
    )


def problems(recipe: Recipe, texts: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with changed texts, by key; under "" what only goes wrong together."""
    changed = settings(recipe, texts)
    if (together := _problem(recipe, changed)) is None:
        return {}
    found = {setting.partition("=")[0]: told for setting in changed if (told := _problem(recipe, (setting,)))}
    return {key: _without(key, told) for key, told in found.items()} or {"": together}


def _without(key: str, told: str) -> str:
    """Return a problem without the name of the key, or of the part of the recipe, that it stands beside."""
    return told.removeprefix(f"{key}: ").removeprefix(f"{key.rpartition('.')[0]}: ")


def _problem(recipe: Recipe, changed: tuple[str, ...]) -> str | None:
    try:
        override(recipe, changed)
    except BadRecipe as error:
        told = str(error)
        for start in (" is not valid: ", " the value is no YAML: "):
            told = told.partition(start)[2] or told
        for start, plain in PLAINER.items():
            told = re.sub(f"{start}.*" if "valid" in start else start, plain, told)
        return told.rstrip(".")
    return None
