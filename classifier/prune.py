"""Accuracy against sparsity: a network's smallest weights set to zero, measured, and trained a little if asked.

Nothing becomes faster by it here: zeros are stored and multiplied like any other number.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from classifier import nets, zoo
from classifier.batches import parts, plain_batches, training_batches
from classifier.data import Item, Labelled, Pictures, Split
from classifier.detector import Card, Installed
from classifier.evaluate import Batch, Stage, collected, measured, pictures_of, score, splits_of
from classifier.export import compared_on, export, load_network, write_card
from classifier.measuring import calibrate_detector
from classifier.metrics import Figure, Metrics, bootstrap, expected_calibration_error, measure
from classifier.numerics import seed_everything
from classifier.objective import Objective
from classifier.optimize import optimizer_of
from classifier.paired import difference
from classifier.recipes import Phase, Recipe
from classifier.runtime import Detector, calibrated
from classifier.sparsity import Kind, made_permanent, pruned, sparsity_of

SPARSITIES = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95)
TUNED_SLOWER = 10


class PruningRefused(Exception):
    """A detector or a setting that cannot be pruned; `str()` says why and what is allowed."""


@dataclass(frozen=True)
class Tuning:
    """Fine-tuning after pruning: `done` of `total` batches over all sparsities, the batch's loss."""

    done: int
    total: int
    loss: float


@dataclass(frozen=True)
class Measured:
    """Figures of one network; `difference` is its balanced accuracy minus the unpruned network's, same pictures."""

    metrics: Metrics
    ece: Figure
    difference: Figure


@dataclass(frozen=True)
class Point:
    """One sparsity: what was asked, which part of the prunable and of all weights is zero, and the figures.

    `tuned` are the figures after fine-tuning, None without; `ms` is a forward pass of one picture in torch.
    """

    sparsity: float
    zeros: float
    zeros_of_all: float
    pruned: Measured
    tuned: Measured | None
    ms: float


@dataclass(frozen=True)
class Kept:
    """The detector that was written: calibrated again on `calibrated_on` pictures, measured through its graph."""

    id: str
    sparsity: float
    calibrated_on: int
    metrics: Metrics


@dataclass(frozen=True)
class Pruned:
    """Accuracy against sparsity of a detector on `n` pictures of a split."""

    detector: str
    detector_id: str
    classes: tuple[str, ...]
    kind: Kind
    split: str
    n: int
    epochs: int
    lr: float | None
    seed: int
    points: tuple[Point, ...]
    kept: Kept | None


@dataclass(frozen=True)
class Plan:
    """What is asked for: sparsities from 0 on, which kind, epochs of fine-tuning, and the sparsity to keep, if any."""

    sparsities: tuple[float, ...] = SPARSITIES
    kind: Kind = "unstructured"
    epochs: int = 0
    keep: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for sparsity in (*self.sparsities, *(() if self.keep is None else (self.keep,))):
            if not 0 <= sparsity < 1:
                raise PruningRefused(f"A sparsity is from 0 to below 1 (0.5 is half of the weights), not {sparsity:g}.")

    @property
    def steps(self) -> tuple[float, ...]:
        """All sparsities to measure in order; the unpruned network is always among them."""
        return tuple(sorted({0.0, *self.sparsities, *(() if self.keep is None else (self.keep,))}))


@dataclass(frozen=True, eq=False)
class _Job:
    """What all parts share; `network` stays as it was."""

    installed: Installed
    network: nn.Module
    recipe: Recipe
    data: Labelled
    items: Sequence[Item]
    pictures: Pictures
    device: torch.device
    plan: Plan
    split: str

    @property
    def labels(self) -> NDArray[np.int64]:
        return np.array([item.label for item in self.items], np.int64)


def check(installed: Installed, plan: Plan) -> None:
    """Raise `PruningRefused` for a detector that pruning is not for."""
    card = installed.card
    if card.members:
        raise PruningRefused(f"The detector '{card.name}' is an ensemble; prune its members.")
    if card.precision == "int8":
        raise PruningRefused(f"The detector '{card.name}' is in 8-bit integers; prune the one that it was made from.")
    if plan.epochs and not card.training.get("recipe"):
        raise PruningRefused(
            f"The detector '{card.name}' has no recipe on its card to fine-tune by; leave --finetune out."
        )


