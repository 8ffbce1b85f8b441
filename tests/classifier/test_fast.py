"""The fast twin: inside its detector's folder, made from the same weights, and refused where it does not belong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from classifier import quantize as quantize_module
from classifier.detector import CARD, FAST, WEIGHTS, BadDetector, fast_twin, open_folder
from classifier.evaluate import splits_of
from classifier.quantize import Limits, Quantized, quantize
from classifier.runtime import Detector
from tests.classifier.pictures import write_folder
from tests.conftest import picture

LOOSE = Limits(shift=0.5, flipped=1.0)


@pytest.fixture(scope="module")
def folder(second_detector: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector with a twin."""
    pytest.importorskip("onnx", reason="needs the extra 'train'")
    place = tmp_path_factory.mktemp("twin")
    copied = Path(shutil.copytree(second_detector, place / "detector"))
    data = write_folder(place / "data", n=12, side_px=64)
    *_, found = quantize(open_folder(copied), data, None, limits=LOOSE)
    assert isinstance(found, Quantized)
    return copied


def test_it_judges_like_its_detector_and_is_another(folder: Path) -> None:
    exact, fast = Detector(folder), Detector(folder, fast=True)
    assert fast.id != exact.id
    assert fast.card.precision == "int8"
    assert Detector(folder / FAST).id == fast.id == Detector.load(folder, fast=True).id
    for seed in range(3):
        one, two = (each.judge(picture(150, 140, seed=seed), heat_class="fake") for each in (exact, fast))
        assert not np.array_equal(one.logits, two.logits)
        assert np.abs(one.probabilities - two.probabilities).max() < 0.05


def test_it_has_no_matrices_of_its_own(folder: Path) -> None:
    size = sum(path.stat().st_size for path in (folder / FAST).iterdir())
    assert size < 0.2 * (folder / WEIGHTS).stat().st_size
    card = open_folder(folder / FAST).card
    assert card.shares == open_folder(folder).card.files[WEIGHTS]
    facts = card.training["quantization"]
    assert {"shift", "flipped", "speed_ratio", "ranged_on"} <= set(facts)
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_a_detector_without_one_says_how_to_make_it(second_detector: Path) -> None:
    with pytest.raises(BadDetector, match="has no fast twin; make one with 'forensics quantize"):
        Detector(second_detector, fast=True)


def test_one_that_was_made_from_another_detector_is_refused(folder: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(folder, tmp_path / "changed"))
    card = json.loads((copied / CARD).read_text())
    (copied / CARD).write_text(json.dumps({**card, "temperature": 2.5}))
    with pytest.raises(BadDetector, match="made from another one"):
        fast_twin(open_folder(copied))
    elsewhere = Path(shutil.copytree(folder / FAST, tmp_path / "alone" / FAST))
    with pytest.raises(BadDetector, match=r"weights\.safetensors"):
        open_folder(elsewhere)
    damaged = Path(shutil.copytree(folder, tmp_path / "damaged"))
    content = (damaged / WEIGHTS).read_bytes()
    (damaged / WEIGHTS).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(BadDetector, match="SHA-256 differs"):
        Detector(damaged, fast=True)


def test_a_run_makes_one_where_enough_pictures_can_judge_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = Path(shutil.copytree(folder, tmp_path / "detector", ignore=shutil.ignore_patterns(FAST)))
    installed = open_folder(alone)
    data = splits_of(installed.card, folder.parent / "data")
    assert not list(quantize_module.fast_twin_of(data, "test", installed))
    assert not (alone / FAST).exists()
    monkeypatch.setattr(quantize_module, "GATED_ON", 2)
    *_, end = quantize_module.fast_twin_of(data, "test", installed)
    assert isinstance(end, Quantized)
    assert Detector(alone, fast=True).id == end.id


def test_the_bundled_twin_passed_its_gate_and_says_by_how_much(bundled: Path) -> None:
    facts = fast_twin(open_folder(bundled)).card.training["quantization"]
    assert facts["passed"]
    assert facts["shift"] <= Limits().shift
    assert facts["flipped"]["value"] <= Limits().flipped
    assert facts["flipped"]["n"] > 900
    assert facts["speed_ratio"]["low"] > 2
    pixels = picture(240, 230, seed=5)
    exact, fast = (Detector(bundled, threads=1, fast=way).judge(pixels, heat_class="fake") for way in (False, True))
    assert np.abs(exact.probabilities - fast.probabilities).max() <= facts["shift"]
    assert exact.heat is not None
    assert fast.heat is not None
    assert np.corrcoef(exact.heat.values.ravel(), fast.heat.values.ravel())[0, 1] > 0.95
