"""What a run was made with: machine, versions, precision, seed, and what was asked for on the command line."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

import torch

from classifier import nets
from classifier.numerics import CPU_FACTS, precision_on
from classifier.recipes import Recipe
from classifier.request import Request
from classifier.versions import versions

PACKAGES = ("torch", "torchvision", "accelerate", "onnxruntime", "numpy", "pillow")


def environment(recipe: Recipe, asked: Request | None, device: str) -> dict[str, Any]:
    """Return the facts of environment.json, all of them plain values. Raises `BadDevice`."""
    place = nets.pick_device(device)
    return {
        "begun": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "asked": asdict(asked) if asked else None,
        "seed": recipe.seed,
        "deterministic": recipe.deterministic,
        "device": place.type,
        "device_name": torch.cuda.get_device_name(place) if place.type == "cuda" else processor(),
        "precision": precision_on(recipe, place),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "platform": platform.platform(),
        "versions": versions(PACKAGES),
    }


def processor() -> str:
    """Return the processor's name, as far as the system tells it."""
    try:
        lines = CPU_FACTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
