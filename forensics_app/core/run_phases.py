"""The phases of a run as a table: what was trained, how long it took, and which epoch was the best."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence

from classifier.metrics import wilson
from classifier.recipes import Phase
from forensics_app.core.run_folder import Run
from forensics_app.core.run_tables import Row, told

Epoch = Mapping[str, float]


def trained(phase: Phase) -> str:
    """Return which layers a phase trains, in words."""
    if isinstance(phase.trainable, int):
        return f"last {phase.trainable} stages"
    if isinstance(phase.trainable, tuple):
        return ", ".join(phase.trainable)
    return {"all": "all layers", "head": "head only"}[phase.trainable]


def phases(run: Run) -> Iterator[Row]:
    """Yield each phase: its layers, trainable parameters, epochs, seconds an epoch, and its best epoch's figures."""
    for number, phase in enumerate(run.recipe.phases):
        epochs = [epoch for epoch in run.history if epoch.get("phase") == number]
        if not epochs:
            continue
        best = _best(run, epochs)
        count = trainable(run, phase)
        cells = (
            trained(phase) + (", features computed once" if all(epoch.get("cached") for epoch in epochs) else ""),
            f"{count:,}" if count is not None else "–",
            f"{len(epochs)} of {phase.epochs}" if len(epochs) < phase.epochs else str(phase.epochs),
            _middle([epoch["seconds"] for epoch in epochs if epoch.get("seconds")]),
            _middle([epoch["images_per_s"] for epoch in epochs if epoch.get("images_per_s")]),
            str(int(best["epoch"]) + 1) + (", kept" if best is _kept(run) else ""),
            _number(best.get("val_loss")),
            _accuracy(run, best.get("val_accuracy")),
        )
        yield Row(str(number + 1), cells)


def trainable(run: Run, phase: Phase) -> int | None:
    """Return how many numbers a phase trains; None where the extra `train` is missing, which knows the layers."""
    try:
        from classifier.optimize import trainable_modules
    except ImportError:
        return None
    parts = trainable_modules(run.recipe, phase)
    return sum(
        count
        for name, count in run.tensors.items()
        if parts is None or any(name == part or name.startswith(f"{part}.") for part in parts)
    )


def _best(run: Run, epochs: Sequence[Epoch]) -> Epoch:
    """Return a phase's epoch that is best by what the recipe selects by: the last one where nothing was validated."""
    key, sign = f"val_{run.recipe.select}", -1 if run.recipe.select == "loss" else 1
    known = [epoch for epoch in epochs if math.isfinite(epoch.get(key, math.nan))]
    return max(known, key=lambda epoch: sign * epoch[key]) if known else epochs[-1]


def _kept(run: Run) -> Epoch | None:
    """Return the epoch whose weights the detector has: the last that was the best so far."""
    return next((epoch for epoch in reversed(run.history) if epoch.get("best")), None)


def _middle(found: Sequence[float]) -> str:
    if not found:
        return "–"
    middle = statistics.median(found)
    digits = 1 if middle < 10 else 0
    around = f" ({min(found):,.{digits}f}–{max(found):,.{digits}f})" if len(found) > 1 else ""
    return f"{middle:,.{digits}f}{around}"


def _number(value: float | None) -> str:
    return f"{value:.3f}" if value is not None and math.isfinite(value) else "–"


def _accuracy(run: Run, value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "–"
    counts = run.card.training.get("pictures")
    val = counts.get("val") if isinstance(counts, Mapping) else None
    n = sum(one for one in val.values() if isinstance(one, int)) if isinstance(val, Mapping) else 0
    return f"{told(wilson(round(value * n), n))}, n = {n:,}" if n else f"{value:.2f}"
