"""A quantized detector in words, tables and a plot: what moved, and whether it passed its gate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np

from classifier.drawing import Theme
from classifier.metrics import Figure
from classifier.paired_figures import Group, before_after
from classifier.quantize import Quantized
from forensics_app.core.measurement import Measurement, Section, Table, told
from forensics_app.core.run_plots import Draft
from forensics_app.core.words import shown

LIMITS = (
    "Rounding moves every probability a little; pictures unlike those that were compared may move further.",
    "The speed holds for this machine, one thread and the network alone; reading and decoding cost the same as before.",
    "Processors without 8-bit instructions gain less, or nothing.",
    "Another version of onnxruntime, or another processor, may round differently.",
    "The temperature and the abstain band are those of the detector that it was made from.",
)  # fmt: skip


def measurement(found: Quantized) -> Measurement:
    """Return what is told of a quantized detector."""
    words = f"Probabilities of {found.n:,} pictures before and after: the largest shift is {found.shift:.3f}"
    return Measurement(
        kind="quantization",
        over=f"{shown(found.name)} in 8-bit integers",
        headline=(
            f"{found.speed.ratio.value:.1f} times as fast, {_megabytes(found.bytes[1])} instead of "
            f"{_megabytes(found.bytes[0])}; {_changed(found):,} of {found.n:,} {found.answers} changed"
        ),
        context=(
            f"{found.n:,} pictures (split {found.split}) that had no part in it; the ranges were set on "
            f"{found.ranged_on:,} training pictures. The largest shift of a probability is {found.shift:.3f}; 95 % of "
            f"the pictures stay within {found.shift_95:.3f}."
        ),
        notes=tuple(_notes(found)),
        sections=(
            Section("What moved", (Draft("quantization", words, lambda theme: before_after(
                (np.array(found.p_before), np.array(found.p_after)), _groups(found, theme), theme,
                titles=(f"Before and after, n = {found.n:,}", "How far it moved"),
                names=(f"p of {_shown_class(found)} in single precision", "p in 8-bit integers"),
                limit=found.limits.shift)),)),
            Section("Figures", tables=(_table(found),)),
        ),
        limits=LIMITS,
        records=({
            "name": found.name, "id": found.id, "from_id": found.before_id, "n": found.n, "shift": found.shift,
            "shift_95": found.shift_95, "flipped": found.flipped, "passed": found.passed,
            "before": found.before.balanced_accuracy, "after": found.after.balanced_accuracy,
            "difference": found.difference, "speed_ratio": found.speed.ratio,
            "regions_per_s_before": found.speed.before, "regions_per_s_after": found.speed.after,
            "bytes_before": found.bytes[0], "bytes_after": found.bytes[1],
        },),
        value=asdict(found),
        facts=(
            ("made from", f"{shown(found.name)}, id {found.before_id}"),
            ("id now", found.id),
            ("method", "static, QDQ; weights 7 bits a channel, activations 8 bits, ranges without 0.02 % at each end"),
            ("speed", f"{found.speed.ratio.n} rounds in turns, one thread, in one run"),
        ),
    )  # fmt: skip


def _notes(found: Quantized) -> Iterator[str]:
    if not found.passed:
        limits = f"a shift of {found.limits.shift:g}, {found.limits.flipped:.0%} of the {found.answers} changed"
        yield f"It is over its limits ({limits}) and was kept with --force."


def _changed(found: Quantized) -> int:
    return round(found.flipped.value * found.n)


def _megabytes(count: int) -> str:
    return f"{count / 2**20:.1f} MB"


def _shown_class(found: Quantized) -> str:
    return shown(found.shown_class) or "the class it was first taken for"


def _groups(found: Quantized, theme: Theme) -> list[Group]:
    labels = np.array(found.labels)
    if len(found.classes) > 2:
        return [Group("all classes", theme.accent, np.full(len(labels), True))]
    inks = {"fake": theme.fake, "real": theme.real} if set(found.classes) == {"fake", "real"} else {}
    spare = (theme.accent, theme.unsure)
    return [
        Group(shown(name), inks.get(name, spare[place]), labels == place) for place, name in enumerate(found.classes)
    ]


def _table(found: Quantized) -> Table:
    def both(name: str, before: Figure | None, after: Figure | None, apart: str = "") -> tuple[str, ...]:
        return name, told(before), told(after), apart

    speed = found.speed
    rows = [
        (f"{found.answers} changed", "", "", f"{told(found.flipped)}"),
        both("balanced accuracy", found.before.balanced_accuracy, found.after.balanced_accuracy,
             told(found.difference, signed=True)),
        both("accuracy", found.before.accuracy, found.after.accuracy),
        *((both("ROC AUC", found.before.auc, found.after.auc),) if found.before.auc else ()),
        *((both("answers given", found.before.coverage, found.after.coverage),) if found.before.coverage else ()),
        ("calibration error (ECE)", f"{found.before.ece:.3f}", f"{found.after.ece:.3f}", ""),
        ("regions a second, one thread", f"{speed.before:.0f}", f"{speed.after:.0f}", f"× {told(speed.ratio)}"),
        ("size", _megabytes(found.bytes[0]), _megabytes(found.bytes[1]), f"× {found.bytes[1] / found.bytes[0]:.2f}"),
    ]  # fmt: skip
    return Table("", ("figure", "single precision", "8-bit integers", "change"), tuple(rows),
                 f"95 % intervals in brackets, n = {found.n:,}. The difference is paired; a region is what the network "
                 "looks at, of which a picture may have several.")  # fmt: skip
