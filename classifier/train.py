"""Training: a generator of events over phases and epochs; interrupted and resumed it ends in the same weights."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from classifier import checkpoint, nets, zoo
from classifier.batches import plain_batches, training_batches
from classifier.data import Item, Labelled, Pictures
from classifier.optimize import optimizer_of, scheduler_of, steps_per_epoch, trainable_modules
from classifier.recipes import Recipe

LAST, BEST = "last.safetensors", "best.safetensors"


class TrainingFailed(Exception):
    """Training cannot go on; `str()` says at which step and what is kept."""


@dataclass(frozen=True)
class Step:
    """One optimizer step: `done` of `total` steps of the whole run, the batch's mean loss."""

    done: int
    total: int
    epoch: int
    loss: float
    images_per_s: float


@dataclass(frozen=True)
class Epoch:
    """One epoch's figures: accuracies as parts of 1, `seconds` of wall time, `best` if it is the best so far."""

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


@dataclass(frozen=True, eq=False)
class _Job:
    """What all parts of a run share."""

    recipe: Recipe
    data: Labelled
    out: Path
    pictures: Pictures
    network: nn.Module
    accelerator: Any
    progress: _Progress

    @property
    def device(self) -> torch.device:
        device: torch.device = self.accelerator.device
        return device

    @property
    def batches(self) -> int:
        return -(-(self.recipe.samples_per_epoch or len(self.data.splits["train"])) // self.recipe.batch_size)


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

    With `resume` an interrupted run goes on from its last finished epoch. Each picture's variation is a function of
    (seed, epoch, place), so that on CPU the weights equal those of an uninterrupted run. Raises `TrainingFailed`
    and `BadArch`.
    """
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=nets.pick_device(device).type == "cpu")
    torch.manual_seed(recipe.seed)
    network = zoo.build(recipe.arch, len(data.classes), recipe.weights)
    out.mkdir(parents=True, exist_ok=True)
    progress, continued = _Progress(), resume and (out / LAST).is_file()
    if continued:
        progress = _Progress(**checkpoint.facts(out / LAST)["progress"])
        checkpoint.restore(out / LAST, network)
    job = _Job(recipe, data, out, pictures or Pictures(), channels_last(network), accelerator, progress)
    while progress.phase < len(recipe.phases):
        yield from _phase(job, continued and progress.epoch_in_phase > 0)
        continued = False
        progress.phase, progress.epoch_in_phase, progress.stalled, progress.scheduler = progress.phase + 1, 0, 0, {}
    yield Trained(out / BEST, tuple(Epoch(**entry) for entry in progress.history))


def channels_last(network: nn.Module) -> nn.Module:
    """Return the network with its weights in channels-last order, in which convolutions run faster."""
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network


def _phase(job: _Job, continued: bool) -> Iterator[Step | Epoch]:
    recipe, progress = job.recipe, job.progress
    phase = recipe.phases[progress.phase]
    nets.freeze(job.network, trainable_modules(recipe, phase))
    optimizer = optimizer_of(recipe, phase, job.network)
    steps = steps_per_epoch(recipe, len(job.data.splits["train"]))
    scheduler = scheduler_of(recipe, optimizer, steps * phase.epochs)
    if continued:
        checkpoint.restore(job.out / LAST, job.network, optimizer)
        scheduler.load_state_dict(progress.scheduler)
    network, prepared = job.accelerator.prepare(job.network, optimizer)
    for number in range(progress.epoch_in_phase, phase.epochs):
        if recipe.early_stop and progress.stalled >= recipe.early_stop.patience:
            return
        begun = time.perf_counter()
        torch.manual_seed(recipe.seed + 100_003 * progress.epoch)
        sums = yield from _epoch(job, network, prepared, scheduler if recipe.scheduler.name == "cosine" else None)
        validated = validate(network, job.data.splits["val"], recipe, job.pictures, job.device)
        if recipe.scheduler.name in ("step", "plateau"):
            scheduler.step(*validated[:1] if recipe.scheduler.name == "plateau" else ())
        lr = float(optimizer.param_groups[0]["lr"])
        best = _improves(recipe, progress, validated[0], validated[2])
        entry = Epoch(
            progress.epoch, progress.phase, *sums, *validated, lr=lr, seconds=time.perf_counter() - begun, best=best
        )
        progress.epoch, progress.epoch_in_phase = progress.epoch + 1, number + 1
        _save(job, optimizer, scheduler, entry)
        yield entry


def _save(job: _Job, optimizer: torch.optim.Optimizer, scheduler: Any, entry: Epoch) -> None:
    """Keep the epoch: the best weights first, then where the run stands, each whole or not at all."""
    state = scheduler.state_dict().items()
    job.progress.scheduler = {key: v for key, v in state if isinstance(v, int | float | list | str | bool)}
    job.progress.history.append(asdict(entry))
    if entry.best:
        checkpoint.save_tensors(job.out / BEST, job.network.state_dict())
    facts = {"progress": asdict(job.progress), "recipe": job.recipe.model_dump(mode="json")}
    checkpoint.save(job.out / LAST, job.network, optimizer, facts)


def _epoch(job: _Job, network: nn.Module, optimizer: Any, scheduler: Any) -> Generator[Step, None, tuple[float, float]]:
    """Train one epoch, yielding a Step at each optimizer step; return the mean loss and the accuracy."""
    recipe, epoch = job.recipe, job.progress.epoch
    nets.train_mode(job.network)
    criterion = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
    items, steps = job.data.splits["train"], -(-job.batches // recipe.accumulate)
    total = steps * sum(phase.epochs for phase in recipe.phases)
    seen, loss_sum, right, begun = 0, 0.0, 0, time.perf_counter()
    for number, batch in enumerate(training_batches(items, recipe, job.data.classes, job.pictures, epoch), 1):
        x, y = batch[0].to(job.device, memory_format=torch.channels_last), batch[1].to(job.device)
        with _autocast(recipe, job.device):
            logits = network(x).float()
        loss = criterion(logits, y)
        value = _finite(float(loss.detach()), epoch, number)
        job.accelerator.backward(loss / recipe.accumulate)
        seen, loss_sum = seen + len(y), loss_sum + value * len(y)
        right += int((logits.argmax(1) == y).sum())
        if number % recipe.accumulate and number < job.batches:
            continue
        optimizer.step()
        optimizer.zero_grad()
        if scheduler is not None:
            scheduler.step()
        done = epoch * steps + -(-number // recipe.accumulate)
        yield Step(done, total, epoch, value, seen / (time.perf_counter() - begun))
    return loss_sum / max(1, seen), right / max(1, seen)


def _finite(loss: float, epoch: int, batch: int) -> float:
    if not math.isfinite(loss):
        advice = "lower the learning rate. The last finished epoch is kept."
        raise TrainingFailed(f"The loss became {loss} in epoch {epoch}, batch {batch}: {advice}")
    return loss


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
    recalls = [right[labels == label].float().mean() for label in set(labels.tolist())]
    loss = nn.functional.cross_entropy(logits, labels)
    return float(loss), float(right.float().mean()), float(torch.stack(recalls).mean())


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
