"""Pruning: as many zeros as asked, the smallest weights, the head whole, and what is kept is what was measured."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'train'")

from classifier import zoo  # noqa: E402 - after the check for torch
from classifier.detector import Installed, open_folder  # noqa: E402
from classifier.evaluate import evaluate, labelled  # noqa: E402
from classifier.export import load_network  # noqa: E402
from classifier.metrics import Metrics  # noqa: E402
from classifier.prune import Plan, Pruned, PruningRefused, Tuning, check, prune  # noqa: E402
from classifier.runtime import Detector  # noqa: E402
from classifier.sparsity import made_permanent, prunable, pruned, sparsity_of  # noqa: E402
from forensics_app.cli.run import as_json  # noqa: E402
from tests.classifier.pictures import write_folder  # noqa: E402

ROW = zoo.arch("mini_resnet")


@pytest.fixture(scope="module")
def installed(second_detector: Path) -> Installed:
    return open_folder(second_detector)


@pytest.fixture(scope="module")
def network(installed: Installed) -> Any:
    return load_network(installed)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("sparse") / "data", n=20, side_px=64)


@pytest.fixture
def with_recipe(tmp_path: Path, installed: Installed) -> Installed:
    """The same detector with a recipe on its card."""
    folder = Path(shutil.copytree(installed.folder, tmp_path / "with_recipe"))
    card = json.loads((folder / "detector.json").read_text())
    recipe = {
        "name": "x", "arch": card["arch"], "phases": [{"epochs": 1, "lr": 0.1}], "preprocess": card["preprocess"],
        "augment": {"crop": "native"}, "batch_size": 16, "data": {"val": 0.2, "cal": 0.2, "test": 0.4},
    }  # fmt: skip
    (folder / "detector.json").write_text(json.dumps({**card, "training": {"recipe": recipe}}))
    return open_folder(folder)


def weights(network: Any) -> dict[str, np.ndarray]:
    return {name: module.weight.detach().numpy() for name, module in prunable(network, ROW).items()}


@pytest.mark.parametrize("sparsity", [0.3, 0.9])
def test_the_smallest_weights_are_zero(network: Any, sparsity: float) -> None:
    found = pruned(network, ROW, sparsity, "unstructured")
    assert sparsity_of(found)[0] == pytest.approx(sparsity, abs=1e-6)
    before, after = weights(network), weights(found)
    kept = np.concatenate([np.abs(before[name][after[name] != 0]) for name in before])
    gone = np.concatenate([np.abs(before[name][after[name] == 0]) for name in before])
    assert gone.max() <= kept.min()
    assert (found.get_parameter(f"{ROW.head}.weight") != 0).all()
    share = sum(int((values == 0).sum()) for values in after.values()) / sum(p.numel() for p in network.parameters())
    assert sparsity_of(found)[1] == pytest.approx(share)


def test_whole_filters_are_zero(network: Any) -> None:
    before, after = weights(network), weights(pruned(network, ROW, 0.5, "structured"))
    for name in before:
        norms = np.sqrt((before[name] ** 2).sum(axis=(1, 2, 3)))
        dead = (after[name] == 0).all(axis=(1, 2, 3))
        assert dead.sum() == len(norms) // 2, name
        assert norms[dead].max() <= norms[~dead].min()
        assert (after[name][~dead] == before[name][~dead]).all()


def test_the_network_itself_stays_as_it_was(network: Any) -> None:
    before = {name: values.copy() for name, values in weights(network).items()}
    found = made_permanent(pruned(network, ROW, 0.5, "unstructured"))
    assert not [name for name, _ in found.named_buffers() if name.endswith("mask")]
    assert all((values == before[name]).all() for name, values in weights(network).items())
    assert sparsity_of(pruned(network, ROW, 0.0, "unstructured")) == (0.0, 0.0)


def test_without_zeros_it_is_the_detector(installed: Installed, data: Path) -> None:
    *_, found = prune(installed, data, Plan((0.5, 0.9)), device="cpu")
    assert isinstance(found, Pruned)
    *_, plain = evaluate(Detector(installed.folder), labelled(installed.card, data, "test"))
    assert isinstance(plain, Metrics)
    assert [point.sparsity for point in found.points] == [0.0, 0.5, 0.9]
    whole = found.points[0].pruned
    assert whole.metrics.confusion == plain.confusion
    assert whole.ece.value == pytest.approx(plain.ece, abs=1e-4)
    assert whole.difference.value == 0
    for point in found.points:
        change = point.pruned.metrics.balanced_accuracy.value - whole.metrics.balanced_accuracy.value
        assert point.pruned.difference.value == pytest.approx(change)
        assert point.tuned is None
    assert found.kept is None


def test_fine_tuned_and_kept(tmp_path: Path, with_recipe: Installed, data: Path) -> None:
    plan = Plan((0.8,), epochs=1, keep=0.8, seed=3)
    *_, first = prune(with_recipe, data, replace(plan, keep=None), device="cpu")
    *events, found = prune(with_recipe, data, plan, folder=tmp_path / "kept", device="cpu")
    assert isinstance(found, Pruned)
    assert isinstance(first, Pruned)
    figures = [one.points[1].tuned for one in (first, found)]
    assert as_json(figures[0]) == as_json(figures[1])  # the same seed, the same figures
    steps = [event for event in events if isinstance(event, Tuning)]
    assert [step.done for step in steps] == list(range(1, steps[-1].total + 1))
    assert found.points[0].tuned is None
    assert found.points[1].tuned is not None
    assert found.lr == pytest.approx(0.01)
    assert found.kept is not None
    kept = open_folder(tmp_path / "kept")
    assert kept.id == found.kept.id
    zeros = [float((values == 0).mean()) for values in weights(load_network(kept)).values()]
    sizes = [values.size for values in weights(load_network(kept)).values()]
    assert np.average(zeros, weights=sizes) >= 0.8  # fine-tuning left the zeros alone; half precision may add some
    assert np.average(zeros, weights=sizes) < 0.81
    assert kept.card.training["pruning"]["sparsity"] == 0.8
    *_, again = evaluate(Detector(kept.folder), labelled(kept.card, data, "test"))
    assert isinstance(again, Metrics)
    assert again.confusion == found.kept.metrics.confusion
    assert kept.card.metrics["test"]["confusion"] == again.confusion
    assert kept.card.band != with_recipe.card.band


@pytest.mark.parametrize("wrong", [-0.1, 1.0, 1.5, float("nan")])
def test_a_sparsity_outside_is_refused(wrong: float) -> None:
    for plan in ({"sparsities": (wrong,)}, {"keep": wrong}):
        with pytest.raises(PruningRefused, match="from 0 to below 1"):
            Plan(**plan)  # type: ignore[arg-type]


def test_what_cannot_be_pruned_is_one_sentence(installed: Installed) -> None:
    with pytest.raises(PruningRefused, match="no recipe"):
        check(installed, Plan(epochs=1))
    for change, words in (({"precision": "int8"}, "made from"), ({"members": ("0" * 16, "1" * 16)}, "its members")):
        other = replace(installed, card=installed.card.model_copy(update=change))
        with pytest.raises(PruningRefused, match=words):
            check(other, Plan())
