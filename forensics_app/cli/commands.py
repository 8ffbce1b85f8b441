"""All commands of `forensics`. Nothing heavy is imported here: every command imports what it needs when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from forensics_app import __version__
from forensics_app.cli import (
    auditing,
    comparing,
    data,
    datasets,
    doctor,
    experiments,
    explaining,
    generating,
    judge,
    models,
    recipes,
    runs,
    scans,
    training,
    window,
)
from forensics_app.cli.run import Guarded

app = typer.Typer(
    name="forensics",
    cls=Guarded,
    epilog="Exit codes: 0 done, 1 finished with failed files, 2 bad use, 130 cancelled. "
    "Example: forensics analyze photo.jpg",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command()(judge.analyze)
app.command()(judge.scan)
app.command()(scans.show)
app.command()(scans.report)
app.command()(scans.export)
app.command()(scans.merge)
app.command()(explaining.explain)
app.command()(judge.demo)
app.command()(datasets.generate)
app.command()(generating.train_generator)
app.command()(auditing.audit)
app.command()(auditing.equalize)
app.command()(training.train)
app.command()(recipes.recipes)
app.command()(training.evaluate)
app.command()(comparing.compare)
app.command()(experiments.robustness)
app.command()(experiments.ensemble)
app.command()(experiments.quantize)
app.command()(experiments.prune)
app.add_typer(data.app, name="data")
app.add_typer(runs.app, name="runs")
app.add_typer(models.app, name="models")
app.command()(doctor.doctor)
app.command()(window.gui)


@app.callback(invoke_without_command=True)
def forensics(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False,
) -> None:
    """Was this picture made by a camera or by a generator? A calibrated verdict that may say unsure, and why.

    Without a command it opens the window.
    """
    if version:
        typer.echo(f"forensics {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        window.gui([])
