"""The registry of architectures: a row each, and one function that builds any of them. Imports torch on use only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import nn

CamLayout = Literal["nchw", "nhwc", "tokens"]


class BadArch(Exception):
    """An architecture or its weights that cannot be had; `str()` says what to do."""


@dataclass(frozen=True)
class Arch:
    """One architecture: how to build it and where its parts are.

    `head` is the dotted name of the last linear layer, `cam_layer` of the layer whose output is mapped, `stages` the
    blocks from input to output for partial unfreezing, `weights` torchvision's name of its ImageNet weights. With
    `closed_form` the network ends in global average pooling and that one linear layer, so that the map comes out of
    the forward pass.
    """

    name: str
    build: Callable[[], nn.Module]
    head: str
    cam_layer: str
    stages: tuple[str, ...]
    cam_layout: CamLayout = "nchw"
    size: int = 224
    weights: str | None = None
    closed_form: bool = False


def _torchvision(name: str) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        import torchvision

        network: nn.Module = getattr(torchvision.models, name)(weights=None)
        return network

    return build


def _resnet18_npr() -> nn.Module:
    from classifier.nets import with_neighbour_residual

    return with_neighbour_residual(_torchvision("resnet18")())


RESNET_STAGES = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4", "fc")

ROWS = (
    Arch(
        "resnet18", _torchvision("resnet18"), "fc", "layer4", RESNET_STAGES,
        weights="ResNet18_Weights.IMAGENET1K_V1", closed_form=True,
    ),
    Arch("resnet18_npr", _resnet18_npr, "fc", "layer4", RESNET_STAGES, closed_form=True),
)  # fmt: skip


def _registry(rows: tuple[Arch, ...]) -> dict[str, Arch]:
    table: dict[str, Arch] = {}
    for row in rows:
        if row.name in table:
            raise ValueError(f"two architectures are named {row.name}")
        table[row.name] = row
    return table


ARCHS = _registry(ROWS)


def arch(name: str) -> Arch:
    """Return the row of that name; raises `BadArch` with the known names."""
    try:
        return ARCHS[name]
    except KeyError:
        raise BadArch(f"There is no architecture '{name}'. Known: {', '.join(sorted(ARCHS))}.") from None


def build(name: str, classes: int, weights: str = "none") -> nn.Module:
    """Return the network `name` with a fresh head of `classes` outputs.

    `weights` is `none`, `imagenet` (downloaded by torchvision, once) or the path of a safetensors state dict of the
    whole network with any head. Raises `BadArch`.
    """
    row = arch(name)
    network = row.build()
    if weights == "imagenet":
        _load_imagenet(network, row)
    elif weights != "none":
        _load_file(network, row, Path(weights))
    _replace_head(network, row, classes)
    return network


def _load_imagenet(network: nn.Module, row: Arch) -> None:
    import torchvision

    if row.weights is None:
        raise BadArch(f"There are no ImageNet weights for '{row.name}'; use weights: none.")
    try:
        network.load_state_dict(
            torchvision.models.get_weight(row.weights).get_state_dict(progress=False, check_hash=True)
        )
    except OSError as error:
        raise BadArch(
            f"The ImageNet weights of '{row.name}' could not be downloaded ({error}). Train from scratch with "
            "'weights: none' in the recipe, or give a local safetensors file there."
        ) from None


def _load_file(network: nn.Module, row: Arch, path: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(path)
    except (OSError, SafetensorError) as error:
        raise BadArch(f"The weights {path} cannot be read as safetensors: {error}.") from None
    body = {name: value for name, value in state.items() if not name.startswith(f"{row.head}.")}
    own = {name: value.shape for name, value in network.state_dict().items() if not name.startswith(f"{row.head}.")}
    if {name: value.shape for name, value in body.items()} != own:
        raise BadArch(f"The weights {path} are not those of '{row.name}': names or shapes of its layers differ.")
    network.load_state_dict(body, strict=False)


def _replace_head(network: nn.Module, row: Arch, classes: int) -> None:
    from torch import nn

    parent_name, _, leaf = row.head.rpartition(".")
    parent = network.get_submodule(parent_name)
    old = network.get_submodule(row.head)
    if not isinstance(old, nn.Linear):
        raise BadArch(f"The head '{row.head}' of '{row.name}' is not a linear layer.")
    fresh = nn.Linear(old.in_features, classes)
    if isinstance(parent, nn.Sequential) and leaf.lstrip("-").isdigit():
        parent[int(leaf)] = fresh
    else:
        setattr(parent, leaf, fresh)
