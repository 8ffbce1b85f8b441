"""Weights from outside into a network: torchvision's own, downloaded or as a file, or a safetensors state dict."""

from __future__ import annotations

import hashlib
import os
import re
import urllib.request
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
import torchvision
from safetensors import SafetensorError
from torch import Tensor, nn
from torchvision.models.vision_transformer import VisionTransformer, interpolate_embeddings

from classifier import torch_files, zoo
from classifier.arch import Arch, BadArch
from classifier.atomic import replacing
from classifier.files import BadImage, read
from classifier.nets import without_memory
from classifier.torchvision_nets import imagenet_input

MAX_WEIGHTS_BYTES = 4 * 2**30
TIMEOUT_S = 30
DIGEST = re.compile(r"-([0-9a-f]{8,})\.pth$")
# Published before layer names could hold no dots: denselayer1.norm.1.weight is norm1.weight today.
OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")

State = dict[str, Tensor]


@dataclass(frozen=True)
class Downloading:
    """A file of weights on its way: `done` of `total` megabytes; the total is 0 where the server does not say."""

    done: int
    total: int


def load(network: nn.Module, row: Arch, weights: str, side: int) -> None:
    """Load `imagenet` or a file into a network for pictures of `side` × `side`, all but its heads.

    Raises `BadArch` for weights that cannot be had, may not be read or belong to another architecture.
    """
    if weights == "imagenet":
        for _ in download(row):
            pass
        weights = str(_cached(row))
    fit(network, row, _state(Path(weights), row), side, weights)


def published(row: Arch) -> dict[str, str]:
    """Return the addresses of torchvision's weights of a row, each with its digest; none for a network of our own."""
    if row.weights is None:
        return {}
    several = getattr(torchvision.models, row.weights.partition(".")[0])
    return {found[1]: one.url for one in several if (found := DIGEST.search(one.url))}


def download(row: Arch) -> Iterator[Downloading]:
    """Fetch a row's ImageNet weights into torch's cache, unless they are there; raises `BadArch` with two ways out."""
    url, path = _address(row), _cached(row)
    if path.is_file() and torch_files.is_known(read(path, max_bytes=MAX_WEIGHTS_BYTES), published(row)):
        return
    if os.environ.get("FORENSICS_OFFLINE", "") not in ("", "0"):
        raise _unreachable(row, "FORENSICS_OFFLINE is set")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield from _fetched(url, path)
    except OSError as error:
        raise _unreachable(row, str(getattr(error, "reason", "") or error)) from None


def _fetched(url: str, path: Path) -> Iterator[Downloading]:
    expected, digest, done = DIGEST.findall(url)[0], hashlib.sha256(), 0
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer, replacing(path) as file:  # noqa: S310 - torchvision's
        total = int(answer.headers.get("Content-Length") or 0)
        while block := answer.read(2**20):
            file.write(block)
            digest.update(block)
            done += len(block)
            yield Downloading(round(done / 1e6), round(total / 1e6))
        if not digest.hexdigest().startswith(expected):
            raise OSError(f"the {done:,} bytes that came are not the published file")


def _address(row: Arch) -> str:
    if row.weights is None:
        raise BadArch(f"There are no ImageNet weights for '{row.name}': train from scratch with --set weights=none.")
    url: str = torchvision.models.get_weight(row.weights).url
    return url


def _cached(row: Arch) -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints" / _address(row).rpartition("/")[2]


def _unreachable(row: Arch, why: str) -> BadArch:
    return BadArch(
        f"The ImageNet weights of '{row.name}' could not be downloaded ({' '.join(why.split())[:120]}): train from "
        f"scratch with --set weights=none, or give a file with --weights PATH, {_cached(row).name} or safetensors."
    )


