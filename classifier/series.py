"""One recipe, several architectures: a run each, in a folder of its own; what is finished is not trained again."""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from classifier import zoo
from classifier.data import BadData, open_data
from classifier.detector import BadDetector
from classifier.export import ExportRefused
from classifier.history import Step
from classifier.measuring import measured_split
from classifier.pretrained import published
from classifier.recipes import BadRecipe, Recipe, validate
from classifier.request import Request
from classifier.run import Stage, check_network, check_place, run
from classifier.split_record import Record, record_of
from classifier.standing import Standing, check_folder, failure, remember_failure, standing
from classifier.train import TrainingFailed
from classifier.zoo import BadArch

TEN = (
    "convnext_tiny", "densenet161", "efficientnet_b0", "googlenet", "mobilenet_v3_small",
    "mnasnet0_75", "swin_t", "shufflenet_v2_x2_0", "vit_b_16", "wide_resnet50_2",
)  # fmt: skip
"""The architectures of the document on three classes of vehicles, which `all` stands for."""
ALL = "all"
OWN = (TrainingFailed, BadArch, BadRecipe, ExportRefused, BadDetector)
FOREIGN = (RuntimeError, ValueError, MemoryError)
"""What torch and the exporter raise where a network and its pictures do not fit each other, or memory is short."""


@dataclass(frozen=True)
class Model:
    """An architecture, and what its recipe has otherwise than the others."""

    arch: str
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Series:
    """A recipe, the architectures that it is trained with, the folder of pictures, and the one for the runs.

    `asked` is what was asked for; each run keeps it, with its architecture.
    """

    recipe: Recipe
    models: tuple[Model, ...]
    root: Path
    out: Path
    asked: Request | None = None


@dataclass(frozen=True)
class Began:
    """The training of a model begins, the `number`-th of `count` that are left to train."""

    model: str
    number: int
    count: int


@dataclass(frozen=True)
class Inside:
    """An event of a model's own run, and its name; `done` of `total` steps of all models where it is a step."""

    model: str
    name: str
    inner: Any
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True)
class Ready:
    """A model's run is finished, or was so before (`reused`)."""

    model: str
    folder: Path
    reused: bool


@dataclass(frozen=True)
class GaveUp:
    """A model that could not be trained or exported, and why; the others go on."""

    model: str
    folder: Path
    why: str


