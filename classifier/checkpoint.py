"""The state of a training run on disk: safetensors and JSON, never pickle; written whole or not at all."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn


class BadCheckpoint(Exception):
    """A file of a run that cannot be gone on from; `str()` names it."""


def save_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write tensors under a temporary name, then rename them into place."""
    temporary = path.with_name(f".{path.name}.part")
    with _whole_or_nothing(temporary):
        try:
            save_file({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, temporary, metadata)
        except SafetensorError as error:
            code = re.search(r"os error (\d+)", str(error))
            raise OSError(int(code[1]), os.strerror(int(code[1])), str(path)) if code else error from None
        temporary.replace(path)


def same_file(path: Path, other: Path) -> None:
    """Let `other` be what `path` is, without taking the space twice where the disk can do that."""
    temporary = other.with_name(f".{other.name}.part")
    temporary.unlink(missing_ok=True)
    with _whole_or_nothing(temporary):
        try:
            os.link(path, temporary)
        except OSError:
            shutil.copyfile(path, temporary)
        temporary.replace(other)
    temporary.unlink(missing_ok=True)  # renaming one name of a file to another of it does nothing


@contextmanager
def _whole_or_nothing(temporary: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def save(path: Path, network: nn.Module, optimizer: torch.optim.Optimizer, facts: dict[str, Any]) -> None:
    """Write the network, the optimizer and `facts` (plain JSON values) as one safetensors file."""
    state = optimizer.state_dict()
    tensors = {f"net.{name}": value for name, value in network.state_dict().items()}
    plain: dict[str, dict[str, Any]] = {}
    for index, slots in state["state"].items():
        for key, value in slots.items():
            if isinstance(value, Tensor):
                tensors[f"opt.{index}.{key}"] = value
            else:
                plain.setdefault(str(index), {})[key] = value
    groups = json.dumps({"slots": plain, "groups": state["param_groups"]})
    save_tensors(path, tensors, {"facts": json.dumps(facts), "optimizer": groups})


def facts(path: Path) -> dict[str, Any]:
    """Return the plain values that were saved beside the tensors; raises `BadCheckpoint`."""
    with _sound(path):
        value: dict[str, Any] = json.loads(_metadata(path)["facts"])
        return value


def load(path: Path, network: nn.Module) -> None:
    """Load the network alone from a file written by `save_tensors`; raises `BadCheckpoint`."""
    with _sound(path):
        network.load_state_dict(load_file(path))


def restore(path: Path, network: nn.Module, optimizer: torch.optim.Optimizer | None = None) -> None:
    """Load the network and, if given, the optimizer from a file written by `save`; raises `BadCheckpoint`."""
    with _sound(path):
        tensors = load_file(path)
        network.load_state_dict({name[4:]: value for name, value in tensors.items() if name.startswith("net.")})
        if optimizer is not None:
            _restore_optimizer(tensors, json.loads(_metadata(path)["optimizer"]), optimizer)


def _restore_optimizer(tensors: dict[str, Tensor], saved: dict[str, Any], optimizer: torch.optim.Optimizer) -> None:
    state: dict[int, dict[str, Any]] = {int(index): dict(slots) for index, slots in saved["slots"].items()}
    for name, value in tensors.items():
        if name.startswith("opt."):
            _, index, key = name.split(".", 2)
            state.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": saved["groups"]})


@contextmanager
def _sound(path: Path) -> Iterator[None]:
    try:
        yield
    except (SafetensorError, ValueError, LookupError, TypeError, RuntimeError) as error:
        why = " ".join(str(error).split())[:120]
        raise BadCheckpoint(f"{path} is damaged or of another network: begin anew in another folder ({why}).") from None


def _metadata(path: Path) -> dict[str, str]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        found: dict[str, str] = file.metadata()
    return found
