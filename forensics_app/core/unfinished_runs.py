"""Training runs that were begun and not finished: how far they came, read without the network that they train."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from classifier.detector import CARD
from classifier.files import BadImage, read
from classifier.request import ENVIRONMENT
from forensics_app.core.run_folder import DETECTOR, HISTORY, MAX_BYTES, RECIPE
from forensics_app.core.run_list import found

Epoch = Mapping[str, Any]


@dataclass(frozen=True)
class Begun:
    """Where a run stands: its recipe's name and network, the figures of its epochs, and the epochs of each phase.

    `device` is empty where it did not get so far; `finished` tells whether there is a detector.
    """

    folder: Path
    name: str = ""
    arch: str = ""
    phases: tuple[int, ...] = ()
    history: tuple[Epoch, ...] = ()
    device: str = ""
    finished: bool = False


def begun(folder: Path) -> Begun:
    """Read a run's folder; what is not there or damaged is as if it had not been written yet."""
    recipe, made, history = (_read(folder / name) for name in (RECIPE, ENVIRONMENT, HISTORY))
    here = Begun(folder, finished=(folder / DETECTOR / CARD).is_file())
    if isinstance(recipe, dict):
        phases = recipe.get("phases")
        epochs = [one.get("epochs") for one in phases if isinstance(one, dict)] if isinstance(phases, list) else []
        here = replace(
            here, name=str(recipe.get("name", "")), arch=str(recipe.get("arch", "")),
            phases=tuple(one for one in epochs if isinstance(one, int)),
        )  # fmt: skip
    if isinstance(history, list):
        here = replace(here, history=tuple(_numbers(one) for one in history if isinstance(one, dict)))
    if isinstance(made, dict):
        here = replace(here, device=str(made.get("device_name") or made.get("device") or ""))
    return here


def unfinished(root: Path) -> tuple[Begun, ...]:
    """Return the runs below a folder that can be gone on with, by path."""
    runs = found(root) if root.is_dir() else []
    return tuple(begun(folder) for folder in runs if not (folder / DETECTOR / CARD).is_file())


def _numbers(epoch: Epoch) -> Epoch:
    return {name: math.nan if value is None else value for name, value in epoch.items()}


def _read(path: Path) -> Any:
    try:
        return json.loads(read(path, max_bytes=MAX_BYTES))
    except (BadImage, ValueError, RecursionError):
        return None