def models(names: str) -> tuple[str, ...]:
    """Return the architectures of a list such as `resnet18,swin_t`, or of `all`; raises `BadArch`."""
    found = tuple(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    if found == (ALL,):
        return TEN
    for name in found:
        zoo.arch(name)
    if len(found) < 2:
        raise BadArch(f"There is nothing to compare '{names}' with: name two architectures or more, or {ALL}.")
    return found


def train_all(
    wanted: Series, *, resume: bool = False, device: str = "auto", audit: Mapping[str, Any] | None = None
) -> Iterator[Stage | Began | Inside | Ready | GaveUp]:
    """Train a recipe with each architecture into `out/ARCH`; a model that fails is told, and the others go on.

    A finished run of the same recipe and pictures is used as it is, one that failed is not tried again unless `resume`
    is given, which also goes on with one that was interrupted. The recipe's weights may be a folder with a file each.
    Raises `BadData` before anything is trained if `out` holds something else, `BadArch` if ImageNet weights are wanted
    and can be had for no model.
    """
    plans = check(wanted)
    yield Stage("Reading the pictures")
    record = _pictures(wanted)
    standings = {
        arch: standing(plan, wanted.out / arch, record, resume=resume)
        for arch, plan in plans.items()
        if isinstance(plan, Recipe)
    }
    yield Stage("Looking for the networks and their weights")
    plans |= _impossible(plans, standings, wanted.out)
    waiting = [arch for arch, plan in plans.items() if isinstance(plan, Recipe) and standings[arch] in ("new", "begun")]
    for arch, plan in plans.items():
        folder = wanted.out / arch
        if not isinstance(plan, Recipe):
            yield GaveUp(arch, folder, plan)
        elif standings[arch] == "finished":
            yield Ready(arch, folder, reused=True)
        elif standings[arch] == "failed":
            yield GaveUp(arch, folder, failure(plan, folder, record) or "")
        else:
            place, asked = waiting.index(arch), _asked(wanted, arch)
            yield Began(arch, place + 1, len(waiting))
            events = run(
                plan, wanted.root, folder, resume=standings[arch] == "begun", device=device, audit=audit, asked=asked
            )
            why = yield from _followed(arch, events, (place, len(waiting)))
            remember_failure(plan, folder, record, why)
            yield Ready(arch, folder, reused=False) if why is None else GaveUp(arch, folder, why)
            gc.collect()  # the last model's memory, before the next one's


def _pictures(wanted: Series) -> Record:
    recipe = wanted.recipe
    data = open_data(wanted.root, recipe.data, recipe.seed)
    if not data.splits[measured_split(recipe, data)]:
        raise BadData(f"The recipe leaves no pictures of {wanted.root} to measure on: set data.test above 0.")
    return record_of(data)


def _asked(wanted: Series, arch: str) -> Request | None:
    asked = wanted.asked
    return replace(asked, settings=(*asked.settings, f"arch={arch}")) if asked else None


def _impossible(
    plans: Mapping[str, Recipe | str], standings: Mapping[str, Standing], out: Path
) -> dict[str, Recipe | str]:
    """Return why, for each model whose network or weights cannot be had: known before hours go into the others."""
    found: dict[str, Recipe | str] = {}
    wanting = [arch for arch, plan in plans.items() if isinstance(plan, Recipe) and plan.weights == "imagenet"]
    for arch, plan in plans.items():
        if isinstance(plan, Recipe) and standings[arch] in ("new", "begun"):
            try:
                check_network(plan, out / arch)
            except BadArch as error:
                found[arch] = str(error)
    if wanting and all(arch in found for arch in wanting):
        raise BadArch(str(found[wanting[0]]))
    return found


def _followed(arch: str, events: Iterator[Any], place: tuple[int, int]) -> Generator[Inside, None, str | None]:
    """Follow one run; return why it failed, or None."""
    try:
        with closing(events):  # type: ignore[type-var]
            for event in events:
                yield _inside(arch, event, place)
    except OWN as error:
        return str(error)
    except FOREIGN as error:
        lines = str(error).strip().splitlines()
        return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
    return None


def _inside(arch: str, event: Any, place: tuple[int, int]) -> Inside:
    name = type(event).__name__
    if not isinstance(event, Step):
        return Inside(arch, name, event)
    before, count = place
    return Inside(arch, name, event, before * event.total + event.done, count * event.total)


def check(wanted: Series) -> dict[str, Recipe | str]:
    """Return each architecture's recipe, or why it does not fit it.

    Raises `BadData` for a folder that holds anything but runs, or one of these models' runs with another recipe.
    """
    check_folder(wanted.out)
    plans = {model.arch: _plan(wanted.recipe, model) for model in wanted.models}
    for arch, plan in plans.items():
        if isinstance(plan, Recipe):
            check_place(plan, wanted.out / arch, resume=True)
    return plans


def _plan(recipe: Recipe, model: Model) -> Recipe | str:
    """Return the recipe for an architecture, or why it does not fit it."""
    changes = dict(model.changes)
    try:
        if "weights" not in changes and Path(recipe.weights).is_dir():
            changes["weights"] = str(_weights_in(Path(recipe.weights), model.arch))
        return validate({**recipe.model_dump(mode="json"), **changes, "arch": model.arch}, recipe.name)
    except (BadRecipe, BadArch) as error:
        return str(error)


def _weights_in(folder: Path, arch: str) -> Path:
    """Return an architecture's file in a folder of weights, under torchvision's own name or the architecture's."""
    names = [*(url.rpartition("/")[2] for url in published(zoo.arch(arch)).values()), f"{arch}.safetensors"]
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        raise BadArch(f"There are no weights of '{arch}' in {folder}: it would be {' or '.join(names)}.")
    return found
