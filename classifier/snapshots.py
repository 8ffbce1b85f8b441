"""The checkpoints of a run as detectors, so that they can be compared and joined."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file

from classifier.data import Pictures
from classifier.detector import CARD, Installed, open_folder
from classifier.evaluate import Batch, set_aside, splits_of
from classifier.export import compared_on, export, load_network
from classifier.measuring import calibrate_detector
from classifier.recipes import Recipe

DETECTOR = "detector"


class BadSnapshot(Exception):
    """A file that holds no checkpoint of its run; `str()` says why."""


def snapshot(checkpoint: Path, root: Path, folder: Path) -> Generator[Batch, None, Installed]:
    """Write the weights of a checkpoint beside a run's detector as a detector, calibrated on the calibration split.

    `checkpoint` is a safetensors file in the folder of a finished run, such as best-phase1.safetensors. Raises
    `BadSnapshot`, `BadData`, `ExportRefused`.
    """
    run = checkpoint.parent
    if not (run / DETECTOR / CARD).is_file():
        raise BadSnapshot(f"{checkpoint} is in no finished run: {run / DETECTOR / CARD} is not there.")
    made = open_folder(run / DETECTOR)
    network = load_network(made)
    try:
        network.load_state_dict(load_file(checkpoint))
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise BadSnapshot(f"{checkpoint} does not hold the weights of {made.card.arch}: {reason}.") from None
    plain = {"name": f"{made.card.name}-{checkpoint.stem}"[:64], "temperature": 1.0, "bias": (), "band": None}
    facts = {**made.card.training, "checkpoint": checkpoint.name, "set_aside": set_aside(made.card)}
    card = made.card.model_copy(update={**plain, "training": facts, "metrics": {}})
    data, pictures = splits_of(card, root), Pictures()
    check = compared_on(data.splits["cal"] or data.splits["train"], pictures, card.preprocess)
    installed = export(network, card, folder, check=check)
    return (yield from calibrate_detector(Recipe.model_validate(facts["recipe"]), data, installed, pictures))
