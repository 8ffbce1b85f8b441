"""A tiny DDPM learns, resumes to the same weights, and refuses what it cannot train on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file
from typer.testing import CliRunner

from classifier import checkpoint
from classifier.data import BadData
from forensics_app.cli.commands import app
from generator.diffusion import (
    TrainSpec,
    build_scheduler,
    computes_bf16,
    learning_rate,
    noise_schedule,
    noised,
    weights,
    with_precision,
)  # fmt: skip
from generator.squares import Reading, squares
from generator.training import GRIDS, LAST, MODEL, Saved, Step, preview, train

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
    assert [event.done for event in whole if isinstance(event, Reading)] == list(range(1, 13))
    for stop in (2, 6, 11):
        running = train(folder, tmp_path / f"cut{stop}", SPEC, device="cpu")
        for event in running:
            if isinstance(event, Step) and event.done == stop:
                running.close()
        list(train(folder, tmp_path / f"cut{stop}", SPEC, resume=True, device="cpu"))
        assert_same(tmp_path / "whole", tmp_path / f"cut{stop}")


@pytest.mark.parametrize("lost", ["model", "stale", "grid"])
def test_killed_after_the_last_checkpoint_and_resumed_there_is_a_model(tmp_path: Path, folder: Path, lost: str) -> None:
    spec, out = replace(SPEC, images=16, save_every=1), tmp_path / "run"
    whole = [event for event in train(folder, out, spec, device="cpu") if isinstance(event, Saved)]
    weights = (out / MODEL / "unet/diffusion_pytorch_model.safetensors").read_bytes()
    grid, checkpoint_ = whole[-1].grid.read_bytes(), (out / LAST).read_bytes()
    if lost == "model":
        (out / MODEL).rename(out / ".model.abc.old")
        (out / ".model.abc").mkdir()
    elif lost == "stale":
        card = json.loads((out / MODEL / "model.json").read_text())
        card["training"]["step"] = 1
        (out / MODEL / "model.json").write_text(json.dumps(card))
        (out / MODEL / "unet/diffusion_pytorch_model.safetensors").write_bytes(b"of step 1")
    whole[-1].grid.unlink()
    end = list(train(folder, out, spec, resume=True, device="cpu"))[-1]
    assert end == whole[-1]
    assert (out / MODEL / "unet/diffusion_pytorch_model.safetensors").read_bytes() == weights
    assert (whole[-1].grid.read_bytes(), (out / LAST).read_bytes()) == (grid, checkpoint_)
    assert sorted(path.name for path in out.iterdir()) == [GRIDS, LAST, MODEL]


@pytest.mark.parametrize("resume", [False, True])
def test_killed_while_writing_the_first_checkpoint_the_folder_can_be_used(
    tmp_path: Path, folder: Path, resume: bool
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / f".{LAST}.part").write_bytes(b"half")
    list(train(folder, tmp_path / "run", replace(SPEC, images=8), resume=resume, device="cpu"))
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [GRIDS, LAST, MODEL]


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
    assert squares(folder, 18).shape == (12, 18, 18, 3)
    tall = np.zeros((90, 36, 3), np.uint8)
    tall[27:63] = 200
    Image.fromarray(tall).save(folder / "aa.png")  # after the ten and the eleven, before "broken"
    assert squares(folder, 18)[-1].min() > 150


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
@pytest.mark.parametrize("prediction", ["v", "epsilon"])
def test_the_answer_learned_is_the_one_that_samplers_expect(
    schedule: Literal["cosine", "linear"], prediction: Literal["v", "epsilon"]
) -> None:
    """Given the right answer, diffusers' scheduler returns the picture; its own formulas mix in the same noise."""
    spec = replace(SPEC, schedule=schedule, prediction=prediction)
    scheduler, alphas = build_scheduler(spec), noise_schedule(spec)
    x = torch.rand((5, 3, 8, 8), generator=torch.Generator().manual_seed(0)) * 1.8 - 0.9
    noise, times = (
        torch.randn(x.shape, generator=torch.Generator().manual_seed(1)),
        torch.tensor([0, 10, 300, 600, 900]),
    )
    mixed, answer = noised(x, noise, alphas[times], prediction)
    torch.testing.assert_close(mixed, scheduler.add_noise(x, noise, times))
    if prediction == "v":
        torch.testing.assert_close(answer, scheduler.get_velocity(x, noise, times))
    for one in range(5):
        found = scheduler.step(answer[one], times[one], mixed[one]).pred_original_sample
        torch.testing.assert_close(found, x[one], atol=2e-3, rtol=0)


