"""A row for any classifier of torchvision that has none: its parts are found by a dry run without memory."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.vision_transformer import VisionTransformer

from classifier.arch import Arch, BadArch, CamLayout
from classifier.nets import without_memory
from classifier.torchvision_nets import torchvision_net

STAGES = 6
"""A network with fewer parts than these is taken apart further."""
WALK = 4
DEPTHWISE = ("efficientnet", "mnasnet", "mobilenet")
"""Families of which a member was measured to be slower in bfloat16 on a CPU: see `Arch`."""
POOLING = (nn.AdaptiveAvgPool2d, nn.AvgPool2d, nn.AdaptiveMaxPool2d, nn.MaxPool2d)


@dataclass(frozen=True, eq=False)
class _Ran:
    """A layer that gave one tensor: its name, itself and the shape of its output."""

    name: str
    layer: nn.Module
    shape: tuple[int, ...]

    @property
    def layout(self) -> CamLayout | None:
        """How a map lies in the output for a square input; None if it is no map, or one of a single position."""
        if isinstance(self.layer, POOLING) or len(self.shape) != 4:
            return None
        _, first, second, third = self.shape
        if second == third > 1:
            return "nchw"
        return "nhwc" if first == second > 1 else None


@functools.cache
def discoverable() -> tuple[str, ...]:
    """Return the names of torchvision's classifiers."""
    return tuple(torchvision.models.list_models(module=torchvision.models))


@functools.cache
def discover(name: str) -> Arch:
    """Return a row for torchvision's classifier `name`; its maps are drawn with autograd.

    The head is the linear layer that ran last, the map is drawn from the last layer before pooling whose output has
    two sides. Raises `BadArch` for a network that does not end in one linear layer.
    """
    weights = next(iter(torchvision.models.get_model_weights(name)))
    (size,) = weights.transforms().crop_size
    network = _on_meta(name, size)
    ran = _dry_run(network.eval(), size)
    last = [one for one in ran if not list(one.layer.children())][-1]
    if not isinstance(last.layer, nn.Linear):
        kind = type(last.layer).__name__
        raise BadArch(f"'{name}' ends in {kind}, not in a linear layer, so that it cannot be given other classes.")
    answering = _linear_of(network, last.layer.out_features)
    aux = tuple(name for name in answering if name != last.name)
    stages = _stages(network, last.name, aux)
    walk, layout = _token_walk(network) if isinstance(network, VisionTransformer) else _walk(name, ran, stages)
    multiple = network.patch_size if isinstance(network, VisionTransformer) else 1
    return Arch(
        name, functools.partial(torchvision_net, name), stages, walk, layout, size, multiple=multiple,
        weights=str(weights), aux_heads=aux, cpu_bf16=not name.startswith(DEPTHWISE),
    )  # fmt: skip


def check_side(row: Arch, side: int) -> None:
    """Raise `BadArch` unless the network of a discovered row takes pictures of `side` × `side`, in training as well."""
    try:
        _dry_run(_on_meta(row.name, side).train(), side)
    except (RuntimeError, ValueError, AssertionError) as error:
        why = " ".join(str(error).split())[:120]
        raise BadArch(
            f"'{row.name}' takes no pictures of {side} px ({why}): set preprocess.size, its own is {row.size}."
        ) from None


def _on_meta(name: str, side: int) -> nn.Module:
    return without_memory(functools.partial(torchvision_net, name, side))


@torch.no_grad()
def _dry_run(network: nn.Module, side: int) -> list[_Ran]:
    """Return the layers in the order in which they finish."""
    ran: list[_Ran] = []

    def note(name: str, layer: nn.Module, _inputs: tuple[Any, ...], output: Any) -> None:
        if isinstance(output, Tensor):
            ran.append(_Ran(name, layer, tuple(output.shape)))

    for name, layer in network.named_modules():
        if name:
            layer.register_forward_hook(functools.partial(note, name))
    network(torch.zeros(2, 3, side, side, device="meta"))
    return ran


def _linear_of(network: nn.Module, outputs: int) -> list[str]:
    layers = network.named_modules()
    return [name for name, layer in layers if isinstance(layer, nn.Linear) and layer.out_features == outputs]


def _stages(network: nn.Module, head: str, aux: tuple[str, ...]) -> tuple[str, ...]:
    """Return the parts of a network from input to output, the head as the last."""
    parts = [name for name in _parts(network, "") if not any(one.startswith(f"{name}.") for one in aux)]
    while parts[-1] != head:
        parts[-1:] = _parts(network, parts[-1])
    while len(parts) < STAGES:
        several = [name for name in parts if len(_parts(network, name)) > 1]
        if not several:
            break
        place = parts.index(max(several, key=lambda name: _weight(network, name)))
        parts[place : place + 1] = _parts(network, parts[place])
    return tuple(parts)


def _parts(network: nn.Module, name: str) -> list[str]:
    children = network.get_submodule(name).named_children()
    return [f"{name}.{child}".lstrip(".") for child, layer in children if any(True for _ in layer.parameters())]


def _weight(network: nn.Module, name: str) -> int:
    return sum(parameter.numel() for parameter in network.get_submodule(name).parameters())


def _walk(name: str, ran: list[_Ran], stages: tuple[str, ...]) -> tuple[tuple[str, ...], CamLayout]:
    """Return four layers, the last ones before the map becomes smaller, and how their outputs lie."""
    layouts = [one.layout for one in ran if one.name in stages and one.layout]
    if not layouts:
        raise BadArch(f"'{name}' has no layer whose output is a map, so that no heat map can be drawn.")
    layout = max(set(layouts), key=layouts.count)
    maps = [one for one in ran if one.layout == layout]
    shown = [one for one in maps if one.name in stages and one is not maps[-1]] + maps[-1:]
    by_side = {one.shape[2]: one.name for one in shown}
    names = list(by_side.values())[-WALK:]
    if len(names) < WALK:
        names = [shown[round(step * (len(shown) - 1) / (WALK - 1))].name for step in range(WALK)]
    return tuple(names), layout


def _token_walk(network: VisionTransformer) -> tuple[tuple[str, ...], CamLayout]:
    """Return the first norms of four blocks: see the note on `VIT_WALK` in the zoo."""
    count = len(list(network.encoder.layers.children()))
    numbers = [round((step + 1) * count / WALK) - 1 for step in range(WALK)]
    return tuple(f"encoder.layers.encoder_layer_{number}.ln_1" for number in numbers), "tokens"
