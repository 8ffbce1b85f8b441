"""A robustness sweep in words, tables and curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from classifier.degradations import DEGRADATIONS, Degradation
from classifier.metrics import Figure
from classifier.robustness import UNTOUCHED, Point, Sweep
from classifier.sweep_figures import Panel, panels
from forensics_app.core.measurement import Measurement, Section, Table, of_split, told
from forensics_app.core.run_plots import Draft
from forensics_app.core.words import shown

LINES = {"balanced accuracy": "balanced_accuracy", "ROC AUC": "auc", "answers given (not unsure)": "coverage"}
LIMITS = (
    "Each picture was damaged in one way at a time; pictures on the web have taken several.",
    "The damage was done here, by Pillow: other programs resize, turn and compress in other ways.",
    "Turning and cropping also change what is in the picture, and turning draws every pixel anew.",
    "A picture that came as a JPEG was compressed before: JPEG here is at least the second time.",
    "The intervals hold for each figure alone: of twenty true ones, one lies outside by chance.",
    "The figures hold for pictures like these, of the same sources and made in the same way.",
)


def measurement(found: Sweep) -> Measurement:
    """Return what is told of a sweep."""
    clean, *damaged = found.points
    rows = [row for row in DEGRADATIONS.values() if len(found.at(row)) > 1]
    worst = min(damaged, key=lambda point: point.metrics.balanced_accuracy.value, default=clean)
    words = f"Figures of {shown(found.detector)} on {found.n:,} pictures by {', '.join(row.words for row in rows)}"
    draft = Draft("robustness", words, lambda theme: panels([_panel(found, row) for row in rows], theme))
    return Measurement(
        kind="robustness",
        over=f"Robustness of the detector {shown(found.detector)}",
        headline=_headline(clean, worst),
        context=(
            f"{found.n:,} pictures ({of_split(found.split)}), the same at every strength; 95 % intervals. "
            f"Guessing would give {1 / len(found.classes):.2f}."
        ),
        notes=tuple(_notes(found)),
        sections=(
            Section("Figures by strength of the damage", (draft,), note=_legend(found)),
            Section("Where it begins to fail", tables=(_onset(found, rows),)),
            Section("All figures", tables=(_all(found, rows),)),
        ),
        limits=LIMITS,
        records=tuple(_record(point) for point in found.points),
        facts=(
            ("detector", f"{shown(found.detector)}, id {found.detector_id}"),
            ("pictures", f"{found.n:,}, {of_split(found.split)}"),
            ("seed of the noise", str(found.seed)),
        ),
    )


def _headline(clean: Point, worst: Point) -> str:
    start = told(clean.metrics.balanced_accuracy)
    if worst is clean:
        return f"Balanced accuracy {start} on untouched pictures"
    if worst.metrics.balanced_accuracy.value >= clean.metrics.balanced_accuracy.value:
        return f"Balanced accuracy {start} on untouched pictures falls under no damage"
    return (
        f"Balanced accuracy {start} on untouched pictures falls to {told(worst.metrics.balanced_accuracy)} "
        f"at worst, after {named(worst)}"
    )


def named(point: Point) -> str:
    """Return a point's damage in words: `Gaussian blur 2 (σ in pixels)`."""
    row = DEGRADATIONS.get(point.degradation or "")
    return f"{row.words} {point.strength:g} ({row.unit})" if row else "as it is"


def _notes(found: Sweep) -> Iterator[str]:
    clean = found.points[0].metrics.balanced_accuracy
    if clean.low <= 1 / len(found.classes):
        yield "Already on untouched pictures this cannot be told apart from guessing: what follows says little."


def _legend(found: Sweep) -> str:
    ring = "The ring is the untouched picture, the bands are 95 % intervals, the dashed line is guessing."
    if found.points[0].metrics.coverage is None:
        return ring
    return f"{ring} Answers given: the part of the pictures that is not called unsure."


def _panel(found: Sweep, row: Degradation) -> Panel:
    points = found.at(row)
    lines: dict[str, list[Figure | None]] = {
        name: [getattr(point.metrics, key) for point in points] for name, key in LINES.items()
    }
    return Panel(
        title=row.words,
        x=row.unit,
        y="part of the pictures, or AUC" if len(_drawn(lines)) > 1 else "balanced accuracy",
        ticks=tuple("as it is" if point.strength is None else f"{point.strength:g}" for point in points),
        lines=_drawn(lines),
        ring=next(place for place, point in enumerate(points) if point.name == UNTOUCHED),
        level=1 / len(found.classes),
    )


def _drawn(lines: dict[str, list[Figure | None]]) -> dict[str, list[Figure | None]]:
    return {name: figures for name, figures in lines.items() if any(figures)}


def _onset(found: Sweep, rows: list[Degradation]) -> Table:
    """Return for each damage at which strengths the loss is more than chance, and where it is worst."""
    lines = []
    for row in rows:
        points = [point for point in found.at(row) if point.difference]
        worse = [f"{point.strength:g}" for point in points if point.difference and point.difference.high < 0]
        worst = min(points, key=lambda point: point.metrics.balanced_accuracy.value)
        falls = worst.difference is not None and worst.difference.value < 0
        at = (f"{worst.strength:g}", told(worst.difference, signed=True)) if falls else ("–", "–")
        lines.append((f"{row.words}, {row.unit}", ", ".join(worse) or "none", *at))
    return Table(
        "", ("damage", "measurably worse at", "worst at", "loss there"), tuple(lines),
        "Measurably worse: the interval of the difference of balanced accuracy, on the same pictures, lies below 0.",
    )  # fmt: skip


def _all(found: Sweep, rows: list[Degradation]) -> Table:
    points = [found.points[0], *(point for row in rows for point in found.at(row) if point.strength is not None)]
    keys = {name: key for name, key in LINES.items() if getattr(found.points[0].metrics, key) is not None}
    columns = (
        "picture",
        "balanced accuracy",
        "difference",
        *[name for name in keys if name != "balanced accuracy"],
        "n",
    )
    lines = [
        (
            point.name,
            told(point.metrics.balanced_accuracy),
            told(point.difference, signed=True),
            *(told(getattr(point.metrics, key)) for name, key in keys.items() if name != "balanced accuracy"),
            f"{point.metrics.n:,}",
        )
        for point in points
    ]
    return Table("", columns, tuple(lines), "95 % intervals in brackets.")


def _record(point: Point) -> dict[str, Any]:
    metrics = asdict(point.metrics)
    figures = {key: getattr(point.metrics, key) for key, value in metrics.items()
               if isinstance(value, dict) and "low" in value}  # fmt: skip
    return {
        "name": point.name, "degradation": point.degradation or "", "strength": point.strength, "n": point.metrics.n,
        **figures, "ece": point.metrics.ece, "difference": point.difference,
    }  # fmt: skip
