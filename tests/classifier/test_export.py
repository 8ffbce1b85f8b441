"""The exported graph says what the network says, and holds nothing that does not belong into it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file

from classifier import export, zoo
from classifier.detector import GRAPH, WEIGHTS, Card, open_folder
from classifier.images import load
from classifier.preprocess import Preprocess, regions
from classifier.runtime import Detector, calibrated
from tests.classifier.networks import lively
from tests.conftest import picture

PREP = Preprocess(kind="tiles", size=64)
CARD = Card(name="x", arch="resnet18", classes=("a", "b"), preprocess=PREP)


def noise(count: int = 4) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, (count, 3, 64, 64)).astype(np.float32)


@pytest.mark.parametrize("name", sorted(zoo.ARCHS))
def test_every_architecture_exports_with_parity(tmp_path: Path, name: str) -> None:
    network = lively(name, 3)
    card = Card(name="tiny", arch=name, classes=("a", "b", "c"), preprocess=PREP)
    installed = export.export(network, card, tmp_path / "tiny", check=noise())
    detector, again = Detector(installed.folder), export.load_network(installed)
    logits, features = detector.forward(noise(5), ("logits", "features"))  # another number than at the export
    with torch.inference_mode():
        expected = again(torch.from_numpy(noise(5))).numpy()
    assert expected.std() > 0.1
    assert np.abs(logits - expected).max() < 1e-4
    assert features.shape[0] == 5
    assert features.shape[2] == features.shape[3]
    assert installed.card.training["export_max_difference"] <= export.PARITY
    judged = detector.judge(picture(80, 70), heat_class="b")
    assert judged.probabilities.sum() == pytest.approx(1)
    assert (judged.heat is not None) == zoo.arch(name).closed_form == installed.card.closed_form_cam


def test_auxiliary_heads_are_not_exported(tmp_path: Path) -> None:
    card = Card(name="x", arch="googlenet", classes=("a", "b"), preprocess=PREP)
    installed = export.export(zoo.build("googlenet", 2), card, tmp_path / "x", check=noise(1))
    assert not [name for name in load_file(installed.folder / WEIGHTS) if name.startswith("aux")]


def test_the_graph_refers_to_the_weights_and_names_no_file_of_this_machine(detector_folder: Path) -> None:
    raw = (detector_folder / GRAPH).read_bytes()
    assert len(raw) < 200_000
    assert b".py" not in raw
    assert str(Path.cwd()).encode() not in raw
    model = onnx.load(detector_folder / GRAPH, load_external_data=False)
    places = {e.value for t in model.graph.initializer for e in t.external_data if e.key == "location"}
    assert places == {WEIGHTS}


def test_a_graph_that_says_something_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = zoo.build("resnet18", 2).eval()
    monkeypatch.setattr(export, "_write_weights", _spoiled(export._write_weights))
    with pytest.raises(export.ExportRefused, match="not kept"):
        export.export(network, CARD, tmp_path / "x", check=noise())
    assert list(tmp_path.iterdir()) == []


def _spoiled(write):  # type: ignore[no-untyped-def]
    def spoil(network: torch.nn.Module, path: Path) -> None:
        torch.manual_seed(99)
        write(zoo.build("resnet18", 2), path)

    return spoil


def test_weights_too_large_for_half_precision_are_refused(tmp_path: Path) -> None:
    network = zoo.build("resnet18", 2).eval()
    with torch.no_grad():
        network.get_parameter("fc.weight").fill_(1e6)
    with pytest.raises(export.ExportRefused, match="half precision"):
        export.export(network, CARD, tmp_path / "x", check=noise())


def test_exporting_again_replaces_the_folder_whole(detector_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "d"
    shutil.copytree(detector_folder, folder)
    (folder / "left-over").write_text("x")
    installed = open_folder(folder)
    check = np.zeros((1, 3, installed.card.preprocess.size, installed.card.preprocess.size), np.float32)
    export.export(export.load_network(installed), installed.card, folder, check=check)
    assert sorted(path.name for path in folder.iterdir()) == sorted(["detector.json", GRAPH, WEIGHTS])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d"]


def test_the_bundled_detector_says_the_same_in_torch_on_100_pictures(bundled: Path, shared_data: Path) -> None:
    detector = Detector(bundled)
    network = export.load_network(open_folder(bundled))
    cats, generated = sorted((shared_data / "cats").rglob("*.jpg")), sorted((shared_data / "generated").rglob("*.webp"))
    files = [*cats[::30][:50], *generated[::11][:50]]
    assert len(files) == 100
    largest, fake = 0.0, detector.card.classes.index("fake")
    for path in files:
        pixels = load(path).pixels
        with torch.inference_mode():
            logits = network(torch.from_numpy(regions(pixels, detector.card.preprocess).batch)).double().mean(0).numpy()
        p = calibrated(logits, detector.card)[fake]
        largest = max(largest, abs(p - detector.judge(pixels).probabilities[fake]))
    assert largest < 1e-3
