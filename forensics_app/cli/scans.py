"""The commands that read what scans have kept: show, report, export and merge."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics_app.cli.run import BadUse, Json, Quiet, Terminal, follow

if TYPE_CHECKING:
    from forensics_app.core.store_export import Exported, Format, Reported


class Verdicts(str, Enum):
    """What can be said of a picture."""

    FAKE = "fake"
    UNSURE = "unsure"
    REAL = "real"


class Marks(str, Enum):
    """What a person said of a file in the window."""

    FAKE = "fake"
    UNSURE = "unsure"
    REAL = "real"
    NONE = "none"


class Order(str, Enum):
    """What rows can be sorted by."""

    P = "p"
    PATH = "path"
    SIZE = "size"
    JUDGED = "judged"


Where = Annotated[
    str,
    typer.Argument(
        metavar="[FOLDER]",
        help="A report's folder, a scanned folder or one below it, or an archive.",
        show_default=False,
    ),
]
StoreFile = Annotated[
    Path | None, typer.Option("--store", metavar="FILE", help="The store, if it is not where scans keep theirs.")
]
Judge = Annotated[str, typer.Option("--detector", metavar="NAME", help="Its rows, not those of the last one used.")]
Said = Annotated[list[Verdicts] | None, typer.Option("--verdict", help="Only these; may be given again.")]
Above = Annotated[float | None, typer.Option(metavar="P", min=0, max=1, help="Only with p of at least P.")]
Below = Annotated[float | None, typer.Option(metavar="P", min=0, max=1, help="Only with p of at most P.")]
Formats = Annotated[list[str] | None, typer.Option("--format", metavar="NAME", help="Only these, such as JPEG.")]
Errors = Annotated[bool, typer.Option("--errors", help="Only files that could not be judged.")]
WithEvidence = Annotated[bool | None, typer.Option("--evidence/--no-evidence", help="Only with (or without) evidence.")]
Name = Annotated[str, typer.Option(metavar="TEXT", help="Only files with TEXT in their names.")]
Marked = Annotated[list[Marks] | None, typer.Option("--mark", help="Only marked so in the window; may be given again.")]
Gone = Annotated[bool, typer.Option("--gone", help="Files that are no longer there, too.")]


def show(
    folder: Where = "",
    store: StoreFile = None,
    detector: Judge = "",
    verdict: Said = None,
    above: Above = None,
    below: Below = None,
    format_: Formats = None,
    errors: Errors = False,
    evidence: WithEvidence = None,
    name: Name = "",
    mark: Marked = None,
    gone: Gone = False,
    sort: Annotated[Order, typer.Option(help="p, size and judged begin with the highest, path with A.")] = Order.P,
    reverse: Annotated[bool, typer.Option("--reverse", help="Begin at the other end.")] = False,
    limit: Annotated[int | None, typer.Option(min=0, metavar="N", help="So many rows; by default 20.")] = None,
    folders: Annotated[bool, typer.Option("--folders", help="A row for each folder instead of each file.")] = False,
    json: Json = False,
) -> None:
    """Show what scans have found: counts, how p is spread, and a page of rows. With --json all rows.

    Example: forensics show ~/Pictures --verdict fake --above 0.9
    """
    from forensics_app.cli import scan_tables
    from forensics_app.core.store_lookup import Filters, looked_up

    filters = Filters(_labels(verdict, errors), above, below, format_, evidence, name, _marks(mark), gone)
    terminal = Terminal(json)
    with looked_up(folder, store, detector) as found:
        query = found.query(filters, sort.value, turned=reverse)
        if folders:
            scan_tables.show_folders(found, query, terminal, limit)
        else:
            scan_tables.show_rows(found, query, terminal, limit)


def export(
    folder: Where = "",
    store: StoreFile = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a CSV table.")] = None,
    jsonl: Annotated[Path | None, typer.Option(metavar="FILE", help="Write JSON lines.")] = None,
    parquet: Annotated[Path | None, typer.Option(metavar="FILE", help="Write Parquet (extra 'parquet').")] = None,
    detector: Judge = "",
    verdict: Said = None,
    above: Above = None,
    below: Below = None,
    format_: Formats = None,
    errors: Errors = False,
    evidence: WithEvidence = None,
    name: Name = "",
    mark: Marked = None,
    gone: Gone = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the rows of a store to a file for other programs.

    Example: forensics export ~/Pictures --csv pictures.csv
    """
    from forensics_app.core.store_export import exporting
    from forensics_app.core.store_lookup import Filters, looked_up

    wanted: dict[Format, Path | None] = {"csv": csv, "jsonl": jsonl, "parquet": parquet}
    targets = [(form, path) for form, path in wanted.items() if path is not None]
    if not targets:
        raise BadUse("Say where to: --csv FILE, --jsonl FILE or --parquet FILE.")
    filters, terminal = (
        Filters(_labels(verdict, errors), above, below, format_, evidence, name, _marks(mark), gone),
        Terminal(json, quiet),
    )
    with looked_up(folder, store, detector) as found:
        for form, path in targets:
            end = follow(exporting(found.store, found.query(filters), form, path), terminal, words="Writing")
            _tell_end(end, path, terminal)


def report(
    out: Annotated[Path, typer.Option(metavar="DIR", readable=False, help="A folder for report.html and the tables.")],
    folder: Where = "",
    store: StoreFile = None,
    detector: Judge = "",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the report of what scans have kept: report.html, results.csv, results.jsonl.

    Example: forensics report ~/Pictures --out report
    """
    from forensics_app.core.store_export import reporting
    from forensics_app.core.store_lookup import looked_up

    terminal = Terminal(json, quiet)
    with looked_up(folder, store, detector) as found:
        events = reporting(found.store, found.query(), found.detector, out, found.title)
        end = follow(events, terminal, words="Writing the report")
    _tell_end(end, out / "report.html", terminal)


def merge(
    stores: Annotated[list[Path], typer.Argument(metavar="STORE...", help="Stores, or folders of reports.")],
    into: Annotated[Path, typer.Option(metavar="STORE", help="The store that takes their rows; made if missing.")],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Bring the rows of several stores into one; of two rows of one file the one judged later stays.

    Example: forensics merge first/scan.db second/scan.db --into all.db
    """
    from forensics_app.core.store import ScanStore
    from forensics_app.core.store_lookup import file_of, readable
    from forensics_app.core.words import shown

    terminal, sources = Terminal(json, quiet), [file_of(path) for path in stores]
    readable(sources)
    with ScanStore.open(file_of(into)) as store:
        for path in sources:
            end = follow(store.merge(path), terminal, words=f"Merging {path.name}")
            if end is not None and not json:
                terminal.result(f"{end.taken:,} of {end.done:,} rows taken from {shown(str(path))}", wrap=False)


def _labels(verdicts: list[Verdicts] | None, errors: bool) -> frozenset[str] | None:
    chosen = {one.value for one in verdicts or ()} | ({"error"} if errors else set())
    return frozenset(chosen) or None


def _marks(wanted: list[Marks] | None) -> frozenset[str] | None:
    return frozenset("" if one is Marks.NONE else one.value for one in wanted or ()) or None


def _tell_end(end: Exported | Reported | None, path: Path, terminal: Terminal) -> None:
    from forensics_app.core.words import shown

    if end is not None and not terminal.json:
        terminal.result(f"{end.done:,} rows: {shown(str(path))}", wrap=False)
