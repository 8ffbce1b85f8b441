"""Training: a generator of events over phases and epochs, resumable after any interruption with the same result on CPU."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from classifier import checkpoint, nets, zoo
from classifier.batches import plain_batches, training_batches
from classifier.data import Item, Labelled, Pictures
from classifier.recipes import Phase, Recipe

LAST, BEST = "last.safetensors", "best.safetensors"


class TrainingFailed(Exception):  # noqa: N818
    """Training cannot go on; `str()` says at which step and what is kept."""


@dataclass(frozen=True)
class Step:
    """One optimizer step: `done` of `total` steps of the whole run, mean loss of the batch, pictures a second."""

    done: int
    total: int
    epoch: int
    loss: float
    rate: float


@dataclass(frozen=True)
class Epoch:
    """One epoch's figures; accuracies are parts of 1, `seconds` wall time, `best` if its weights are the best so far."""

    epoch: int
    phase: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    val_balanced_accuracy: float
    lr: float
    seconds: float
    best: bool


@dataclass(frozen=True)
class Trained:
    """The end of training: the file with the chosen weights and the history of all epochs."""

    weights: Path
    history: tuple[Epoch, ...]


@dataclass
class _Progress:
    """Where a run stands; everything a resumed run needs beside the tensors."""

    phase: int = 0
    epoch_in_phase: int = 0
    epoch: int = 0
    best: float = -math.inf
    stalled: int = 0
    scheduler: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)


def train(
    recipe: Recipe,
    data: Labelled,
    out: Path,
    *,
    resume: bool = False,
    device: str = "auto",
    pictures: Pictures | None = None,
) -> Iterator[Step | Epoch | Trained]:
    """Train a recipe on the splits of a data folder; `out` receives checkpoints after each epoch.

    With `resume` a run that was interrupted goes on from its last finished epoch. Each picture's variation is a function of
    (seed, epoch, place), so that on CPU the weights equal those of an uninterrupted run. Raises `TrainingFailed`, `BadArch`.
    """
    from accelerate import Accelerator

    target = nets.pick_device(device)
    accelerator = Accelerator(cpu=target.type == "cpu")
    torch.manual_seed(recipe.seed)
    network = zoo.build(recipe.arch, len(data.classes), recipe.weights).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    pictures = pictures or Pictures()
    out.mkdir(parents=True, exist_ok=True)
    progress = _Progress()
    continued = resume and (out / LAST).is_file()
    if continued:
        progress = _Progress(**checkpoint.facts(out / LAST)["progress"])
        checkpoint.restore(out / LAST, network)
    while progress.phase < len(recipe.phases):
        yield from _phase(
            recipe,
            data,
            out,
            progress,
            (network, accelerator, pictures),
            continued and progress.epoch_in_phase > 0,
        )
        continued = False
        progress.phase, progress.epoch_in_phase, progress.stalled, progress.scheduler = (
            progress.phase + 1,
            0,
            0,
            {},
        )
    yield Trained(out / BEST, tuple(Epoch(**entry) for entry in progress.history))


def _phase(
    recipe: Recipe,
    data: Labelled,
    out: Path,
    progress: _Progress,
    tools: tuple[nn.Module, Any, Pictures],
    continued: bool,
) -> Iterator[Step | Epoch]:
    bare, accelerator, pictures = tools
    phase = recipe.phases[progress.phase]
    nets.freeze(bare, trainable_modules(recipe, phase))
    optimizer = _optimizer(recipe, phase, bare)
    steps = _steps_per_epoch(recipe, len(data.splits["train"]))
    scheduler = _scheduler(recipe, optimizer, steps * phase.epochs)
    if continued:
        checkpoint.restore(out / LAST, bare, optimizer)
        scheduler.load_state_dict(progress.scheduler)
    network, prepared = accelerator.prepare(bare, optimizer)
    for number in range(progress.epoch_in_phase, phase.epochs):
        if recipe.early_stop and progress.stalled >= recipe.early_stop.patience:
            return
        begun = time.perf_counter()
        torch.manual_seed(hash((recipe.seed, progress.epoch)) % 2**31)
        sums = yield from _epoch(recipe, data, pictures, progress, (network, prepared, scheduler, accelerator, steps))
        val_loss, accuracy, balanced = validate(network, data.splits["val"], recipe, pictures, accelerator.device)
        if recipe.scheduler.name == "plateau":
            scheduler.step(val_loss)
        elif recipe.scheduler.name == "step":
            scheduler.step()
        best = _improves(recipe, progress, val_loss, balanced)
        entry = Epoch(progress.epoch, progress.phase, *sums, val_loss, accuracy, balanced,
                      optimizer.param_groups[0]["lr"], time.perf_counter() - begun, best)  # fmt: skip
        progress.epoch, progress.epoch_in_phase = progress.epoch + 1, number + 1
        progress.scheduler = {
            k: v for k, v in scheduler.state_dict().items() if isinstance(v, int | float | list | str | bool)
        }
        progress.history.append(asdict(entry))
        if best:
            checkpoint.save_tensors(out / BEST, bare.state_dict())
        checkpoint.save(
            out / LAST,
            bare,
            optimizer,
            {"progress": asdict(progress), "recipe": recipe.model_dump(mode="json")},
        )
        yield entry


