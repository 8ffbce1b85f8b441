"""The commands that make fakes: train-generator."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from forensics_app.cli.run import BadUse, Json, Quiet, Terminal, follow


class Schedule(str, Enum):
    """How noise grows over the diffusion."""

    COSINE = "cosine"
    LINEAR = "linear"


class Prediction(str, Enum):
    """What the network predicts: velocity, or the noise."""

    V = "v"
    EPSILON = "epsilon"


class Precision(str, Enum):
    """In which numbers the network is trained."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"


CHANNELS = "32,64,128,128"
MOST_LEVELS, WIDEST = 8, 2048


def train_generator(
    data: Annotated[Path, typer.Option(metavar="DIR", readable=False, help="Every picture below it is learned from.")],
    out: Annotated[
        Path, typer.Option(metavar="DIR", readable=False, help="A new folder for checkpoints and the model.")
    ],
    size: Annotated[int, typer.Option(min=16, max=512, help="Side of the pictures in pixels, divisible by 8.")] = 64,
    images: Annotated[int, typer.Option(min=1, help="Pictures shown, over all passes.")] = 1_000_000,
    batch_size: Annotated[int, typer.Option(min=1, max=4096, help="Pictures a step.")] = 32,
    schedule: Annotated[Schedule, typer.Option(help="How noise grows.")] = Schedule.COSINE,
    prediction: Annotated[Prediction, typer.Option(help="What the network predicts.")] = Prediction.V,
    channels: Annotated[str, typer.Option(metavar="N,N…", help="Width of each level; the last attends.")] = CHANNELS,
    lr: Annotated[float, typer.Option(min=1e-7, max=1.0, help="Learning rate.")] = 3e-4,
    ema: Annotated[float, typer.Option(min=0.0, max=0.99999, help="How slowly the averaged weights follow.")] = 0.9995,
    precision: Annotated[Precision, typer.Option(help="auto: bf16 where the device computes in it.")] = Precision.AUTO,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="The same seed gives the same model.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out where it was stopped.")] = False,
    device: Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda or mps.")] = "auto",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a small DDPM on a folder of pictures; a checkpoint, the model and a grid of samples every 500 steps.

    Example: forensics train-generator --data cats --out runs/cats-64 --size 64 --images 500000
    """
    from generator.diffusion import TrainSpec
    from generator.training import Saved, train

    widths = _widths(channels)
    spec = TrainSpec(
        size=size, channels=widths, attention=(*(False for _ in widths[1:]), True), images=images,
        batch_size=batch_size, schedule=schedule.value, prediction=prediction.value, lr=lr, ema=ema,
        precision=precision.value, seed=seed,
    )  # fmt: skip
    events, terminal = train(data, out, spec, resume=resume, device=device), Terminal(json, quiet)
    end = follow(events, terminal, words="Training a generator", tell=_line)
    if isinstance(end, Saved) and not json:
        terminal.result(f"Model: {end.model}", wrap=False)


def _widths(text: str) -> tuple[int, ...]:
    """Return the widths of the network's levels; raises `BadUse`."""
    parts = text.split(",")
    if not 1 <= len(parts) <= MOST_LEVELS or not all(part.isascii() and part.isdigit() for part in parts):
        raise BadUse(f"--channels takes one to {MOST_LEVELS} numbers with commas between them, such as {CHANNELS}.")
    widths = tuple(int(part[:6]) for part in parts)
    if max(widths) > WIDEST:
        raise BadUse(f"--channels takes widths up to {WIDEST}.")
    return widths


def _line(event: Any) -> str | None:
    return f"step {event.step:,}: samples in {event.grid}" if type(event).__name__ == "Saved" else None
