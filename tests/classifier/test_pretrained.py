"""Weights from outside: files made on the spot in the real layouts, downloads from this machine, and refusals."""

from __future__ import annotations

import hashlib
import os
import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn
from typer.testing import CliRunner

from classifier import pretrained, zoo
from forensics_app.cli import app
from tests.conftest import write_picture

ROW = zoo.arch("mobilenet_v3_small")  # small, and its weights are torchvision's
OTHER = zoo.arch("mnasnet0_75")


def fresh(name: str, seed: int = 3) -> nn.Module:
    """Return torchvision's own network, not one that the zoo built."""
    torch.manual_seed(seed)
    options = {"init_weights": True} if name == "googlenet" else {}
    network: nn.Module = torchvision.models.get_model(name, weights=None, **options)
    return network


def publish(
    row: zoo.Arch, state: object, folder: Path, monkeypatch: pytest.MonkeyPatch, base: str = "https://x", **how: bool
) -> Path:
    """Write a .pth file and let torchvision's table say that it is the published one."""
    made = folder / "made"
    torch.save(state, made, **how)
    path = folder / f"{row.name}-{hashlib.sha256(made.read_bytes()).hexdigest()[:8]}.pth"
    made.rename(path)
    monkeypatch.setattr(torchvision.models.get_weight(row.weights or "").value, "url", f"{base}/{path.name}")
    return path


def same_body(network: nn.Module, state: dict[str, Tensor], head: str) -> bool:
    own = network.state_dict()
    names = [name for name in state if not name.startswith(head)]
    return len(names) > 20 and all(torch.equal(own[name], state[name]) for name in names)


def test_a_file_of_torchvisions_first_years_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No zip archive, parameters in place of tensors, and no counts of batches."""
    network = fresh(ROW.name)
    state = {**network.state_dict(), **dict(network.named_parameters())}
    old = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}
    assert any(isinstance(value, nn.Parameter) for value in old.values())
    path = publish(ROW, old, tmp_path, monkeypatch, _use_new_zipfile_serialization=False)
    assert path.read_bytes()[:2] == b"\x80\x02"
    assert same_body(zoo.build(ROW.name, 2, str(path)), old, ROW.head)


@pytest.mark.parametrize("row", [ROW, OTHER], ids=lambda row: row.name)
def test_torchvisions_own_file_is_known_by_its_hash(
    row: zoo.Arch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = fresh(row.name).state_dict()  # with its versions, without which MNASNet refuses it
    path = publish(row, state, tmp_path, monkeypatch)
    network = zoo.build(row.name, 2, str(path))
    assert same_body(network, state, row.head)
    assert network.get_submodule(row.head).out_features == 2


def test_names_of_an_old_densenet_are_todays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row, state = zoo.arch("densenet121"), fresh("densenet121").state_dict()
    for name in [name for name in state if "denselayer" in name]:
        for part in ("norm1", "norm2", "conv1", "conv2"):
            if f".{part}." in name:
                state[name.replace(part, f"{part[:-1]}.{part[-1]}")] = state.pop(name)
        assert "norm1" not in name or name not in state
    network = zoo.build(row.name, 2, str(publish(row, state, tmp_path, monkeypatch)))
    assert same_body(network, fresh("densenet121").state_dict(), row.head)


class Opens:
    """Pickled, it is an order to make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (self.path,)  # type: ignore[return-value]


def test_any_other_file_of_torchs_is_refused_and_not_run(tmp_path: Path) -> None:
    path = tmp_path / f"{ROW.name}-047dcff4.pth"  # the name of the real one says nothing
    path.write_bytes(pickle.dumps(Opens(tmp_path / "ran")))
    with pytest.raises(zoo.BadArch, match=r"refused: .* none of torchvision's \(mobilenet_v3_small-047dcff4.pth\)"):
        zoo.build(ROW.name, 2, str(path))
    with pytest.raises(zoo.BadArch, match="is not known by its SHA-256; give a safetensors file"):
        zoo.build("mini_resnet", 2, str(path))
    assert not (tmp_path / "ran").exists()


