"""What trains in a phase, by which optimizer, along which course of the learning rate."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from classifier import zoo
from classifier.recipes import Phase, Recipe


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


def optimizer_of(recipe: Recipe, phase: Phase, network: nn.Module) -> torch.optim.Optimizer:
    """Return the optimizer of a phase over the trainable parameters; the head has its own learning rate."""
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


def scheduler_of(recipe: Recipe, optimizer: torch.optim.Optimizer, total: int) -> Any:
    """Return the scheduler of a phase of `total` optimizer steps."""
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
