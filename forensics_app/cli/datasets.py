"""The command that makes data sets: generate."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forensics_app.cli import auditing
from forensics_app.cli.run import CANCELLED, FAILED_FILES, BadUse, Json, Quiet, Terminal, follow
from forensics_app.core.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.dataset import Dataset
    from generator.imagefolder import DatasetSpec
    from generator.weights import Model

DEFAULT_OUT = Path("data", "cats")
MINUTE_S, TELL_S, ASK_S = 60, 300, 3600


class SchedulerName(str, Enum):
    """How noise becomes a picture."""

    DDPM = "ddpm"
    DDIM = "ddim"
    DPM = "dpm"
    UNIPC = "unipc"


class Dtype(str, Enum):
    """The precision that the network computes in."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


class Format(str, Enum):
    """The one encoder that both classes go through."""

    JPEG = "jpeg"
    PNG = "png"


@dataclass(frozen=True)
class Estimate:
    """How many pictures are left to sample, how many seconds that takes here, and on what."""

    pictures: int
    seconds: float
    device: str


Out = Annotated[
    str | None, typer.Option(metavar="DIR", readable=False, help="A new folder for the data set: data/cats.")
]
Real = Annotated[
    str | None,
    typer.Option(metavar="SOURCE", help="Where real pictures come from: a folder, an archive, a name, or none."),
]
Split = Annotated[
    str | None, typer.Option(metavar="A/B", help="train/val or train/val/test, counts of each class or per cent.")
]
ModelName = Annotated[
    str | None, typer.Option(metavar="NAME", help="bundled, google/ddpm-cat-256, any such hub id, or a folder.")
]
Size = Annotated[
    int | None,
    typer.Option(min=32, max=4096, help="Side of every picture in pixels; the model's own if not given."),
]
Matched = Annotated[
    bool, typer.Option("--match-quality", help="Draw every picture's JPEG quality and size as the real ones have them.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the data set in --out where it stopped.")]


