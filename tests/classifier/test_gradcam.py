"""Our Grad-CAM against pytorch-grad-cam as the oracle, and the closed form in the graph against autograd."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from classifier import gradcam, nets, zoo
from classifier.detector import open_folder
from classifier.export import Explained, load_network
from classifier.images import load
from classifier.runtime import Detector
from tests.classifier.networks import lively
from tests.conftest import picture

SIDE_PX = 96
# Swin and ViT as pytorch-grad-cam's own documentation reshapes them.
RESHAPED: dict[str, Callable[[Tensor], Tensor] | None] = {
    "nchw": None,
    "nhwc": lambda values: values.transpose(2, 3).transpose(1, 2),
    "tokens": lambda values: values[:, 1:].unflatten(1, (SIDE_PX // 16, SIDE_PX // 16)).transpose(2, 3).transpose(1, 2),
}


def batch(count: int = 1, side_px: int = SIDE_PX) -> Tensor:
    pictures = np.stack([picture(side_px, side_px, seed=seed) for seed in range(count)])
    return torch.from_numpy(pictures).permute(0, 3, 1, 2) / 64 - 2


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


@pytest.mark.parametrize("name", sorted(zoo.ARCHS))
def test_maps_of_every_stage_and_class_equal_the_oracle(name: str) -> None:
    row, network, x = zoo.arch(name), lively(name, size=SIDE_PX), batch()
    coloured = 0
    for layer, cls in [(layer, 0) for layer in row.walk] + [(row.cam_layer, 1)]:
        mine = gradcam.class_maps(network, row, x, cls, layer=layer)
        with GradCAM(network, [network.get_submodule(layer)], RESHAPED[row.cam_layout]) as oracle:
            grey = oracle(input_tensor=x, targets=[ClassifierOutputTarget(cls)])[0]
        if mine.max() == 0:
            assert grey.max() == pytest.approx(0, abs=1e-6)
            continue
        grown = nn.functional.interpolate(torch.from_numpy(mine)[None], size=grey.shape, mode="bilinear")
        assert correlation(grown.numpy(), grey) > 0.99, layer
        coloured += 1
    assert coloured >= 2


@pytest.mark.parametrize("name", sorted(zoo.ARCHS))
def test_a_row_has_a_closed_form_exactly_where_it_is_grad_cam(name: str) -> None:
    row, network, x = zoo.arch(name), lively(name), batch(2, 64)
    autograd = gradcam.class_maps(network, row, x, 1)
    try:
        with torch.no_grad():
            cam = Explained(network, replace(row, closed_form=True))(x)[2][:, 1].clamp(min=0).numpy()
    except RuntimeError:  # the head has other inputs than the layer's channels
        equal = False
    else:
        equal = np.abs(cam - autograd).max() < 1e-4 * autograd.max()
    assert autograd.max() > 0
    assert equal == row.closed_form


@pytest.mark.parametrize(("name", "layer"), [
    ("resnet18", "conv1"), ("swin_t", "features.0"), ("vit_b_16", "encoder.layers.encoder_layer_0.ln_1"),
])  # fmt: skip
def test_maps_lie_as_the_picture_does(name: str, layer: str) -> None:
    row, network, x = zoo.arch(name), lively(name), torch.zeros(2, 3, 64, 64)
    x[1, :, :16, 48:] = 1  # the upper right corner differs, and nothing else
    with torch.no_grad(), gradcam.captured(network.get_submodule(layer)) as outputs:
        network(x)
    both = nets.as_nchw(outputs[0], row.cam_layout)
    moved = (both[1] - both[0]).abs().amax(dim=0)
    rows, columns = moved.nonzero(as_tuple=True)
    assert int(rows.max()) <= moved.shape[0] * 20 // 64
    assert int(columns.min()) >= moved.shape[1] * 44 // 64


def test_the_output_of_a_vision_transformer_has_no_gradient_but_that_of_its_class_token() -> None:
    """Why the map of ViT is drawn from the last block's first norm."""
    row, network = zoo.arch("vit_b_16"), lively("vit_b_16")
    assert gradcam.class_maps(network, row, batch(2, 64), 0, layer=row.stages[-3]).max() == 0
    assert gradcam.class_maps(network, row, batch(2, 64), 0).max() > 0


def test_a_layer_whose_output_is_written_over_is_mapped_as_it_was() -> None:
    """The rectifier after a batch norm works in place: the map is of what the norm gave, not of what is left of it."""
    row, network, x = zoo.arch("resnet18"), lively("resnet18"), batch(2, 64)
    with_copies = gradcam.class_maps(network, row, x, 0, layer="bn1")
    network.get_submodule("relu").inplace = False
    assert np.array_equal(with_copies, gradcam.class_maps(network, row, x, 0, layer="bn1"))
    assert with_copies.max() > 0


@pytest.mark.parametrize(("layer", "told"), [
    ("layer44", "Did you mean 'layer4'"), ("", "no layer ''"), ("fc", "is no map; take one of layer1, layer2"),
])  # fmt: skip
def test_a_layer_that_has_no_map_is_refused(layer: str, told: str) -> None:
    with pytest.raises(gradcam.BadLayer, match=told):
        gradcam.class_maps(zoo.build("resnet18", 2), zoo.arch("resnet18"), batch(1, 64), 0, layer=layer)


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "vit_b_16"])
def test_every_stage_has_a_map_or_is_linear(name: str) -> None:
    row, network = zoo.arch(name), zoo.build(name, 2, size=32)
    for stage in row.stages:
        if isinstance(network.get_submodule(stage), nn.Linear):
            with pytest.raises(gradcam.BadLayer, match=f"'{stage}' in '{name}' is no map"):
                gradcam.class_maps(network, row, batch(2, 32), 1, layer=stage)
            continue
        maps = gradcam.class_maps(network, row, batch(2, 32), 1, layer=stage)
        assert maps.ndim == 3
        assert maps.shape[1] == maps.shape[2] >= 1


def test_a_frozen_network_has_maps_too() -> None:
    network = lively("resnet18")
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    maps = [gradcam.class_maps(network, zoo.arch("resnet18"), batch(1, 64), cls) for cls in (0, 1)]
    assert max(one.max() for one in maps) > 0


def test_an_earlier_stage_gives_a_finer_map() -> None:
    network = zoo.build("resnet18", 2)
    fine = gradcam.class_maps(network, zoo.arch("resnet18"), torch.ones(2, 3, 64, 64), 0, layer="layer2")
    assert fine.shape == (2, 8, 8)


def test_the_closed_form_in_the_graph_equals_autograd(bundled: Path, shared_data: Path) -> None:
    detector, network = Detector(bundled), load_network(open_folder(bundled))
    row, prep = zoo.arch(detector.card.arch), detector.card.preprocess
    cats, generated = (
        sorted((shared_data / "cats/kaggle").iterdir()),
        sorted((shared_data / "generated").rglob("*.webp")),
    )
    files = [*cats[:6], *generated[::90]]
    coloured = 0
    for path in files:
        pixels = load(path).pixels
        heat = detector.judge(pixels, heat_class="fake").heat
        assert heat is not None
        autograd = gradcam.grad_cam(network, row, prep, pixels, detector.card.classes.index("fake"))
        assert np.abs(heat.values - autograd.values).max() < 1e-4
        assert heat.boxes == autograd.boxes
        coloured += heat.values.max() > 0
    assert coloured >= len(files) // 2
