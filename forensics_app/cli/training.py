"""The commands that make and measure detectors: train and evaluate."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forensics_app.cli.auditing import guarded
from forensics_app.cli.run import BadUse, DetectorName, Json, Quiet, Terminal, follow

if TYPE_CHECKING:
    from classifier.data import Split
    from classifier.detector import Card
    from classifier.metrics import Metrics
    from classifier.recipes import Recipe

Folder = Annotated[
    Path, typer.Option("--data", metavar="DIR", readable=False, help="A folder with one folder of pictures a class.")
]


DEFAULT = "cats"


class SplitName(str, Enum):
    """Which pictures of a data folder are measured on."""

    ALL = "all"
    TRAIN = "train"
    VAL = "val"
    CAL = "cal"
    TEST = "test"

    @property
    def part(self) -> Split | None:
        """The split, or None for all pictures."""
        return None if self is SplitName.ALL else self.value

    @classmethod
    def of(cls, *cards: Card) -> SplitName:
        """Return the split that the runs of all of these detectors were measured on, else the test split."""
        from classifier.evaluate import set_aside

        found = {set_aside(card) for card in cards}
        return cls(found.pop()) if len(found) == 1 else cls.TEST


def train(
    recipe: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="A bundled recipe (see 'forensics recipes'), or a YAML file."),
    ] = None,
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
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Change the recipe: epochs=1, phases.0.lr=1e-3 … (repeatable)."
        ),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", readable=False, help="Start from this file: safetensors, or a .pth.")
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write TensorBoard events as well (extra 'tensorboard').")
    ] = False,
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
    from classifier.data import find_pictures
    from classifier.request import Request, request_in

    terminal, given = Terminal(json, quiet), tuple(settings or ())
    plan, out = _planned(recipe, given, str(weights) if weights else None, out, resume)
    begun = request_in(out) if resume else None
    data = data or (Path(begun.data) if begun else _made(plan.name))
    find_pictures(data, plan.data)
    from classifier import run  # brings torch: what was typed wrongly is told before

    run.check_place(plan, out, resume)
    _network_at_hand(plan, out, terminal, device)
    if tensorboard:
        run.check_tensorboard()
    audit = run.kept_audit(out) or guarded(data, plan.data, terminal, allow=allow_shortcuts)
    asked = Request(recipe or DEFAULT, given, str(weights) if weights else None, str(data), tensorboard)
    events = run.run(plan, data, out, resume=resume, device=device, audit=audit, asked=asked)
    end = follow(events, terminal, words=f"Training {plan.name}", tell=line)
    if isinstance(end, run.Finished):
        _told(end.folder, out, terminal)


def _planned(
    recipe: str | None, settings: tuple[str, ...], weights: str | None, out: Path | None, resume: bool
) -> tuple[Recipe, Path]:
    """Return the recipe and the folder of a run; one that is resumed needs neither named again."""
    from classifier import recipes, request

    chosen = None
    if resume:
        out = out or run_folder(recipes.load(recipe or DEFAULT).name, resume)
        chosen = request.resumed(out, recipe, settings, weights)
        if chosen is None and recipe is None:
            raise BadUse(f"There is no run in {out} to go on with: name its folder with --out, or begin one.")
    chosen = chosen or request.planned(recipe or DEFAULT, settings, weights)
    return chosen, out or run_folder(chosen.name, resume)


def _network_at_hand(plan: Recipe, out: Path, terminal: Terminal, device: str) -> None:
    """See that folder, device and network can be had before anything begins, and fetch ImageNet weights."""
    from classifier import nets, pretrained, run, zoo
    from generator.workplace import check_place

    check_place(out)
    nets.pick_device(device)
    if plan.weights == "imagenet" and not (out / run.RECIPE).is_file():
        fetching = pretrained.download(zoo.arch(plan.arch))
        follow(fetching, terminal, words=f"Downloading the weights of {plan.arch} (MB)")
    run.check_network(plan, out)


def _told(detector: Path, out: Path, terminal: Terminal) -> None:
    """Print the figures of a finished run, unless programs are listening, and write its report."""
    from classifier.detector import open_folder
    from forensics_app.cli.figures import tables
    from forensics_app.core import run_report

    for part in () if terminal.json else tables(open_folder(detector).card.metrics):
        terminal.result(part)
    if not terminal.json:
        terminal.result(f"Detector: {detector}", wrap=False)
    terminal.note("Writing the report …")
    page = run_report.write(out)
    if not terminal.json:
        terminal.result(f"Report: {page}", wrap=False)


def _made(name: str) -> Path:
    """Return the folder data/NAME of a recipe: that of the default one is what `forensics generate` leaves."""
    folder = Path("data", name)
    if not folder.is_dir():
        made = "make it with 'forensics generate --n 150', or " if name == DEFAULT else ""
        raise BadUse(f"There is no {folder} to train on: {made}give --data DIR, a folder with one folder a class.")
    return folder


def run_folder(name: str, resume: bool) -> Path:
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
    degrade: Annotated[
        str | None, typer.Option(metavar="NAME", help="Damage them first: jpeg75, blur2, noise5 …")
    ] = None,
    tta: Annotated[
        str | None, typer.Option(metavar="N|NAMES", help="Average over views: 2 to 10, or flip,crops.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", readable=False, help="A new folder for figures and predictions."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure a detector on labelled pictures: accuracy, calibration, coverage, each with n and its interval.

    --out keeps what was said of each picture, which the window's page Evaluate shows.
    With --tta (test-time augmentation) also the mean over several views of each picture, beside one view alone.

    Example: forensics evaluate --data pictures --detector default
    """
    from dataclasses import asdict

    from classifier import evaluate as measuring
    from classifier.atomic import check_new
    from classifier.degradations import degradation
    from classifier.evaluation_record import evaluate_into
    from classifier.runtime import Detector
    from forensics_app.cli.figures import tables
    from forensics_app.cli.measurements import average, warn_of_seen

    terminal, loaded = Terminal(json, quiet), Detector.load(detector)
    damage = degradation(degrade)
    if tta:
        average(loaded, data, tta, split=split, degrade=damage, out=out, terminal=terminal)
        return
    items = measuring.labelled(loaded.card, data, split.part)
    warn_of_seen(loaded, items, split, terminal)
    if out:
        check_new(out)
        events = evaluate_into(loaded, items, out, split=split.value, degrade=damage)
    else:
        events = measuring.evaluate(loaded, items, degrade=degrade)
    end = follow(events, terminal, words=f"Measuring {loaded.name}")
    for part in () if json else tables({_title(loaded.card, split, degrade): asdict(_metrics(end))}):
        terminal.result(part)


