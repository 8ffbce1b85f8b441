"""`precision: auto` is the faster one of a network on a device."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest
import torch

from classifier import numerics, zoo
from classifier.numerics import autocast, precision_on
from tests.classifier.test_train import recipe_of

SLOWER = {"efficientnet_b0", "efficientnet_b2", "efficientnet_b4", "mnasnet0_75", "mobilenet_v3_small", "mobilenet_v2"}


@pytest.mark.skipif(platform.system() != "Linux", reason="only Linux tells a processor's instructions")
@pytest.mark.parametrize("arch", [*zoo.ARCHS, "mobilenet_v2", "regnet_y_400mf"])
def test_auto_is_bf16_where_processor_and_network_gain(
    arch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpu, recipe = torch.device("cpu"), recipe_of(arch=arch, precision="auto", augment={})
    facts = tmp_path / "cpuinfo"
    monkeypatch.setattr(numerics, "CPU_FACTS", facts)
    facts.write_text("flags : fpu avx512_bf16 sse\n")
    assert precision_on(recipe, cpu) == ("fp32" if arch in SLOWER else "bf16")
    with autocast(recipe, cpu):
        assert torch.is_autocast_enabled("cpu") is (arch not in SLOWER)
    assert precision_on(recipe.model_copy(update={"precision": "bf16"}), cpu) == "bf16"
    facts.write_text("flags : fpu sse\n")
    assert precision_on(recipe, cpu) == "fp32"
