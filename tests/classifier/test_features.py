"""A frozen trunk's features are computed once, and the head learns the same, as long as nothing is random."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from classifier import features, nets, zoo
from classifier.data import open_data
from classifier.recipes import Recipe
from classifier.train import BEST, Epoch, Extracted, Trained
from tests.classifier.pictures import write_folder
from tests.classifier.test_train import recipe_of, trained

CONSTANT = {"crop": "center", "flip": 0}


def frozen(**changes: Any) -> Recipe:
    plain = {"phases": [{"epochs": 3, "trainable": "head", "lr": 0.05}], "augment": CONSTANT}
    return recipe_of(**{**plain, **changes})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("features") / "data")


@pytest.mark.parametrize("changes", [
    {"dropout": 0.5, "imbalance": "class_weights", "data": {"val": 0.2, "cal": 0.2, "test": 0.2}},
    {"arch": "mobilenet_v3_small", "batch_size": 4},  # a frozen linear layer and a dropout between trunk and head
], ids=["resnet18_npr", "mobilenet_v3_small"])  # fmt: skip
def test_the_head_learns_the_same_from_kept_features(tmp_path: Path, folder: Path, changes: dict[str, Any]) -> None:
    kept = trained(frozen(**changes), folder, tmp_path / "kept")
    anew = trained(frozen(cache_features="never", **changes), folder, tmp_path / "anew")
    for events, cached in ((kept, True), (anew, False)):
        epochs = [event for event in events if isinstance(event, Epoch)]
        assert [epoch.cached for epoch in epochs] == [cached] * 3
        assert any(isinstance(event, Extracted) for event in events) is cached
    end, other = kept[-1], anew[-1]
    assert isinstance(end, Trained)
    assert isinstance(other, Trained)
    for one, two in zip(end.history, other.history, strict=True):
        assert one.train_loss == pytest.approx(two.train_loss, rel=1e-4)
        assert one.val_loss == pytest.approx(two.val_loss, rel=1e-4)
        assert one.val_accuracy == two.val_accuracy
    weights, others = load_file(tmp_path / "kept" / BEST), load_file(tmp_path / "anew" / BEST)
    for name, value in weights.items():
        assert torch.allclose(value.float(), others[name].float(), atol=1e-4), name


def test_features_of_all_pictures_are_told_and_only_once(tmp_path: Path, folder: Path) -> None:
    events = trained(frozen(), folder, tmp_path / "out")
    splits = open_data(folder, frozen().data, frozen().seed).splits
    told = [event for event in events if isinstance(event, Extracted)]
    assert told[-1].pictures == told[-1].of == len(splits["train"]) + len(splits["val"])
    assert events[: len(told)] == told


@pytest.mark.parametrize(
    "changes",
    [
        {"augment": {"crop": "center", "flip": 0.5}},
        {"augment": {"crop": "center", "flip": 0, "jitter": 0.1}},
        {"augment": {"crop": "center", "flip": 0, "rotation_deg": 5}},
        {"augment": {"crop": "center", "flip": 0, "jpeg": {"probability": 0.5}}},
        {"augment": {"crop": "center", "flip": 0, "mixup": 0.2}},
        {"augment": {"crop": "resized", "flip": 0}},
        {"phases": [{"epochs": 1, "trainable": 1, "lr": 0.1}]},
        {"phases": [{"epochs": 1, "trainable": "all", "lr": 0.1}]},
        {"cache_features": "never"},
        {"arch": "googlenet"},  # its dropout stands between trunk and head
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_nothing_is_kept_where_features_may_change(changes: dict[str, Any]) -> None:
    recipe = frozen(**changes)
    network = zoo.build(recipe.arch, 2)
    nets.freeze(network, (zoo.arch(recipe.arch).head,) if recipe.phases[0].trainable == "head" else None)
    assert not features.can_keep(recipe, recipe.phases[0], network)
    assert features.can_keep(frozen(), frozen().phases[0], network) == (recipe.arch != "googlenet")


@pytest.mark.parametrize("arch", ["resnet18", "convnext_tiny", "efficientnet_b0", "swin_t", "vit_b_16", "densenet161"])
def test_a_frozen_trunk_is_not_random_in_any_architecture(arch: str) -> None:
    """Stochastic depth and dropout inside of a frozen stage are off, as its batch norm's statistics are."""
    recipe = frozen(arch=arch)
    network = zoo.build(arch, 2)
    nets.freeze(network, (zoo.arch(arch).head,))
    assert features.can_keep(recipe, recipe.phases[0], network)
    nets.freeze(network, None)
    nets.train_mode(network)
    assert all(module.training for module in network.modules())


def test_features_that_are_too_large_are_computed_anew(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "MAX_BYTES", 1000)
    events = trained(frozen(), folder, tmp_path / "out")
    assert not any(isinstance(event, Extracted) for event in events)
    assert [event.cached for event in events if isinstance(event, Epoch)] == [False] * 3
