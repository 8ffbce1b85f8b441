"""A detector folder is outside input: each way in which it can be wrong gives one sentence and `BadDetector`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier.detector import CARD, GRAPH, WEIGHTS, BadDetector, Card, find, folders, open_folder, sha256_of
from classifier.runtime import Detector


@pytest.fixture
def copied(detector_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(detector_folder, tmp_path / "tiny"))


def rewrite(folder: Path, **changes: Any) -> None:
    """Change keys of a card; a file's hash is renewed with `files=None`."""
    card = json.loads((folder / CARD).read_text())
    if "files" in changes and changes["files"] is None:
        changes["files"] = {name: sha256_of(folder / name) for name in card["files"]}
    (folder / CARD).write_text(json.dumps({**card, **changes}))


def refused(folder: Path) -> str:
    with pytest.raises(BadDetector) as caught:
        Detector(folder)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message and len(message) < 500
    return message


def test_a_whole_detector_opens(detector_folder: Path) -> None:
    installed = open_folder(detector_folder)
    assert installed.judges and installed.card.classes == ("fake", "real")
    assert len(installed.id) == 16 and installed.id == Detector(detector_folder).id


def test_the_id_changes_with_the_card(copied: Path) -> None:
    before = open_folder(copied).id
    rewrite(copied, temperature=1.25)
    assert open_folder(copied).id != before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"{not json", "invalid detector.json"),
        (b"\xff\xfe\x00binary", "invalid detector.json"),
        (b"[1, 2]", "invalid detector.json"),
        (b"null", "invalid detector.json"),
        (b"[" * 100_000, "invalid detector.json"),
        (b'{"name": "' + b"x" * (5 * 2**20) + b'"}', "limit"),
        (b'{"name": 1e999999}', "invalid detector.json"),
        (b'{"name": ' + b"9" * 5000 + b"}", "invalid detector.json"),
    ],
    ids=["empty", "no-json", "binary", "list", "null", "deep", "huge", "infinite", "long-number"],
)
def test_a_card_that_is_none(copied: Path, content: bytes, says: str) -> None:
    (copied / CARD).write_bytes(content)
    message = refused(copied)
    assert says in message
    assert "invalid" not in message or message.endswith(": it is damaged; export it again.")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"surprise": 1}, "surprise"),
        ({"format": 2}, "format"),
        ({"name": "../../etc"}, "name"),
        ({"name": "<script>"}, "name"),
        ({"classes": ["fake"]}, "classes"),
        ({"classes": ["fake", "fake"]}, "differ"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"temperature": float("inf")}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"band": {"low": 0.9, "high": 0.1}}, "low must not be above high"),
        ({"band": {"low": float("nan"), "high": 1}}, "band.low"),
        ({"preprocess": {"size": 10**9}}, "preprocess.size"),
        ({"preprocess": {"std": [0, 1, 1]}}, "preprocess.std"),
        ({"preprocess": {"tiles": 10**6}}, "preprocess.tiles"),
    ],
)
def test_a_card_with_a_wrong_key_names_it(copied: Path, changes: dict[str, Any], says: str) -> None:
    rewrite(copied, **changes)
    assert says in refused(copied)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "..", ".", "", "a/b", "a\\b", "nul\0", "c:x", "-x"])
def test_file_names_stay_inside_the_folder(copied: Path, name: str) -> None:
    (copied.parent / "secret").write_bytes(b"x")
    card = json.loads((copied / CARD).read_text())
    rewrite(copied, files={**card["files"], name: sha256_of(copied.parent / "secret")})
    assert "outside its folder" in refused(copied)


def test_changed_missing_linked_and_odd_files(copied: Path) -> None:
    weights = copied / WEIGHTS
    good = weights.read_bytes()
    weights.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert "SHA-256 differs" in refused(copied)
    weights.unlink()
    assert "no such file" in refused(copied)
    (copied.parent / "elsewhere").write_bytes(good)
    weights.symlink_to(copied.parent / "elsewhere")
    assert "outside its folder" in refused(copied)
    weights.unlink()
    weights.mkdir()
    assert "not a regular file" in refused(copied)
    weights.rmdir()
    weights.write_bytes(good)
    rewrite(copied, files={GRAPH: sha256_of(copied / GRAPH)})
    assert f"names no {WEIGHTS}" in refused(copied)
    rewrite(copied, files={WEIGHTS: sha256_of(weights)})
    assert f"has no {GRAPH}" in refused(copied)


def test_a_pipe_in_place_of_the_card_does_not_hang(copied: Path) -> None:
    import os

    if not hasattr(os, "mkfifo"):
        pytest.skip("needs named pipes")
    (copied / CARD).unlink()
    os.mkfifo(copied / CARD)
    assert "not a regular file" in refused(copied)


@pytest.mark.parametrize("content", [b"garbage" * 99, b"\x08\x07" * 50, b"\0"])
def test_a_graph_that_is_none(copied: Path, content: bytes) -> None:
    (copied / GRAPH).write_bytes(content)
    rewrite(copied, files=None)
    assert GRAPH in refused(copied)


def with_graph(folder: Path, change: Callable[[Any], None]) -> None:
    onnx = pytest.importorskip("onnx", reason="needs the extra 'train'")
    model = onnx.load(folder / GRAPH, load_external_data=False)
    change(model)
    (folder / GRAPH).write_bytes(model.SerializeToString())
    rewrite(folder, files=None)


