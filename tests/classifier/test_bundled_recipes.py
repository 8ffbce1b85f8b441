"""Every bundled recipe says what it reproduces, builds its network, and runs to a measured detector, shortened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from classifier import zoo
from classifier.data import open_data
from classifier.detector import open_folder
from classifier.measuring import chooses, measured_split
from classifier.optimize import trainable_modules
from classifier.recipes import Recipe, covered, header, load, override, recipe_files
from classifier.run import Finished, Measured, run
from tests.classifier.pictures import write_folder

NAMES = tuple(recipe_files())
SHORT = ("epochs=1", "weights=none", "samples_per_epoch=8", "batch_size=4", "precision=fp32", "data.classes={}",
         "data.holdout=[]", "preprocess.size=32", "preprocess.resize=36")  # fmt: skip
SMALL, STAGE = "scratch_cnn_s2", ["block3"]
"""What stands for the recipe's network and the stages it names: those are exported and mapped in other tests."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("recipes") / "data")


def shortened(name: str) -> Recipe:
    recipe = load(name)
    named = [place for place, phase in enumerate(recipe.phases) if isinstance(phase.trainable, tuple)]
    small = [f"phases.{place}.trainable={STAGE}" for place in named]
    own = [] if recipe.data.val or recipe.data.test else ["data.val=0.2"]  # made for a folder that has val/
    return override(recipe, [*SHORT, *small, *own, f"arch={SMALL}"])


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_to_a_measured_detector(tmp_path: Path, folder: Path, name: str) -> None:
    recipe = shortened(name)
    events = list(run(recipe, folder, tmp_path / "out", device="cpu"))
    end = events[-1]
    assert isinstance(end, Finished)
    card = open_folder(end.folder).card
    assert (card.name, card.limits) == (recipe.name, recipe.limits)
    assert [phase["epochs"] for phase in card.training["phases"]] == [1] * len(recipe.phases)
    data = open_data(folder, recipe.data, recipe.seed)
    aside = len(data.splits[measured_split(recipe, data)])
    assert aside > 2
    assert [event.metrics.n for event in events if isinstance(event, Measured)] == [aside, aside]
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
    text = " ".join(header(name).split())
    assert len(covered(name)) > 4, "name the lines of the source documents"
    assert "hat differs" in text
    if load(name).weights == "imagenet":
        assert "--set weights=none" in text and "--weights FILE" in text
    assert f"forensics train --recipe {name} --data " in text or name == "cats"


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"default"}))
def test_pictures_that_are_measured_on_decided_nothing(name: str) -> None:
    recipe = load(name)
    assert recipe.data.test or chooses(recipe) is None
