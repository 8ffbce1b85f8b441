"""An audit as one page that needs nothing else: the verdict, its figures, the fact that gives classes away, and why.

The worked example on the page is computed when the page is written, by the same audit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from classifier.atomic import replacing
from forensics_app.core.html import page
from forensics_app.core.words import ICONS, shown
from generator.audit import LIMIT, Audit, Looked
from generator.audit_verdict import ALIKE_AUC, FAIL_AUC, GROUPS, HEADLINES, Level, level_of
from generator.shortcuts import Finding, Told
from generator.worked_example import COUNT, FAKE_SIDE, PHOTO_QUALITY, PHOTO_SIDES, Example, work_out

MARKS: dict[Level, tuple[str, str]] = {
    "pass": ("real", ICONS["real"]), "warn": ("error", ICONS["error"]), "fail": ("fake", ICONS["fake"]),
}  # fmt: skip
"""The colour and the sign of each verdict."""
SHOWN_FACTS, SHOWN_CLASSES, SHOWN_COPIES = 6, 8, 20
WIDTH = 1000


@dataclass(frozen=True)
class Bar:
    """A line of a small chart, from `left` to `right` with a mark at `at`, of 1000; `words` say the same."""

    name: str
    left: float
    right: float
    at: float
    words: str


@dataclass(frozen=True)
class Line:
    """A group of facts in a table: its words, its figures, its bar, and how it is to be seen."""

    name: str
    auc: str
    interval: str
    n: int
    bar: Bar
    colour: str
    icon: str


def write(found: Audit, path: Path) -> Iterator[Looked]:
    """Work out the example and write the page, yielding while it works; the page is whole or not there."""
    example = None
    for event in work_out():
        if isinstance(event, Example):
            example = event
        else:
            yield event
    if example is not None:
        with replacing(path) as file:
            file.write(render(found, example).encode())


def render(found: Audit, example: Example, made: datetime | None = None) -> str:
    """Return the page's HTML."""
    colour, icon = MARKS[found.verdict]
    return page(
        "audit.html.j2",
        styles=("report.css", "audit.css"),
        made=made or datetime.now(),
        folder=shown(found.root.name or str(found.root)),
        place=shown(str(found.root)),
        colour=colour,
        icon=icon,
        headline=HEADLINES[found.verdict],
        reasons=[(*MARKS[reason.level], shown(reason.text)) for reason in found.reasons],
        mend=shown(found.mend) if found.mend else None,
        is_command=bool(found.mend and found.mend.startswith("forensics ")),
        counts=_counts(found.classes),
        splits=_counts(found.splits) if len(found.splits) > 1 else None,
        looked=sum(found.classes.values()),
        files=found.files,
        limit=LIMIT,
        unreadable=[(shown(name), shown(why)) for name, why in found.unreadable[:SHOWN_COPIES]],
        left_out=len(found.unreadable),
        lines=_lines(found.findings),
        worst=_worst(found.worst),
        groups=[(GROUPS[key], _facts(one)) for key, one in found.findings.items() if key != "together"],
        copies=list(_copies(found)),
        example=list(_example(example)),
        example_worst=_worst(example.usual.worst),
        setup={"count": COUNT, "fake": FAKE_SIDE, "quality": PHOTO_QUALITY, "sides": PHOTO_SIDES},
        alike=round(WIDTH * ALIKE_AUC),
        limits={"alike": ALIKE_AUC, "fail": FAIL_AUC},
    )


def _counts(counts: Mapping[str, int]) -> str:
    listed = [f"{count:,} {shown(name)}" for name, count in list(counts.items())[:SHOWN_CLASSES]]
    more = len(counts) - SHOWN_CLASSES
    return ", ".join(listed) + (f" and {more} more" if more > 0 else "")


