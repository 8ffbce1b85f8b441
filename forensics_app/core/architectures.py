"""The architectures that can be trained, as a list."""

from __future__ import annotations

from dataclasses import dataclass

from classifier import zoo


@dataclass(frozen=True)
class Architecture:
    """An architecture in the list.

    `parameters_1000` and `parameters_2` are counted with a head for ImageNet's 1000 classes and for two; `size_px` is
    the side of its own input. The map is drawn from the layer `cam_layer`, and `closed_form` says whether it comes out
    of the forward pass. `weights` is torchvision's name of its ImageNet weights.
    """

    name: str
    parameters_1000: int
    parameters_2: int
    size_px: int
    stages: tuple[str, ...]
    walk: tuple[str, ...]
    cam_layer: str
    cam_layout: str
    closed_form: bool
    weights: str | None


def architectures() -> list[Architecture]:
    """Return all rows of the zoo by name; counts their parameters in torch, without memory for them."""
    return [_listed(row) for row in sorted(zoo.ROWS, key=lambda row: row.name)]


def _listed(row: zoo.Arch) -> Architecture:
    counts = zoo.parameters(row.name, 1000), zoo.parameters(row.name, 2)
    return Architecture(
        row.name, *counts, row.size, row.stages, row.walk, row.cam_layer, row.cam_layout, row.closed_form, row.weights
    )
