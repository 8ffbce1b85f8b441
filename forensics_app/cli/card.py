"""A detector's card for people: what it is, what it learned from, its figures with n and intervals, its limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from forensics_app.cli.figures import tables
from forensics_app.core.detector_facts import band_words, looks_at
from forensics_app.core.words import shown

if TYPE_CHECKING:
    from rich.console import RenderableType

    from classifier.detector import Installed


def paragraphs(installed: Installed) -> Iterator[RenderableType]:
    """Yield the card's parts, each to be printed."""
    card = installed.card
    yield Text.assemble((card.name, "bold"), f"  {shown(card.description)}")
    yield _facts(installed)
    yield from _training(card.training)
    yield from _shortcuts(card.training)
    yield from tables(card.metrics)
    if not card.metrics:
        yield Text("\nNothing was measured: how often it errs is not known.", "bold")
    yield Text("\nLimits", "bold")
    for limit in card.limits or ("None are written on the card, which does not mean that there are none.",):
        yield Padding(Text(shown(limit)), (0, 0, 0, 2))


def _facts(installed: Installed) -> Table:
    card = installed.card
    size = sum(path.stat().st_size for path in installed.folder.rglob("*") if path.is_file())
    table = _grid()
    table.add_row("network", card.arch + (", in 8-bit integers" if card.precision == "int8" else ""))
    names = _names(card.training.get("members"))
    for member in card.members:
        table.add_row("member", f"{names.get(member, '?')}, id {member}")
    table.add_row("classes", shown(", ".join(card.classes[:12]) + (" …" if len(card.classes) > 12 else "")))
    table.add_row("looks at", looks_at(card) if not card.members else "what each member looks at")
    table.add_row("answers", band_words(card))
    bias = f", bias {', '.join(f'{one:+.3g}' for one in card.bias)}" if card.bias else ""
    table.add_row("calibration", f"temperature {card.temperature:.3g}{bias}")
    table.add_row("size", f"{size / 2**20:.1f} MB")
    table.add_row("id", installed.id)
    table.add_row("folder", Text(shown(str(installed.folder)), overflow="fold"))
    return table


def _names(members: object) -> dict[str, str]:
    """Return the names of an ensemble's members by id, as its card gives them, which may say anything."""
    found = [one for one in members if isinstance(one, dict)] if isinstance(members, list) else []
    return {str(one.get("id")): shown(str(one.get("name"))) for one in found}


def _training(training: dict[str, Any]) -> Iterator[RenderableType]:
    counts = training.get("pictures")
    if not isinstance(counts, dict):
        return
    yield Text("\nPictures", "bold")
    table = _grid()
    for split, sources in counts.items():
        if isinstance(sources, dict) and all(isinstance(count, int) for count in sources.values()):
            listed = ", ".join(f"{name} {count:,}" for name, count in sources.items())
            table.add_row(shown(str(split)), f"{sum(sources.values()):,}", Text(shown(listed)))
    yield table


def _shortcuts(training: dict[str, Any]) -> Iterator[RenderableType]:
    """Yield why the audit of the training pictures failed, where the detector was trained all the same."""
    found = training.get("shortcuts")
    if not found:
        return
    yield Text("\nTrained with --allow-shortcuts", "bold")
    yield Text("  The audit of its pictures failed: its figures may say nothing of the pictures.")
    for reason in found if isinstance(found, list) else ():
        yield Padding(Text(shown(str(reason))), (0, 0, 0, 2))


def _grid() -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=False, min_width=12, overflow="fold")
    return table
