"""The commands that make and measure detectors: train and evaluate."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forensics_app.cli.auditing import guarded
from forensics_app.cli.run import BadUse, DetectorName, Json, Quiet, Terminal, follow

if TYPE_CHECKING:
    from classifier.metrics import Metrics

Folder = Annotated[
    Path, typer.Option("--data", metavar="DIR", readable=False, help="A folder with one folder of pictures a class.")
]


class SplitName(str, Enum):
    """Which pictures of a data folder are measured on."""

    ALL = "all"
    TRAIN = "train"
    VAL = "val"
    CAL = "cal"
    TEST = "test"


def train(
    recipe: Annotated[str, typer.Option(metavar="NAME|FILE", help="A bundled recipe, or a YAML file.")] = "cats",
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", readable=False, help="A folder with one folder of pictures a class: data/NAME."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", readable=False, help="A new folder for the run, its report and detector: runs/NAME."
        ),
    ] = None,
    allow_shortcuts: Annotated[
        bool, typer.Option("--allow-shortcuts", help="Train although the audit fails; the detector's card says so.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out where it was stopped.")] = False,
    device: Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda or mps.")] = "auto",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a detector from a recipe, calibrate and measure it on pictures set aside; --resume goes on after Ctrl-C.

    Example: forensics train --recipe fake-real --data pictures --out runs/mine
    """
    from classifier import recipes, run

    chosen, terminal = recipes.load(recipe), Terminal(json, quiet)
    data, out = data or _made(chosen.name), out or _run_folder(chosen.name, resume)
    run.check_place(chosen, out, resume)
    audit = run.kept_audit(out) or guarded(data, chosen.data, terminal, allow=allow_shortcuts)
    events = run.run(chosen, data, out, resume=resume, device=device, audit=audit)
    end = follow(events, terminal, words=f"Training {chosen.name}", tell=_line)
    if isinstance(end, run.Finished) and not json:
        from classifier.detector import open_folder
        from forensics_app.cli.figures import tables

        for part in tables(open_folder(end.folder).card.metrics):
            terminal.result(part)
        terminal.result(f"Detector: {end.folder}", wrap=False)
    if isinstance(end, run.Finished):
        from forensics_app.core import run_report

        terminal.note("Writing the report …")
        page = run_report.write(out)
        if not json:
            terminal.result(f"Report: {page}", wrap=False)


def _made(name: str) -> Path:
    """Return the data set that `forensics generate` leaves for a recipe."""
    folder = Path("data", name)
    if not folder.is_dir():
        raise BadUse(
            f"There is no {folder} to train on: make it with 'forensics generate --n 150', or give --data DIR."
        )
    return folder


def _run_folder(name: str, resume: bool) -> Path:
    """Return a new folder for a run, or with `resume` the newest of its name that there is."""
    folders = [Path("runs", name), *(Path("runs", f"{name}-{number}") for number in range(2, 10_000))]
    fresh = next(index for index, folder in enumerate(folders) if not folder.exists())
    return folders[max(fresh - 1, 0) if resume else fresh]


def evaluate(
    data: Folder,
    detector: DetectorName = "default",
    split: Annotated[
        SplitName, typer.Option(help="all of the folder, or a split as the detector's recipe makes it.")
    ] = SplitName.ALL,
    degrade: Annotated[str | None, typer.Option(metavar="NAME", help="Recompress first, such as jpeg75.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure a detector on labelled pictures: accuracy, calibration, coverage, each with n and its interval.

    Example: forensics evaluate --data pictures --detector default
    """
    from dataclasses import asdict

    from classifier import evaluate as measuring
    from classifier.runtime import Detector
    from forensics_app.cli.figures import tables

    terminal, loaded = Terminal(json, quiet), Detector.load(detector)
    measuring.degradation(degrade)
    items = measuring.labelled(loaded.card, data, None if split is SplitName.ALL else split.value)
    end = follow(measuring.evaluate(loaded, items, degrade=degrade), terminal, words=f"Measuring {loaded.name}")
    for part in () if json else tables({_title(split, degrade): asdict(_metrics(end))}):
        terminal.result(part)


def _title(split: SplitName, degrade: str | None) -> str:
    return f"{split.value}_{degrade}" if degrade else split.value


def _metrics(end: Any) -> Metrics:
    from classifier.metrics import Metrics

    if not isinstance(end, Metrics):
        raise BadUse("Nothing was measured.")
    return end


def _line(event: Any) -> str | None:
    kind = type(event).__name__
    if kind == "Stage":
        return f"{event.name} …"
    if kind == "LeftOut":
        from forensics_app.core.words import shown

        path, reason = event.files[0]
        count = "1 file" if len(event.files) == 1 else f"{len(event.files)} files"
        return f"{count} left out, the first: {shown(f'{path.parent.name}/{path.name}')}: {reason}"
    if kind == "Epoch":
        return (
            f"epoch {event.epoch + 1:3d}  loss {event.train_loss:.4f}  accuracy {event.train_accuracy:.3f}  "
            f"val {event.val_balanced_accuracy:.3f}  {event.seconds:.0f} s"
        )
    return None
