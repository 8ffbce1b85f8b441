"""An ensemble in words, tables and a plot: it beside each of its members, on the same pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from classifier.ensemble import Ensembled, Member
from classifier.metrics import Figure, Metrics
from classifier.paired_figures import forest
from forensics_app.core.measurement import Measurement, Section, Table, of_split, told
from forensics_app.core.run_plots import Draft
from forensics_app.core.words import shown

WHOLE = "together"
LIMITS = (
    "Judging takes the time and the memory of all members together.",
    "Members that were trained on the same pictures err together: an ensemble of them gains little.",
    "The mean of probabilities weighs every member alike, the weaker ones too.",
    "Only pictures that no member was trained on were measured, if their recipes are those on their cards.",
    "The figures hold for pictures like these, of the same sources and made in the same way.",
)


def measurement(found: Ensembled) -> Measurement:
    """Return what is told of an ensemble."""
    names = _names(found)
    best = max(found.members, key=lambda one: one.metrics.balanced_accuracy.value)
    figures = {**{names[one.id]: one.metrics.balanced_accuracy for one in found.members},
               WHOLE: found.metrics.balanced_accuracy}  # fmt: skip
    apart = {f"{WHOLE} − {names[one.id]}": one.difference for one in found.members}
    titles = (f"Each alone, and {WHOLE}, n = {found.n:,}", "By how much together is better")
    words = f"Balanced accuracy of {len(found.members)} detectors, each alone and {WHOLE}, on {found.n:,} pictures"
    draft = Draft("ensemble", words, lambda theme: forest(figures, apart, theme, titles=titles, ours=WHOLE))
    return Measurement(
        kind="ensemble",
        over=f"{shown(found.name)}, an ensemble of {len(found.members)} detectors",
        headline=_headline(found, best, names),
        context=(
            f"{found.n:,} pictures ({of_split(found.split)} of every "
            f"member), the same for all; 95 % intervals. On {told(found.disagreed)} of them the members disagree."
        ),
        notes=tuple(_notes(found)),
        sections=(
            Section("Alone and together", (draft,)),
            Section("Figures", tables=(_table(found, names),)),
        ),
        limits=LIMITS,
        records=(*(_record(names[one.id], one) for one in found.members), _record_of_all(found)),
        value=asdict(found),
        facts=(
            ("id", found.id),
            ("members", "; ".join(f"{names[one.id]} ({shown(one.arch)}), id {one.id}" for one in found.members)),
            ("calibration", f"fitted on {found.calibrated_on:,} pictures that no member was trained on"
             if found.calibrated_on else "none beyond that of the members"),
        ),
    )  # fmt: skip


def _names(found: Ensembled) -> dict[str, str]:
    """Return the members' names by id, with a part of the id where two have the same."""
    names = [one.name for one in found.members]
    return {
        one.id: shown(one.name if names.count(one.name) == 1 else f"{one.name} {one.id[:6]}") for one in found.members
    }


def _headline(found: Ensembled, best: Member, names: dict[str, str]) -> str:
    apart = best.difference
    change = "as good as" if apart.low <= 0 <= apart.high else "better than" if apart.value > 0 else "worse than"
    measurably = "not measurably different from" if change == "as good as" else change
    return (
        f"Together {told(found.metrics.balanced_accuracy)}, {measurably} the best member, {names[best.id]}: "
        f"{told(apart, signed=True)}"
    )


def _notes(found: Ensembled) -> Iterator[str]:
    if not found.calibrated_on:
        yield "It was not calibrated as a whole and never abstains: no pictures were left that are new to all members."


def _table(found: Ensembled, names: dict[str, str]) -> Table:
    extra = [(name, key) for name, key in (("ROC AUC", "auc"), ("answers given", "coverage"))
             if getattr(found.metrics, key) is not None]  # fmt: skip
    columns = ("detector", "balanced accuracy", "together − it", "ECE", *(name for name, _ in extra), "ms a picture")

    def row(name: str, metrics: Metrics, apart: Figure | None, ece: Figure, ms: float) -> tuple[str, ...]:
        cells = (told(getattr(metrics, key)) for _, key in extra)
        return name, told(metrics.balanced_accuracy), told(apart, signed=True), told(ece), *cells, f"{ms:.1f}"

    rows = [row(names[one.id], one.metrics, one.difference, one.ece, one.ms) for one in found.members]
    rows.append(row(WHOLE, found.metrics, None, found.ece, sum(one.ms for one in found.members)))
    note = (
        f"95 % intervals in brackets, n = {found.n:,}; differences are paired. The mean of the members' probabilities "
        f"has an ECE of {told(found.plain_ece)} as it is, {told(found.ece)} as it was calibrated."
    )
    return Table("", columns, tuple(rows), note)


def _record(name: str, one: Member) -> dict[str, Any]:
    return {
        "detector": name, "id": one.id, "arch": one.arch, "n": one.metrics.n, "accuracy": one.metrics.accuracy,
        "balanced_accuracy": one.metrics.balanced_accuracy, "difference": one.difference, "auc": one.metrics.auc,
        "ece": one.ece, "coverage": one.metrics.coverage, "ms": one.ms,
    }  # fmt: skip


def _record_of_all(found: Ensembled) -> dict[str, Any]:
    return {
        "detector": WHOLE, "id": found.id, "arch": "ensemble", "n": found.n, "accuracy": found.metrics.accuracy,
        "balanced_accuracy": found.metrics.balanced_accuracy, "auc": found.metrics.auc, "ece": found.ece,
        "coverage": found.metrics.coverage, "ms": sum(one.ms for one in found.members),
    }  # fmt: skip
