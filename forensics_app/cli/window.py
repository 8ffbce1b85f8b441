"""The command that opens the window."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forensics_app.cli.run import BadUse


def gui(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]...", readable=False, help="Pictures or folders to open.")
    ] = None,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Drop a sample, wait for its map, print one JSON line, and leave.")
    ] = False,
) -> None:
    """Open the window.

    Example: forensics gui holiday.jpg
    """
    from forensics_app.core.display import window_problem

    if problem := window_problem():
        raise BadUse(f"{problem} Without a window, try: forensics analyze IMAGE")
    from forensics_app.gui.app import run

    raise typer.Exit(run(paths or [], self_test=self_test))
