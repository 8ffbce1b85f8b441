"""Accuracy against sparsity in words, tables and curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from classifier.metrics import Figure
from classifier.sweep_figures import Panel, panels
from forensics_app.core.measurement import Measurement, Section, Table, of_split, told
from forensics_app.core.run_plots import Draft
from forensics_app.core.words import shown

if TYPE_CHECKING:
    from classifier.prune import Measured, Point, Pruned

LIMITS = (
    "Zeros are stored and multiplied like any other number: nothing here becomes faster, or smaller on disk.",
    "To gain by them takes a runtime for sparse networks, or filters that are cut out instead of set to zero.",
    "The probabilities were calibrated for the whole network; only a detector that is kept is calibrated again.",
    "One seed, one order of the pictures: another fine-tuning would end a little elsewhere than the intervals say.",
    "The figures hold for pictures like these, of the same sources and made in the same way.",
)  # fmt: skip


def measurement(found: Pruned) -> Measurement:
    """Return what is told of accuracy against sparsity."""
    words = f"Balanced accuracy and calibration error of {shown(found.detector)} by sparsity, {found.n:,} pictures"
    return Measurement(
        kind="pruning",
        over=f"{'Magnitude' if found.kind == 'unstructured' else 'Filter'} pruning of {shown(found.detector)}",
        headline=_headline(found),
        context=(
            f"{found.n:,} pictures ({of_split(found.split)}), the "
            f"same at every sparsity; 95 % intervals. Guessing would give {1 / len(found.classes):.2f}."
        ),
        notes=tuple(_notes(found)),
        sections=(
            Section("By sparsity", (Draft("pruning", words, lambda theme: panels(_panels(found), theme)),),
                    note="The ring is the whole network, the bands are 95 % intervals, the dashed line is guessing."),
            Section("All figures", tables=(_table(found),)),
        ),
        limits=LIMITS,
        records=tuple(_record(point) for point in found.points),
        value=asdict(found),
        facts=tuple(_facts(found)),
    )  # fmt: skip


def last(point: Point) -> Measured:
    """Return a sparsity's figures: after fine-tuning where there was any."""
    return point.tuned or point.pruned


def _headline(found: Pruned) -> str:
    free = 0.0
    for point in found.points:
        if last(point).difference.high < 0:
            break
        free = point.sparsity
    worst = min(found.points, key=lambda point: last(point).metrics.balanced_accuracy.value)
    what = "weights" if found.kind == "unstructured" else "filters"
    after = f" after {_epochs(found)} of fine-tuning" if found.epochs else ""
    return (
        f"{free:.0%} of the {what} can be zero without a measurable loss{after}; at worst, at "
        f"{worst.sparsity:.0%}, balanced accuracy is {told(last(worst).metrics.balanced_accuracy)}"
    )


def _epochs(found: Pruned) -> str:
    return "1 epoch" if found.epochs == 1 else f"{found.epochs} epochs"


def _notes(found: Pruned) -> Iterator[str]:
    if found.points[0].pruned.metrics.balanced_accuracy.low <= 1 / len(found.classes):
        yield "The whole network cannot be told apart from guessing: it has nothing to lose, and this says little."
    if found.kept:
        yield f"The detector with {found.kept.sparsity:.0%} zeros was kept, id {found.kept.id}."


def _facts(found: Pruned) -> Iterator[tuple[str, str]]:
    yield "detector", f"{shown(found.detector)}, id {found.detector_id}"
    if found.kind == "unstructured":
        yield "method", "the smallest weights of all convolutions and linear layers together; the head stays whole"
    else:
        yield "method", "in each convolution the filters with the smallest L2 norm; the head stays whole"
    if found.epochs:
        yield (
            "fine-tuning",
            f"{_epochs(found)} of all layers by the recipe, learning rate {found.lr:g}, seed {found.seed}",
        )
    if found.kept:
        figure = told(found.kept.metrics.balanced_accuracy)
        again = f"calibrated again on {found.kept.calibrated_on:,} pictures"
        yield "kept", f"{found.kept.sparsity:.0%} zeros, balanced accuracy {figure} through its graph, {again}"


def _panels(found: Pruned) -> list[Panel]:
    ticks = tuple(f"{point.sparsity:.0%}" for point in found.points)

    def lines(key: Any) -> dict[str, list[Figure | None]]:
        plain: dict[str, list[Figure | None]] = {"pruned": [key(point.pruned) for point in found.points]}
        if not found.epochs:
            return plain
        tuned = [key(point.tuned) if point.tuned else None for point in found.points]
        return {**plain, "and fine-tuned": tuned}

    ece = lines(lambda one: one.ece)
    top = max(one.high for figures in ece.values() for one in figures if one)
    what = "zeros among the weights" if found.kind == "unstructured" else "zeros among the filters"
    return [
        Panel("Balanced accuracy", what, "balanced accuracy", ticks, lines(lambda one: one.metrics.balanced_accuracy),
              ring=0, level=1 / len(found.classes)),
        Panel("Calibration error (ECE)", what, "ECE; lower is better", ticks, ece, ring=0, high=max(0.05, top)),
    ]  # fmt: skip


def _table(found: Pruned) -> Table:
    columns: tuple[str, ...] = ("sparsity", "balanced accuracy", "difference")
    columns += ("fine-tuned", "difference then") if found.epochs else ()
    columns += ("ECE", "zeros of all weights", "ms a picture")
    rows = []
    for point in found.points:
        tuned = (
            (told(point.tuned.metrics.balanced_accuracy), told(point.tuned.difference, signed=True))
            if point.tuned
            else ("–", "–")
        )
        rows.append((
            f"{point.sparsity:.0%}",
            told(point.pruned.metrics.balanced_accuracy),
            told(point.pruned.difference if point.sparsity else None, signed=True),
            *(tuned if found.epochs else ()),
            told(last(point).ece),
            f"{point.zeros_of_all:.1%}",
            f"{point.ms:.1f}",
        ))  # fmt: skip
    return Table("", columns, tuple(rows), f"95 % intervals in brackets, n = {found.n:,}; differences are paired. The "
                 "times are of torch, beside whatever else ran: they show that zeros save nothing.")  # fmt: skip


def _record(point: Point) -> dict[str, Any]:
    record: dict[str, Any] = {
        "sparsity": point.sparsity,
        "zeros": point.zeros,
        "zeros_of_all": point.zeros_of_all,
        "ms": point.ms,
    }
    for name, found in (("", point.pruned), ("tuned_", point.tuned)):
        if found:
            record |= {
                f"{name}balanced_accuracy": found.metrics.balanced_accuracy, f"{name}accuracy": found.metrics.accuracy,
                f"{name}difference": found.difference, f"{name}ece": found.ece,
            }  # fmt: skip
    return record
