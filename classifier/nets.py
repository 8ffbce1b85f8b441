"""Networks of our own, beside torchvision's."""

from __future__ import annotations

import torch
from torch import Tensor, nn


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


def freeze(network: nn.Module, trainable: tuple[str, ...] | None) -> None:
    """Let only the parameters under the named modules train (None: all of them)."""
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(trainable is None or any(name == t or name.startswith(f"{t}.") for t in trainable))


def train_mode(network: nn.Module) -> None:
    """Put the network in training mode, but frozen BatchNorm in eval mode: its statistics are frozen as well."""
    network.train()
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            parameters = list(module.parameters(recurse=False))
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
