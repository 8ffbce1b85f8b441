"""The command that compares: runs and detectors with one another, or one recipe with several architectures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forensics_app.cli.run import FAILED_FILES, BadUse, Json, Quiet, Terminal, follow

if TYPE_CHECKING:
    from classifier.recipes import Recipe


def compare(
    those: Annotated[
        list[str], typer.Argument(metavar="RUN RUN…|RECIPE", help="Runs or detectors; or one recipe, with --models.")
    ],
    models: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Train the recipe with these architectures, by commas; all: the usual ten."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", readable=False, help="Judge this folder's pictures; or train on it: data/RECIPE."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", readable=False, help="Write the page and its tables here, and the models' runs."),
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe, such as epochs=1.")
    ] = None,
    weights: Annotated[
        str | None, typer.Option(metavar="NAME|PATH", help="none, imagenet, or a file or folder of torchvision's own.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the runs in --out that were interrupted or failed.")
    ] = False,
    allow_shortcuts: Annotated[
        bool, typer.Option("--allow-shortcuts", help="Train although the audit fails; the cards say so.")
    ] = False,
    device: Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda or mps.")] = "auto",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Do detectors differ? McNemar's test on the same pictures, what each costs, and with --out a page with their maps.

    One recipe with --models is trained with each architecture first; what is finished in --out is not trained again.

    Example: forensics compare vehicles --models all --data pictures --out runs/ten
    """
    terminal = Terminal(json, quiet)
    if models is None:
        _only_for_models({"--set": changes, "--weights": weights, "--resume": resume, "--allow-shortcuts": allow_shortcuts})
        events = _detectors(those, data, out)
    else:
        recipe = _recipe(those, changes or [], weights)
        events = _models(recipe, models, data, out, terminal, resume=resume, allow=allow_shortcuts, device=device)
    found = follow(events, terminal, words=f"Comparing {' and '.join(those) if len(those) < 3 else len(those)}", tell=_line)
    _show(found, terminal)
