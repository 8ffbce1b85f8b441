"""Train what the figures of docs/CONCEPTS.md show, on drawn heads: about half an hour on one core.

    PYTHONPATH=. python benchmarks/concept_runs.py WORK

Each run is kept in WORK, and not trained again. benchmarks/concept_figures.py draws from there.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from classifier import recipes, run
from generator import synthetic
from generator.synthetic import SyntheticSpec

SIDE, SMALL_SIDE = 96, 64
OTHERS = ("rabbit", "bear", "mouse", "bull", "deer", "elephant")
FEW = (20, 80, 320)
"""Training pictures of the transfer figure."""
TOO_FEW = 400
"""Training pictures of the figures of overfitting and calibration: the network is often wrong and seldom unsure."""
SEEDS = (0, 1, 2)
MODES: dict[str, dict[str, Any]] = {
    "from scratch": {"phases": [{"epochs": 10, "lr": 0.001}]},
    "fine-tuning": {"phases": [{"epochs": 10, "lr": 0.0003, "head_lr": 0.003}]},
    "feature extraction": {"phases": [{"epochs": 10, "lr": 0.01, "trainable": "head"}]},
}


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


def transfer(work: Path, heads: Path) -> Iterator[tuple[str, int, int, Path]]:
    """Train on six other animals, then each mode with few cats and dogs; yields mode, pictures, seed and run."""
    others = drawn(SyntheticSpec(2800, OTHERS, SMALL_SIDE, 1), work / "others")
    source = trained(recipe("others", SMALL_SIDE), others, work / "others-run")
    plain = {"samples_per_epoch": 160, "data": {"val": 0.0, "cal": 0.0, "test": 0.0}}
    for count in FEW:
        data = few(heads, count, work / f"few-{count}")
        for mode, changes in MODES.items():
            weights = "none" if mode == "from scratch" else str(source / "best.safetensors")
            for seed in SEEDS:
                name = f"{mode.replace(' ', '-')}-{count}-{seed}"
                chosen = recipe(name, SMALL_SIDE, **plain, **changes, weights=weights, seed=seed)
                yield mode, count, seed, trained(chosen, data, work / name)


def main(work: Path) -> None:
    """Make everything."""
    heads = drawn(SyntheticSpec(2100, size=SIDE), work / "heads")
    trained(recipe("heads", SIDE), heads, work / "heads-run")
    fixed = {"augment": {"crop": "center", "flip": 0.0}, "scheduler": {"name": "none"}}
    plain = {"data": {"val": 0.0, "cal": 0.0, "test": 0.0}, "phases": [{"epochs": 30, "lr": 0.001}]}
    data = few(heads, TOO_FEW, work / "too-few", cal=400)
    trained(recipe("overfitting", SMALL_SIDE, **fixed, **plain), data, work / "overfitting")
    for _ in transfer(work, heads):
        pass


if __name__ == "__main__":
    main(Path(sys.argv[1]))