def test_also_a_file_with_the_right_hash_holds_tensors_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight digits can be forged by anyone who tries four thousand million times."""
    path = publish(ROW, {"x": Opens(tmp_path / "ran")}, tmp_path, monkeypatch)
    with pytest.raises(zoo.BadArch, match="damaged or no weights"):
        zoo.build(ROW.name, 2, str(path))
    assert not (tmp_path / "ran").exists()


def test_the_file_of_another_architecture_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = publish(OTHER, fresh(OTHER.name).state_dict(), tmp_path, monkeypatch)
    plain = tmp_path / "plain.safetensors"
    save_file(fresh(OTHER.name).state_dict(), plain)
    for path in (published, plain):
        with pytest.raises(zoo.BadArch, match="mnasnet0_75'") as caught:
            zoo.build(ROW.name, 2, str(path))
        assert f"'{ROW.name}'" in str(caught.value)


@pytest.mark.parametrize("state", [
    {"a.weight": torch.ones(2), "b.weight": torch.ones(3)},
    {**fresh(ROW.name).state_dict(), "features.0.0.weight": torch.ones(17, 3, 3, 3)},
], ids=["other names", "another shape"])  # fmt: skip
def test_the_file_of_an_architecture_that_nobody_knows_is_refused(state: dict[str, Tensor], tmp_path: Path) -> None:
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(zoo.BadArch, match=r"not those of 'mobilenet_v3_small': .*features.0.0.weight"):
        zoo.build(ROW.name, 2, str(tmp_path / "w.safetensors"))


def damaged(folder: Path) -> Iterator[tuple[Path, str]]:
    yield folder / "none", "There is no such file"
    yield folder, "not a regular file"
    for name, data in {"empty": b"", "cut": b"\x40\0\0\0\0\0\0\0{", "text": b"\xff" * 8 + b"{" + b"x" * 90}.items():
        (folder / name).write_bytes(data)
        yield folder / name, "empty" if name == "empty" else "damaged or no weights"
    os.mkfifo(folder / "pipe")
    yield folder / "pipe", "not a regular file"


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    for path, told in damaged(tmp_path):
        with pytest.raises(zoo.BadArch, match=told) as caught:
            zoo.build(ROW.name, 2, str(path))
        assert str(path) in str(caught.value)
        assert str(caught.value).count("\n") == 0


def test_googlenets_weights_bring_their_own_normalization(tmp_path: Path) -> None:
    """Which torchvision keeps outside of the state dict: it must survive a detector's folder."""
    original = fresh("googlenet").eval()
    original.transform_input = True
    save_file(original.state_dict(), tmp_path / "w.safetensors")
    network = zoo.build("googlenet", 1000, str(tmp_path / "w.safetensors"), size=64).eval()
    network.fc.load_state_dict(original.fc.state_dict())  # type: ignore[union-attr]
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(network(x), original(x), atol=1e-6)
    scratch = zoo.build("googlenet", 2)
    assert torch.equal(scratch.get_buffer("input_scale"), torch.ones(3, 1, 1))
    again = zoo.build("googlenet", 1000)
    again.load_state_dict(network.state_dict())
    with torch.no_grad():
        assert torch.allclose(again.eval()(x), original(x), atol=1e-6)