def _title(card: Card, split: SplitName, degrade: str | None) -> str:
    """Return the name of the figures; of validation pictures that decided something it does not say that none did."""
    from classifier.evaluate import set_aside

    name = "val_chosen_by" if split is SplitName.VAL and set_aside(card) != "val" else split.value
    return f"{name}_{degrade}" if degrade else name


def _metrics(end: Any) -> Metrics:
    from classifier.metrics import Metrics

    if not isinstance(end, Metrics):
        raise BadUse("Nothing was measured.")
    return end


def line(event: Any) -> str | None:
    """Return a line for an event of a run, or None for one that has nothing to say."""
    kind = type(event).__name__
    if kind == "Stage":
        return f"{event.name} …"
    if kind == "NoTwin":
        return f"No fast twin: {event.reason}"
    if kind == "LeftOut":
        from forensics_app.core.words import shown

        path, reason = event.files[0]
        count = "1 file" if len(event.files) == 1 else f"{len(event.files)} files"
        return f"{count} left out, the first: {shown(f'{path.parent.name}/{path.name}')}: {reason}"
    if kind == "Epoch":
        return (
            f"epoch {event.epoch + 1:3d}  loss {event.train_loss:.4f}  accuracy {event.train_accuracy:.3f}  "
            f"val {event.val_balanced_accuracy:.3f}  {event.seconds:.0f} s{'  features kept' * event.cached}"
        )
    return None
