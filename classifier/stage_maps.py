"""Maps of an installed detector with autograd: at any stage of its network, and of the same network without weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from classifier import gradcam, randomised, zoo
from classifier.arch import Arch
from classifier.detector import Card, Installed
from classifier.export import load_network
from classifier.gradcam import BadLayer
from classifier.images import Pixels
from classifier.preprocess import regions
from classifier.runtime import Heat, assemble


@dataclass(frozen=True, eq=False)
class StageMaps:
    """A detector's network in torch with its row of the zoo."""

    network: nn.Module
    row: Arch
    card: Card

    def draw(self, pixels: Pixels, name: str, layer: str) -> tuple[Heat, tuple[int, int]]:
        """Return the Grad-CAM map of the class `name` at a layer, and the rows and columns that a region's map has.

        `pixels` is (H, W, 3) bytes. Raises `BadLayer`.
        """
        looked = regions(pixels, self.card.preprocess)
        batch, cls = torch.from_numpy(looked.batch), self.card.classes.index(name)
        try:
            maps = gradcam.class_maps(self.network, self.row, batch, cls, layer=layer)
        except (RuntimeError, ValueError, IndexError):  # no map: a vector, or a tensor that the answer does not use
            walk = ", ".join(self.row.walk)
            raise BadLayer(f"The layer '{layer}' of '{self.row.name}' gives no map; take one of {walk}.") from None
        return assemble(maps, looked, (pixels.shape[0], pixels.shape[1])), (maps.shape[1], maps.shape[2])

    def similarity(self, pixels: Pixels, name: str, layer: str) -> float:
        """Return how alike the map is to those of random weights, as `classifier.randomised` tells it."""
        batch = torch.from_numpy(regions(pixels, self.card.preprocess).batch)
        return randomised.similarity(self.network, self.row, batch, self.card.classes.index(name), layer=layer)


def stage_maps(installed: Installed) -> StageMaps:
    """Open a detector's network in torch; raises `BadArch` for an architecture that is not known."""
    return StageMaps(load_network(installed), zoo.arch(installed.card.arch), installed.card)