ELSEWHERE = ["../secret.bin", "inside.bin", "/etc/hostname", "link.bin"]


def lay_traps(folder: Path) -> None:
    """Put files beside a detector that its card does not name."""
    big = bytes((folder / WEIGHTS).read_bytes())
    (folder.parent / "secret.bin").write_bytes(big)
    (folder / "inside.bin").write_bytes(big)
    (folder / "link.bin").symlink_to(folder.parent / "secret.bin")


@pytest.fixture
def refers(tmp_path: Path) -> Path:
    """A detector of the first kind, whose graph refers into its weights file."""
    graphs = pytest.importorskip("tests.classifier.graphs", reason="needs the extra 'train'")
    return Path(graphs.write_patch_detector(tmp_path / "patch"))


def set_place(folder: Path, key: str, value: str) -> None:
    def change(model: Any) -> None:
        tensor = next(one for one in model.graph.initializer if one.external_data)
        next(entry for entry in tensor.external_data if entry.key == key).value = value

    with_graph(folder, change)


@pytest.mark.parametrize("location", ELSEWHERE)
def test_a_graph_may_read_no_file_that_the_card_does_not_name(refers: Path, location: str) -> None:
    assert Detector(refers).name == "patch"
    lay_traps(refers)
    set_place(refers, "location", location)
    assert GRAPH in refused(refers)


@pytest.mark.parametrize("location", [*ELSEWHERE, WEIGHTS])
def test_a_graph_may_read_no_tensor_that_is_not_made_for_it(copied: Path, location: str) -> None:
    lay_traps(copied)
    onnx = pytest.importorskip("onnx", reason="needs the extra 'train'")

    def add_one(model: Any) -> None:
        tensor = onnx.TensorProto(name="more", data_type=1, dims=[2], data_location=1)
        for key, value in {"location": location, "offset": "0", "length": "8"}.items():
            tensor.external_data.add(key=key, value=value)
        model.graph.initializer.append(tensor)
        next(node for node in model.graph.node if "logits" in node.output).output[0] = "fewer"
        model.graph.node.append(onnx.helper.make_node("Add", ["fewer", "more"], ["logits"]))

    with_graph(copied, add_one)
    assert GRAPH in refused(copied)


def test_a_graph_that_reads_behind_the_end_of_the_weights(refers: Path) -> None:
    set_place(refers, "offset", str(2**40))
    assert GRAPH in refused(refers)


def test_a_graph_for_other_classes_sizes_or_inputs_does_not_fit(copied: Path) -> None:
    rewrite(copied, classes=["fake", "real", "other"])
    assert "does not fit its card" in refused(copied)
    rewrite(copied, classes=["fake", "real"])
    card = json.loads((copied / CARD).read_text())
    rewrite(copied, preprocess={**card["preprocess"], "size": 96})
    assert "does not fit its card" in refused(copied)
    rewrite(copied, preprocess=card["preprocess"])

    def renamed(model: Any) -> None:
        model.graph.input[0].name = "picture"
        for node in model.graph.node:
            node.input[:] = ["picture" if name == "input" else name for name in node.input]

    with_graph(copied, renamed)
    assert "does not fit its card" in refused(copied)


def test_weights_that_are_no_numbers_never_become_a_verdict(copied: Path) -> None:
    from safetensors.numpy import load_file, save_file

    state = load_file(copied / WEIGHTS)
    state["fc.bias"] = np.full_like(state["fc.bias"], np.nan)
    layout_before = (copied / WEIGHTS).stat().st_size
    save_file(state, copied / WEIGHTS)
    assert (copied / WEIGHTS).stat().st_size == layout_before
    rewrite(copied, files=None)
    detector = Detector(copied, threads=1)
    with pytest.raises(BadDetector, match="no numbers"):
        detector.judge(np.zeros((64, 64, 3), np.uint8))


def test_detectors_of_other_things_do_not_judge() -> None:
    from classifier.detector import Installed

    for classes in (("cat", "dog"), ("fake", "other"), ("fake", "real", "other")):
        assert not Installed(Path(), Card(name="x", arch="resnet18", classes=classes), "").judges


def test_looking_up_by_name_prefers_the_installed(
    copied: Path, forensics_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = forensics_home / "detectors" / "mine"
    shutil.copytree(copied, mine)
    shutil.copytree(copied, forensics_home / "detectors" / ".half-written")
    monkeypatch.chdir(copied.parent)
    shutil.copytree(copied, copied.parent / "mine")
    try:
        assert find("mine") == mine
        assert find("./mine") == Path("mine")
        assert find("tiny") == Path("tiny")
        assert find(copied) == copied
        assert mine in folders() and all(not folder.name.startswith(".") for folder in folders())
    finally:
        shutil.rmtree(forensics_home / "detectors")
    for name in ("nothing", "..", "", "a/b", "nul\0", "x" * 5000):
        with pytest.raises(BadDetector, match="There is no detector"):
            find(name)


def test_the_bundled_detector_opens_and_judges(bundled: Path) -> None:
    detector = Detector(bundled, threads=1)
    assert set(detector.card.classes) == {"fake", "real"}
    assert detector.judge(np.zeros((200, 300, 3), np.uint8), heat_class="fake").probabilities.sum() == pytest.approx(1)
