"""Verdicts on a terminal: one picture's in words, a scan's as counts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from forensics_app.cli.run import Terminal
from forensics_app.core.words import ICONS, PHRASES, about, shown

if TYPE_CHECKING:
    from classifier.detector import Card
    from forensics_app.core.analysis import Analysis
    from forensics_app.core.batch import Judged

HUES = {"fake": "#dc5a28", "unsure": "#6f7f91", "real": "#12897c", "error": "#a8760a"}
"""Vermilion, slate, teal and amber between the light and the dark shade: a terminal does not say what its ground is."""


def show(judged: Judged, terminal: Terminal) -> None:
    """Print one picture's verdict to stdout, or its problem to stderr."""
    if terminal.json:
        terminal.record(judged.to_json())
    elif judged.analysis is None:
        terminal.complain(f"{ICONS['error']} {shown(str(judged.path))}: {judged.problem}")
    else:
        verdict, name = judged.analysis.verdict, shown(str(judged.path))
        head = Text.assemble(sign(verdict.label), f"  p {verdict.p_fake:.2f}  ", (name, "bold"))
        terminal.result(head, wrap=False)
        if not terminal.quiet:
            _show_reasons(judged.analysis, judged.heatmap, terminal)


def _show_reasons(analysis: Analysis, heatmap: Path | None, terminal: Terminal) -> None:
    lines = [analysis.verdict.reason, *(one.summary for one in analysis.evidence)]
    for line in dict.fromkeys(lines):  # a proof is the reason too
        terminal.result(Padding(Text(shown(line)), (0, 0, 0, 2)))
    if heatmap is not None:
        terminal.result(Text(f"  Heat map: {shown(str(heatmap))}"), wrap=False)


def show_detector(card: Card, terminal: Terminal) -> None:
    """Print the line on what the detector knows, once below all verdicts."""
    if not terminal.json and not terminal.quiet:
        terminal.result(Text(f"Detector: {shown(about(card))}.", "dim"))


def sign(label: str) -> Text:
    """Return an answer with its sign, in its colour."""
    return Text(f"{ICONS[label]} {PHRASES[label]}", f"bold {HUES[label]}")
