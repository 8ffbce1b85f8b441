"""Networks with random weights whose every layer counts: what a fresh one lacks to be compared with anything."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from classifier import zoo
from tests.conftest import picture

SIDE_PX = 64
CALIBRATION_PX = 128
"""Smaller ones leave single numbers at the end, whose variances over four pictures make a network of noise."""


def lively(name: str, classes: int = 2, *, size: int = SIDE_PX) -> nn.Module:
    """Return a network whose batch norms know their inputs, and whose logits differ from picture to picture."""
    torch.manual_seed(1)
    network, row = zoo.build(name, classes, size=size).train(), zoo.arch(name)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
        if isinstance(scale := getattr(module, "layer_scale", None), nn.Parameter):
            nn.init.ones_(scale)  # ConvNeXt starts with 1e-6: its blocks would do nothing
    head = network.get_submodule(row.head)
    assert isinstance(head, nn.Linear)
    nn.init.normal_(head.weight, std=head.in_features**-0.5)
    normed = any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    side = max(size, CALIBRATION_PX) if normed else size
    pictures = np.stack([picture(side, side, seed=seed) for seed in range(10, 14)])
    with torch.no_grad():
        network(torch.from_numpy(pictures).permute(0, 3, 1, 2) / 64 - 2)
    return network.eval()
