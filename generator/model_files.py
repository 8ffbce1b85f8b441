"""The files of a diffusion model: where they lie, and whether they describe something that can be sampled.

Everything here is read before a byte of memory is set aside for weights: a folder may come from anybody.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from classifier.detector import sha256_of
from classifier.files import BadImage, read

INDEX, CONFIG, SCHEDULER = "model_index.json", "config.json", "scheduler_config.json"
WEIGHTS, FACTS = "diffusion_pytorch_model.safetensors", "model.json"
MAX_JSON_BYTES, MAX_WEIGHTS_BYTES = 512 * 1024, 8 * 2**30
PIPELINES = frozenset(("DDPMPipeline", "DDIMPipeline", "PNDMPipeline"))
PICKLES = frozenset((".bin", ".ckpt", ".pkl", ".pt", ".pth"))
DIGEST = re.compile(r"[0-9a-f]{64}")
ONLY = "only unconditional diffusion models of pictures (diffusers' UNet2DModel, as in its DDPMPipeline) can be sampled"

Channels = int  # of a layer
Down = Literal["DownBlock2D", "AttnDownBlock2D", "ResnetDownsampleBlock2D"]
Up = Literal["UpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D"]


class BadModel(Exception):
    """A model that cannot be used; `str()` is one sentence that says which, why and what to do."""


class Strict(BaseModel):
    """Outside text with bounds; only what was given is passed on, so that diffusers' own defaults hold."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Network(Strict):
    """The arguments of diffusers' UNet2DModel that are known, within bounds that a desktop computer can bear."""

    sample_size: int = Field(ge=8, le=1024)
    block_out_channels: tuple[Channels, ...] = Field(min_length=1, max_length=8)
    down_block_types: tuple[Down, ...] = Field(min_length=1, max_length=8)
    up_block_types: tuple[Up, ...] = Field(min_length=1, max_length=8)
    mid_block_type: Literal["UNetMidBlock2D"] | None = None
    in_channels: Literal[3] = 3
    out_channels: Literal[3] = 3
    layers_per_block: int = Field(2, ge=1, le=8)
    attention_head_dim: int | None = Field(None, ge=1, le=1024)
    norm_num_groups: int = Field(32, ge=1, le=1024)
    attn_norm_num_groups: int | None = Field(None, ge=1, le=1024)
    norm_eps: FiniteFloat = Field(1e-5, gt=0, le=1)
    act_fn: Literal["silu", "swish", "mish", "gelu", "relu"] = "silu"
    resnet_time_scale_shift: Literal["default", "scale_shift"] = "default"
    add_attention: bool = True
    center_input_sample: bool = False
    time_embedding_type: Literal["positional"] = "positional"
    time_embedding_dim: int | None = Field(None, ge=1, le=8192)
    freq_shift: int = Field(0, ge=0, le=1)
    flip_sin_to_cos: bool = True
    mid_block_scale_factor: FiniteFloat = Field(1.0, gt=0, le=1000)
    downsample_padding: int = Field(1, ge=0, le=1)
    downsample_type: Literal["conv", "resnet"] = "conv"
    upsample_type: Literal["conv", "resnet"] = "conv"
    dropout: FiniteFloat = Field(0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _fits(self) -> Network:
        blocks = len(self.block_out_channels)
        if not blocks == len(self.down_block_types) == len(self.up_block_types):
            raise ValueError("block_out_channels, down_block_types and up_block_types must be of one length")
        if self.sample_size % 2 ** (blocks - 1):
            raise ValueError(f"a side of {self.sample_size} px cannot be halved {blocks - 1} times")
        if not all(1 <= channels <= 4096 for channels in self.block_out_channels):
            raise ValueError("block_out_channels must be between 1 and 4096")
        return self


class Noise(BaseModel):
    """The part of a scheduler's configuration that the model was trained for; what is of another kind is left out."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    num_train_timesteps: int = Field(1000, ge=1, le=10_000)
    beta_start: FiniteFloat = Field(1e-4, gt=0, lt=1)
    beta_end: FiniteFloat = Field(0.02, gt=0, lt=1)
    beta_schedule: Literal["linear", "scaled_linear", "squaredcos_cap_v2"] = "linear"
    trained_betas: tuple[FiniteFloat, ...] | None = Field(None, max_length=10_000)
    prediction_type: Literal["epsilon", "sample", "v_prediction"] = "epsilon"
    variance_type: Literal["fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log"] = "fixed_small"
    clip_sample: bool = True
    clip_sample_range: FiniteFloat = Field(1.0, gt=0, le=100)
    thresholding: bool = False
    dynamic_thresholding_ratio: FiniteFloat = Field(0.995, gt=0, le=1)
    sample_max_value: FiniteFloat = Field(1.0, gt=0, le=100)
    timestep_spacing: Literal["leading", "linspace", "trailing"] = "leading"
    steps_offset: int = Field(0, ge=0, le=1)
    rescale_betas_zero_snr: bool = False

    @model_validator(mode="after")
    def _one_beta_a_step(self) -> Noise:
        if self.trained_betas is not None and len(self.trained_betas) != self.num_train_timesteps:
            raise ValueError("trained_betas must have num_train_timesteps values")
        if self.trained_betas is not None and not all(0 < beta < 1 for beta in self.trained_betas):
            raise ValueError("trained_betas must lie between 0 and 1")
        return self


SCHEDULERS = frozenset((
    "DDPMScheduler", "DDIMScheduler", "PNDMScheduler", "DPMSolverMultistepScheduler", "UniPCMultistepScheduler",
))  # fmt: skip


@dataclass(frozen=True)
class ModelFiles:
    """A model folder that was looked through: `network` and `scheduler` are arguments for diffusers."""

    folder: Path
    network: Mapping[str, Any]
    scheduler: Mapping[str, Any]
    weights: Path


def look_through(folder: Path) -> ModelFiles:
    """Return the files of a model in either of diffusers' layouts, a pipeline or a network alone; raises `BadModel`."""
    if not folder.is_dir():
        raise BadModel(f"There is no model folder '{folder}'.")
    check_facts(folder)
    if (folder / INDEX).exists():
        _check_pipeline(folder)
    place = folder / "unet" if (folder / "unet" / CONFIG).exists() else folder
    network = _network(folder, place / CONFIG)
    noise = folder / "scheduler" / SCHEDULER
    scheduler = _scheduler(folder, noise if noise.exists() else folder / SCHEDULER)
    return ModelFiles(folder, network, scheduler, _weights(folder, place))


def check_facts(folder: Path, *, needed: bool = False) -> None:
    """Compare the files with their SHA-256 in model.json, where the folder has one (or must); raises `BadModel`."""
    if not needed and not (folder / FACTS).exists():
        return
    listed = _json(folder, folder / FACTS).get("files")
    if not isinstance(listed, dict) or not all(
        isinstance(one, str) and DIGEST.fullmatch(one) for one in listed.values()
    ):
        raise BadModel(f"{folder / FACTS} must list its files with their SHA-256; fetch the model again.")
    for name, digest in listed.items():
        path = _inside(folder, folder / name)
        if not path.is_file():
            raise BadModel(f"The model in {folder} lacks its file {name}; fetch or install it again.")
        if sha256_of(path) != digest:
            raise BadModel(
                f"{path} is not the file that the model was published with (SHA-256 differs): it was changed or "
                "damaged; fetch or install the model again."
            )


def _check_pipeline(folder: Path) -> None:
    found = _json(folder, folder / INDEX).get("_class_name")
    if found not in PIPELINES:
        raise BadModel(f"{folder} is made for {str(found)[:60]}: {ONLY}.")


def _network(folder: Path, path: Path) -> Mapping[str, Any]:
    if not path.exists():
        raise BadModel(f"{folder} is no diffusers model: it has neither {CONFIG} nor unet/{CONFIG}.")
    given = _json(folder, path)
    kind = given.get("_class_name")
    if kind != "UNet2DModel":
        raise BadModel(f"{path} describes a {str(kind)[:60]}: {ONLY}.")
    if given.get("class_embed_type") is not None or given.get("num_class_embeds") is not None:
        raise BadModel(f"{path} describes a model that wants a class for each picture: {ONLY}.")
    unset = ("class_embed_type", "num_class_embeds", "num_train_timesteps")
    known = {
        key: value for key, value in given.items()
        if not key.startswith("_") and key not in unset and (key in Network.model_fields or value not in (None, False))
    }  # fmt: skip
    return _validated(Network, known, path)


def _scheduler(folder: Path, path: Path) -> Mapping[str, Any]:
    if not path.exists():
        raise BadModel(f"{folder} has no {SCHEDULER}: how much noise a step takes away is not known.")
    given = _json(folder, path)
    if given.get("_class_name") not in SCHEDULERS:
        raise BadModel(f"{path} describes a {str(given.get('_class_name'))[:60]}, not a DDPM scheduler or one like it.")
    return _validated(Noise, {key: value for key, value in given.items() if value is not None}, path)


def _validated(kind: type[Network | Noise], given: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    try:
        return kind.model_validate(given).model_dump(exclude_unset=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise BadModel(f"{path} cannot be used: {f'{where}: ' if where else ''}{reason}."[:400]) from None


def _weights(folder: Path, place: Path) -> Path:
    path = _inside(folder, place / WEIGHTS)
    if path.is_file() and path.stat().st_size <= MAX_WEIGHTS_BYTES:
        return path
    if path.exists():
        raise BadModel(f"{path} is not a regular file of at most {MAX_WEIGHTS_BYTES >> 30} GiB.")
    pickled = sorted(one.name for one in place.iterdir() if one.suffix.lower() in PICKLES)
    if pickled:
        raise BadModel(
            f"{place / pickled[0]} is a pickle, which can run any program when it is opened: refused. "
            f"Convert it to {WEIGHTS} where you trust it, or take a model with safetensors."
        )
    raise BadModel(f"{place} has no weights: there is no {WEIGHTS}.")


def _json(folder: Path, path: Path) -> dict[str, Any]:
    try:
        value = json.loads(read(_inside(folder, path), max_bytes=MAX_JSON_BYTES))
    except BadImage as error:
        raise BadModel(f"{path} cannot be read: {error}") from None
    except (ValueError, RecursionError):
        raise BadModel(f"{path} is no valid JSON; fetch or write the model again.") from None
    if not isinstance(value, dict):
        raise BadModel(f"{path} is no JSON object; fetch or write the model again.")
    return value


def _inside(folder: Path, path: Path) -> Path:
    """Return the path if it leads to a file of the folder; the hub's cache links to blobs two folders further up."""
    root = folder.resolve()
    if root.parent.name == "snapshots" and (root.parent.parent / "blobs").is_dir():
        root = root.parent.parent
    try:
        inside = path.resolve().is_relative_to(root)
    except (OSError, RuntimeError, ValueError):
        inside = False
    if not inside:
        raise BadModel(f"The model in {folder} names a file outside its folder ({path.name!r}): refused.")
    return path
