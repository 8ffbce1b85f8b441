"""Grad-CAM for any architecture of the zoo: where in the picture the evidence for a class is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from classifier import zoo
from classifier.images import Pixels
from classifier.preprocess import Floats, Preprocess, regions
from classifier.runtime import Heat, assemble


@contextmanager
def captured(module: nn.Module) -> Iterator[list[Tensor]]:
    """Collect the outputs of a module while the context lasts."""
    outputs: list[Tensor] = []
    handle = module.register_forward_hook(lambda _module, _inputs, output: outputs.append(output))
    try:
        yield outputs
    finally:
        handle.remove()


def class_maps(network: nn.Module, row: zoo.Arch, batch: Tensor, cls: int, *, layer: str | None = None) -> Floats:
    """Return Grad-CAM maps (N, h, w) >= 0 of a batch (N, 3, S, S) for the class `cls`, not normalized.

    Selvaraju et al., "Grad-CAM", ICCV 2017: the layer's feature maps, weighted by the mean gradient of a class's logit.
    `layer` is the dotted name of another layer than the architecture's last. The input requires the gradient, so that
    a frozen network works too.
    """
    network.eval()
    x = batch.detach().clone().requires_grad_(True)
    with torch.enable_grad(), captured(network.get_submodule(layer or row.cam_layer)) as outputs:
        logits = network(x)
        features = outputs[-1]
        (gradient,) = torch.autograd.grad(logits[:, cls].sum(), features)
    features, gradient = _as_nchw(features, row), _as_nchw(gradient, row)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    return np.asarray((weights * features).sum(dim=1).clamp(min=0).detach().cpu().float().numpy(), np.float32)


def _as_nchw(values: Tensor, row: zoo.Arch) -> Tensor:
    if row.cam_layout == "nhwc":
        return values.permute(0, 3, 1, 2)
    if row.cam_layout == "tokens":  # a class token, then a square of patches
        patches = values[:, 1:]
        side = round(patches.shape[1] ** 0.5)
        return patches.transpose(1, 2).reshape(len(values), -1, side, side)
    return values


def grad_cam(
    network: nn.Module,
    row: zoo.Arch,
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
