"""Setting a network's smallest weights to zero, with torch's own masks.

Unstructured pruning takes the smallest weights of all layers together (global magnitude pruning: Han et al., "Learning
both Weights and Connections for Efficient Neural Networks", NeurIPS 2015), structured pruning whole filters of each
convolution by their L2 norm (after Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017, who take L1).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Literal

from torch import nn
from torch.nn.utils import prune as pruning

from classifier import zoo

Kind = Literal["unstructured", "structured"]


def pruned(network: nn.Module, row: zoo.Arch, sparsity: float, kind: Kind) -> nn.Module:
    """Return a copy of a network with masks on its weights, `sparsity` of them zero; the head has none."""
    network = copy.deepcopy(network)
    layers = prunable(network, row)
    if not sparsity:
        return network
    if kind == "unstructured":
        weights = [(module, "weight") for module in layers.values()]
        pruning.global_unstructured(weights, pruning_method=pruning.L1Unstructured, amount=sparsity)
        return network
    for module in layers.values():
        if isinstance(module, nn.Conv2d):
            pruning.ln_structured(module, "weight", amount=sparsity, n=2, dim=0)
    return network


def prunable(network: nn.Module, row: zoo.Arch) -> Mapping[str, nn.Module]:
    """Return the convolutions and linear layers of a network by name, without its head."""
    return {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear) and name != row.head
    }


def sparsity_of(network: nn.Module) -> tuple[float, float]:
    """Return which part of the masked weights, and of all the network's weights, is zero."""
    masks = [buffer for name, buffer in network.named_buffers() if name.endswith("weight_mask")]
    zeros, masked = sum(int((mask == 0).sum()) for mask in masks), sum(mask.numel() for mask in masks)
    every = sum(parameter.numel() for parameter in network.parameters())
    return zeros / max(1, masked), zeros / every


def made_permanent(network: nn.Module) -> nn.Module:
    """Return the network with zeros in its weights, and without masks."""
    for module in list(network.modules()):
        if hasattr(module, "weight_mask"):
            pruning.remove(module, "weight")
    return network
