"""A model is opened from either layout and from the hub, and what is wrong with one is said in a sentence."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from classifier.detector import sha256_of
from generator.model_files import look_through
from generator.weights import BadModel, open_model, resolve
from tests.generator.hub_server import Hub
from tests.generator.models import save_tiny

WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may spoil."""
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def answer(network: Any) -> torch.Tensor:
    x = torch.randn((2, 3, 16, 16), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        found: torch.Tensor = network(x, 500).sample
    return found


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def rewrite(path: Path, edit: Callable[[dict[str, torch.Tensor]], None]) -> None:
    tensors = load_file(path)
    edit(tensors)
    save_file(tensors, path)


def test_both_layouts_open_as_diffusers_opens_them(tiny_model: Path, tmp_path: Path) -> None:
    from diffusers import UNet2DModel

    wanted = answer(UNet2DModel.from_pretrained(tiny_model / "unet"))
    flat = save_tiny(tmp_path / "flat", flat=True)
    bare = save_tiny(tmp_path / "bare", index=False)
    for place in (tiny_model, flat, bare):
        model = open_model(str(place), device="cpu")
        assert torch.allclose(answer(model.network), wanted, atol=1e-5)
        assert (model.size, model.dtype, model.revision, model.name) == (16, "fp32", None, str(place))
        assert model.parameters == sum(one.numel() for one in model.network.parameters())
        assert model.scheduler["beta_schedule"] == "squaredcos_cap_v2"
    assert open_model(str(tiny_model), device="cpu").sha256 == sha256_of(tiny_model / WEIGHTS)


def test_weights_of_old_and_in_half_precision_open(folder: Path) -> None:
    wanted = answer(open_model(str(folder), device="cpu").network)

    def age(tensors: dict[str, torch.Tensor]) -> None:
        for new, old in (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")):
            for name in [name for name in tensors if f".{new}." in name]:
                tensors[name.replace(new, old)] = tensors.pop(name)
        for name, value in tensors.items():
            tensors[name] = value.half()

    rewrite(folder / WEIGHTS, age)
    model = open_model(str(folder), device="cpu")
    assert model.dtype == "fp32"
    assert torch.allclose(answer(model.network), wanted, atol=5e-3)
    assert open_model(str(folder), device="cpu", dtype="bf16").dtype == "bf16"


def test_settings_that_mean_nothing_are_no_obstacle(folder: Path) -> None:
    change(folder / "unet/config.json", _name_or_path="elsewhere", of_a_later_version=None)
    change(folder / "scheduler/scheduler_config.json", timestep_values=None, of_a_later_version=7)
    assert open_model(str(folder), device="cpu").size == 16


def test_the_model_without_a_name_is_the_bundled_one() -> None:
    assert resolve(None, "cpu") == "bundled"
    assert resolve("google/ddpm-cat-256", "cpu") == "google/ddpm-cat-256"


def test_the_bundled_model_opens() -> None:
    from classifier.places import resources

    if not (resources() / "models/ddpm-cats-64").is_dir():
        with pytest.raises(BadModel, match="no bundled model"):
            open_model("bundled", device="cpu")
        pytest.skip("needs the bundled model in resources/models/ddpm-cats-64")
    assert open_model("bundled", device="cpu").size == 64


def spoil_config(**values: Any) -> Callable[[Path], None]:
    return lambda folder: change(folder / "unet/config.json", **values)


def spoil_noise(**values: Any) -> Callable[[Path], None]:
    return lambda folder: change(folder / "scheduler/scheduler_config.json", **values)


def spoil_index(**values: Any) -> Callable[[Path], None]:
    return lambda folder: change(folder / "model_index.json", **values)


def spoil_weights(edit: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    return lambda folder: rewrite(folder / WEIGHTS, lambda tensors: (edit(tensors), None)[1])


def pickle_only(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "unet/diffusion_pytorch_model.bin")


def cut(folder: Path) -> None:
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[: len(data) // 2])


def boastful_header(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((2**40).to_bytes(8, "little") + b"{}")


def link_out(folder: Path) -> None:
    shutil.move(folder / WEIGHTS, folder.parent / "outside.safetensors")
    (folder / WEIGHTS).symlink_to(folder.parent / "outside.safetensors")


def link_loop(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS).symlink_to(folder / WEIGHTS)


def pipe(folder: Path) -> None:
    (folder / "unet/config.json").unlink()
    os.mkfifo(folder / "unet/config.json")


def pipe_of_weights(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    os.mkfifo(folder / WEIGHTS)


def text(name: str, value: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(value)


def missing(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def facts(**files: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "model.json").write_text(json.dumps({"files": files}))


BOAST = {"block_out_channels": [4096] * 4, "layers_per_block": 8, "sample_size": 1024, "norm_num_groups": 32,
         "down_block_types": ["AttnDownBlock2D"] * 4, "up_block_types": ["AttnUpBlock2D"] * 4}  # fmt: skip
SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "pickle": (pickle_only, "is a pickle"),
    "no weights": (missing(WEIGHTS), "has no weights"),
    "no scheduler": (missing("scheduler/scheduler_config.json"), "how much noise"),
    "no network": (missing("unet/config.json"), "neither config.json nor"),
    "text to picture": (spoil_index(_class_name="StableDiffusionPipeline"), "is made for StableDiffusionPipeline"),
    "conditional": (spoil_config(_class_name="UNet2DConditionModel"), "a UNet2DConditionModel: only unconditional"),
    "transformer": (spoil_config(_class_name="DiTTransformer2DModel"), "only unconditional"),
    "no class": (spoil_config(_class_name=None), "only unconditional"),
    "classes": (spoil_config(num_class_embeds=10), "wants a class"),
    "latents": (spoil_config(in_channels=4, out_channels=4), "in_channels"),
    "learned variance": (spoil_config(out_channels=6), "out_channels"),
    "unknown block": (spoil_config(down_block_types=["os.system", "AttnDownBlock2D"]), "down_block_types.0"),
    "unknown setting": (spoil_config(of_a_later_version=3), "of_a_later_version"),
    "boast": (spoil_config(**BOAST), "parameters; at most"),
    "endless": (spoil_config(block_out_channels=[10**9, 16]), "between 1 and 4096"),
    "negative": (spoil_config(block_out_channels=[-8, 16]), "between 1 and 4096"),
    "odd groups": (spoil_config(norm_num_groups=7), "cannot be built"),
    "odd size": (spoil_config(sample_size=17), "cannot be halved"),
    "no size": (spoil_config(sample_size=None), "sample_size"),
    "other size of blocks": (spoil_config(block_out_channels=[8, 16, 16]), "one length"),
    "not a number": (spoil_config(norm_eps=float("nan")), "norm_eps"),
    "other weights": (spoil_config(block_out_channels=[16, 16]), "do not fit"),
    "scores": (spoil_noise(_class_name="ScoreSdeVeScheduler"), "not a DDPM scheduler"),
    "betas": (spoil_noise(trained_betas=[0.1, 0.2]), "num_train_timesteps"),
    "sigmoid": (spoil_noise(beta_schedule="sigmoid"), "beta_schedule"),
    "many steps": (spoil_noise(num_train_timesteps=10**12), "num_train_timesteps"),
    "no number": (spoil_weights(lambda tensors: tensors["conv_in.bias"].fill_(float("nan"))), "no numbers"),
    "a tensor less": (spoil_weights(lambda tensors: tensors.pop("conv_in.bias")), "conv_in.bias"),
    "a tensor more": (spoil_weights(lambda tensors: tensors.update(extra=torch.zeros(2))), "extra"),
    "whole numbers": (spoil_weights(lambda t: t.update({"conv_in.bias": t["conv_in.bias"].long()})), "conv_in.bias"),
    "cut": (cut, "are damaged"),
    "no safetensors": (text(WEIGHTS, "hello"), "are damaged"),
    "header": (boastful_header, "are damaged"),
    "link": (link_out, "outside its folder"),
    "loop": (link_loop, "outside its folder|no weights"),
    "pipe": (pipe, "not a regular file"),
    "pipe of weights": (pipe_of_weights, "not a regular file"),
    "deep": (text("unet/config.json", "[" * 200_000), "no valid JSON"),
    "list": (text("unet/config.json", "[]"), "no JSON object"),
    "bytes": (lambda folder: (folder / "unet/config.json").write_bytes(b"\xff\xfe{"), "no valid JSON"),
    "empty": (text("scheduler/scheduler_config.json", ""), "empty"),
    "large": (text("unet/config.json", " " * 2**20), "limit"),
    "changed": (facts(**{WEIGHTS: "0" * 64}), "SHA-256 differs"),
    "file gone": (facts(**{"unet/gone": "0" * 64}), "lacks its file"),
    "file outside": (facts(**{"../../secret": "0" * 64}), "outside its folder"),
    "no digest": (facts(**{WEIGHTS: "md5"}), "SHA-256"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_wrong_is_said_in_a_sentence(name: str, folder: Path) -> None:
    spoil, words = SPOILT[name]
    if name.startswith("pipe") and not hasattr(os, "mkfifo"):
        pytest.skip("needs named pipes")
    spoil(folder)
    with pytest.raises(BadModel, match=words) as told:
        open_model(str(folder), device="cpu")
    assert "\n" not in str(told.value)
    assert str(told.value).endswith(".")


def test_a_boastful_configuration_costs_no_memory(folder: Path) -> None:
    resource = pytest.importorskip("resource", reason="asks how much memory was used as POSIX does")
    SPOILT["boast"][0](folder)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadModel, match=r"has \d+,\d+,\d+,\d+ parameters"):
        open_model(str(folder), device="cpu")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * (
        2**20 if sys.platform == "darwin" else 2**10
    )


def test_names_that_lead_nowhere(tmp_path: Path) -> None:
    for name in ("", "no-such-model", str(tmp_path / "no/such/place")):
        with pytest.raises(BadModel, match="bundled"):
            open_model(name, device="cpu")
    (tmp_path / "file").touch()
    with pytest.raises(BadModel, match="There is no model"):
        open_model(str(tmp_path / "file"), device="cpu")
    with pytest.raises(BadModel, match="is no diffusers model"):
        look_through(tmp_path)


def test_half_precision_is_refused_on_a_cpu(tiny_model: Path) -> None:
    with pytest.raises(BadModel, match="--dtype"):
        open_model(str(tiny_model), device="cpu", dtype="fp16")


def test_from_the_hub(tiny_model: Path, tmp_path: Path) -> None:
    """The real client against a hub on loopback, in processes of its own: it reads its settings when it is loaded."""
    flat = save_tiny(tmp_path / "flat", flat=True)
    with Hub({"some/tiny": tiny_model, "google/ddpm-cat-256": flat}, gated={"some/gated": tiny_model}) as hub:
        names = ("some/tiny", "some/tiny", "google/ddpm-cat-256", "some/gated", "some/none", f"some/tiny@{'1' * 40}")
        found = hub.fetch(tmp_path / "cache", *names)
    first, again, pinned, gated, none, revision = found
    assert first == again
    model = open_model(first["folder"], device="cpu")
    assert torch.equal(answer(model.network), answer(open_model(str(tiny_model), device="cpu").network))
    assert model.revision == hub.COMMIT
    assert Path(pinned["folder"]).name == "82ca0d5db4a5ec6ff0e9be8d86852490bc18a3d9"
    assert not [path for path in hub.asked if path.endswith((".py", ".bin"))]
    assert "accept its terms" in gated["error"]
    assert "has no model some/none" in none["error"]
    assert "revision" in revision["error"]
    offline = hub.fetch(tmp_path / "cache", "some/tiny", "google/ddpm-cat-256", "some/other", reachable=False)
    assert offline[:2] == [first, pinned]
    assert "could not be reached" in offline[2]["error"]
    switched_off = hub.fetch(tmp_path / "cache", "some/tiny", "some/other", FORENSICS_OFFLINE="1")
    assert switched_off[0] == first
    assert "downloads are switched off; --model bundled" in switched_off[1]["error"]