def generate(
    n: Annotated[int, typer.Option("--n", min=1, max=1_000_000, help="Generated pictures, and as many real ones.")],
    out: Out = None,
    real: Real = None,
    split: Split = None,
    model: ModelName = None,
    scheduler: Annotated[SchedulerName, typer.Option(help="How noise becomes a picture.")] = SchedulerName.DDIM,
    steps: Annotated[int, typer.Option(min=1, max=1000, help="Denoising steps for each picture.")] = 50,
    eta: Annotated[float, typer.Option(min=0, max=1, help="ddim only: fresh noise, 0 none, 1 as DDPM.")] = 0.0,
    batch_size: Annotated[int, typer.Option(min=1, max=4096, help="Pictures sampled at once.")] = 16,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Picture i depends on seed + i alone.")] = 0,
    size: Size = None,
    file_format: Annotated[Format, typer.Option("--format", help="The encoder of both classes.")] = Format.JPEG,
    quality: Annotated[int, typer.Option(min=1, max=100, help="JPEG quality of both classes.")] = 90,
    match_quality: Matched = False,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Sample in several processes or on several GPUs.")] = 1,
    device: Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda or mps.")] = "auto",
    dtype: Annotated[Dtype, typer.Option(help="Precision of the network.")] = Dtype.AUTO,
    resume: Resume = False,
    estimate: Annotated[bool, typer.Option("--estimate", help="Only tell how long it would take, and stop.")] = False,
    preview: Annotated[
        Path | None, typer.Option(metavar="FILE", readable=False, help="Keep a PNG of the pictures on their way there.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a job of more than an hour.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a balanced data set of real and generated pictures that differ in nothing but the picture, and audit it.

    Exit code 1 if the audit fails. Unreadable real pictures are replaced by others and told.

    Example: forensics generate --n 150 --real photos --split 100/50
    """
    from classifier.atomic import check_file
    from classifier.places import home
    from generator import dataset, splits, weights
    from generator.equalize import Equalize
    from generator.imagefolder import DatasetSpec
    from generator.sampler import SampleSpec

    terminal, folder = Terminal(json, quiet), DEFAULT_OUT if out is None else _folder(out)
    spec = DatasetSpec(
        count=n, split=splits.parse(split, n), real=real, processes=processes,
        sampling=SampleSpec(
            scheduler=scheduler.value, steps=steps, eta=eta, batch_size=batch_size, seed=seed, device=device,
            dtype=dtype.value,
        ),
        equalize=Equalize(
            size=size or 0, format=file_format.value, quality=quality, match_quality=match_quality
        ),
    )  # fmt: skip
    if preview:
        check_file(preview)
    if out is None:
        terminal.note(f"Writing to {folder} (another place: --out DIR).", wrap=False)
    opened = weights.open_model(weights.resolve(model, device), device=device, dtype=dtype.value)
    left = dataset.pending(spec, opened, folder, resume=resume)
    if estimate:
        _estimate(spec, opened, left, terminal)
        return
    if left:
        _tell_the_cost(spec, opened, left, terminal, yes=yes)
    events = dataset.build(spec, opened, folder, cache=home() / "cache" / "data", resume=resume, preview=preview)
    end = follow(events, terminal, words=f"Making {shown(folder.name)}", tell=_line)
    if isinstance(end, dataset.Dataset):
        _finish(end, terminal)


def _estimate(spec: DatasetSpec, model: Model, left: int, terminal: Terminal) -> None:
    from generator import fakes
    from generator.record import pictures

    seconds = fakes.estimate(model, spec.sampling, left, processes=spec.processes) if left else 0.0
    if terminal.json:
        terminal.record(Estimate(left, round(seconds, 1), model.device.type))
    else:
        terminal.result(f"Sampling {pictures(left)} would take about {_duration(seconds)} here ({model.device.type}).")


def _folder(out: str) -> Path:
    if not out:
        raise BadUse("The name in --out is empty; give a new folder, or . for the one that you are in.")
    return Path(out)


def _tell_the_cost(spec: DatasetSpec, model: Model, left: int, terminal: Terminal, *, yes: bool) -> None:
    """Measure two steps of a job that may be long; above five minutes say how long, above an hour ask."""
    from generator import fakes
    from generator.record import pictures
    from generator.weights import BUNDLED

    seconds = fakes.estimate(model, spec.sampling, left, processes=spec.processes)
    if seconds < TELL_S:
        return
    terminal.note(f"Sampling {pictures(left)} will take about {_duration(seconds)} here.")
    if seconds < ASK_S or yes:
        return
    if not sys.stdin.isatty():
        less = "ask for fewer pictures (--n) or steps (--steps)" if model.name == BUNDLED else "take --model bundled"
        raise BadUse(f"This would take about {_duration(seconds)}: add --yes to do it, or {less}.")
    if not typer.confirm("Go on?", err=True):
        raise typer.Exit(CANCELLED)


def _duration(seconds: float) -> str:
    if seconds < 2 * MINUTE_S:
        return f"{round(seconds)} seconds"
    return f"{seconds / 3600:.1f} hours" if seconds >= ASK_S else f"{round(seconds / MINUTE_S)} minutes"


def _line(event: Any) -> str | None:
    return f"{event.name} …" if type(event).__name__ == "Stage" else None


def _finish(end: Dataset, terminal: Terminal) -> None:
    """Say what was made, and what the audit finds in it; exit code 1 where that is a shortcut."""
    if not terminal.json:
        terminal.result(_made(end), wrap=False)
    for line in _remarks(end):
        terminal.note(line)
    if end.reals is None:
        return
    found = auditing.look(end.folder, terminal)
    for part in () if terminal.json else auditing.paragraphs(found):
        terminal.result(part)
    if found.verdict == "fail":
        raise typer.Exit(FAILED_FILES)


def _made(end: Dataset) -> str:
    made = "Made" if end.made else "Nothing to do, this data set is there already:"
    counts = (
        f"{split} {' + '.join(f'{n} {name}' for name, n in of.items())}" for split, of in end.counts.items() if of
    )
    return f"{made} {shown(str(end.folder))}: {', '.join(counts)}."


def _remarks(end: Dataset) -> Iterator[str]:
    from generator.record import pictures

    if end.reals is None:
        yield "There are no real pictures in it: to add them, give --real with a folder of photographs and a new --out."
        return
    if end.unreadable:
        were = "was" if end.unreadable == 1 else "were"
        yield f"{pictures(end.unreadable)} of {end.reals} could not be read and {were} replaced by others."
    if end.note:
        yield end.note
    for name, count in sorted(end.enlarged.items()):
        yield f"{pictures(count, name)} had to be enlarged, which leaves a trace: give a smaller --size."
