"""From a trained network to a model folder: a diffusers pipeline in half precision, and a card that names its files."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from classifier.atomic import write_json
from classifier.detector import sha256_of

CARD, INDEX, README = "model.json", "model_index.json", "README.md"
UNET, SCHEDULER = "unet", "scheduler"


class NotPublished(Exception):
    """A model that cannot be written or read; `str()` is one sentence that says which and why."""


def publish(model: Path, out: Path, facts: Mapping[str, Any]) -> Path:
    """Write the model folder `model` (unet/ and scheduler/, as training leaves it) to `out`; see `write`.

    Whatever its scheduler says, samplers are to start at the last noise level. Raises `NotPublished`.
    """
    from diffusers import DDPMScheduler, UNet2DModel

    for part in (UNET, SCHEDULER):
        if not (model / part).is_dir():
            raise NotPublished(f"{model} has no folder {part}; give the folder 'model' of a train-generator run.")
    network = UNet2DModel.from_pretrained(model / UNET, use_safetensors=True, local_files_only=True)
    scheduler = DDPMScheduler.from_pretrained(
        model / SCHEDULER, local_files_only=True, timestep_spacing="trailing", clip_sample=True
    )
    return write(network, scheduler, out, facts)


def write(network: Any, scheduler: Any, out: Path, facts: Mapping[str, Any]) -> Path:
    """Write a model folder, whole or not at all, and return it: unet/ (float16 safetensors), scheduler/, two cards.

    `DDPMPipeline.from_pretrained` opens it. model.json holds name, size in pixels, number of parameters, `facts` as
    `training`, and the sha256 of every other file. An older model in `out` is replaced; any other folder that is not
    empty is left alone. Raises `NotPublished`, also for weights that half precision cannot hold.
    """
    if out.exists() and not (out / CARD).is_file() and not (out.is_dir() and not any(out.iterdir())):
        raise NotPublished(f"{out} is there already and holds no model; give a new folder.")
    with _taking_the_place_of(out) as part:
        _half(network, out).save_pretrained(part / UNET, safe_serialization=True)
        scheduler.save_pretrained(part / SCHEDULER)
        _forget_origin(part)
        write_json(part / INDEX, _index())
        files = sorted(path for path in part.rglob("*") if path.is_file())
        card = {
            "name": out.name,
            "size": int(network.config.sample_size),
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "training": dict(facts),
            "files": {path.relative_to(part).as_posix(): sha256_of(path) for path in files},
        }
        write_json(part / CARD, card)
    return out


def read_card(folder: Path) -> dict[str, Any]:
    """Return what model.json says; raises `NotPublished`."""
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotPublished(f"{folder} has no readable {CARD} ({' '.join(str(error).split())[:120]}).") from None
    return card


def _half(network: Any, out: Path) -> Any:
    """Return a copy of the network in half precision on the CPU, its weights in the usual order."""
    import copy

    import torch

    half = copy.deepcopy(network).requires_grad_(False)
    for name, parameter in half.named_parameters():  # one by one: the model's own `to` prints a warning about casts
        parameter.data = parameter.data.to("cpu", torch.float16).contiguous()
        if not bool(torch.isfinite(parameter).all()):
            raise NotPublished(f"The weights {name} do not fit into half precision; {out} was not written.")
    return half


def _forget_origin(part: Path) -> None:
    """Take the folder that a model was loaded from out of its configuration: it says where its maker's files lie."""
    for path in part.rglob("*.json"):
        config = json.loads(path.read_text(encoding="utf-8"))
        config.pop("_name_or_path", None)
        write_json(path, config)


def _index() -> dict[str, Any]:
    import diffusers

    return {
        "_class_name": "DDPMPipeline",
        "_diffusers_version": diffusers.__version__,
        SCHEDULER: ["diffusers", "DDPMScheduler"],
        UNET: ["diffusers", "UNet2DModel"],
    }


@contextmanager
def _taking_the_place_of(folder: Path) -> Iterator[Path]:
    """Yield a new folder that takes the place of `folder` when the block ends well, and is removed when it does not."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield part
        for path in (part, *part.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        old = part.with_name(f"{part.name}.old")
        if folder.exists():
            folder.replace(old)
        part.replace(folder)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(part, ignore_errors=True)
