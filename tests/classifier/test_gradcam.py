"""Our Grad-CAM against pytorch-grad-cam as the oracle, and the closed form in the graph against autograd."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from classifier import gradcam, zoo
from classifier.detector import open_folder
from classifier.export import load_network
from classifier.images import Pixels, load
from classifier.preprocess import Preprocess, regions
from classifier.runtime import Detector


def pictures(count: int, side_px: int = 160) -> list[Pixels]:
    rng = np.random.default_rng(3)
    ground = np.linspace(0, 200, side_px)[:, None, None]
    return [(ground + rng.integers(0, 55, (side_px, side_px, 3))).astype(np.uint8) for _ in range(count)]


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


@pytest.mark.parametrize("name", sorted(zoo.ARCHS))
@pytest.mark.parametrize("cls", [0, 1])
def test_maps_equal_the_oracle(name: str, cls: int) -> None:
    torch.manual_seed(1)
    row = zoo.arch(name)
    network = zoo.build(name, 2).eval()
    prep = Preprocess(kind="resize", size=128, resize=128)
    compared = 0
    for pixels in pictures(3):
        batch = torch.from_numpy(regions(pixels, prep).batch)
        mine = gradcam.class_maps(network, row, batch, cls)[0]
        with GradCAM(model=network, target_layers=[network.get_submodule(row.cam_layer)]) as oracle:
            grey = oracle(input_tensor=batch, targets=[ClassifierOutputTarget(cls)])[0]
        if mine.max() == 0:
            assert grey.max() == pytest.approx(0, abs=1e-6)
            continue
        grown = torch.nn.functional.interpolate(
            torch.from_numpy(mine)[None, None], size=grey.shape, mode="bilinear", align_corners=False
        )
        assert correlation(grown.numpy(), grey) > 0.99
        compared += 1
    other = gradcam.class_maps(network, row, torch.from_numpy(regions(pictures(1)[0], prep).batch), 1 - cls)
    assert compared or other.max() > 0  # at least one of both classes has evidence somewhere


def test_a_frozen_network_has_maps_too() -> None:
    network = zoo.build("resnet18", 2).eval()
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    maps = [gradcam.class_maps(network, zoo.arch("resnet18"), torch.ones(1, 3, 64, 64), cls) for cls in (0, 1)]
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