def test_a_vision_transformers_positions_follow_its_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def small(side: int) -> nn.Module:
        return torchvision.models.VisionTransformer(side, 16, 1, 2, 32, 64)

    row = replace(zoo.arch("vit_b_16"), name="small", build=small)
    monkeypatch.setitem(zoo.ARCHS, "small", row)
    torch.manual_seed(0)
    made = small(64)
    ramp = torch.linspace(0, 1, 4).reshape(1, 1, 4).expand(1, 4, 4)  # from left to right
    made.encoder.pos_embedding.data[:, 1:] = ramp.reshape(1, 16, 1)
    state = made.state_dict()
    save_file(state, tmp_path / "w.safetensors")
    network = zoo.build("small", 2, str(tmp_path / "w.safetensors"), size=112)
    positions = network.get_parameter("encoder.pos_embedding").data
    assert positions.shape == (1, 1 + 49, 32)
    assert torch.equal(positions[:, 0], state["encoder.pos_embedding"][:, 0])
    grid = positions[0, 1:, 0].reshape(7, 7)
    assert torch.allclose(grid, grid[:1].expand(7, 7), atol=1e-6)
    assert (grid[0].diff() > 0).all()
    assert network(torch.zeros(1, 3, 112, 112)).shape == (1, 2)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder's files on this machine."""
    handler = partial(Silent, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


def test_imagenets_weights_are_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("FORENSICS_OFFLINE", "0")
    state = fresh(ROW.name).state_dict()
    with served(tmp_path) as base:
        path = publish(ROW, state, tmp_path, monkeypatch, base)
        cached = tmp_path / "cache/hub/checkpoints" / path.name
        cached.parent.mkdir(parents=True)
        cached.write_bytes(b"left over from a download that was cut")
        told = list(pretrained.download(ROW))
        assert told[-1] == pretrained.Downloading(10, 10)  # megabytes
    assert same_body(zoo.build(ROW.name, 2, "imagenet"), state, ROW.head)  # without the server
    assert [one.name for one in cached.parent.iterdir()] == [path.name]


def test_no_network_is_one_sentence_with_two_ways_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    ways = r"--set weights=none, or give a file with --weights PATH, mobilenet_v3_small-[0-9a-f]{8}.pth or safetensors"
    with pytest.raises(zoo.BadArch, match=rf"could not be downloaded \(FORENSICS_OFFLINE is set\): .*{ways}"):
        zoo.build(ROW.name, 2, "imagenet")
    monkeypatch.setenv("FORENSICS_OFFLINE", "")
    with served(tmp_path) as base:
        path = publish(ROW, {"x": torch.ones(9)}, tmp_path, monkeypatch, base)
        path.write_bytes(b"something else")
        with pytest.raises(zoo.BadArch, match="14 bytes that came are not the published file"):
            zoo.build(ROW.name, 2, "imagenet")
        path.unlink()
        with pytest.raises(zoo.BadArch, match="File not found"):
            zoo.build(ROW.name, 2, "imagenet")
    with pytest.raises(zoo.BadArch, match=ways):
        zoo.build(ROW.name, 2, "imagenet")
    assert list((tmp_path / "cache/hub/checkpoints").iterdir()) == []


def test_a_network_of_our_own_has_no_imagenet_weights() -> None:
    with pytest.raises(zoo.BadArch, match="no ImageNet weights for 'mini_resnet': train from scratch with --set"):
        zoo.build("mini_resnet", 2, "imagenet")


def test_every_rows_weights_have_a_published_hash() -> None:
    for row in (row for row in zoo.ROWS if row.weights):
        found = pretrained.published(row)
        assert all(len(digest) >= 8 for digest in found)
        assert torchvision.models.get_weight(row.weights or "").url in found.values()


def test_training_fetches_weights_before_anything_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    data = tmp_path / "data"
    for name in ("fake", "real"):
        write_picture(data / name / "one.jpg")
    recipe = ["--recipe", "fake-real", "--set", "weights=imagenet", "--set", f"arch={ROW.name}"]
    command = ["train", *recipe, "--data", str(data), "--out", str(tmp_path / "run"), "--json"]
    offline = CliRunner().invoke(app, command)
    assert (offline.exit_code, offline.stdout) == (2, "")
    assert len(offline.stderr.splitlines()) == 1
    assert "--set weights=none" in offline.stderr
    monkeypatch.setenv("FORENSICS_OFFLINE", "0")
    with served(tmp_path) as base:
        path = publish(ROW, fresh(ROW.name).state_dict(), tmp_path, monkeypatch, base)
        online = CliRunner().invoke(app, command)  # and then there is one picture a class
    assert '{"event": "downloading", "done": 10, "total": 10}' in online.stdout.splitlines()
    assert online.exit_code == 2
    assert (tmp_path / "cache/hub/checkpoints" / path.name).read_bytes() == path.read_bytes()
    assert not (tmp_path / "run").exists()
