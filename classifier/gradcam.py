"""Grad-CAM for any architecture of the zoo: where in the picture the evidence for a class is."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from classifier import nets
from classifier.arch import Arch
from classifier.images import Pixels
from classifier.preprocess import Floats, regions
from classifier.preprocess_spec import Preprocess
from classifier.runtime import Heat, assemble


class BadLayer(Exception):
    """A layer that the network does not have, or whose output is no map; `str()` says which to name instead."""


@contextmanager
def captured(module: nn.Module) -> Iterator[list[Tensor]]:
    """Collect the outputs of a module while the context lasts."""
    outputs: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        outputs.append(output)
        # What follows may write into the output (a rectifier in place): let it write into a copy.
        return output.clone()

    handle = module.register_forward_hook(keep)
    try:
        yield outputs
    finally:
        handle.remove()


def class_maps(network: nn.Module, row: Arch, batch: Tensor, cls: int, *, layer: str | None = None) -> Floats:
    """Return Grad-CAM maps (N, h, w) >= 0 of a batch (N, 3, S, S) for the class `cls`, not normalized.

    Selvaraju et al., "Grad-CAM", ICCV 2017: the layer's feature maps, weighted by the mean gradient of a class's logit.
    `layer` is the dotted name of another layer than `cam_layer`, for example a stage. The input requires the gradient,
    so that a frozen network works too. Raises `BadLayer`.
    """
    network.eval()
    name = row.cam_layer if layer is None else layer
    x = batch.detach().clone().requires_grad_(True)
    with torch.enable_grad(), captured(_layer(network, row, name)) as outputs:
        logits = network(x)
        features = outputs[-1]
        if features.dim() not in (3, 4):
            raise BadLayer(f"The output of '{name}' in '{row.name}' is no map; take one of {', '.join(row.walk)}.")
        (gradient,) = torch.autograd.grad(logits[:, cls].sum(), features)
    features, gradient = (nets.as_nchw(values, row.cam_layout) for values in (features, gradient))
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    return np.asarray((weights * features).sum(dim=1).clamp(min=0).detach().cpu().float().numpy(), np.float32)


def _layer(network: nn.Module, row: Arch, name: str) -> nn.Module:
    layers: dict[str, nn.Module] = dict(network.named_modules())
    if name in layers and name:
        return layers[name]
    near = difflib.get_close_matches(name, (*row.walk, *row.stages, *layers), 1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise BadLayer(f"'{row.name}' has no layer '{name}'.{hint} Its stages are {', '.join(row.stages)}.")


def grad_cam(
    network: nn.Module,
    row: Arch,
    preprocess: Preprocess,
    pixels: Pixels,
    cls: int,
    *,
    layer: str | None = None,
) -> Heat:
    """Return the heat map in [0, 1] of a picture of (H, W, 3) bytes for the class `cls`."""
    looked = regions(pixels, preprocess)
    device = next(network.parameters()).device
    maps = class_maps(network, row, torch.from_numpy(looked.batch).to(device), cls, layer=layer)
    return assemble(maps, looked, pixels.shape[:2])
