"""How a training computes: its precision, the order of its weights in memory, and one seed for all that is random."""

from __future__ import annotations

import platform
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from classifier import zoo
from classifier.recipes import Recipe

CPU_FACTS = Path("/proc/cpuinfo")
CPU_BF16 = ("avx512_bf16", "amx_bf16", "bf16")
"""Names of the instructions in Linux's list, the last of them on ARM."""


def computes_bf16(device: torch.device) -> bool:
    """Return whether a device has instructions for bfloat16; without them it is slower than single precision."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu" or platform.system() != "Linux":
        return False
    try:
        words = set(CPU_FACTS.read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        return False
    return not words.isdisjoint(CPU_BF16)


def precision_on(recipe: Recipe, device: torch.device) -> Literal["fp32", "bf16"]:
    """Return the precision that a recipe's means on a device: `auto` is bf16 where that is faster."""
    if recipe.precision != "auto":
        return recipe.precision
    pays = device.type != "cpu" or zoo.arch(recipe.arch).cpu_bf16
    return "bf16" if pays and computes_bf16(device) else "fp32"


def autocast(recipe: Recipe, device: torch.device) -> Any:
    """Return the context in which a network computes in the precision of a recipe."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision_on(recipe, device) == "bf16")


def channels_last(network: nn.Module) -> nn.Module:
    """Return the network with its weights in channels-last order, in which convolutions run faster."""
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's and torch's generators alike; what this project draws itself has generators of its own."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


@contextmanager
def reproducible(deterministic: bool) -> Iterator[None]:
    """Let cuDNN use deterministic algorithms in the block, or else time several and take the fastest."""
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    cudnn.deterministic, cudnn.benchmark = deterministic, not deterministic
    try:
        yield
    finally:
        cudnn.deterministic, cudnn.benchmark = before
