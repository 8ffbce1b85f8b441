"""Train what the figures of docs/CONCEPTS.md show, on drawn heads: about ten minutes on one core.

    PYTHONPATH=. python benchmarks/concept_runs.py WORK

Each run is kept in WORK, and not trained again. benchmarks/concept_figures.py draws from there.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from classifier import recipes, run
from generator import synthetic
from generator.synthetic import SyntheticSpec

SIDE, SMALL_SIDE = 96, 64
TOO_FEW = 400
"""Training pictures of the figures of overfitting and calibration: the network is often wrong and seldom unsure."""


def recipe(name: str, size: int, **changes: Any) -> recipes.Recipe:
    """Return a recipe for a ResNet-18 from scratch, with these changes."""
    plain: dict[str, Any] = {
        "name": name, "arch": "resnet18", "precision": "bf16", "select": "last", "batch_size": 32,
        "preprocess": {"kind": "resize", "size": size, "resize": size},
        "augment": {"crop": "resized", "scale": [0.7, 1.0], "flip": 0.5},
        "data": {"val": 0.0, "cal": 0.15, "test": 0.0},
        "optimizer": {"name": "adamw", "weight_decay": 0.01},
        "scheduler": {"name": "cosine", "warmup": 0.1},
        "phases": [{"epochs": 10, "lr": 0.002}],
    }  # fmt: skip
    return recipes.validate({**plain, **changes}, name)


def trained(chosen: recipes.Recipe, data: Path, out: Path) -> Path:
    """Train, unless it was done before; return the run's folder."""
    if not (out / "predictions.json").is_file():
        for event in run.run(chosen, data, out, resume=out.is_dir(), device="cpu"):
            if type(event).__name__ in ("Epoch", "Measured"):
                sys.stderr.write(f"{out.name}: {str(event)[:150]}\n")
    return out


def drawn(spec: SyntheticSpec, out: Path) -> Path:
    """Draw a data set, unless it is there."""
    if not (out / "dataset.json").is_file():
        list(synthetic.make(spec, out))
    return out


def few(whole: Path, count: int, out: Path, *, cal: int = 0) -> Path:
    """Copy a data set with `count` of its training pictures, the classes equally often; `cal` more to calibrate on."""
    if not out.is_dir():
        for split in ("val", "test"):
            shutil.copytree(whole / split, out / split)
        for kind in sorted((whole / "train").iterdir()):
            paths = sorted(kind.iterdir())
            for split, part in {"train": paths[: count // 2], "cal": paths[len(paths) - cal // 2 :]}.items():
                for path in part:
                    (out / split / kind.name).mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, out / split / kind.name)
    return out


def main(work: Path) -> None:
    """Make everything."""
    heads = drawn(SyntheticSpec(2100, size=SIDE), work / "heads")
    trained(recipe("heads", SIDE), heads, work / "heads-run")
    fixed = {"augment": {"crop": "center", "flip": 0.0}, "scheduler": {"name": "none"}}
    plain = {"data": {"val": 0.0, "cal": 0.0, "test": 0.0}, "phases": [{"epochs": 30, "lr": 0.001}]}
    data = few(heads, TOO_FEW, work / "too-few", cal=400)
    trained(recipe("overfitting", SMALL_SIDE, **fixed, **plain), data, work / "overfitting")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
