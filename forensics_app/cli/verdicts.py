"""Verdicts on a terminal: one picture's in words, a scan's as counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rich.padding import Padding
from rich.text import Text

from forensics_app.cli.run import Terminal, follow
from forensics_app.core import results
from forensics_app.core.words import ANSWERS, ICONS, PHRASES, about, shown

if TYPE_CHECKING:
    from classifier.detector import Card, Installed
    from forensics_app.core.analysis import Analysis
    from forensics_app.core.batch import Judged
    from forensics_app.core.judging import Heatmaps
    from forensics_app.core.scan import Summary

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
        head = Text.assemble(_sign(verdict.label), f"  p {verdict.p_fake:.2f}  ", (name, "bold"))
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


def _sign(label: str) -> Text:
    return Text(f"{ICONS[label]} {PHRASES[label]}", f"bold {HUES[label]}")


def scan_into(
    folder: Path,
    out: Path,
    installed: Installed,
    terminal: Terminal,
    *,
    made: tuple[Path, ...],
    heatmaps: Heatmaps,
    workers: int = 0,
    title: str = "",
) -> int:
    """Scan a folder into `out` (claimed: `made`), say where the report is, and return how many files failed."""
    from forensics_app.core.scan import scan

    events = scan(folder, installed.folder, out=out, workers=workers, heatmaps=heatmaps)
    title = title or f"Pictures in {folder.resolve().name or folder}"
    recorded = results.record(events, out, installed, title=title, made=made)
    with _telling_what_is_kept(out, terminal):
        summary = cast("Summary", follow(recorded, terminal, words="Judging"))
    if not terminal.json:
        _show_summary(summary, out, terminal)
    return summary.failed


@contextmanager
def _telling_what_is_kept(out: Path, terminal: Terminal) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        if (out / results.REPORT).is_file():
            terminal.note(Text(f"What was judged so far is in {shown(str(out / results.REPORT))}."), wrap=False)
        raise


def _show_summary(summary: Summary, out: Path, terminal: Terminal) -> None:
    if not summary.done:
        terminal.note("There was no picture in that folder.")
    words = "picture" if summary.done == 1 else "pictures"
    terminal.result(f"{summary.done:,} {words} in {summary.seconds:.1f} s")
    for name in ANSWERS:
        if summary.counts[name]:
            terminal.result(Text(f"{summary.counts[name]:7,}  ").append_text(_sign(name)))
    terminal.result(Text(f"Report: {shown(str(out / results.REPORT))}"), wrap=False)
