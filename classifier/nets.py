"""Networks of our own, beside torchvision's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from classifier.arch import CamLayout


class BadDevice(Exception):
    """A device that this machine does not have; `str()` names those it has."""


class NeighbourResidual(nn.Module):
    """What a pixel differs by from the upper left one of its 2 × 2 block: x minus its nearest-neighbour half-size copy.

    Shows the up-sampling layers of generators, which tie neighbouring pixels together ("Rethinking the Up-Sampling
    Operations in CNN-based Generative Network for Generalizable Deepfake Detection", Tan et al., CVPR 2024). Input and
    output (N, 3, H, W), H and W even. No parameters.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the residual, scaled by 2/3 as in the paper's code."""
        coarse = x[..., ::2, ::2].repeat_interleave(2, dim=-2).repeat_interleave(2, dim=-1)
        return (x - coarse) * (2.0 / 3.0)


def with_neighbour_residual(network: nn.Module) -> nn.Module:
    """Return the ResNet with `NeighbourResidual` before its first convolution."""
    first = network.get_submodule("conv1")
    network.conv1 = nn.Sequential(NeighbourResidual(), first)
    return network


class DropoutLinear(nn.Linear):
    """A linear layer with dropout of its input while training; its parameters are named as those of any other."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool, p: float) -> None:
        super().__init__(inputs, outputs, bias)
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output."""
        return super().forward(nn.functional.dropout(x, self.p, self.training))

    def extra_repr(self) -> str:
        """Name the dropout as well when printed."""
        return f"{super().extra_repr()}, p={self.p}"


def replace_linear(network: nn.Module, name: str, outputs: int, *, dropout: float = 0.0) -> None:
    """Put a fresh linear layer of `outputs` in the place of the one that is named.

    `dropout` is the part of its inputs that training leaves out: of a dropout right before it, or else of its own.
    """
    parent, _, leaf = name.rpartition(".")
    holder, old = network.get_submodule(parent), network.get_submodule(name)
    if not isinstance(old, nn.Linear):
        raise TypeError(f"{name} is not a linear layer")
    siblings = [sibling for sibling, _ in holder.named_children()]
    before = holder.get_submodule(siblings[siblings.index(leaf) - 1])
    bias = old.bias is not None
    if dropout and isinstance(before, nn.Dropout):
        before.p, dropout = dropout, 0.0
    fresh = DropoutLinear(old.in_features, outputs, bias=bias, p=dropout) if dropout else None
    setattr(holder, leaf, fresh or nn.Linear(old.in_features, outputs, bias))


def logits_and_aux(output: Any) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return the logits of what a network gave, and those of its auxiliary heads, which only training has.

    The loss is that of the logits and 0.3 times that of each auxiliary head (Szegedy et al., "Going deeper with
    convolutions", CVPR 2015, section 5).
    """
    if isinstance(output, Tensor):
        return output, ()
    return output[0], tuple(aux for aux in output[1:] if aux is not None)


def without_memory(build: Callable[[], nn.Module]) -> nn.Module:
    """Return the network that `build` makes with shapes only, on the device `meta`: quickly and without its memory."""
    from accelerate import init_empty_weights

    # With its buffers, or in torch's own context, networks that compute their widths with tensors could not be made.
    with init_empty_weights(include_buffers=False):
        return build().to("meta")


def drop_auxiliary(network: nn.Module, aux_heads: tuple[str, ...]) -> nn.Module:
    """Remove the auxiliary classifiers whose heads are named: no judging needs them."""
    parts: dict[str, Any] = {head.partition(".")[0]: None for head in aux_heads}
    for name, value in {**parts, "aux_logits": False}.items() if parts else ():  # as torchvision does it itself
        setattr(network, name, value)
    return network


def as_nchw(values: Tensor, layout: CamLayout) -> Tensor:
    """Return (N, K, h, w) of a layer's output; of tokens (N, 1 + h × w, K) the first, the class token, is left out."""
    if values.dim() == 3:
        patches = values[:, 1:]
        side = round(patches.shape[1] ** 0.5)
        return patches.transpose(1, 2).reshape(-1, patches.shape[2], side, side)
    return values.permute(0, 3, 1, 2) if layout == "nhwc" else values


def freeze(network: nn.Module, trainable: tuple[str, ...] | None) -> None:
    """Let only the parameters under the named modules train (None: all of them)."""
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(trainable is None or any(name == t or name.startswith(f"{t}.") for t in trainable))


def train_mode(network: nn.Module) -> None:
    """Put the network in training mode, what is frozen in eval mode: its statistics stay, nothing in it is random."""
    network.train()
    for module in network.modules():
        parameters = list(module.parameters())
        if parameters and not any(p.requires_grad for p in parameters):
            module.eval()


def pick_device(name: str = "auto") -> torch.device:
    """Return the device for `auto`, `cpu`, `cuda` or `mps`; `auto` takes the best at hand. Raises `BadDevice`."""
    at_hand = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(device for device, there in at_hand.items() if there))
    if not at_hand.get(name):
        here = ", ".join(device for device, there in at_hand.items() if there)
        raise BadDevice(f"There is no device '{name}' here; at hand: auto, {here}.")
    return torch.device(name)