def _state(path: Path, row: Arch) -> State:
    """Return the tensors of a file, read once, in single precision."""
    try:
        data = read(path, max_bytes=MAX_WEIGHTS_BYTES)
    except BadImage as error:
        raise BadArch(f"The weights {path} cannot be read: {error}") from None
    if data[8:9] != b"{":  # safetensors: the length of the header, then JSON
        _check_published(path, data, row)
    state: Any
    try:
        state = safetensors.torch.load(data) if data[8:9] == b"{" else torch_files.state_dict(data, published(row))
    except (SafetensorError, torch_files.BadTorchFile, ValueError, KeyError) as error:
        raise BadArch(f"The weights {path} are damaged or no weights: {' '.join(str(error).split())[:160]}.") from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise BadArch(f"The weights {path} are no state dict: names with a tensor each.")
    return state


def _check_published(path: Path, data: bytes, row: Arch) -> None:
    if torch_files.is_known(data, published(row)):
        return
    for name in torchvision.models.list_models(module=torchvision.models):
        several = torchvision.models.get_model_weights(name)
        if torch_files.is_known(data, [found[1] for one in several if (found := DIGEST.search(one.url))]):
            raise BadArch(f"The weights {path} are torchvision's for '{name}', not for '{row.name}'.")
    names = ", ".join(url.rpartition("/")[2] for url in published(row).values())
    known = f"is none of torchvision's ({names})" if names else "is not known"
    raise BadArch(
        f"The weights {path} are refused: any other file than safetensors can run code, and this one {known} by its "
        "SHA-256; give a safetensors file."
    )


def fit(network: nn.Module, row: Arch, state: State, side: int, where: str) -> None:
    """Load a state dict into a network, all but the heads; raises `BadArch` unless it is of that architecture."""
    heads = tuple(f"{head}." for head in (row.head, *row.aux_heads))
    body = OrderedDict(
        (OLD_DENSENET.sub(r"\1\2", name), value.float() if value.is_floating_point() else value)
        for name, value in state.items() if not name.startswith(heads)
    )  # fmt: skip
    if hasattr(state, "_metadata"):  # the versions of its layers, by which torchvision renames what is older
        body._metadata = state._metadata  # type: ignore[attr-defined]
    try:
        _resize_positions(network, body, side)
        if hasattr(network, "input_scale") and "input_scale" not in body:  # a state dict of torchvision's
            body.update(imagenet_input())
        found = network.load_state_dict(body, strict=False)
    except (RuntimeError, ValueError) as error:
        raise _other(row, state, where, " ".join(str(error).split())) from None
    optional = (*heads, *(f"{head.partition('.')[0]}." for head in row.aux_heads))
    missing = [name for name in found.missing_keys
               if not name.startswith(optional) and not name.endswith("num_batches_tracked")]  # fmt: skip
    for problem, names in (("lack", missing), ("hold", found.unexpected_keys)):
        if names:
            raise _other(row, state, where, f"they {problem} {len(names)} of other names, the first '{names[0]}'")


def _resize_positions(network: nn.Module, body: OrderedDict[str, Tensor], side: int) -> None:
    """Let the positional embedding of a vision transformer follow the size of its input."""
    if isinstance(network, VisionTransformer) and "encoder.pos_embedding" in body:
        interpolate_embeddings(side, network.patch_size, body)


def _other(row: Arch, state: State, where: str, problem: str) -> BadArch:
    owner = next((other for other in zoo.ROWS if _shapes(other, state) == _shapes(other, _own_state(other))), None)
    told = f" but of '{owner.name}'" if owner else f": {problem}"
    return BadArch(f"The weights {where} are not those of '{row.name}'{told}.")


def _own_state(row: Arch) -> State:
    return without_memory(partial(row.build, row.size)).state_dict()


def _shapes(row: Arch, state: State) -> dict[str, tuple[int, ...]]:
    """Return the shapes of what makes an architecture: neither heads nor what a file may lack."""
    parts = tuple(f"{head.partition('.')[0]}." for head in row.aux_heads)
    optional = (f"{row.head}.", "input_", *parts)
    return {
        OLD_DENSENET.sub(r"\1\2", name): tuple(value.shape) for name, value in state.items()
        if not name.startswith(optional) and not name.endswith("num_batches_tracked")
    }  # fmt: skip
