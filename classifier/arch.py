"""What the zoo knows of an architecture: one frozen row each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import nn

CamLayout = Literal["nchw", "nhwc", "tokens"]


class BadArch(Exception):
    """An architecture or its weights that cannot be had; `str()` says what to do."""


@dataclass(frozen=True)
class Arch:
    """One architecture: how to build it and where its parts are. Parts are named as in `named_modules()`.

    `build` takes the side of the input in pixels and gives the network with torchvision's 1000 classes. `stages` are
    its parts from input to output, for partial unfreezing; the last is the head, one linear layer. `walk` are four
    layers whose outputs are maps, from the first stage to the last; heat maps are drawn from the last of them.
    `cam_layout` says how their outputs lie: `nchw`, `nhwc`, or `tokens` (a class token, then the patches of a square
    row by row). `size` is the side that the architecture was made for, `smallest` the least that it takes, and a side
    must be a multiple of `multiple`. `weights` is torchvision's name of its ImageNet weights. With `closed_form` the
    network ends in global average pooling and the head, so that the map comes out of the forward pass. `aux_heads` are
    the last linear layers of auxiliary classifiers, which only training has. `cpu_bf16` is False where a processor with
    instructions for bfloat16 trains slower with them: where most of the work is in depthwise convolutions behind batch
    norms. Measured on one core, batches of 8 at 224 px, 5 steps each: MobileNetV3 .68, MNASNet .79, EfficientNet-B0 .90
    times as fast, against 1.23 for ShuffleNet, 1.64 for ConvNeXt and 1.93 for ResNet-18.
    """

    name: str
    build: Callable[[int], nn.Module]
    stages: tuple[str, ...]
    walk: tuple[str, ...]
    cam_layout: CamLayout = "nchw"
    size: int = 224
    smallest: int = 32
    multiple: int = 1
    weights: str | None = None
    closed_form: bool = False
    aux_heads: tuple[str, ...] = ()
    cpu_bf16: bool = True

    @property
    def head(self) -> str:
        """The last linear layer."""
        return self.stages[-1]

    @property
    def cam_layer(self) -> str:
        """The layer that heat maps are drawn from."""
        return self.walk[-1]
