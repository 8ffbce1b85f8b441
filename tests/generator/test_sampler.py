"""Our loop equals diffusers' pipelines, a picture depends on its seed alone, and a job can be followed and stopped."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from generator.model_files import Network, Noise
from generator.sampler import (
    BEAT_S,
    SCHEDULERS,
    CannotSample,
    Halved,
    Sample,
    SampleSpec,
    Step,
    build_scheduler,
    sample,
    sample_batches,
)  # fmt: skip
from generator.weights import Model, open_model
from tests.generator.models import CAT_256, CAT_256_NOISE, tiny_network
from tests.program import environment

Name = Literal["ddpm", "ddim", "dpm", "unipc"]
NAMES: tuple[Name, ...] = ("ddpm", "ddim", "dpm", "unipc")


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Model:
    return open_model(str(tiny_model), device="cpu")


def pictures(model: Model, spec: SampleSpec, seeds: Sequence[int]) -> dict[int, NDArray[np.uint8]]:
    return {event.seed: event.pixels for event in sample(model, spec, seeds) if isinstance(event, Sample)}


def model_of(network: Any, size: int, **scheduler: Any) -> Model:
    return Model("test", network, scheduler, size, "0" * 64, None, 1, Path())


@pytest.mark.parametrize(("name", "eta"), [("ddpm", 0.0), ("ddim", 0.0), ("ddim", 0.6)])
@pytest.mark.parametrize("spacing", ["leading", "trailing"])
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_equals_the_pipeline_of_diffusers(model: Model, name: Name, eta: float, spacing: str, prediction: str) -> None:
    import diffusers

    other = replace(model, scheduler={**model.scheduler, "timestep_spacing": spacing, "prediction_type": prediction})
    spec = SampleSpec(scheduler=name, steps=7, eta=eta, batch_size=3)
    kind: Any = diffusers.DDPMPipeline if name == "ddpm" else diffusers.DDIMPipeline
    pipeline = kind(other.network, build_scheduler(other, spec))
    pipeline.set_progress_bar_config(disable=True)
    noise = [torch.Generator().manual_seed(seed) for seed in range(3)]
    more = {"eta": eta} if name == "ddim" else {}
    theirs = pipeline(3, noise, num_inference_steps=7, output_type="np", **more).images
    ours = np.stack(list(pictures(other, spec, range(3)).values()))
    assert ours.std() > 20  # not a blank
    assert np.array_equal(ours, (theirs * 255).round())


def test_steps_equal_the_pipelines_before_rounding(model: Model) -> None:
    """The 8-bit pictures above could hide what is smaller than a grey level."""
    from diffusers import DDPMPipeline

    from generator.sampler import _denoise_step, _start

    spec = SampleSpec(scheduler="ddpm", steps=9)
    pipeline: Any = DDPMPipeline(model.network, build_scheduler(model, spec))
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(2, [torch.Generator().manual_seed(seed) for seed in (4, 5)], 9, output_type="pt").images
    noise = [torch.Generator().manual_seed(seed) for seed in (4, 5)]
    scheduler, x = build_scheduler(model, spec), _start(model, noise)
    for moment in scheduler.timesteps:
        x = _denoise_step(model, scheduler, moment, x, {"generator": noise})
    assert float(((x / 2 + 0.5).clamp(0, 1) - theirs).abs().max()) <= 1e-4


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_depends_on_its_seed_alone(model: Model, name: Name) -> None:
    spec = SampleSpec(scheduler=name, steps=5, eta=0.5 if name == "ddim" else 0.0, batch_size=16)
    together = pictures(model, spec, range(8))
    assert list(together) == list(range(8))
    assert len({one.tobytes() for one in together.values()}) == 8
    for batch_size, seeds in ((1, (2, 6)), (3, (7, 6, 5, 0))):
        apart = pictures(model, replace(spec, batch_size=batch_size), seeds)
        for seed, pixels in apart.items():
            assert np.abs(pixels.astype(int) - together[seed]).max() <= 1
    again = pictures(model, spec, range(8))
    assert all(np.array_equal(again[seed], together[seed]) for seed in together)


def test_schedulers_differ_from_one_another_and_get_there(model: Model) -> None:
    found = {name: pictures(model, SampleSpec(scheduler=name, steps=12), [1])[1] for name in NAMES}
    pairs = itertools.combinations(("ddpm", "ddim", "dpm"), 2)
    assert all(np.abs(found[one].astype(int) - found[other]).max() > 2 for one, other in pairs)
    assert set(SCHEDULERS) == set(NAMES)


def test_progress_is_counted_in_evaluations_of_pictures(model: Model) -> None:
    spec = SampleSpec(steps=4, batch_size=3)
    steps = [event for event in sample(model, spec, range(5)) if isinstance(event, Step)]
    assert {event.total for event in steps} == {20}
    done = [event.done for event in steps]
    assert done == sorted(done)
    assert {3, 6, 9, 12, 14, 16, 18, 20} <= set(done)


class Slow(torch.nn.Module):
    """A part of a network that takes its time, before another."""

    def __init__(self, part: torch.nn.Module, seconds: float) -> None:
        super().__init__()
        self.part, self.seconds, self.calls = part, seconds, 0

    def forward(self, *arguments: Any) -> Any:
        self.calls += 1
        time.sleep(self.seconds)
        return self.part(*arguments)


def test_events_come_while_one_evaluation_takes_long_and_closing_ends_it_midway(model: Model) -> None:
    network = tiny_network()
    network.mid_block.resnets[0] = first = Slow(network.mid_block.resnets[0], 3 * BEAT_S)
    network.mid_block.resnets[1] = second = Slow(network.mid_block.resnets[1], 60)
    slow = model_of(network, 16)
    events, times = sample(slow, SampleSpec(steps=3), [0]), [time.monotonic()]
    for _ in range(2):
        assert isinstance(next(events), Step)
        times.append(time.monotonic())
    assert max(np.diff(times)) < BEAT_S + 1
    assert (first.calls, second.calls) == (1, 0)
    events.close()
    assert second.calls == 0
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sampler")]
    assert not any(part._forward_pre_hooks for part in network.modules())


def test_what_cannot_be_sampled(model: Model) -> None:
    for wrong in (
        {"steps": 0},
        {"batch_size": 0},
        {"eta": 1.5},
        {"eta": float("nan")},
        {"eta": 0.5, "scheduler": "unipc"},
        {"seed": -1},
        {"scheduler": "lms"},
    ):
        with pytest.raises(CannotSample):
            SampleSpec(**wrong)  # type: ignore[arg-type]
    with pytest.raises(CannotSample, match="1000"):
        next(sample(model, SampleSpec(steps=1001), [0]))
    assert list(sample(model, SampleSpec(), [])) == []


def test_values_that_are_no_numbers_are_an_error() -> None:
    network = tiny_network()
    with torch.no_grad():
        network.conv_out.bias.fill_(float("inf"))
    with pytest.raises(CannotSample, match="no numbers"):
        list(sample(model_of(network, 16), SampleSpec(scheduler="dpm", steps=2), [0]))


OUT_OF_MEMORY = """
import json, resource, sys
import torch
from generator.sampler import Halved, Sample, SampleSpec, sample
from generator.weights import open_model
torch.set_num_threads(1)
model = open_model(sys.argv[1], device="cpu")
list(sample(model, SampleSpec(steps=1), [0]))
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[2]) * 2**20,) * 2)
halved, seeds = [], []
for event in sample(model, SampleSpec(steps=1, batch_size=4096), range(4096)):
    if isinstance(event, Halved):
        halved.append(event.batch_size)
    elif isinstance(event, Sample):
        seeds.append(event.seed)
        if len(seeds) > 300:
            break
