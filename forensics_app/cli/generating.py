"""The commands that make fakes: train-generator."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from forensics_app.cli.run import Json, Quiet, Terminal, follow


class Schedule(str, Enum):
    """How noise grows over the diffusion."""

    COSINE = "cosine"
    LINEAR = "linear"


class Prediction(str, Enum):
    """What the network predicts: velocity, or the noise."""

    V = "v"
    EPSILON = "epsilon"


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
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out where it was stopped.")] = False,
    device: Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda or mps.")] = "auto",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a small DDPM on a folder of pictures; a checkpoint and a grid of samples every 500 steps.

    Example: forensics train-generator --data cats --out runs/cats-64 --size 64 --images 500000
    """
    from generator.training import TrainSpec, train

    spec = TrainSpec(
        size=size, images=images, batch_size=batch_size, schedule=schedule.value, prediction=prediction.value, seed=seed
    )
    events, terminal = train(data, out, spec, resume=resume, device=device), Terminal(json, quiet)
    end = follow(events, terminal, words="Training a generator", tell=_line)
    if end is not None and not json:
        terminal.result(f"Model: {out / 'model'}", wrap=False)


def _line(event: Any) -> str | None:
    return f"step {event.step:,}: samples in {event.grid}" if type(event).__name__ == "Saved" else None
