"""Training: a generator of events over phases and epochs; interrupted and resumed it ends in the same weights."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from classifier import checkpoint, features, nets, zoo
from classifier.batches import parts
from classifier.data import Labelled, Pictures
from classifier.features import Feed, Source, placed
from classifier.history import Answered, Confusion, Epoch, Extracted, Progress, Step, Trained, Validated
from classifier.keeping import BEST, LAST, Keeper
from classifier.mixing import taught
from classifier.numerics import autocast, channels_last, reproducible, seed_everything
from classifier.objective import Objective
from classifier.optimize import optimizer_of, scheduler_of, trainable_modules
from classifier.recipes import Recipe

__all__ = (
    "BEST", "LAST", "Confusion", "Epoch", "Extracted", "Step", "Trained", "TrainingFailed", "Validated", "train",
)  # fmt: skip

EPOCH_SEED = 100_003
"""Apart enough that no epoch of one seed is an epoch of the next."""


class TrainingFailed(Exception):
    """Training cannot go on; `str()` says at which step and what is kept."""


@dataclass(frozen=True, eq=False)
class _Job:
    """What all parts of a run share."""

    source: Source
    out: Path
    network: nn.Module
    accelerator: Any
    objective: Objective
    progress: Progress
    keeper: Keeper

    @property
    def recipe(self) -> Recipe:
        return self.source.recipe

    @property
    def device(self) -> torch.device:
        return self.source.device

    @property
    def batches(self) -> int:
        drawn = self.recipe.samples_per_epoch or len(self.source.data.splits["train"])
        return len(parts(drawn, self.recipe.batch_size))

    @property
    def steps(self) -> int:
        return -(-self.batches // self.recipe.accumulate)


def train(
    recipe: Recipe,
    data: Labelled,
    out: Path,
    *,
    resume: bool = False,
    device: str = "auto",
    pictures: Pictures | None = None,
) -> Iterator[Step | Extracted | Validated | Confusion | Epoch | Trained]:
    """Train a recipe on the splits of a data folder; `out` receives checkpoints and the history after each epoch.

    With `resume` an interrupted run goes on from its last finished epoch. Each picture's variation is a function of
    (seed, epoch, place), so that on CPU the weights equal those of an uninterrupted run. Raises `TrainingFailed`
    and `BadArch`.
    """
    continued = resume and (out / LAST).is_file()
    with reproducible(recipe.deterministic):
        job = _opened(recipe, data, out, continued, device, pictures or Pictures())
        while job.progress.phase < len(recipe.phases):
            yield from _phase(job, continued and job.progress.epoch_in_phase > 0)
            continued = False
            job.progress.next_phase()
        history = tuple(Epoch(**entry) for entry in job.progress.history)
        _check_kept(history)
        yield Trained(out / BEST, history)


def _check_kept(history: Sequence[Epoch]) -> None:
    """Raise `TrainingFailed` if the network that was kept gives no numbers for pictures of the validation split."""
    kept = next(epoch for epoch in reversed(history) if epoch.best)
    if math.isfinite(kept.val_loss) or math.isnan(kept.val_accuracy):  # or there is no such split
        return
    rate = max(kept.lr, kept.head_lr)
    raise TrainingFailed(
        f"The network of epoch {kept.epoch + 1}, which was kept, gives no numbers for pictures of the validation split "
        f"(loss {kept.val_loss}), after a learning rate of {rate:.3g}: begin anew with a lower one, such as "
        f"--set phases.{kept.phase}.lr={rate / 10:.1g}."
    )


def _opened(recipe: Recipe, data: Labelled, out: Path, continued: bool, device: str, pictures: Pictures) -> _Job:
    """Build the network, or read it and where the run stands from the last checkpoint."""
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=nets.pick_device(device).type == "cpu")
    seed_everything(recipe.seed)
    weights, size = "none" if continued else recipe.weights, recipe.preprocess.size
    network = zoo.build(recipe.arch, len(data.classes), weights, size=size, dropout=recipe.dropout)
    out.mkdir(parents=True, exist_ok=True)
    progress = Progress(**checkpoint.facts(out / LAST)["progress"]) if continued else Progress()
    if continued:
        checkpoint.restore(out / LAST, network)
    objective = Objective(recipe, data.splits["train"], len(data.classes)).to(accelerator.device)
    source = Source(recipe, data, pictures, accelerator.device)
    network = channels_last(network)
    return _Job(source, out, network, accelerator, objective, progress, Keeper(recipe, out, network, progress))


def _phase(job: _Job, continued: bool) -> Iterator[Step | Extracted | Validated | Confusion | Epoch]:
    recipe, progress = job.recipe, job.progress
    phase, begun = recipe.phases[progress.phase], time.perf_counter()
    nets.freeze(job.network, trainable_modules(recipe, phase))
    optimizer = optimizer_of(recipe, phase, job.network)
    scheduler = scheduler_of(recipe, optimizer, job.steps * phase.epochs)
    if continued:
        checkpoint.restore(job.out / LAST, job.network, optimizer)
        scheduler.load_state_dict(progress.scheduler)
    network, prepared = job.accelerator.prepare(job.network, optimizer)
    feed = features.whole(job.source, network)
    ended = progress.stops(recipe) or progress.epoch_in_phase == phase.epochs
    if not ended and features.can_keep(recipe, phase, network):
        feed = yield from features.kept(job.source, network)
    for number in range(progress.epoch_in_phase, phase.epochs):
        if progress.stops(recipe):
            return
        seed_everything(recipe.seed + EPOCH_SEED * progress.epoch)
        rates = [float(group["lr"]) for group in optimizer.param_groups]
        trained = yield from _epoch(job, feed, prepared, scheduler if recipe.scheduler.name == "cosine" else None)
        answered = yield from _validated(job, feed)
        _next_rate(recipe, scheduler, trained[0], answered)
        best, best_in_phase = progress.judge(recipe, answered)
        said = answered or Answered(math.nan, math.nan, math.nan)
        entry = Epoch(
            progress.epoch, progress.phase, *trained[:2], *said, lr=rates[0], head_lr=rates[-1],
            seconds=time.perf_counter() - begun, images_per_s=trained[2], best=best, cached=feed.cached,
        )  # fmt: skip
        progress.epoch, progress.epoch_in_phase, begun = progress.epoch + 1, number + 1, time.perf_counter()
        ends = progress.epoch_in_phase == phase.epochs or progress.stops(recipe)
        job.keeper.keep(optimizer, scheduler, entry, best_in_phase=best_in_phase, ends=ends)
        yield entry


def _next_rate(recipe: Recipe, scheduler: Any, train_loss: float, answered: Answered | None) -> None:
    """Move a learning rate that changes by epochs on."""
    if recipe.scheduler.name == "plateau":
        watched = answered.loss if answered and recipe.scheduler.metric == "val_loss" else train_loss
        scheduler.step(watched)
    elif recipe.scheduler.name == "step":
        scheduler.step()


def _epoch(job: _Job, feed: Feed, optimizer: Any, scheduler: Any) -> Generator[Step, None, tuple[float, float, float]]:
    """Train one epoch, yielding a Step at each optimizer step; return mean loss, accuracy and pictures a second."""
    recipe, epoch = job.recipe, job.progress.epoch
    nets.train_mode(job.network)
    total = job.steps * sum(phase.epochs for phase in recipe.phases)
    seen, loss_sum, right, begun = 0, 0.0, 0, time.perf_counter()
    for number, (inputs, targets) in enumerate(feed.training(epoch), 1):
        x, y = placed(inputs, job.device), targets.to(job.device)
        with autocast(recipe, job.device), _enough_a_batch(job, len(x)):
            output = feed.network(x)
        loss, logits = job.objective(output, y, auxiliary=recipe.phases[job.progress.phase].trainable == "all")
        value = _finite(float(loss.detach()), job, optimizer, number)
        together = min(recipe.accumulate, job.batches - (number - 1) // recipe.accumulate * recipe.accumulate)
        job.accelerator.backward(loss / together)
        seen, loss_sum = seen + len(y), loss_sum + value * len(y)
        right += int((logits.argmax(1) == taught(y)).sum())
        if number % recipe.accumulate and number < job.batches:
            continue
        optimizer.step()
        optimizer.zero_grad()
        if scheduler is not None:
            scheduler.step()
        done = epoch * job.steps + -(-number // recipe.accumulate)
        yield Step(done, total, epoch, value, seen / (time.perf_counter() - begun))
    return loss_sum / max(1, seen), right / max(1, seen), seen / (time.perf_counter() - begun)


@contextmanager
def _enough_a_batch(job: _Job, pictures: int) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise TrainingFailed(
            f"'{job.recipe.arch}' cannot train on a batch of {pictures} at {job.recipe.preprocess.size} px: its batch "
            "normalization needs more. Set batch_size or preprocess.size higher."
        ) from None


def _finite(loss: float, job: _Job, optimizer: Any, batch: int) -> float:
    """Return the loss; raises `TrainingFailed` if it is no number, saying where, why it may be and what is kept."""
    if math.isfinite(loss):
        return loss
    progress, rate = job.progress, max(group["lr"] for group in optimizer.param_groups)
    safe = job.keeper.epochs
    kept = f"Epoch {safe} is kept in {job.out / LAST}." if safe else "No epoch was kept."
    raise TrainingFailed(
        f"The loss became {loss} in epoch {progress.epoch + 1}, batch {batch} of {job.batches}, at a learning rate of "
        f"{rate:.3g}: begin anew with a lower one, such as --set phases.{progress.phase}.lr={rate / 10:.1g}. {kept}"
    )


@torch.no_grad()
def _validated(job: _Job, feed: Feed) -> Generator[Validated | Confusion, None, Answered | None]:
    """Return loss and accuracies on the validation split, the logits of a picture's regions averaged; None if empty."""
    of, logits, labels = len(job.source.data.splits["val"]), list[Tensor](), list[Tensor]()
    job.network.eval()
    for x, counts, part in feed.validation():
        with autocast(job.recipe, job.device):
            answers = feed.network(placed(x, job.device)).float().cpu()
        logits.extend(one.mean(dim=0) for one in answers.split(counts))
        labels.append(part)
        yield Validated(len(logits), of)
    if not logits:
        return None
    answers, truth = torch.stack(logits), torch.cat(labels)
    yield _confusion(answers, truth, job)
    return _answered(answers, truth)


def _confusion(logits: Tensor, labels: Tensor, job: _Job) -> Confusion:
    classes = job.source.data.classes
    places = labels * len(classes) + logits.argmax(1)
    counts = torch.bincount(places, minlength=len(classes) ** 2).reshape(len(classes), -1)
    return Confusion(job.progress.epoch, classes, tuple(tuple(row) for row in counts.tolist()))


def _answered(logits: Tensor, labels: Tensor) -> Answered:
    right = logits.argmax(1) == labels
    recalls = [right[labels == label].float().mean() for label in set(labels.tolist())]
    loss = nn.functional.cross_entropy(logits, labels)
    return Answered(float(loss), float(right.float().mean()), float(torch.stack(recalls).mean()))
