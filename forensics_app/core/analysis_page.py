"""One judged picture as a page that needs nothing else: the verdict, its reasons, the map, and what the file says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from classifier.detector import Card
from classifier.runtime import Heat
from classifier.trust import Trust
from forensics_app.core.analysis import Analysis
from forensics_app.core.file_metadata import Row
from forensics_app.core.html import page
from forensics_app.core.map_words import badge
from forensics_app.core.overlay import COLOUR_MAP, OPACITY, embedded, overlay
from forensics_app.core.words import ICONS, about, shown

SIDE_PX = 640
SHOWN_ROWS = 200
CLASS_WORDS = {"fake": "generated", "real": "not generated"}


@dataclass(frozen=True, eq=False)
class ShownMap:
    """A map as it is looked at: of which class, at which stage, in which colours, and its trust if it was measured."""

    heat: Heat
    cls: str = "fake"
    stage: str = "last"
    opacity: float = OPACITY
    colour_map: str = COLOUR_MAP
    trust: Trust | None = None


@dataclass(frozen=True, eq=False)
class Told:
    """What is reported of a picture: name, analysis, the detector's card, the map that is shown, what the file says."""

    name: str
    analysis: Analysis
    card: Card
    shown: ShownMap | None
    rows: Sequence[Row]
    open_question: str


def render(told: Told, made: datetime | None = None) -> str:
    """Return the page's HTML."""
    analysis, seen = told.analysis, told.shown
    verdict, file = analysis.verdict, analysis.file
    band = told.card.band
    return page(
        "analysis.html.j2",
        styles=("report.css", "run.css", "explain.css"),
        made=made or datetime.now(),
        name=shown(told.name),
        label=verdict.label,
        icon=ICONS[verdict.label],
        headline=verdict.headline,
        p=f"{verdict.p_fake:.2f}",
        at=round(1000 * verdict.p_fake),
        band=(band.low, band.high) if band else None,
        reason=shown(verdict.reason),
        open_question=told.open_question,
        picture=embedded(file.pixels, SIDE_PX),
        heatmap=_overlay(told) if seen else None,
        map_words=map_words(seen) if seen else "",
        trust=badge(seen.trust) if seen and seen.trust else None,
        evidence=[(one.probe, one.strength, one.finding, shown(one.summary)) for one in analysis.evidence],
        facts=facts(told),
        rows=[(row.part, row.name, row.value) for row in told.rows[:SHOWN_ROWS]],
        more=max(0, len(told.rows) - SHOWN_ROWS),
        about=shown(about(told.card)),
        limits=[shown(limit) for limit in told.card.limits],
    )


def facts(told: Told) -> list[tuple[str, str]]:
    """Return the file's and the detector's facts as names and values."""
    analysis, file = told.analysis, told.analysis.file
    frames = f", first of {file.frames} pictures" if file.frames > 1 else ""
    return [
        ("Format", f"{file.format} ({file.mode}){frames}"),
        ("Pixels", f"{file.width:,} × {file.height:,}"),
        ("Size", f"{len(file.data):,} bytes"),
        ("SHA-256", file.sha256),
        ("Detector", f"{shown(analysis.detector_name)}, id {analysis.detector_id}"),
    ]


def _overlay(told: Told) -> str:
    seen = told.shown
    assert seen is not None  # noqa: S101 - asked for where there is a map only
    laid = overlay(told.analysis.file.pixels, seen.heat, opacity=seen.opacity, colour_map=seen.colour_map)
    return embedded(laid, SIDE_PX)


def map_words(seen: ShownMap) -> str:
    """Return what a map shows, in a sentence or two."""
    words = f"Where the network found its reasons for “{CLASS_WORDS.get(seen.cls, shown(seen.cls))}”"
    stage = f", at its {seen.stage} stage" if seen.stage != "last" else ""
    return f"{words}{stage}. Parts without colour were not looked at; a bright spot is no proof of an edit there."


def stem_of(name: str) -> str:
    """Return a picture's name without its suffix, fit to begin a file's name."""
    stem = Path(name).stem.strip(". ")
    return "".join(char if char.isalnum() or char in " ._-()" else "_" for char in stem)[:80] or "picture"
