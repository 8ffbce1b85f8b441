"""What scans have kept, on a terminal: counts, how p is spread, rows and folders, in 80 columns."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from forensics_app.cli.figures import figures_table
from forensics_app.cli.verdicts import HUES, sign
from forensics_app.core.words import ANSWERS, ICONS, answer, shown

if TYPE_CHECKING:
    from forensics_app.cli.run import Terminal
    from forensics_app.core.store import FolderSummary, Query, Stored
    from forensics_app.core.store_lookup import LookedUp

ROWS, FOLDERS = 20, 50
BARS = "▁▂▃▄▅▆▇█"
EVERY = 10**12
LONGEST_NAME = 400


@dataclass(frozen=True)
class Counted:
    """How many rows there are of each answer, and their p in twentieths: the first line of `show --json`."""

    total: int
    counts: dict[str, int]
    histogram: dict[str, list[int]]
    detector: str
    detector_id: str


def show_rows(found: LookedUp, query: Query, terminal: Terminal, limit: int | None) -> None:
    """Print counts and the first rows; as JSON all rows unless there is a limit."""
    store, kept = found.store, found.detector
    counts, spread = store.counts(query), store.histogram(query)
    total = sum(counts.values())
    if terminal.json:
        terminal.record(Counted(total, counts, spread, kept.name, kept.id))
        for _, stored in zip(range(EVERY if limit is None else limit), store.stored_rows(query), strict=False):
            terminal.record(_record(stored))
        return
    _show_head(found, total, terminal)
    for name in ANSWERS:
        if counts[name]:
            terminal.result(Text(f"{counts[name]:11,}  ").append_text(sign(name)))
    if total > counts["error"]:
        for line in _histogram(spread):
            terminal.result(line)
    page = store.page(query, limit=ROWS if limit is None else limit) if limit != 0 else None
    if page is not None and page.rows:
        terminal.result(_table(page.rows, found.under))
        if page.next is not None:
            terminal.note(f"The first {len(page.rows):,} of {total:,}; --limit shows more, 'forensics export' all.")


def show_folders(found: LookedUp, query: Query, terminal: Terminal, limit: int | None) -> None:
    """Print a row for each folder, those with the most fakes first; as JSON all folders unless there is a limit."""
    most = limit if limit is not None else EVERY if terminal.json else FOLDERS
    folders = found.store.folders(query, most + 1)
    for one in folders[:most] if terminal.json else ():
        terminal.record(_folder_record(one))
    if terminal.json:
        return
    _show_head(found, found.store.count(query), terminal)
    table = figures_table("folder", "files", *(ICONS[name] for name in ANSWERS), "share ◆")
    for one in folders[:most]:
        figures = (f"{count:,}" for count in (sum(one.counts.values()), *(one.counts[name] for name in ANSWERS)))
        table.add_row(Text(_relative(one.folder, found.under)), *figures, f"{100 * one.fake_share:.0f} %")
    if folders:
        terminal.result(table)
    if len(folders) > most:
        terminal.note(f"Only the first {most:,} folders; --limit shows more.")


def _show_head(found: LookedUp, total: int, terminal: Terminal) -> None:
    words = "file" if total == 1 else "files"
    used = datetime.fromtimestamp(found.detector.used_ns / 1e9).strftime("%Y-%m-%d %H:%M")
    where = f" in {shown(os.fsdecode(found.under))}" if found.under else ""
    terminal.result(Text(f"{total:,} {words}{where}"), wrap=False)
    terminal.result(
        Text(f"Detector {shown(found.detector.name)} ({shown(found.detector.id)}), last scan {used}", "dim")
    )


def _record(stored: Stored) -> Mapping[str, Any]:
    beside = {"size": stored.size, "mtime_ns": stored.mtime_ns}
    gone = {"gone": True} if stored.gone else {}
    return stored.row | beside | gone | ({"mark": stored.mark} if stored.mark else {})


def _folder_record(one: FolderSummary) -> dict[str, Any]:
    from forensics_app.core.walk import path_fields

    return path_fields(os.fsdecode(one.folder)) | {"counts": one.counts, "fake_share": one.fake_share}


def _histogram(spread: Mapping[str, Sequence[int]]) -> Iterator[Text]:
    """Yield a line of bars for each answer, all of one scale; any row at all is a bar."""
    most = max(max(bins) for bins in spread.values()) or 1
    for name, bins in spread.items():
        bars = "".join(2 * (BARS[count * (len(BARS) - 1) // most] if count else " ") for count in bins)
        yield Text.assemble(f"{ICONS[name]:>11}  ", (bars, HUES[name]))
    yield Text(f"{'p':>11}  0{'.25':>10}{'.5':>10}{'.75':>10}{'1':>9}", "dim")


def _table(rows: Sequence[Stored], under: bytes) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    table.add_column("p", justify="right", no_wrap=True)
    table.add_column("file", overflow="fold", ratio=1)
    table.add_column("size", justify="right", no_wrap=True)
    for one in rows:
        name, row = answer(one.row), one.row
        p = "" if name == "error" else f"{row['verdict']['p_fake']:.2f}"
        file = Text(_shortened(_relative(_path(row), under)))
        for words in _notes(one):
            file.append(f"  {words}", "dim")
        table.add_row(Text(ICONS[name], HUES[name]), p, file, _size(one.size))
    return table


def _notes(one: Stored) -> Iterator[str]:
    if "error" in one.row:
        yield shown(one.row["error"]["message"])
    yield from (shown(found["summary"]) for found in one.row.get("evidence", ()) if found["finding"] != "nothing")
    if one.gone:
        yield "no longer there"


def _path(row: Mapping[str, Any]) -> bytes:
    return bytes.fromhex(row["path_bytes"]) if "path_bytes" in row else os.fsencode(row["path"])


def _relative(path: bytes, under: bytes) -> str:
    """Return a path as seen from the folder that was asked for."""
    inside = path[len(under) :].lstrip(os.fsencode(os.sep)) if under and path.startswith(under) else path
    return shown(os.fsdecode(inside)) or "."


def _shortened(name: str) -> str:
    """Leave out the middle of a name that would fill the screen."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME // 2]} … {name[-LONGEST_NAME // 2 :]}"


def _size(count: int) -> str:
    if count < 0:  # the file could not be asked
        return ""
    power = next((power for power in range(3) if count < 1000 ** (power + 1)), 3)
    size, unit = count / 1000**power, ("B", "kB", "MB", "GB")[power]
    return f"{size:.0f} {unit}" if not power or size >= 10 else f"{size:.1f} {unit}"