def test_errors_weigh_the_same_whatever_is_predicted() -> None:
    """An error of the picture counts min(SNR, 5) times, as the paper says, however the network answers."""
    alphas = noise_schedule(SPEC)[::37]
    x, wrong, noise = (
        torch.randn((len(alphas), 3, 4, 4), generator=torch.Generator().manual_seed(s)) for s in range(3)
    )
    snr = (alphas / (1 - alphas)).clamp(max=5)
    for prediction in ("v", "epsilon"):
        mixed, right = noised(x, noise, alphas, prediction)
        signal, spread = alphas.sqrt()[:, None, None, None], (1 - alphas).sqrt()[:, None, None, None]
        implied = (mixed - signal * wrong) / spread  # the noise that there would be, were the picture the wrong one
        answer = signal * implied - spread * wrong if prediction == "v" else implied
        error = weights(alphas, prediction) * (answer - right).square().mean(dim=(1, 2, 3))
        torch.testing.assert_close(error, snr * (wrong - x).square().mean(dim=(1, 2, 3)), rtol=2e-3, atol=1e-4)


def test_learning_rate_rises_stays_and_falls() -> None:
    rates = [learning_rate(SPEC, step, 100) for step in range(100)]
    assert rates[0] < rates[1] == rates[50] > rates[90] > rates[99] > 0


def test_what_cannot_be_trained_on(tmp_path: Path, folder: Path) -> None:
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"size": 17}, "multiple of 2"), ({"channels": (12, 32)}, "12 channels.*multiple of 8"),
        ({"channels": (0, 32)}, "0 channels"), ({"attention": (False, True, True)}, "lists differ"),
        ({"attention": (True, False)}, "16 channels.*multiple of 32"), ({"seed": 2**31}, "seed must be between"),
    )  # fmt: skip
    for settings, words in wrong:
        with pytest.raises(BadData, match=words):
            next(train(folder, tmp_path / "a", replace(SPEC, **settings)))
    for inside in (folder / "run", folder):
        with pytest.raises(BadData, match="which is read"):
            next(train(folder, inside, SPEC))
    (tmp_path / "few").mkdir()
    with pytest.raises(BadData, match="0 readable pictures"):
        next(train(tmp_path / "few", tmp_path / "a", SPEC))
    with pytest.raises(BadData, match=r"12 readable pictures.*13"):
        list(train(folder, tmp_path / "a", replace(SPEC, batch_size=13)))
    assert not (tmp_path / "a").exists()
    list(train(folder, tmp_path / "run", SPEC, device="cpu"))
    with pytest.raises(BadData, match="--resume"):
        next(train(folder, tmp_path / "run", SPEC))
    with pytest.raises(BadData, match="prediction"):
        next(train(folder, tmp_path / "run", replace(SPEC, prediction="epsilon"), resume=True))


def test_a_run_of_an_older_version_goes_on(tmp_path: Path, folder: Path) -> None:
    """A checkpoint without the newest settings, in the precision it was begun with."""
    list(train(folder, tmp_path / "run", replace(SPEC, images=32), device="cpu"))
    tensors, last = load_file(tmp_path / "run" / LAST), tmp_path / "run" / LAST
    with safe_open(last, framework="pt") as file:
        metadata = file.metadata()
    facts = json.loads(metadata["facts"])
    assert facts["spec"].pop("flip") is True
    checkpoint.save_tensors(last, tensors, {**metadata, "facts": json.dumps(facts)})
    events = list(train(folder, tmp_path / "run", replace(SPEC, precision="auto"), resume=True, device="cpu"))
    assert next(event.done for event in events if isinstance(event, Step)) == 5
    assert checkpoint.facts(last)["spec"]["precision"] == "fp32"


def test_bf16_is_taken_only_where_it_is_computed() -> None:
    for device in ("cpu", "meta"):
        chosen = with_precision(replace(SPEC, precision="auto"), torch.device(device)).precision
        assert (chosen == "bf16") == computes_bf16(torch.device(device))
    assert not computes_bf16(torch.device("meta"))
    assert with_precision(replace(SPEC, precision="bf16"), torch.device("meta")).precision == "bf16"


def test_the_command_trains_and_refuses(tmp_path: Path, folder: Path) -> None:
    words = ["train-generator", "--data", str(folder), "--size", "16", "--batch-size", "4", "--images", "4"]
    words += ["--device", "cpu", "--channels", "16,32", "--precision", "fp32", "--lr", "1e-3", "--ema", "0.9"]
    done = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "run")])
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "run/model/unet/diffusion_pytorch_model.safetensors").is_file()
    again = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "run")])
    assert again.exit_code == 2
    assert "--resume" in again.stderr
    (tmp_path / "run/model/model.json").unlink()
    (tmp_path / "run/model").rename(tmp_path / "lost")
    resumed = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "run"), "--resume"])
    assert (resumed.exit_code, resumed.stdout) == (0, f"Model: {tmp_path / 'run/model'}\n"), resumed.stderr
    assert (tmp_path / "run/model/model.json").is_file()
    assert CliRunner().invoke(app, [*words, "--out", str(tmp_path / "new"), "--seed", str(2**64)]).exit_code == 2
    for channels, told in (("16,", "numbers with commas"), ("16,4096", "2048"), ("16,20", "multiple of 32")):
        refused = CliRunner().invoke(app, [*words, "--channels", channels, "--out", str(tmp_path / "new")])
        assert refused.exit_code == 2
        assert told in refused.stderr
    assert not (tmp_path / "new").exists()