def prune(
    installed: Installed, root: Path, plan: Plan, *, folder: Path | None = None, split: Split | None = "test",
    device: str = "auto",
) -> Iterator[Any]:  # fmt: skip
    """Measure a detector's network at every sparsity; with `plan.keep` write that one as a detector to `folder`.

    Each sparsity starts from the unpruned weights; the head stays whole. Events are `Stage`, `Batch`, `Tuning` and
    `Point`; the last is the `Pruned`. Raises `PruningRefused`, `BadData`, `BadImage`.
    """
    check(installed, plan)
    yield Stage("Reading the pictures")
    data = splits_of(installed.card, root)
    job = _Job(installed, load_network(installed), _recipe(installed.card), data, pictures_of(data, split), Pictures(),
               nets.pick_device(device), plan, split or "all")  # fmt: skip
    points: list[Point] = []
    unpruned, keep = None, None
    for place, sparsity in enumerate(plan.steps):
        yield Stage(f"{sparsity:.0%} of the weights are zero")
        network = pruned(job.network, zoo.arch(installed.card.arch), sparsity, plan.kind).to(job.device)
        p, ms = yield from _judged(job, network)
        unpruned = p if unpruned is None else unpruned
        before = _figures(job, p, unpruned)
        tuned = None
        if plan.epochs and sparsity:
            yield from _tuned(job, network, place - 1)
            p, _ = yield from _judged(job, network)
            tuned = _figures(job, p, unpruned)
        points.append(Point(sparsity, *sparsity_of(network), before, tuned, ms))
        keep = network if sparsity == plan.keep else keep
        yield points[-1]
    kept = (yield from _kept(job, keep, folder)) if keep is not None and folder else None
    yield Pruned(
        installed.card.name, installed.id, installed.card.classes, plan.kind, job.split, len(job.items),
        plan.epochs, _lr(job.recipe) if plan.epochs else None, plan.seed, tuple(points), kept,
    )  # fmt: skip


def _recipe(card: Card) -> Recipe:
    found = card.training.get("recipe")
    if found:
        return Recipe.model_validate(found).model_copy(update={"preprocess": card.preprocess})
    return Recipe(name=card.name, arch=card.arch, preprocess=card.preprocess, phases=(Phase(epochs=1, lr=1e-3),))


def _lr(recipe: Recipe) -> float:
    return recipe.phases[-1].lr / TUNED_SLOWER


def _judged(job: _Job, network: nn.Module) -> Generator[Batch, None, tuple[NDArray[np.float64], float]]:
    """Yield while a network judges the pictures; return calibrated probabilities (N, C) and milliseconds a picture."""
    network.eval()
    found, seconds = list[NDArray[np.float64]](), 0.0
    for x, counts, _ in plain_batches(job.items, job.recipe, job.pictures):
        begun = time.perf_counter()
        with torch.inference_mode():
            logits = network(x.to(job.device)).double().cpu()
        seconds += time.perf_counter() - begun
        found.extend(part.mean(dim=0).numpy() for part in logits.split(counts))
        yield Batch(len(found), len(job.items))
    return calibrated(np.stack(found), job.installed.card), 1000 * seconds / len(found)


def _figures(job: _Job, p: NDArray[np.float64], unpruned: NDArray[np.float64]) -> Measured:
    card, labels = job.installed.card, job.labels
    metrics = measure(p, labels, card.classes, (card.band.low, card.band.high) if card.band else None)
    ece = bootstrap(lambda index: expected_calibration_error(p[index], labels[index]), labels)
    right, was_right = (one.argmax(axis=1) == labels for one in (p, unpruned))
    return Measured(metrics, ece, difference(right, was_right, labels))


def _tuned(job: _Job, network: nn.Module, place: int) -> Iterator[Tuning]:
    """Train a network with its masks on by the recipe, all layers, at a tenth of its last learning rate."""
    recipe = job.recipe.model_copy(update={"seed": job.plan.seed})
    items, classes = job.data.splits["train"], job.data.classes
    nets.freeze(network, None)
    optimizer = optimizer_of(recipe, Phase(epochs=job.plan.epochs, lr=_lr(recipe)), network)
    objective = Objective(recipe, items, len(classes)).to(job.device)
    batches = len(parts(recipe.samples_per_epoch or len(items), recipe.batch_size))
    runs = sum(1 for sparsity in job.plan.steps if sparsity)
    done = place * batches * job.plan.epochs
    seed_everything(job.plan.seed)
    nets.train_mode(network)
    for epoch in range(job.plan.epochs):
        for x, y in training_batches(items, recipe, classes, job.pictures, epoch):
            loss, _ = objective(network(x.to(job.device)), y.to(job.device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            done += 1
            yield Tuning(done, runs * batches * job.plan.epochs, float(loss.detach()))


def _kept(job: _Job, network: nn.Module, folder: Path) -> Generator[Batch, None, Kept]:
    """Write a pruned network as a detector, calibrated again and measured as it judges; return what was written."""
    card, plan = job.installed.card, job.plan
    facts = {"from": {"name": card.name, "id": job.installed.id}, "sparsity": plan.keep, "kind": plan.kind,
             "finetuned_epochs": plan.epochs}  # fmt: skip
    changes = {"training": {**card.training, "pruning": facts}, "metrics": {}}
    check_on = compared_on(job.items, job.pictures, card.preprocess)
    installed = export(made_permanent(network), card.model_copy(update=changes), folder, check=check_on)
    yield from calibrate_detector(job.recipe, job.data, installed, job.pictures)
    detector = Detector(folder)
    found = yield from collected(score(detector, job.items, pictures=job.pictures))
    metrics = measured(detector, found, job.items)
    write_card(folder, detector.card.model_copy(update={"metrics": {job.split: asdict(metrics)}}))
    return Kept(Detector(folder).id, job.plan.keep or 0.0, len(job.data.splits["cal"]), metrics)
