"""The exported graph says what the network says, and holds nothing that does not belong into it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from classifier import export, nets, pretrained, zoo
from classifier.detector import GRAPH, WEIGHTS, BadDetector, Card, open_folder
from classifier.images import load
from classifier.preprocess import regions
from classifier.preprocess_spec import Preprocess
from classifier.runtime import Detector, calibrated
from classifier.tensors import TENSORS, read_rows
from tests.classifier.networks import lively
from tests.conftest import picture

SIDE_PX = 32
PREP = Preprocess(kind="tiles", size=SIDE_PX)
CARD = Card(name="x", arch="resnet18", classes=("a", "b"), preprocess=PREP)


def inputs(count: int = 2) -> np.ndarray:
    pictures = np.stack([picture(SIDE_PX, SIDE_PX, seed=seed) for seed in range(count)])
    return (np.moveaxis(pictures, -1, 1) / 64 - 2).astype(np.float32)


@pytest.mark.parametrize("name", sorted(zoo.ARCHS))
def test_every_architecture_exports_with_parity(tmp_path: Path, name: str) -> None:
    network = lively(name, 3, size=SIDE_PX)
    card = Card(name="tiny", arch=name, classes=("a", "b", "c"), preprocess=PREP)
    installed = export.export(network, card, tmp_path / "tiny", check=inputs())
    detector, again = Detector(installed.folder), export.load_network(installed)
    logits, features = detector.forward(inputs(5), ("logits", "features"))  # another number than at the export
    with torch.inference_mode():
        expected = again(torch.from_numpy(inputs(5))).numpy()
    told_apart = np.ptp(expected, axis=0).max()  # by how much the pictures' logits differ
    assert told_apart > 0.01
    assert np.abs(logits - expected).max() < told_apart / 100
    assert features.shape[0] == 5
    assert features.shape[2] == features.shape[3]
    assert installed.card.training["export_max_difference"] <= export.PARITY
    assert set(load_file(installed.folder / WEIGHTS)) == set(again.state_dict())
    judged = detector.judge(picture(80, 70), heat_class="b")
    assert judged.probabilities.sum() == pytest.approx(1)
    assert (judged.heat is not None) == zoo.arch(name).closed_form == installed.card.closed_form_cam


def test_a_detector_is_a_start_for_another(detector_folder: Path) -> None:
    """Its weights are halved, and it has another head."""
    weights = detector_folder / WEIGHTS
    network, state = zoo.build("resnet18_npr", 5, str(weights)), load_file(weights)
    body = {name: value for name, value in network.state_dict().items() if not name.startswith("fc.")}
    assert all(torch.equal(value, state[name].to(value.dtype)) for name, value in body.items())
    assert network.get_parameter("fc.weight").shape == (5, 512)


def test_auxiliary_heads_are_not_exported_and_not_missed() -> None:
    row, network = zoo.arch("googlenet"), zoo.build("googlenet", 2)
    state = nets.drop_auxiliary(zoo.build("googlenet", 3), row.aux_heads).state_dict()
    assert not [name for name in state if name.startswith("aux")]
    pretrained.fit(network, row, state, 32, "x")
    assert torch.equal(network.get_parameter("conv1.conv.weight"), state["conv1.conv.weight"])


def test_the_graph_refers_to_the_weights_and_names_no_file_of_this_machine(detector_folder: Path) -> None:
    raw = (detector_folder / GRAPH).read_bytes()
    assert len(raw) < 200_000
    assert b".py" not in raw
    assert str(Path.cwd()).encode() not in raw
    model = onnx.load(detector_folder / GRAPH, load_external_data=False)
    places = {e.value for t in model.graph.initializer for e in t.external_data if e.key == "location"}
    assert places == {row.name for row in read_rows((detector_folder / TENSORS).read_bytes())}
    assert not {"BatchNormalization", "Cast", "Constant"} & {node.op_type for node in model.graph.node}


def test_a_graph_that_says_something_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_rounded", lambda *_: lively("resnet18", size=32).state_dict())
    with pytest.raises(export.ExportRefused, match="not kept"):
        export.export(zoo.build("resnet18", 2), CARD, tmp_path / "x", check=inputs())
    assert list(tmp_path.iterdir()) == []


def test_matrices_are_halved_where_that_moves_nothing(detector_folder: Path) -> None:
    state = load_file(detector_folder / WEIGHTS)
    kinds = {value.dtype for value in state.values() if value.dim() > 1}
    assert kinds == {torch.float16}
    assert state["fc.bias"].dtype == torch.float32


def test_weights_that_halving_would_change_stay_in_single_precision(tmp_path: Path) -> None:
    network = zoo.build("scratch_cnn_s2", 2).eval()
    with torch.no_grad():
        network.get_parameter("classifier.4.weight").fill_(1e6)  # more than half precision can hold
    card = CARD.model_copy(update={"arch": "scratch_cnn_s2"})
    installed = export.export(network, card, tmp_path / "x", check=inputs())
    again = export.load_network(installed)
    assert {value.dtype for value in load_file(installed.folder / WEIGHTS).values() if value.is_floating_point()} == {
        torch.float32
    }
    with torch.inference_mode():
        expected = again(torch.from_numpy(inputs()))
    (logits,) = Detector(installed.folder).forward(inputs())
    assert np.allclose(logits, expected.numpy(), rtol=1e-4)


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    network = zoo.build("scratch_cnn_s2", 2).eval()
    with torch.no_grad():
        network.get_parameter("classifier.4.bias").fill_(torch.nan)
    with pytest.raises(BadDetector, match="no numbers"):
        export.export(network, CARD.model_copy(update={"arch": "scratch_cnn_s2"}), tmp_path / "x", check=inputs())
    assert list(tmp_path.iterdir()) == []


def test_exporting_again_replaces_the_folder_whole(detector_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "d"
    shutil.copytree(detector_folder, folder)
    (folder / "left-over").write_text("x")
    installed = open_folder(folder)
    check = np.zeros((1, 3, installed.card.preprocess.size, installed.card.preprocess.size), np.float32)
    export.export(export.load_network(installed), installed.card, folder, check=check)
    assert sorted(path.name for path in folder.iterdir()) == sorted(["detector.json", GRAPH, TENSORS, WEIGHTS])
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


class Branching(nn.Module):
    """A network whose way depends on what it sees, which no graph can hold."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 1000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.conv(x)
        return self.fc(maps.amax((2, 3)) if bool(maps.sum() > 0) else maps.mean((2, 3)))


def test_a_network_that_cannot_be_exported_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = zoo.Arch("branching", lambda _side: Branching(), ("fc",), ("conv",) * 4)
    monkeypatch.setitem(zoo.ARCHS, "branching", row)
    card = CARD.model_copy(update={"arch": "branching"})
    with pytest.raises(export.ExportRefused, match="'branching' could not be exported to ONNX: "):
        export.export(zoo.build("branching", 2), card, tmp_path / "x", check=inputs())
    assert list(tmp_path.iterdir()) == []
