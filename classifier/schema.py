"""The keys of a recipe, with their meaning and bounds. `classifier/recipes.py` reads recipes and explains mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from classifier import zoo
from classifier.preprocess_spec import Preprocess

Probability = Annotated[float, Field(ge=0, le=1)]
Alpha = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


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
    metric: Literal["val_loss", "train_loss"] = "val_loss"
    """What `plateau` watches; with `train_loss` the validation split decides nothing and can be measured on."""
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
    """Largest angle, to either side; not with `native`, because turning redraws every pixel."""
    jitter: float = Field(0.0, ge=0, le=1)
    """Largest relative change of brightness, contrast and saturation."""
    rescale: Probability = 0.0
    """Chance that a picture is first made smaller, by a factor from 0.5 to 1."""
    jpeg: Jpeg = Jpeg()
    upsample: Probability = 0.0
    """Chance that a real picture is sent through a random decoder-like up-sampling and becomes a fake one."""
    mixup: Alpha = 0.0
    """Alpha of MixUp (Zhang et al., ICLR 2018): a batch's pictures are blended with one another; 0 is off."""
    cutmix: Alpha = 0.0
    """Alpha of CutMix (Yun et al., ICCV 2019): a box is taken from another picture; with both, a coin decides."""

    @model_validator(mode="after")
    def _possible(self) -> Augment:
        if not 0 < self.scale[0] <= self.scale[1] <= 1:
            raise ValueError("scale must be two parts of the picture's area up to 1, the smaller first")
        if self.rotation_deg and self.crop == "native":
            raise ValueError("rotation_deg turns and redraws every pixel: it needs crop resized or center")
        return self

    @property
    def mixes(self) -> bool:
        """True if pictures of a batch are mixed with one another."""
        return bool(self.mixup or self.cutmix)

    @property
    def constant(self) -> bool:
        """True if a picture looks the same in every epoch, so that what a frozen trunk says of it can be kept."""
        moved = self.flip or self.rotation_deg or self.jitter or self.jpeg.probability
        return self.crop == "center" and not (moved or self.mixes)


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
    unreadable: Literal["skip", "refuse"] = "skip"
    """What to do with pictures that cannot be read: leave them out and name them, or refuse the whole folder."""

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
    """`none`, `imagenet` or the path of a weights file."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Part of the head's inputs that is dropped in training."""
    data: Data = Data()
    preprocess: Preprocess = Preprocess()
    augment: Augment = Augment()
    phases: tuple[Phase, ...] = Field(min_length=1)
    optimizer: Optimizer = Optimizer()
    scheduler: Scheduler = Scheduler()
    early_stop: EarlyStop | None = None
    select: Literal["loss", "accuracy", "balanced_accuracy", "last"] = "balanced_accuracy"
    """Which epoch's weights are kept: the best on the validation split, or the last."""
    batch_size: int = Field(32, ge=1, le=4096)
    accumulate: int = Field(1, ge=1, le=1024)
    """Batches whose gradients are summed up before each step."""
    samples_per_epoch: int | None = Field(None, ge=1)
    """Pictures drawn an epoch; every training picture once if not given."""
    imbalance: Literal["none", "class_weights", "balanced_sampler"] = "none"
    """For classes of unequal size: `class_weights` weighs the loss by n / (classes × the class's n),
    `balanced_sampler` draws each class equally often."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    precision: Literal["fp32", "bf16", "auto"] = "fp32"
    """`bf16` computes in bfloat16 under autocast; `auto` does so where that is faster: the processor or GPU has
    instructions for it, and the network gains by them."""
    cache_features: Literal["auto", "never"] = "auto"
    """Compute a frozen trunk's features once in a phase that trains the head only, if no picture is varied."""
    deterministic: bool = True
    """False lets cuDNN pick its fastest algorithms, which may give other weights every time."""
    seed: int = Field(0, ge=0, lt=2**31)
    max_fpr: float = Field(0.05, gt=0, lt=0.5)
    """The rate of real pictures called fake that the abstain band is chosen for, on the calibration split."""
    max_fnr: float = Field(0.1, gt=0, lt=0.5)
    """The rate of fakes called real that the abstain band is chosen for, on the calibration split."""

    @model_validator(mode="after")
    def _known(self) -> Recipe:
        try:
            stages = zoo.arch(self.arch).stages
        except zoo.BadArch as error:
            raise ValueError(f"arch: {str(error).rstrip('.')}") from None
        for phase in self.phases:
            unknown = set(phase.trainable) - set(stages) if isinstance(phase.trainable, tuple) else set()
            if unknown:
                raise ValueError(
                    f"phases.trainable: {self.arch} has no stage '{sorted(unknown)[0]}', "
                    f"allowed are all, head, a number, or of {', '.join(stages)}"
                )
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        if self.imbalance != "none" and self.data.balance:
            raise ValueError("imbalance: data.balance already draws the classes equally often, leave one of them out")
        return self