def _example(example: Example) -> Iterator[dict[str, Any]]:
    for name, audit in (("Written as usual", example.usual), ("Equalized", example.equalized)):
        colour, icon = MARKS[audit.verdict]
        said = HEADLINES[audit.verdict].partition(":")[0].lower()
        yield {"name": name, "said": said, "colour": colour, "icon": icon, "lines": _lines(audit.findings)}


def _lines(findings: Mapping[str, Finding]) -> list[Line]:
    lines = []
    for key, finding in findings.items():
        auc = finding.auc
        level: Level = "pass" if key == "picture" else level_of(finding)
        colour, icon = MARKS[level] if key != "picture" else ("unsure", "")
        interval = f"{auc.low:.2f}–{auc.high:.2f}" if finding.varying else "all alike"
        words = f"AUC {auc.value:.2f}, 95 % interval {interval}"
        bar = Bar("", WIDTH * auc.low, WIDTH * auc.high, WIDTH * auc.value, words)
        lines.append(Line(GROUPS[key], f"{auc.value:.2f}", interval, auc.n, bar, colour, icon))
    return lines


def _worst(fact: Told | None) -> dict[str, Any] | None:
    """Return the values that each class has of a fact, as bars."""
    if fact is None:
        return None
    return {
        "name": fact.name,
        "auc": f"{fact.auc:.2f}",
        "words": [(shown(kind), _shares(levels)) for kind, levels in list(fact.words.items())[:SHOWN_CLASSES]],
        "numbers": _spreads(fact.numbers),
        "more": max(len(fact.words), len(fact.numbers)) - SHOWN_CLASSES,
    }


def _shares(levels: Sequence[tuple[str, float]]) -> list[Bar]:
    rest = 1 - sum(share for _, share in levels)
    listed = [*levels, ("others", rest)] if rest > 1e-6 else levels
    return [Bar(shown(level), 0, WIDTH * share, WIDTH * share, f"{share:.0%}") for level, share in listed]


def _spreads(numbers: Mapping[str, tuple[float, float, float]]) -> list[Bar]:
    """Return each class's 10th to 90th percentile with its median, on one scale for all."""
    if not numbers:
        return []
    least, most = min(one[0] for one in numbers.values()), max(one[2] for one in numbers.values())
    scale = WIDTH / (most - least or 1.0)
    bars = []
    for kind, (low, middle, high) in list(numbers.items())[:SHOWN_CLASSES]:
        left, right, at = ((one - least) * scale for one in (low, high, middle))
        bars.append(Bar(shown(kind), left, right, at, f"{middle:.4g} ({low:.4g} to {high:.4g})"))
    return bars


def _facts(finding: Finding) -> list[tuple[str, str, str]]:
    """Return the most telling facts of a group: name, AUC, and what the classes have."""
    told = [fact for fact in finding.facts if fact.auc > 0.5][:SHOWN_FACTS]
    return [(fact.name, f"{fact.auc:.2f}", _values(fact)) for fact in told]


def _values(fact: Told) -> str:
    if fact.words:
        each = [f"{shown(kind)}: {shown(levels[0][0])} {levels[0][1]:.0%}" for kind, levels in fact.words.items()]
    else:
        each = [
            f"{shown(kind)}: {mid:.3g} ({low:.3g} to {high:.3g})" for kind, (low, mid, high) in fact.numbers.items()
        ]
    return "; ".join(each[:SHOWN_CLASSES]) + (" …" if len(each) > SHOWN_CLASSES else "")


def _copies(found: Audit) -> Iterator[tuple[str, list[str], int]]:
    """Yield each kind of copy that crosses a border: what it is, some of them, and how many there are."""
    leaks = found.leaks
    for what, groups in (
        ("Identical files in two splits or classes", leaks.same_bytes),
        ("Nearly the same picture in two splits", leaks.near),
        ("Nearly the same picture in two classes", leaks.near_classes),
        ("Sources in two splits", tuple((one,) for one in leaks.sources)),
    ):
        if groups:
            yield what, [" · ".join(shown(name) for name in group[:4]) for group in groups[:SHOWN_COPIES]], len(groups)
