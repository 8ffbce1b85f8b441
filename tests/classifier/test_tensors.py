"""What a graph reads is made from the weights file: exactly, or refused in a sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from classifier.detector import CARD, WEIGHTS, BadDetector, sha256_of
from classifier.runtime import Detector
from classifier.tensors import TENSORS, Row, made, read_rows, views, write_rows

RNG = np.random.default_rng(3)
NORM = {
    "bn.weight": RNG.normal(size=6).astype(np.float32),
    "bn.bias": RNG.normal(size=6).astype(np.float32),
    "bn.running_mean": RNG.normal(size=6).astype(np.float32),
    "bn.running_var": RNG.uniform(0.01, 4, size=6).astype(np.float32),
}


@pytest.mark.parametrize(("bias", "groups"), [(False, 1), (True, 1), (True, 3)])
def test_a_folded_convolution_says_what_torch_says_of_both(bias: bool, groups: int) -> None:
    torch = pytest.importorskip("torch", reason="needs the extra 'train'")
    conv, norm = torch.nn.Conv2d(3, 6, 3, bias=bias, groups=groups), torch.nn.BatchNorm2d(6, eps=1e-3).eval()
    norm.load_state_dict({name.removeprefix("bn."): torch.from_numpy(value) for name, value in NORM.items()}, False)
    weights = {**NORM, **{f"conv.{name}": value.detach().numpy() for name, value in conv.named_parameters()}}
    facts: dict[str, Any] = {"norm": "bn", "eps": 1e-3}
    rows = [
        Row(name="w", kind="weight", source="conv.weight", **facts),
        Row(name="b", kind="bias", source="conv.bias" if bias else "", **facts),
    ]
    folded = made(rows, weights)
    x = torch.from_numpy(RNG.normal(size=(2, 3, 9, 9)).astype(np.float32))
    with torch.inference_mode():
        expected = norm(conv(x))
        got = torch.nn.functional.conv2d(x, torch.from_numpy(folded["w"]), torch.from_numpy(folded["b"]), groups=groups)
    assert (got - expected).abs().max() < 1e-5 * expected.abs().max()


def test_copies_are_in_single_precision_and_transposed_as_told() -> None:
    half = RNG.normal(size=(4, 5)).astype(np.float16)
    rows = (Row(name="same", source="m"), Row(name="turned", source="m", axes=(1, 0)), Row(name="n", source="count"))
    weights = {"m": half, "count": np.array(7)}
    tensors = made(read_rows(write_rows(rows)), weights)
    assert list(tensors) == ["same", "turned", "n"]
    assert tensors["same"].dtype == np.float32
    assert (tensors["same"] == half).all()
    assert (tensors["turned"] == half.T).all()
    assert tensors["turned"].flags.c_contiguous
    assert tensors["n"].dtype == np.int64


def test_the_weights_are_read_as_the_library_reads_them() -> None:
    kinds = (np.float64, np.float32, np.float16, np.int64, np.int32, np.int8, np.uint8)
    tensors = {kind.__name__: RNG.uniform(0, 100, size=(3, 4)).astype(kind) for kind in kinds}
    content = save({**tensors, "scalar": np.array(2.5)}, metadata={"x": "y"})
    mine, theirs = views(content), load(content)
    assert set(mine) == set(theirs)
    assert all((mine[name] == theirs[name]).all() and mine[name].dtype == theirs[name].dtype for name in theirs)


def header(**facts: Any) -> bytes:
    text = json.dumps({"t": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **facts}}).encode()
    return len(text).to_bytes(8, "little") + text + bytes(8)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff" * 40, header()[:-1], header(data_offsets=[0, 2**40]), header(data_offsets=[-8, 0]),
        header(shape=[3]), header(shape=[-2]), header(shape=[2**40, 2**40]), header(data_offsets=[4]),
        header(shape="ab"), (2).to_bytes(8, "little") + b"[]", (4).to_bytes(8, "little") + b"null",
    ],
)  # fmt: skip
def test_files_that_are_no_weights(content: bytes) -> None:
    assert views(header())["t"].shape == (2,)
    with pytest.raises(ValueError, match=r"."):
        views(content)


def first_row(**changes: Any) -> Callable[[list[dict[str, Any]]], Any]:
    return lambda rows: [{**rows[0], **changes}, *rows[1:]]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (first_row(source="nothing"), "'nothing'"),
        (first_row(norm="elsewhere"), "'elsewhere.weight'"),
        (first_row(name="../x"), "0.name"),
        (first_row(kind="exec"), "0.kind"),
        (first_row(axes=[0]), "axes"),
        (first_row(norm="fc"), "fc."),
        (lambda rows: {"rows": rows}, "valid array"),
        (lambda rows: rows[1:], "model.onnx"),
    ],
)
def test_rows_that_do_not_fit_are_refused(
    detector_folder: Path, tmp_path: Path, change: Callable[[Any], Any], says: str
) -> None:
    folder = Path(shutil.copytree(detector_folder, tmp_path / "tiny"))
    (folder / TENSORS).write_text(json.dumps(change(json.loads((folder / TENSORS).read_text()))))
    card = json.loads((folder / CARD).read_text())
    card["files"] = {name: sha256_of(folder / name) for name in card["files"]}
    (folder / CARD).write_text(json.dumps(card))
    with pytest.raises(BadDetector) as caught:
        Detector(folder)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_graph_reads_the_very_weights_that_torch_reads(detector_folder: Path, tmp_path: Path) -> None:
    """Another weights file, another answer: nothing of it lies in the graph as well."""
    folder = Path(shutil.copytree(detector_folder, tmp_path / "tiny"))
    state = dict(load((folder / WEIGHTS).read_bytes()))
    zeros = {name: np.zeros_like(value) if name.startswith("fc.") else value for name, value in state.items()}
    (folder / WEIGHTS).write_bytes(save(zeros))
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(
        json.dumps({**card, "files": {name: sha256_of(folder / name) for name in card["files"]}})
    )
    logits, maps = Detector(folder).forward(np.ones((1, 3, 64, 64), np.float32), ("logits", "cam"))
    assert not logits.any()
    assert not maps.any()


def test_weights_are_rounded_in_the_steps_of_their_channel() -> None:
    weight = RNG.normal(size=(3, 4)).astype(np.float32)
    scale = (np.abs(weight).max(axis=0) / 64).astype(np.float32)
    row = Row(name="w", source="w", scale="s", axis=1)
    rounded = made([row], {"w": weight, "s": scale})["w"]
    assert rounded.dtype == np.int8
    assert np.abs(rounded * scale - weight).max() <= scale.max() / 2 + 1e-6
    assert np.abs(rounded).max() == 64
    with pytest.raises(ValueError, match=r"tensors\.json"):
        made([row.model_copy(update={"axis": 5})], {"w": weight, "s": scale})


def test_a_convolution_takes_in_the_neighbour_residual_before_it() -> None:
    torch = pytest.importorskip("torch", reason="needs the extra 'train'")
    from classifier.nets import NeighbourResidual

    conv = torch.nn.Conv2d(3, 5, 7, stride=2, padding=3, bias=False)
    x = torch.from_numpy(RNG.normal(size=(2, 3, 12, 16)).astype(np.float32))
    grown = made([Row(name="w", source="w", residual=True)], {"w": conv.weight.detach().numpy()})["w"]
    with torch.inference_mode():
        expected = conv(NeighbourResidual()(x))
        padded = torch.nn.functional.pad(x, (4, 3, 4, 3))
        got = torch.nn.functional.conv2d(padded, torch.from_numpy(grown), stride=2)
    assert got.shape == expected.shape
    assert (got - expected).abs().max() < 1e-5
