"""A published generator opens in diffusers, samples as before in half precision, and is whole or not there."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from generator.diffusion import TrainSpec, build_scheduler, build_unet
from generator.export import CARD, NotPublished, publish, read_card, write
from generator.training import preview

SPEC = TrainSpec(size=16, channels=(16, 32), attention=(False, True), layers=1)
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model folder as an older version's training left it: single precision, leading steps, no card."""
    from diffusers import DDPMScheduler

    torch.manual_seed(0)
    build_unet(SPEC).save_pretrained(tmp_path / "model/unet")
    DDPMScheduler.from_config(build_scheduler(SPEC).config, timestep_spacing="leading").save_pretrained(
        tmp_path / "model/scheduler"
    )
    return tmp_path / "model"


def test_diffusers_opens_it_and_samples_hardly_change(model: Path, tmp_path: Path) -> None:
    from diffusers import DDPMPipeline, UNet2DModel

    out = publish(model, tmp_path / "deep/tiny", {"step": 3})
    pipeline = DDPMPipeline.from_pretrained(out, local_files_only=True)
    assert pipeline.scheduler.config.timestep_spacing == "trailing"
    assert pipeline.scheduler.config.prediction_type == "v_prediction"
    before = preview(UNet2DModel.from_pretrained(model / "unet").eval(), SPEC, count=2, steps=4).astype(int)
    after = preview(pipeline.unet.float().eval(), SPEC, count=2, steps=4).astype(int)
    assert np.abs(before - after).max() <= 2
    assert (out / WEIGHTS).stat().st_size < 0.6 * (model / WEIGHTS).stat().st_size


def test_its_card_names_every_file(model: Path, tmp_path: Path) -> None:
    out = publish(model, tmp_path / "tiny", {"step": 3})
    card = read_card(out)
    assert (card["name"], card["size"], card["training"]) == ("tiny", 16, {"step": 3})
    assert card["parameters"] == sum(value.numel() for value in load_file(out / WEIGHTS).values())
    there = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert there - {CARD} == set(card["files"])
    for name, digest in card["files"].items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    assert (out / WEIGHTS).stat().st_mode & 0o777 == 0o644


def test_it_does_not_say_where_it_was_made(model: Path, tmp_path: Path) -> None:
    out = publish(model, tmp_path / "tiny", {"step": 3})
    for path in out.rglob("*"):
        assert path.is_dir() or str(tmp_path).encode() not in path.read_bytes()


def test_it_takes_the_place_of_a_model_and_of_nothing_else(model: Path, tmp_path: Path) -> None:
    out = publish(model, tmp_path / "tiny", {"step": 3})
    publish(model, out, {"step": 4})
    assert read_card(out)["training"] == {"step": 4}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years")
    with pytest.raises(NotPublished, match="holds no model"):
        publish(model, tmp_path / "mine", {})
    assert (tmp_path / "mine/thesis.txt").read_text() == "years"
    with pytest.raises(NotPublished, match="no folder unet"):
        publish(tmp_path / "mine", tmp_path / "other", {})
    assert not (tmp_path / "other").exists()


def test_weights_beyond_half_precision_leave_what_was_there(model: Path, tmp_path: Path) -> None:
    out = publish(model, tmp_path / "tiny", {"step": 3})
    network = build_unet(replace(SPEC))
    with torch.no_grad():
        network.conv_in.weight[0, 0, 0, 0] = 1e6
    with pytest.raises(NotPublished, match="half precision"):
        write(network, build_scheduler(SPEC), out, {"step": 4})
    assert json.loads((out / CARD).read_text())["training"] == {"step": 3}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "tiny"]
