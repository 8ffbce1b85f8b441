"""The weight-randomisation check: a map that shows what a network learned changes when that is taken away.

Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018: the map of the network is compared with the map of the
same network with random weights, from the head down to the layer that the map is drawn from. An edge detector, which
never asks the network, gives the same map twice.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from classifier import gradcam
from classifier.arch import Arch
from classifier.preprocess import Floats

DRAWS = 5

Maps = Callable[[nn.Module, Arch, Tensor, int], Floats]
"""Draws maps (N, h, w) from a network, its row, input (N, 3, S, S) and the place of a class."""


def similarity(
    network: nn.Module,
    row: Arch,
    batch: Tensor,
    cls: int,
    *,
    layer: str | None = None,
    seed: int = 0,
    maps: Maps | None = None,
) -> float:
    """Return how alike the maps are before and after, as Spearman's rank correlation: the mean over five draws.

    Each time every tensor from the map's stage to the head is drawn from a normal distribution with the mean and the
    deviation of what was learned, which keeps the scale of the layers. `batch` (N, 3, S, S) is a picture's input;
    `maps` (network, row, batch, class) -> (N, h, w) draws the maps, Grad-CAM at `layer` unless told otherwise. A map
    that vanishes is like nothing: 0; NaN where there was none before.
    """
    draw = maps or (lambda *what: gradcam.class_maps(*what, layer=layer))
    before, changed = draw(network, row, batch, cls), copy.deepcopy(network)
    if np.ptp(before) == 0:
        return float("nan")
    generator, found = torch.Generator().manual_seed(seed), []
    for _ in range(DRAWS):
        for name in stages_from(row, layer or row.cam_layer):
            _randomise(network.get_submodule(name), changed.get_submodule(name), generator)
        found.append(rank_correlation(before, draw(changed, row, batch, cls)))
    return float(np.mean(found))


def stages_from(row: Arch, layer: str) -> tuple[str, ...]:
    """Return the stages of an architecture from the one that holds a layer to the head."""
    places = [place for place, stage in enumerate(row.stages) if f"{layer}.".startswith(f"{stage}.")]
    return row.stages[places[-1] :] if places else (layer, row.head)


def _randomise(learned: nn.Module, changed: nn.Module, generator: torch.Generator) -> None:
    """Give one module random weights, with the mean and the deviation that each tensor has in the other."""
    with torch.no_grad():
        for old, new in zip(learned.parameters(), changed.parameters(), strict=True):
            spread = float(old.std(correction=0))
            new.copy_(torch.empty(old.shape).normal_(float(old.mean()), spread, generator=generator))


def rank_correlation(one: Floats, other: Floats) -> float:
    """Return Spearman's rank correlation of two maps, 0 where one of them has a single value."""
    from scipy.stats import spearmanr

    if np.ptp(one) == 0 or np.ptp(other) == 0 or not np.isfinite(other).all():
        return 0.0
    return float(spearmanr(one.ravel(), other.ravel()).statistic)
