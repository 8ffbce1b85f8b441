"""What a training keeps on disk: the best weights, where it stands and its history, whole or not at all."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from classifier import checkpoint
from classifier.history import Epoch, Progress, write_history
from classifier.recipes import Recipe

LAST, BEST = "last.safetensors", "best.safetensors"
PATIENCE_SECONDS = 5.0
"""Epochs on kept features take less time than writing the network: so much of them an interruption may cost."""


def best_of(phase: int) -> str:
    """Return the name of the file with a phase's best weights; the first phase is 0."""
    return f"best-phase{phase + 1}.safetensors"


class Keeper:
    """Writes checkpoints after every epoch; those of an epoch that took no time only now and then.

    A run that is resumed from an earlier epoch ends in the same weights all the same.
    """

    def __init__(self, recipe: Recipe, out: Path, network: nn.Module, progress: Progress) -> None:
        self._recipe, self._out, self._network, self._progress = recipe, out, network, progress
        self._best: dict[str, Tensor] = {}
        self._best_of_run = False
        self._written = time.monotonic()
        self.epochs = progress.epoch
        """How many epochs are safe on disk."""

    def keep(
        self, optimizer: torch.optim.Optimizer, scheduler: Any, entry: Epoch, *, best_in_phase: bool, ends: bool
    ) -> None:
        """Keep an epoch; `ends` says that it is its phase's last."""
        state = scheduler.state_dict().items()
        self._progress.scheduler = {key: v for key, v in state if isinstance(v, int | float | list | str | bool)}
        self._progress.history.append(asdict(entry))
        if best_in_phase:  # what is the best of the run is so of its phase
            self._best, self._best_of_run = self._state(copied=entry.cached), self._best_of_run or entry.best
        if entry.cached and not ends and time.monotonic() - self._written < PATIENCE_SECONDS:
            return
        self._write(optimizer, entry.phase)

    def _state(self, *, copied: bool) -> dict[str, Tensor]:
        """Return the network's state; `copied` saves what trains from the epochs to come."""
        moving = {name for name, parameter in self._network.named_parameters() if parameter.requires_grad}
        state = self._network.state_dict()
        return {name: value.clone() if copied and name in moving else value for name, value in state.items()}

    def _write(self, optimizer: torch.optim.Optimizer, phase: int) -> None:
        """Write the best weights first, then where the run stands."""
        if self._best:
            checkpoint.save_tensors(self._out / best_of(phase), self._best)
        if self._best_of_run:
            checkpoint.same_file(self._out / best_of(phase), self._out / BEST)
        facts = {"progress": asdict(self._progress), "recipe": self._recipe.model_dump(mode="json")}
        checkpoint.save(self._out / LAST, self._network, optimizer, facts)
        write_history(self._out, self._progress.history)
        self._best, self._best_of_run = {}, False
        self._written, self.epochs = time.monotonic(), self._progress.epoch