def _epoch(recipe: Recipe, data: Labelled, pictures: Pictures, progress: _Progress, tools: tuple[Any, ...]) -> Any:
    """Train one epoch, yielding a Step at each optimizer step; return the mean loss and the accuracy."""
    network, optimizer, scheduler, accelerator, steps = tools
    nets.train_mode(accelerator.unwrap_model(network))
    criterion = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
    total_steps = steps * sum(phase.epochs for phase in recipe.phases)
    seen, loss_sum, right, begun = 0, 0.0, 0, time.perf_counter()
    batches = 0
    list_length = -(-(recipe.samples_per_epoch or len(data.splits["train"])) // recipe.batch_size)
    for x, y in training_batches(data.splits["train"], recipe, data.classes, pictures, progress.epoch):
        x, y = x.to(accelerator.device, memory_format=torch.channels_last), y.to(accelerator.device)
        with _autocast(recipe, accelerator.device):
            logits = network(x).float()
        loss = criterion(logits, y)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingFailed(
                f"The loss became {value} in epoch {progress.epoch}, batch {batches}; lower the learning rate. Kept: the last epoch."
            )
        accelerator.backward(loss / recipe.accumulate)
        batches += 1
        seen, loss_sum, right = (
            seen + len(y),
            loss_sum + value * len(y),
            right + int((logits.argmax(1) == y).sum()),
        )
        if batches % recipe.accumulate == 0 or batches == list_length:
            optimizer.step()
            optimizer.zero_grad()
            if recipe.scheduler.name == "cosine":
                scheduler.step()
            done = progress.epoch * steps + -(-batches // recipe.accumulate)
            yield Step(done, total_steps, progress.epoch, value, seen / (time.perf_counter() - begun))
    return loss_sum / max(1, seen), right / max(1, seen)


@torch.inference_mode()
def split_logits(
    network: nn.Module, items: Sequence[Item], recipe: Recipe, pictures: Pictures, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (logits (B, C), labels (B,)) in float32, the logits of a picture's regions averaged."""
    network.eval()
    for x, counts, labels in plain_batches(items, recipe, pictures):
        with _autocast(recipe, device):
            logits = network(x.to(device, memory_format=torch.channels_last)).float().cpu()
        yield torch.stack([part.mean(dim=0) for part in logits.split(counts)]), labels


def validate(
    network: nn.Module, items: Sequence[Item], recipe: Recipe, pictures: Pictures, device: torch.device
) -> tuple[float, float, float]:
    """Return loss, accuracy and balanced accuracy on a split; NaN where it is empty."""
    pairs = list(split_logits(network, items, recipe, pictures, device))
    if not pairs:
        return math.nan, math.nan, math.nan
    logits, labels = torch.cat([a for a, _ in pairs]), torch.cat([b for _, b in pairs])
    right = logits.argmax(1) == labels
    recalls = [right[labels == label].float().mean() for label in labels.unique()]
    loss = nn.functional.cross_entropy(logits, labels)
    return float(loss), float(right.float().mean()), float(torch.stack(recalls).mean())


def trainable_modules(recipe: Recipe, phase: Phase) -> tuple[str, ...] | None:
    """Return the names of the modules that train in a phase; None means all."""
    row = zoo.arch(recipe.arch)
    if phase.trainable == "all":
        return None
    if phase.trainable == "head":
        return (row.head,)
    if isinstance(phase.trainable, int):
        body = [stage for stage in row.stages if stage != row.head]
        return (*body[-phase.trainable :], row.head)
    return (*phase.trainable, row.head)


def _optimizer(recipe: Recipe, phase: Phase, network: nn.Module) -> torch.optim.Optimizer:
    head = zoo.arch(recipe.arch).head
    named = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    groups = [
        {"params": [p for name, p in named if not name.startswith(f"{head}.")], "lr": phase.lr},
        {"params": [p for name, p in named if name.startswith(f"{head}.")], "lr": phase.head_lr or phase.lr},
    ]
    groups = [group for group in groups if group["params"]]
    spec = recipe.optimizer
    if spec.name == "sgd":
        return torch.optim.SGD(groups, lr=phase.lr, momentum=spec.momentum, weight_decay=spec.weight_decay)
    kind = torch.optim.Adam if spec.name == "adam" else torch.optim.AdamW
    return kind(groups, lr=phase.lr, weight_decay=spec.weight_decay)


def _scheduler(recipe: Recipe, optimizer: torch.optim.Optimizer, total: int) -> Any:
    spec, schedulers = recipe.scheduler, torch.optim.lr_scheduler
    if spec.name == "step":
        return schedulers.StepLR(optimizer, spec.step, spec.factor)
    if spec.name == "plateau":
        return schedulers.ReduceLROnPlateau(optimizer, factor=spec.factor, patience=spec.patience)
    warm = max(1, round(spec.warmup * total))

    def course(step: int) -> float:
        if spec.name == "none":
            return 1.0
        if step < warm and spec.warmup:
            return (step + 1) / warm
        return 0.5 * (1 + math.cos(math.pi * min(1.0, step / total)))

    return schedulers.LambdaLR(optimizer, course)


def _steps_per_epoch(recipe: Recipe, pictures: int) -> int:
    batches = -(-(recipe.samples_per_epoch or pictures) // recipe.batch_size)
    return -(-batches // recipe.accumulate)


def _improves(recipe: Recipe, progress: _Progress, val_loss: float, balanced: float) -> bool:
    score = balanced if recipe.select == "balanced_accuracy" else -val_loss
    if recipe.select == "last" or math.isnan(score):
        progress.stalled = 0
        return True
    if score > progress.best:
        progress.best, progress.stalled = score, 0
        return True
    progress.stalled += 1
    return False


def _autocast(recipe: Recipe, device: torch.device) -> Any:
    return torch.autocast(device.type, torch.bfloat16, enabled=recipe.precision == "bf16")
