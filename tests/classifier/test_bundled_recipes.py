"""Every bundled recipe says what it reproduces, builds its network, and runs to a measured detector, shortened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from classifier import zoo
from classifier.detector import open_folder
from classifier.measuring import chooses
from classifier.optimize import trainable_modules
from classifier.recipes import covered, header, load, override, recipe_files
from classifier.run import Finished, Measured, run
from tests.classifier.pictures import write_folder

NAMES = tuple(recipe_files())
SHORT = ("epochs=1", "weights=none", "samples_per_epoch=8", "batch_size=4", "precision=fp32", "data.classes={}",
         "data.holdout=[]", "preprocess.size=32", "preprocess.resize=36")  # fmt: skip
SMALL = {"convnext_tiny": "scratch_cnn_s2", "resnet50": "resnet18"}
"""Networks that take longer than everything else together, and what stands for them here."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("recipes") / "data", n=10)


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_to_a_measured_detector(tmp_path: Path, folder: Path, name: str) -> None:
    recipe = load(name)
    recipe = override(recipe, [*SHORT, f"arch={SMALL.get(recipe.arch, recipe.arch)}"])
    if not (recipe.data.val or recipe.data.test):  # made for a folder that has val/
        recipe = override(recipe, ["data.val=0.2"])
    events = list(run(recipe, folder, tmp_path / "out", device="cpu"))
    end = events[-1]
    assert isinstance(end, Finished)
    card = open_folder(end.folder).card
    assert (card.name, card.limits) == (recipe.name, recipe.limits)
    assert [phase["epochs"] for phase in card.training["phases"]] == [1] * len(recipe.phases)
    assert [event.metrics.n for event in events if isinstance(event, Measured)] == [4, 4]
    saved = {path.name for path in (tmp_path / "out").glob("best*.safetensors")}
    assert saved == {"best.safetensors", *(f"best-phase{n + 1}.safetensors" for n in range(len(recipe.phases)))}
    history = json.loads((tmp_path / "out/history.json").read_text())
    assert len((tmp_path / "out/history.csv").read_text().splitlines()) == 1 + len(history)


@pytest.mark.parametrize("name", NAMES)
def test_its_network_has_what_trains(name: str) -> None:
    recipe = load(name)
    with torch.device("meta"):
        network = zoo.build(recipe.arch, 3, size=recipe.preprocess.size, dropout=recipe.dropout)
    for phase in recipe.phases:
        for module in trainable_modules(recipe, phase) or ():
            assert list(network.get_submodule(module).parameters()), module


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"default", "fake-real"}))
def test_its_header_says_what_it_reproduces(name: str) -> None:
    text = header(name)
    assert covered(name), "name the lines of the source documents"
    assert "differs" in text or name == "cats"
    if load(name).weights == "imagenet":
        assert "--set weights=none" in text and "--weights FILE" in text
    if name != "cats":
        assert f"forensics train --recipe {name} --data " in text


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"default"}))
def test_pictures_that_are_measured_on_decided_nothing(name: str) -> None:
    recipe = load(name)
    assert recipe.data.test or chooses(recipe) is None
