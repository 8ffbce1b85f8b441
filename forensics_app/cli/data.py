"""The commands that bring data sets to try things on: data list, data synthetic and data fetch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forensics_app.cli.run import Guarded, Json, Quiet, Terminal, follow

if TYPE_CHECKING:
    from rich.table import Table

    from generator.fetched import Fetched
    from generator.layouts import Layout

app = typer.Typer(cls=Guarded, help="Make or fetch a labelled data set to try things on.")

Out = Annotated[
    Path | None, typer.Option(metavar="DIR", readable=False, help="A new folder for the data set: data/NAME.")
]
From = Annotated[
    Path | None,
    typer.Option("--from", metavar="PATH", readable=False, help="An archive or folder that you downloaded yourself."),
]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="The same seed gives the same data set.")]
SHOWN = 8


@app.callback(invoke_without_command=True)
def data(context: typer.Context, json: Json = False) -> None:
    """Make or fetch a labelled data set to try things on.

    Example: forensics data synthetic --n 1400
    """
    if context.invoked_subcommand is None:
        list_sets(json)


@app.command("list")
def list_sets(json: Json = False) -> None:
    """List the data sets that `data fetch` knows, with size and licence.

    Example: forensics data list
    """
    from generator.layouts import ROWS

    terminal = Terminal(json)
    for row in ROWS if json else ():
        terminal.record(_told(row))
    if not json:
        terminal.result(_table(ROWS))


@app.command()
def synthetic(
    n: Annotated[int, typer.Option("--n", help="Pictures in all, as many of each class.")] = 1400,
    out: Out = None,
    classes: Annotated[
        str, typer.Option(metavar="A,B…|N", help="Which heads are drawn, or how many kinds of them.")
    ] = "cat,dog",
    size: Annotated[int, typer.Option(help="Side of every picture in pixels.")] = 224,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw a labelled data set for a quick try: heads of animals that differ in their ears alone.

    Example: forensics data synthetic --n 1400 --classes cat,dog --out data/synthetic
    """
    from generator import synthetic as drawing

    terminal, folder = Terminal(json, quiet), out or Path("data", "synthetic")
    spec = drawing.SyntheticSpec(n, drawing.kinds_of(classes), size, seed)
    end = follow(drawing.make(spec, folder), terminal, words=f"Drawing {folder.name}")
    if isinstance(end, drawing.Synthetic) and not json:
        terminal.result(f"Drew {folder}: {_counted(end.counts)}.", wrap=False)
        terminal.note("They are drawings: good to try things on, and no measure of anything else.")


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A data set of `forensics data list`.")],
    out: Out = None,
    split: Annotated[
        str | None,
        typer.Option(metavar="A/B", help="official, none, or per cent: train/test (80/20) or train/val/test."),
    ] = None,
    given: From = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fetch a public data set and lay it out with a folder a class; a download that broke off goes on.

    Example: forensics data fetch flowers102 --split official --out data/flowers102
    """
    from classifier.places import home
    from generator import fetched
    from generator.layouts import layout

    terminal, row, folder = Terminal(json, quiet), layout(name), out or Path("data", name)
    events = fetched.fetch(row, folder, cache=home() / "cache" / "data", split=split, seed=seed, given=given)
    end = follow(events, terminal, words=f"Fetching {name}")
    if isinstance(end, fetched.Fetched):
        _finish(end, terminal)


def _finish(end: Fetched, terminal: Terminal) -> None:
    """Say what was fetched, what was left out, and under which licence it is."""
    from forensics_app.core.words import shown

    if not terminal.json:
        terminal.result(f"Fetched {end.folder}: {_counted(end.counts)}.", wrap=False)
    if end.left_out:
        name, reason = end.left_out[0]
        count = "1 picture was" if len(end.left_out) == 1 else f"{len(end.left_out):,} pictures were"
        terminal.note(f"{count} left out, the first: {shown(name)}: {reason}")
    if end.note:
        terminal.note(end.note)
    terminal.note(f"Licence: {end.licence or 'not known'}.")


def _counted(counts: dict[str, dict[str, int]]) -> str:
    """Return `train 124 ants + 121 bees, val …`; of many classes their number and the pictures in all."""
    parts = []
    for split, found in counts.items():
        name = "" if split == "all" else f"{split} "
        few = " + ".join(f"{count:,} {kind}" for kind, count in found.items())
        parts.append(name + (few if len(found) <= SHOWN else f"{sum(found.values()):,} of {len(found)} classes"))
    return ", ".join(parts)


def _told(row: Layout) -> dict[str, Any]:
    """Return what the list says of a data set."""
    from generator.picture_sets import Set

    source = row.row()
    where = source.remote.url if isinstance(source, Set) else source.page
    size = source.remote.size if isinstance(source, Set) else None
    return {"name": row.name, "what": row.words, "pictures": row.pictures, "classes": row.classes, "bytes": size,
            "official_split": row.official, "licence": source.licence, "from": where}  # fmt: skip


def _table(rows: tuple[Layout, ...]) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("name", no_wrap=True)
    for title in ("pictures", "classes", "download"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("licence", overflow="fold")
    for told in map(_told, rows):
        size = f"{told['bytes'] / 1e6:,.0f} MB" if told["bytes"] else "Kaggle"
        table.add_row(told["name"], f"{told['pictures']:,}", str(told["classes"]), size, told["licence"])
    return table
