"""The command that compares: runs and detectors with one another, or one recipe with several architectures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forensics_app.cli.auditing import guarded
from forensics_app.cli.run import FAILED_FILES, BadUse, Json, Quiet, Terminal, follow
from forensics_app.cli.training import line, run_folder

if TYPE_CHECKING:
    from classifier.request import Request


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
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe: epochs=1, weights=none … (repeatable)."),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(metavar="DIR", readable=False, help="Start from these: a file for each architecture.")
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write TensorBoard events of each run (extra 'tensorboard').")
    ] = False,
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
        _only_for_models(set=settings, weights=weights, resume=resume, allow_shortcuts=allow_shortcuts)
        events = _detectors(those, data, out)
    else:
        asked = _request(those, settings, weights, data, tensorboard)
        events = _models(asked, models, out, terminal, resume=resume, allow=allow_shortcuts, device=device)
    words = f"Comparing {Path(those[0]).stem if models else f'{len(those)} detectors'}"
    _show(follow(events, terminal, words=words, tell=_told), terminal)


def _only_for_models(**options: Any) -> None:
    given = [name.replace("_", "-") for name, value in options.items() if value]
    if given:
        raise BadUse(f"--{given[0]} changes how models are trained: give one recipe and --models NAMES with it.")


def _detectors(those: list[str], data: Path | None, out: Path | None) -> Iterator[Any]:
    from classifier.recipes import recipe_files
    from forensics_app.core.compare_jobs import compare_detectors
    from forensics_app.core.contenders import contenders, known_detectors
    from generator.workplace import check_place

    if len(those) == 1 and those[0] in recipe_files() and those[0] not in known_detectors():
        raise BadUse(
            f"{those[0]} is one recipe: add --models all, or two architectures or more, to compare them in it."
        )
    if out is not None and out.is_file():
        raise BadUse(f"No page can be written into {out}, which is a file: give a folder.")
    if out is not None:
        check_place(out)
    found = contenders(those)
    *most, last = (one.name for one in found)
    return compare_detectors(found, f"{', '.join(most)} and {last}", data=data, out=out)


def _request(
    those: list[str], settings: list[str] | None, weights: Path | None, data: Path | None, tensorboard: bool
) -> Request:
    from classifier.recipes import load
    from classifier.request import Request

    if len(those) > 1:
        raise BadUse(f"--models takes one recipe, not {len(those)} names; without it two runs or more are compared.")
    if weights is not None and not weights.is_dir():
        raise BadUse(f"{weights} is no folder: --weights takes one with a file for each architecture.")
    folder = data or Path("data", load(those[0]).name)
    return Request(those[0], tuple(settings or ()), str(weights) if weights else None, str(folder), tensorboard)


def _models(
    asked: Request, names: str, out: Path | None, terminal: Terminal, *, resume: bool, allow: bool, device: str
) -> Iterator[Any]:
    from classifier import nets, request, run, series
    from forensics_app.core.compare_models import compare_models, kept_audit, wanted_models
    from generator.workplace import check_place

    recipe = request.planned(asked.recipe, asked.settings, asked.weights)
    archs, data = series.models(names), Path(asked.data)
    if not data.is_dir():
        raise BadUse(
            f"There is no data folder {data}: give --data DIR, a folder with a folder of pictures for each class."
        )
    out = out or run_folder(f"compare-{recipe.name}", resume)
    wanted = wanted_models(recipe, archs, data, out, asked)
    series.check(wanted)
    check_place(out)
    nets.pick_device(device)
    if asked.tensorboard:
        run.check_tensorboard()
    audit = kept_audit(wanted) or guarded(data, recipe.data, terminal, allow=allow)
    return compare_models(wanted, resume=resume, device=device, audit=audit)


def _told(event: Any) -> str | None:
    """Return a line for an event; what a model's own run says comes under its name."""
    kind = type(event).__name__
    if kind in ("Stage", "Part"):
        return f"{event.name} …"
    if kind == "Began":
        return f"{event.model}: {event.number} of {event.count} to train"
    if kind == "Inside" and event.name in ("Epoch", "LeftOut"):
        return f"{event.model}: {line(event.inner)}"
    if kind == "Ready" and event.reused:
        return f"{event.model}: finished before, used as it is"
    if kind == "GaveUp":
        return f"{event.model}: not finished. {event.why}"
    return None


def _show(found: Any, terminal: Terminal) -> None:
    """Print what was found, and leave with 1 if a model could not be finished."""
    from forensics_app.cli.comparisons import paragraphs
    from forensics_app.core.comparison import Compared

    if not isinstance(found, Compared):
        raise BadUse("Nothing was compared.")
    for part in () if terminal.json else paragraphs(found):
        terminal.result(part)
    if found.page and not terminal.json:
        terminal.result(f"Report: {found.page}", wrap=False)
    if any(row.failure for row in found.rows):
        raise typer.Exit(FAILED_FILES)