print(json.dumps([halved, seeds == list(range(len(seeds))), len(seeds)]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits memory as Linux does")
def test_a_batch_that_does_not_fit_is_halved(tiny_model: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OUT_OF_MEMORY, tiny_model, "100"],
        capture_output=True, text=True, timeout=300, env=environment(), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    halved, in_order, count = json.loads(done.stdout)
    assert halved == [4096 // 2**time for time in range(1, len(halved) + 1)]
    assert halved
    assert in_order
    assert count == 301


def test_only_errors_of_memory_are_taken_for_such(model: Model) -> None:
    network = tiny_network()
    network.conv_in = torch.nn.Identity()
    with pytest.raises(RuntimeError, match="channels"):
        list(sample(model_of(network, 16), SampleSpec(steps=1, batch_size=2), [0, 1]))


def test_one_picture_that_does_not_fit_is_an_error(model: Model) -> None:
    class Full(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.new_empty(2**60)  # the allocator's own refusal

    network = tiny_network()
    network.conv_in = Full()
    with pytest.raises(CannotSample, match="not enough memory"):
        halvings = 0
        for event in sample_batches(model_of(network, 16), SampleSpec(steps=1), [[0, 1, 2, 3]]):
            halvings += isinstance(event, Halved)
    assert halvings == 2


def test_the_configuration_of_ddpm_cat_256_runs() -> None:
    from diffusers import UNet2DModel

    from classifier.nets import freeze

    settings = Network.model_validate(CAT_256).model_dump(exclude_unset=True)
    noise = Noise.model_validate(CAT_256_NOISE).model_dump(exclude_unset=True)
    with torch.device("meta"):
        network: Any = UNet2DModel(**settings)
    network = network.to_empty(device="cpu").eval()
    freeze(network, ())
    for parameter in network.parameters():
        parameter.uniform_(-0.02, 0.02)
    assert sum(parameter.numel() for parameter in network.parameters()) == 113_673_219
    found = pictures(model_of(network, 256, **noise), SampleSpec(steps=2), [0])
    assert found[0].shape == (256, 256, 3)
    assert found[0].std() > 1
