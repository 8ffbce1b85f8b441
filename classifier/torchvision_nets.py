"""Networks of torchvision, built so that a plain state dict holds all that they need."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models import MNASNet

from classifier.preprocess_spec import IMAGENET_MEAN, IMAGENET_STD

# Without it both warn that their initialization is going to change.
OPTIONS: dict[str, dict[str, Any]] = {"googlenet": {"init_weights": True}, "inception_v3": {"init_weights": True}}


class PlainMNASNet(MNASNet):
    """An MNASNet that takes state dicts without a version, which safetensors does not keep: they are today's."""

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Load a state dict of the current layout, or of the version that it names."""
        if not hasattr(state_dict, "_metadata"):
            state_dict = OrderedDict(state_dict)
            state_dict._metadata = OrderedDict({"": {"version": 2}})  # type: ignore[attr-defined]
        return super().load_state_dict(state_dict, strict, assign)


def torchvision_net(name: str, side: int) -> nn.Module:
    """Return torchvision's classifier of that name without weights, for pictures of `side` × `side`."""
    options = {"image_size": side} if name.startswith("vit_") else OPTIONS.get(name, {})
    network: nn.Module = torchvision.models.get_model(name, weights=None, **options)
    if isinstance(network, MNASNet):
        network.__class__ = PlainMNASNet
    if hasattr(network, "transform_input"):
        _with_input_scale(network)
    return network


def _with_input_scale(network: nn.Module) -> None:
    """Let the network scale its input by two buffers, at first by 1 and 0.

    GoogLeNet's and Inception's ImageNet weights want another normalization than all others; torchvision keeps that in
    an attribute, which a state dict loses.
    """
    network.register_buffer("input_scale", torch.ones(3, 1, 1))
    network.register_buffer("input_shift", torch.zeros(3, 1, 1))
    network.register_forward_pre_hook(_scaled)


def _scaled(network: nn.Module, inputs: tuple[Tensor, ...]) -> Tensor:
    return inputs[0] * network.get_buffer("input_scale") + network.get_buffer("input_shift")


def imagenet_input() -> dict[str, Tensor]:
    """Return the buffers that turn the usual normalization into the one of GoogLeNet's weights, from -1 to 1."""
    mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
    return {"input_scale": (std / 0.5).reshape(3, 1, 1), "input_shift": ((mean - 0.5) / 0.5).reshape(3, 1, 1)}
