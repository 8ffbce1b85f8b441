"""Recipes: a training run as a YAML file, validated so that an error names the file, the key and what is allowed."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from classifier.places import resources
from classifier.preprocess import Preprocess
from classifier.zoo import ARCHS

MAX_RECIPE_BYTES = 256 * 1024
MAX_DEPTH = 20
OPENING = (
    yaml.BlockSequenceStartToken, yaml.BlockMappingStartToken, yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken,
)  # fmt: skip
CLOSING = (yaml.BlockEndToken, yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)
Probability = Annotated[float, Field(ge=0, le=1)]


class BadRecipe(Exception):
    """A recipe that cannot be used; `str()` names the file, the key and the allowed values."""


class Strict(BaseModel):
    """Part of a recipe: immutable, and a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Phase(Strict):
    """Some epochs with one set of trainable layers.

    `trainable` is `all`, `head`, a number (the last n stages and the head) or a list of stage names of the
    architecture. `head_lr` (default `lr`) is the head's own learning rate.
    """

    epochs: int = Field(ge=1, le=10_000)
    trainable: Literal["all", "head"] | Annotated[int, Field(ge=1, le=50)] | tuple[str, ...] = "all"
    lr: float = Field(gt=0, le=10)
    head_lr: float | None = Field(None, gt=0, le=10)


class Optimizer(Strict):
    """The optimizer and its settings."""

    name: Literal["sgd", "adam", "adamw"] = "sgd"
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0, le=1)


class Scheduler(Strict):
    """The learning rate's course within a phase: per epoch, except `cosine`, which falls to 0 step by step."""

    name: Literal["none", "step", "plateau", "cosine"] = "none"
    step: int = Field(7, ge=1)
    factor: float = Field(0.1, gt=0, lt=1)
    patience: int = Field(10, ge=0)
    warmup: Probability = 0.0


class EarlyStop(Strict):
    """Stop a phase when `metric` on the validation split has not improved for `patience` epochs."""

    patience: int = Field(5, ge=1)
    metric: Literal["loss", "balanced_accuracy"] = "loss"


class Jpeg(Strict):
    """Recompression of every class alike: with `probability`, at a quality drawn from `quality`."""

    probability: Probability = 0.0
    quality: tuple[int, int] = (50, 95)
    history: Probability = 0.0
    """Chance that a picture from a lossless file is first compressed once, as the others already were."""

    @model_validator(mode="after")
    def _ordered(self) -> Jpeg:
        if not 1 <= self.quality[0] <= self.quality[1] <= 100:
            raise ValueError("quality must be two numbers from 1 to 100, the smaller first")
        return self


class Augment(Strict):
    """How a training picture is varied. Every class goes through the same."""

    crop: Literal["native", "resized", "center"] = "resized"
    """`native`: a square of the network's size cut out in native resolution; `resized`: a random part, resized;
    `center`: as when judging."""
    scale: tuple[float, float] = (0.35, 1.0)
    flip: Probability = 0.5
    rotation_deg: float = Field(0.0, ge=0, le=180)
    jitter: float = Field(0.0, ge=0, le=1)
    rescale: Probability = 0.0
    """Chance that a picture is first made smaller, by a factor from 0.5 to 1."""
    jpeg: Jpeg = Jpeg()
    upsample: Probability = 0.0
    """Chance that a real picture is sent through a random decoder-like up-sampling and becomes a fake one."""


class Data(Strict):
    """Which folders below the data folder are which class; without `classes` it is an ImageFolder.

    `holdout` folders go to the test split only. `val`, `cal` and `test` are the parts of each source that are set
    aside, unless the folder has such splits itself.
    """

    classes: dict[str, tuple[str, ...]] = {}
    holdout: tuple[str, ...] = ()
    val: float = Field(0.1, ge=0, lt=1)
    cal: float = Field(0.1, ge=0, lt=1)
    test: float = Field(0.2, ge=0, lt=1)
    balance: bool = False
    """Draw classes equally often, and within a class its sources by the square root of their size."""

    @model_validator(mode="after")
    def _possible(self) -> Data:
        if self.val + self.cal + self.test >= 1:
            raise ValueError("val, cal and test together must leave something to train on, less than 1")
        folders = [folder for several in self.classes.values() for folder in several] + list(self.holdout)
        for folder in folders:
            if Path(folder).is_absolute() or ".." in Path(folder).parts:
                raise ValueError(f"the folder '{folder}' must be named from the data folder, and lie inside it")
        return self


