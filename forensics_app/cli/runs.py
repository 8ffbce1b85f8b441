"""The commands about finished training runs: list them, and write a run's report again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics_app.cli.run import Guarded, Json, Quiet, Terminal, follow

if TYPE_CHECKING:
    from rich.table import Table

    from forensics_app.core.run_list import Listed

RUNS = Path("runs")
app = typer.Typer(cls=Guarded, help="List training runs, or write the report of one again.")


@app.callback(invoke_without_command=True)
def runs(context: typer.Context, json: Json = False) -> None:
    """List training runs, or write the report of one again.

    Example: forensics runs list
    """
    if context.invoked_subcommand is None:
        list_runs(RUNS, json)


@app.command("list")
def list_runs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", readable=False, help="Where the runs are.")] = RUNS,
    json: Json = False,
) -> None:
    """List the training runs below a folder, with what each came to.

    Example: forensics runs list runs
    """
    from forensics_app.core.run_list import listed
    from forensics_app.core.words import shown

    terminal, rows = Terminal(json), list(listed(folder))
    for row in rows if json else ():
        terminal.record(row)
    if json:
        return
    if good := [row for row in rows if row.problem is None]:
        terminal.result(_table(good, folder))
    for row in rows:
        if row.problem:
            terminal.result(f"! {shown(str(row.folder))}  {shown(row.problem)}")
    if not rows:
        terminal.result(f"There are no runs in {shown(str(folder))}; 'forensics train' makes one.")


@app.command("report")
def write_report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", readable=False, help="A finished run's folder.")],
    trust_time: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long maps may be tested; 0 tests none.")
    ] = 60.0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the report of a finished run again, from what lies in its folder.

    Example: forensics runs report runs/first
    """
    from forensics_app.core import run_report

    terminal = Terminal(json, quiet)
    end = follow(run_report.writing(folder, trust_s=trust_time), terminal, words="Writing the report")
    if isinstance(end, run_report.Written) and not json:
        terminal.result(f"Report: {end.page}", wrap=False)


def _table(rows: list[Listed], root: Path) -> Table:
    from rich.table import Table
    from rich.text import Text

    from forensics_app.core.words import shown

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("run", overflow="fold")
    table.add_column("network", overflow="fold")
    for title in ("classes", "epochs"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("balanced acc.", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    for row in rows:
        name = row.folder.relative_to(root).as_posix() if row.folder != root else row.folder.name
        figures = (str(row.classes), str(row.epochs), row.headline or "–", f"{row.n:,}")
        cells = (name, row.arch, *figures)
        table.add_row(*(Text(shown(cell)) for cell in cells))
    return table
