"""A tiny DDPM learns, resumes to the same weights, and refuses what it cannot train on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from typer.testing import CliRunner

from classifier.data import BadData
from forensics_app.cli.commands import app
from generator.training import LAST, Saved, Step, TrainSpec, learning_rate, preview, squares, train

SPEC = TrainSpec(
    size=16, channels=(16, 32), attention=(False, False), layers=1, images=96, batch_size=8, warmup=2, precision="fp32",
    save_every=4, seed=3,
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    (tmp_path / "data").mkdir()
    for index in range(12):
        ground = np.zeros((48, 36, 3), np.uint8)
        ground[:, :, 0] = rng.integers(180, 255)
        Image.fromarray(ground).save(tmp_path / f"data/{index}.png")
    return tmp_path / "data"


def assert_same(a: Path, b: Path) -> None:
    one, other = load_file(a / LAST), load_file(b / LAST)
    assert all(torch.equal(one[name], other[name]) for name in one.keys() | other.keys())


def test_closed_after_any_step_and_resumed_gives_the_same_weights(tmp_path: Path, folder: Path) -> None:
    whole = list(train(folder, tmp_path / "whole", SPEC, device="cpu"))
    assert [event.step for event in whole if isinstance(event, Saved)] == [4, 8, 12]
    for stop in (2, 6, 11):
        running = train(folder, tmp_path / f"cut{stop}", SPEC, device="cpu")
        for event in running:
            if isinstance(event, Step) and event.done == stop:
                running.close()
        list(train(folder, tmp_path / f"cut{stop}", SPEC, resume=True, device="cpu"))
        assert_same(tmp_path / "whole", tmp_path / f"cut{stop}")


def test_it_learns_what_the_pictures_are_like(tmp_path: Path, folder: Path) -> None:
    from diffusers import UNet2DModel

    spec = replace(SPEC, images=8 * 150, lr=2e-3, ema=0.95, save_every=1000)
    losses = [event.loss for event in train(folder, tmp_path / "out", spec, device="cpu") if isinstance(event, Step)]
    assert losses[-1] < losses[5] / 2
    samples = preview(UNet2DModel.from_pretrained(tmp_path / "out/model/unet"), spec, count=4, steps=10)
    red, rest = samples[..., 0].mean(), samples[..., 1:].mean()
    assert red > rest + 60  # the pictures are red


def test_squares_are_centres_and_unreadable_files_are_left_out(folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"no picture")
    assert squares(folder, SPEC).shape == (12, 18, 18, 3)


def test_learning_rate_rises_stays_and_falls() -> None:
    rates = [learning_rate(SPEC, step, 100) for step in range(100)]
    assert rates[0] < rates[1] == rates[50] > rates[90] > rates[99] > 0


def test_what_cannot_be_trained_on(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(BadData, match="multiple of 8"):
        next(train(folder, tmp_path / "a", replace(SPEC, size=17)))
    (tmp_path / "few").mkdir()
    with pytest.raises(BadData, match="0 readable pictures"):
        next(train(tmp_path / "few", tmp_path / "a", SPEC))
    assert not (tmp_path / "a").exists()
    list(train(folder, tmp_path / "run", SPEC, device="cpu"))
    with pytest.raises(BadData, match="--resume"):
        next(train(folder, tmp_path / "run", SPEC))
    with pytest.raises(BadData, match="prediction"):
        next(train(folder, tmp_path / "run", replace(SPEC, prediction="epsilon"), resume=True))


def test_the_command_trains_and_refuses(tmp_path: Path, folder: Path) -> None:
    words = [
        "train-generator",
        "--data",
        str(folder),
        "--size",
        "16",
        "--batch-size",
        "4",
        "--images",
        "4",
        "--device",
        "cpu",
    ]
    done = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "run")])
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "run/model/unet/diffusion_pytorch_model.safetensors").is_file()
    again = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "run")])
    assert again.exit_code == 2
    assert "--resume" in again.stderr
