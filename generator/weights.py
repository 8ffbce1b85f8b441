"""Opening a diffusion model, bundled, from the hub or from a folder: safetensors only, checked before it is built."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from classifier.detector import sha256_of
from classifier.nets import pick_device
from classifier.places import resources
from generator import hub
from generator.model_files import BadModel, ModelFiles, check_facts, look_through

__all__ = ["BUNDLED", "BadModel", "DType", "Model", "open_model", "resolve"]

BUNDLED, BUNDLED_FOLDER = "bundled", "ddpm-cats-64"
LARGE = "google/ddpm-cat-256"
MAX_PARAMETERS = 1_000_000_000
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
STORED = frozenset(("F32", "F16", "BF16", "F64"))
LEGACY = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
"""Names of attention layers in weights from before diffusers 0.12, such as google/ddpm-cat-256's."""

DType = Literal["auto", "fp32", "bf16", "fp16"]


@dataclass(frozen=True)
class Model:
    """A model ready to sample pictures of `size` × `size` pixels.

    `network` is a diffusers UNet2DModel in eval mode on its device, `scheduler` the configuration it was trained with,
    `sha256` that of the weights file, `revision` the commit on the hub it came from, if it did.
    """

    name: str
    network: Any
    scheduler: Mapping[str, Any]
    size: int
    sha256: str
    revision: str | None
    parameters: int
    folder: Path

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        found: torch.device = next(self.network.parameters()).device
        return found

    @property
    def dtype(self) -> str:
        """In what precision the network computes: fp32, bf16 or fp16."""
        return next(name for name, dtype in DTYPES.items() if dtype == next(self.network.parameters()).dtype)


def resolve(name: str | None, device: str = "auto") -> str:
    """Return the model that is meant: without a name the bundled one, or on CUDA google/ddpm-cat-256."""
    if name is not None:
        return name
    return LARGE if pick_device(device).type == "cuda" else BUNDLED


def open_model(name: str, *, device: str = "auto", dtype: DType = "auto") -> Model:
    """Open `bundled`, a hub id `owner/name[@revision]`, or a folder in one of diffusers' layouts; raises `BadModel`.

    `dtype` auto is fp32, on CUDA bf16 (fp16 where the card is too old for it).
    """
    where = pick_device(device)
    precision = _precision(dtype, where)
    files = look_through(_find(name))
    network = _build(files)
    tensors = _tensors(files.weights, {key: value.shape for key, value in network.state_dict().items()})
    network.load_state_dict({key: value.to(where, precision) for key, value in tensors.items()}, assign=True)
    network.to(memory_format=_layout(where)).eval().requires_grad_(False)
    return Model(
        name, network, files.scheduler, int(files.network["sample_size"]), sha256_of(files.weights),
        hub.revision_of(files.folder), sum(one.numel() for one in network.parameters()), files.folder,
    )  # fmt: skip


def _find(name: str) -> Path:
    if name == BUNDLED:
        folder = resources() / "models" / BUNDLED_FOLDER
        if not folder.is_dir():
            raise BadModel(
                f"This copy has no bundled model ({folder} is missing); install it again or give another --model."
            )
        check_facts(folder, needed=True)
        return folder
    if name.partition("@")[0] in hub.KNOWN or (hub.ID.fullmatch(name) and not Path(name).exists()):
        return hub.fetch(name)
    if not name or not Path(name).is_dir():
        known = ", ".join((BUNDLED, *hub.KNOWN))
        raise BadModel(f"There is no model '{name}': give a diffusers folder, a hub id, or one of {known}.")
    return Path(name)


def _build(files: ModelFiles) -> Any:
    """Return the network without any memory for its weights, so that a boastful configuration costs nothing."""
    from diffusers import UNet2DModel

    try:
        with torch.device("meta"):
            network: Any = UNet2DModel(**files.network)
    except (ValueError, TypeError, RuntimeError, ArithmeticError, AttributeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise BadModel(f"The model in {files.folder} cannot be built from its configuration: {reason}.") from None
    parameters = sum(one.numel() for one in network.parameters())
    if parameters > MAX_PARAMETERS:
        raise BadModel(
            f"The model in {files.folder} has {parameters:,} parameters; at most {MAX_PARAMETERS:,} are opened."
        )
    return network


def _tensors(path: Path, expected: Mapping[str, torch.Size]) -> dict[str, Tensor]:
    again = "fetch it again, or take the configuration that belongs to it"
    try:
        with safe_open(path, framework="pt") as file:
            stored = {_modern(name): name for name in file.keys()}  # noqa: SIM118 - it is no dict
            if stored.keys() != expected.keys():
                odd = min(stored.keys() ^ expected.keys())
                raise BadModel(f"The weights {path} do not fit their configuration (tensor {odd[:80]!r}); {again}.")
            for name, size in expected.items():
                piece = file.get_slice(stored[name])
                if tuple(piece.get_shape()) != tuple(size) or piece.get_dtype() not in STORED:
                    raise BadModel(f"The weights {path} do not fit their configuration (shape of {name!r}); {again}.")
            tensors = {name: file.get_tensor(old) for name, old in stored.items()}
    except (SafetensorError, OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:120]
        raise BadModel(f"The weights {path} are damaged ({reason}); fetch the model again.") from None
    if not all(bool(torch.isfinite(one).all()) for one in tensors.values()):
        raise BadModel(f"The weights {path} hold values that are no numbers; fetch the model again.")
    return tensors


def _modern(name: str) -> str:
    found = re.fullmatch(r"(.*\.attentions\.\d+)\.(query|key|value|proj_attn)\.(weight|bias)", name)
    return f"{found[1]}.{LEGACY[found[2]]}.{found[3]}" if found else name


def _precision(dtype: DType, device: torch.device) -> torch.dtype:
    if dtype == "fp16" and device.type == "cpu":
        raise BadModel("Half precision (fp16) is for GPUs: take --dtype fp32 or bf16 on a CPU.")
    if dtype != "auto":
        return DTYPES[dtype]
    if device.type != "cuda":
        return torch.float32  # bf16 would make a picture depend on its batch
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def _layout(device: torch.device) -> torch.memory_format:
    return torch.channels_last if device.type in ("cpu", "cuda") else torch.contiguous_format