class Recipe(Strict):
    """A training run: what is trained on what, and how. The same recipe, data and seed give the same weights on CPU."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    description: str = ""
    limits: tuple[str, ...] = ()
    """What a detector made with this recipe cannot do, in sentences for its card."""
    arch: str = "resnet18"
    weights: str = "none"
    """`none`, `imagenet` or the path of a safetensors file."""
    data: Data = Data()
    preprocess: Preprocess = Preprocess()
    augment: Augment = Augment()
    phases: tuple[Phase, ...] = Field(min_length=1)
    optimizer: Optimizer = Optimizer()
    scheduler: Scheduler = Scheduler()
    early_stop: EarlyStop | None = None
    select: Literal["loss", "balanced_accuracy", "last"] = "balanced_accuracy"
    """Which epoch's weights are kept."""
    batch_size: int = Field(32, ge=1, le=4096)
    accumulate: int = Field(1, ge=1, le=1024)
    samples_per_epoch: int | None = Field(None, ge=1)
    """Pictures drawn an epoch; every training picture once if not given."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    precision: Literal["fp32", "bf16"] = "fp32"
    seed: int = Field(0, ge=0, lt=2**31)
    max_fpr: float = Field(0.05, gt=0, lt=0.5)
    """The rate of real pictures called fake that the abstain band is chosen for, on the calibration split."""
    max_fnr: float = Field(0.1, gt=0, lt=0.5)
    """The rate of fakes called real that the abstain band is chosen for, on the calibration split."""

    @model_validator(mode="after")
    def _known(self) -> Recipe:
        if self.arch not in ARCHS:
            near = difflib.get_close_matches(self.arch, ARCHS, 1)
            hint = f" (did you mean '{near[0]}'?)" if near else ""
            raise ValueError(f"arch: there is no architecture '{self.arch}'{hint}, known: {', '.join(sorted(ARCHS))}")
        for phase in self.phases:
            unknown = (
                set(phase.trainable) - set(ARCHS[self.arch].stages) if isinstance(phase.trainable, tuple) else set()
            )
            if unknown:
                raise ValueError(
                    f"phases.trainable: {self.arch} has no stage '{sorted(unknown)[0]}', "
                    f"allowed are all, head, a number, or of {', '.join(ARCHS[self.arch].stages)}"
                )
        return self


def recipe_files() -> dict[str, Path]:
    """Return the bundled recipes by name."""
    return {path.stem: path for path in sorted((resources() / "recipes").glob("*.yaml"))}


def load(name_or_file: str | Path) -> Recipe:
    """Read a bundled recipe by name, or a YAML file; raises `BadRecipe`."""
    bundled = recipe_files()
    path = bundled.get(str(name_or_file), Path(name_or_file))
    if not path.is_file():
        near = difflib.get_close_matches(str(name_or_file), bundled, 1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise BadRecipe(
            f"There is no recipe '{name_or_file}'.{hint} Bundled: {', '.join(bundled)}; or give a YAML file."
        )
    try:
        if path.stat().st_size > MAX_RECIPE_BYTES:
            raise BadRecipe(f"The recipe {path} is larger than 256 KiB: refused.")
        raw = _plain_yaml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:  # a date such as 2001-99-99 is a ValueError
        raise BadRecipe(f"The recipe {path} is not readable YAML: {' '.join(str(error).split())[:200]}") from None
    return validate(raw, str(path))


def _plain_yaml(text: str) -> Any:
    depth = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        depth += isinstance(token, OPENING) - isinstance(token, CLOSING)
        if depth > MAX_DEPTH:
            raise yaml.YAMLError("it is nested too deeply")
        if isinstance(token, yaml.AliasToken):
            raise yaml.YAMLError("aliases are refused, they can make a small file huge")
    return yaml.safe_load(text)


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
    allowed = sorted(_model_at(where[:-1]).model_fields)
    near = difflib.get_close_matches(str(where[-1]), allowed, 1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    return f"{key}: unknown key{hint}, allowed are {', '.join(allowed)}"


def _model_at(location: tuple[Any, ...]) -> type[BaseModel]:
    """Return the part of a recipe that a location in it belongs to."""
    model: type[BaseModel] = Recipe
    for part in location:
        kind = model.model_fields[part].annotation if part in model.model_fields else None
        for choice in (kind, *get_args(kind)):
            if isinstance(choice, type) and issubclass(choice, BaseModel):
                model = choice
    return model
