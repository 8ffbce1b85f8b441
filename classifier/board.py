"""TensorBoard events of a run, for those who have the extra `tensorboard`: `tensorboard --logdir runs` shows them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from classifier.history import Epoch

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

FOLDER = "tensorboard"


class Board:
    """What is written of a run into a folder, from the first finished epoch on; nothing without a folder."""

    def __init__(self, folder: Path | None, epochs: int) -> None:
        self._folder, self._epoch = folder, epochs
        self._writer: SummaryWriter | None = None

    def epoch(self, entry: Epoch) -> None:
        """Write an epoch's figures; the first epoch is step 1."""
        self._epoch = entry.epoch + 1
        self._write({
            "loss/train": entry.train_loss,
            "loss/val": entry.val_loss,
            "accuracy/train": entry.train_accuracy,
            "accuracy/val": entry.val_accuracy,
            "balanced_accuracy/val": entry.val_balanced_accuracy,
            "learning_rate/body": entry.lr,
            "learning_rate/head": entry.head_lr,
            "pictures_per_second": entry.images_per_s,
        })  # fmt: skip

    def measured(self, name: str, accuracy: float, balanced_accuracy: float) -> None:
        """Write the figures of the finished detector on the split that it was measured on, at the last epoch."""
        self._write({f"accuracy/{name}": accuracy, f"balanced_accuracy/{name}": balanced_accuracy})

    def _write(self, figures: dict[str, float]) -> None:
        if self._folder is None:
            return
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            # What an interrupted run wrote of epochs that were not kept is taken back.
            self._writer = SummaryWriter(str(self._folder), purge_step=self._epoch)
        for tag, value in figures.items():
            if not math.isnan(value):
                self._writer.add_scalar(tag, value, self._epoch)
        self._writer.flush()

    def close(self) -> None:
        """End the thread that writes."""
        if self._writer is not None:
            self._writer.close()


@contextmanager
def board(folder: Path | None, *, epochs: int = 0) -> Iterator[Board]:
    """Open the events of a run in a folder (None: write nothing), of which `epochs` epochs are finished."""
    opened = Board(folder, epochs)
    try:
        yield opened
    finally:
        opened.close()
