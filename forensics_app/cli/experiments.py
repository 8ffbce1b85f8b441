"""The commands that ask more of a detector than its accuracy: robustness, ensemble, quantize and prune."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from forensics_app.cli.run import DetectorName, Json, Quiet, Terminal, follow
from forensics_app.cli.training import Folder, SplitName

NewFolder = Annotated[
    Path, typer.Option("--out", metavar="DIR", readable=False, help="A new folder for the page, plots and figures.")
]
Measured = Annotated[
    SplitName | None,
    typer.Option(
        help="Pictures to measure on, as the detector's recipe splits the folder: by default those set aside."
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of what is random.")]


def robustness(
    data: Folder,
    out: NewFolder,
    detector: DetectorName = "default",
    split: Measured = None,
    only: Annotated[str | None, typer.Option(metavar="NAMES", help="Some of blur, noise, rotate, jpeg …")] = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge pictures under blur, noise, rotation, JPEG, resizing and cropping: accuracy by strength, as curves.

    The same command goes on after Ctrl-C, and adds other degradations to a finished sweep.

    Example: forensics robustness --data pictures --detector default --only jpeg,blur --out robustness
    """
    from classifier import robustness as sweeping
    from classifier.degradations import rows
    from classifier.evaluate import labelled
    from classifier.runtime import Detector
    from forensics_app.cli.measurements import finish
    from forensics_app.core.robustness_page import measurement

    terminal, chosen, loaded = Terminal(json, quiet), rows(only), Detector.load(detector)
    sweeping.check_place(out)
    split = split or SplitName.of(loaded.card)
    items = labelled(loaded.card, data, split.part)
    events = sweeping.sweep(loaded, items, chosen, out, split=split.value, seed=seed)
    end = follow(events, terminal, words=f"Measuring {loaded.name}")
    if isinstance(end, sweeping.Sweep):
        finish(measurement(end), out, terminal)


def ensemble(
    members: Annotated[
        list[str],
        typer.Argument(metavar="DETECTOR...", help="Detectors, runs, or a run's checkpoints (.safetensors)."),
    ],
    data: Folder,
    out: NewFolder,
    split: Measured = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="The ensemble's name.")] = "ensemble",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Join detectors into one that says the mean of their probabilities, and measure it beside each of them.

    Example: forensics ensemble runs/first runs/second --data pictures --out both
    """
    from classifier import ensemble as joining
    from classifier.atomic import new_folder
    from forensics_app.cli.measurements import finish, members_of
    from forensics_app.core.ensemble_page import measurement

    terminal = Terminal(json, quiet)
    with new_folder(out) as part, members_of(members, data, terminal) as found:
        split = split or SplitName.of(*(one.card for one in found))
        events = joining.join(found, data, part / "detector", split=split.part, name=name)
        end = follow(events, terminal, words=f"Measuring {len(found)} detectors")
        if isinstance(end, joining.Ensembled):
            finish(measurement(end), part, terminal, place=out)
    told_where(out, terminal)


def quantize(
    detector: Annotated[str, typer.Argument(metavar="DETECTOR", help="An installed detector, or its folder.")],
    data: Folder,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", readable=False, help="A new folder for the detector, its page, plots and figures."),
    ] = None,
    split: Measured = None,
    max_shift: Annotated[float, typer.Option(min=0, max=1, help="Largest shift of a probability.")] = 0.1,
    max_flipped: Annotated[float, typer.Option(min=0, max=1, help="Largest part of changed answers.")] = 0.02,
    force: Annotated[bool, typer.Option("--force", help="Keep it although it is over the limits.")] = False,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a detector that computes in 8-bit integers, several times as fast; refused if its answers move too far.

    Without --out it becomes the fast twin inside the detector's own folder, which --fast judges with.

    Example: forensics quantize runs/first/detector --data pictures
    """
    from classifier import quantize as quantizing
    from classifier.ensemble import member
    from forensics_app.cli.measurements import place, report
    from forensics_app.core.quantization_page import measurement

    terminal, installed = Terminal(json, quiet), member(detector)
    limits, split = quantizing.Limits(max_shift, max_flipped), split or SplitName.of(installed.card)
    quantizing.check(installed, split.value)
    with place(out) as part:
        events = quantizing.quantize(installed, data, part and part / "detector", split=split.part or "test",
                                     limits=limits, force=force, seed=seed)  # fmt: skip
        end = follow(events, terminal, words=f"Quantizing {installed.card.name}", tell=stage)
        if isinstance(end, quantizing.Quantized):
            report(measurement(end), part, terminal, place=out)
    told_where(out or installed.folder, terminal, "detector" if out else "fast")


def prune(
    detector: Annotated[str, typer.Argument(metavar="DETECTOR", help="An installed detector, its folder, or a run.")],
    data: Folder,
    out: NewFolder,
    sparsity: Annotated[str, typer.Option(metavar="A,B,…", help="Parts of the weights to set to zero.")] = "",
    structured: Annotated[bool, typer.Option("--structured", help="Whole filters instead of single weights.")] = False,
    finetune: Annotated[int, typer.Option(min=0, metavar="EPOCHS", help="Train so long after each pruning.")] = 0,
    keep: Annotated[float | None, typer.Option(metavar="PART", help="Write the detector of this sparsity.")] = None,
    split: Measured = None,
    device: Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda or mps.")] = "auto",
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Set more and more of a network's smallest weights to zero: accuracy by sparsity, as a curve.

    Example: forensics prune runs/first --data pictures --sparsity 0.5,0.8,0.9 --out pruned
    """
    from classifier import prune as pruning
    from classifier.atomic import new_folder
    from classifier.ensemble import member
    from forensics_app.cli.measurements import finish, numbers
    from forensics_app.core.pruning_page import measurement

    terminal, installed = Terminal(json, quiet), member(detector)
    asked = numbers(sparsity, "--sparsity") or pruning.SPARSITIES
    plan = pruning.Plan(asked, "structured" if structured else "unstructured", finetune, keep, seed)
    pruning.check(installed, plan)
    split = split or SplitName.of(installed.card)
    with new_folder(out) as part:
        events = pruning.prune(installed, data, plan, folder=part / "detector", split=split.part, device=device)
        end = follow(events, terminal, words=f"Pruning {installed.card.name}", tell=stage)
        if isinstance(end, pruning.Pruned):
            finish(measurement(end), part, terminal, place=out)
    told_where(out, terminal)


def told_where(out: Path, terminal: Terminal, name: str = "detector") -> None:
    """Print where the detector is, if one was made."""
    if (out / name).is_dir() and not terminal.json:
        terminal.result(f"Detector: {out / name}", wrap=False)


def stage(event: Any) -> str | None:
    """Return a line for an event that begins a part of a job."""
    return f"{event.name} …" if type(event).__name__ == "Stage" else None
