"""Test-time augmentation in words, tables and curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from classifier.sweep_figures import Panel, panels
from classifier.views import Averaged, Way
from forensics_app.core.measurement import Measurement, Section, Table, of_split, told
from forensics_app.core.run_plots import Draft
from forensics_app.core.words import shown

LIMITS = (
    "A mean spreads less than one view, to which the temperature was fitted: its probabilities tend to be too modest.",
    "The abstain band was chosen for one view as well; to use a mean, fit both again on the calibration split.",
    "The picture's middle is in every view: they are far from independent, and more of them add less and less.",
    "A picture that says something about left and right, such as writing, is another one when mirrored.",
    "The times hold for this machine, and for judging alone: reading and decoding a picture cost the same as before.",
    "The figures hold for pictures like these, of the same sources and made in the same way.",
)


def measurement(found: Averaged) -> Measurement:
    """Return what is told of averaging over views."""
    plain, mean = found.ways[:2]  # the other mean is in the table: the better of two would be chosen by these pictures
    words = f"Balanced accuracy and calibration error of {shown(found.detector)} by the number of views"
    return Measurement(
        kind="views",
        over=f"Test-time augmentation of the detector {shown(found.detector)}",
        headline=_headline(plain, mean, found),
        context=(
            f"{found.n:,} pictures ({of_split(found.split)}"
            f"{f', {found.degrade} first' if found.degrade else ''}), the same for every way; 95 % intervals."
        ),
        notes=tuple(_notes(found)),
        sections=(
            Section("By the number of views", (Draft("views", words, lambda theme: panels(_panels(found), theme)),),
                    note=f"In this order: {', '.join(found.views)}. The ring is one view alone."),
            Section("Each way of averaging", tables=(_table(found),)),
        ),
        limits=LIMITS,
        records=tuple(_record(way) for way in found.ways),
        value=asdict(found),
        facts=(
            ("detector", f"{shown(found.detector)}, id {found.detector_id}"),
            ("views", ", ".join(found.views)),
            ("time", f"{found.ms:.1f} ms for one view, {told(found.slower)} times that for {len(found.views)}"),
        ),
    )  # fmt: skip


def _headline(plain: Way, mean: Way, found: Averaged) -> str:
    apart = mean.difference
    if apart is None:
        return f"Balanced accuracy {told(plain.metrics.balanced_accuracy)}"
    change = "no measurable change" if apart.low <= 0 <= apart.high else "better" if apart.value > 0 else "worse"
    return (
        f"The {mean.name} over {len(found.views)} views: {change}, {told(apart, signed=True)} in balanced accuracy, "
        f"at {found.slower.value:.1f} times the cost"
    )


def _notes(found: Averaged) -> Iterator[str]:
    if found.alike:
        yield f"In {found.alike:,} of {found.n:,} pictures there was no room to move: all their views are the same."
    for way in found.ways[1:]:
        if way.ece_difference and way.ece_difference.low > 0:
            yield (
                f"The {way.name} is worse calibrated: ECE {way.ece.value:.3f}, one view alone "
                f"{found.ways[0].ece.value:.3f}. The temperature no longer fits."
            )


def _panels(found: Averaged) -> list[Panel]:
    ticks = tuple(str(count) for count in range(1, len(found.views) + 1))
    top = max(one.high for figures in found.ece_by_count.values() for one in figures)
    return [
        Panel("Balanced accuracy", "views averaged", "balanced accuracy", ticks, found.by_count, ring=0,
              level=1 / len(found.classes)),
        Panel("Calibration error (ECE)", "views averaged", "ECE; lower is better", ticks, found.ece_by_count, ring=0,
              high=max(0.05, top)),
    ]  # fmt: skip


def _table(found: Averaged) -> Table:
    banded = found.ways[0].metrics.coverage is not None
    columns = ("way", "balanced accuracy", "difference", "ECE", "ECE, difference")
    columns = (*columns, *(("ROC AUC",) if found.ways[0].metrics.auc else ()), *(("answers given",) if banded else ()))
    rows = [
        (
            way.name,
            told(way.metrics.balanced_accuracy),
            told(way.difference, signed=True),
            told(way.ece),
            told(way.ece_difference, signed=True),
            *((told(way.metrics.auc),) if found.ways[0].metrics.auc else ()),
            *((told(way.metrics.coverage),) if banded else ()),
        )
        for way in found.ways
    ]
    return Table("", columns, tuple(rows), f"95 % intervals in brackets, n = {found.n:,}. Differences are paired.")


def _record(way: Way) -> dict[str, Any]:
    return {
        "way": way.name, "n": way.metrics.n, "accuracy": way.metrics.accuracy,
        "balanced_accuracy": way.metrics.balanced_accuracy, "difference": way.difference, "auc": way.metrics.auc,
        "ece": way.ece, "ece_difference": way.ece_difference, "coverage": way.metrics.coverage,
    }  # fmt: skip
