"""What sampling costs on this machine: prints a block for docs/BENCHMARKS.md, in about eight minutes.

Every row times our loop and diffusers' pipeline in turns, on the same weights and noise, so that what else the machine
does strikes both: the ratio means something on any machine, the seconds only on this one. Weights are random where
there are none here; they change no time. Close other programs first.
"""

from __future__ import annotations

import argparse
import copy
import datetime
import importlib.metadata
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from classifier.nets import pick_device
from generator.model_files import Network, Noise
from generator.sampler import Sample, SampleSpec, build_scheduler, sample
from generator.weights import BUNDLED, DTYPES, BadModel, Model, open_model

SMALL = Network(
    sample_size=64, block_out_channels=(32, 64, 128, 128), layers_per_block=2, norm_num_groups=8, attention_head_dim=32,
    down_block_types=("DownBlock2D", "DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
    up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D", "UpBlock2D"), mid_block_type="UNetMidBlock2D",
)  # fmt: skip
"""The bundled model's shape, for a copy that lacks it."""
CAT_256 = Network(
    sample_size=256, block_out_channels=(128, 128, 256, 256, 512, 512), layers_per_block=2, attention_head_dim=None,
    down_block_types=(*4 * ("DownBlock2D",), "AttnDownBlock2D", "DownBlock2D"), downsample_padding=0, norm_eps=1e-6,
    up_block_types=("UpBlock2D", "AttnUpBlock2D", *4 * ("UpBlock2D",)), flip_sin_to_cos=False, freq_shift=1,
)  # fmt: skip
"""The shape of google/ddpm-cat-256."""
BUDGET_S = 60.0
"""A row that would take longer is measured with fewer rounds, and at least three."""


@dataclass(frozen=True)
class Cost:
    """Seconds a step and picture of both ways, one value a round."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Our time over the pipeline's, the median of the rounds."""
        return statistics.median(mine / other for mine, other in zip(self.ours, self.theirs, strict=True))


def random_model(shape: Network, name: str, device: torch.device, dtype: torch.dtype) -> Model:
    """Return a model of a shape with random weights, as `open_model` lays one out."""
    from diffusers import UNet2DModel

    torch.manual_seed(0)
    network: Any = UNet2DModel(**shape.model_dump(exclude_unset=True))
    network.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False)
    for parameter in network.parameters():
        parameter.data = parameter.data.to(dtype)
    count = sum(one.numel() for one in network.parameters())
    return Model(name, network, Noise().model_dump(), shape.sample_size, "", None, count, Path())


def models(names: Sequence[str], device: torch.device, dtype: str) -> Iterator[Model]:
    """Yield the models to measure in one precision."""
    if "bundled" in names:
        try:
            yield open_model(BUNDLED, device=device.type, dtype=dtype)  # type: ignore[arg-type]
        except BadModel:
            yield random_model(SMALL, "64 px, as bundled", device, DTYPES[dtype])
    if "cat-256" in names:
        yield random_model(CAT_256, "256 px, as google/ddpm-cat-256", device, DTYPES[dtype])


def our_way(model: Model, spec: SampleSpec) -> Callable[[], object]:
    """Return a function that samples one batch with our loop."""
    return lambda: [event for event in sample(model, spec, range(spec.batch_size)) if isinstance(event, Sample)]


def pipeline_way(model: Model, spec: SampleSpec) -> Callable[[], object]:
    """Return a function that samples one batch with diffusers' DDIMPipeline, weights laid out as it loads them."""
    from diffusers import DDIMPipeline

    network = copy.deepcopy(model.network).to(memory_format=torch.contiguous_format)
    pipeline: Any = DDIMPipeline(network, build_scheduler(model, spec))
    pipeline.set_progress_bar_config(disable=True)

    def run() -> object:
        noise = [torch.Generator().manual_seed(seed) for seed in range(spec.batch_size)]
        return pipeline(spec.batch_size, noise, num_inference_steps=spec.steps, output_type="pt")

    def in_a_thread() -> object:  # as ours is: on a busy machine OpenMP waits otherwise in the first thread
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(run).result()

    return in_a_thread


def measure(model: Model, spec: SampleSpec, rounds: int) -> Cost:
    """Time both ways in turns, after one of each that is not counted."""
    ways = {"ours": our_way(model, spec), "theirs": pipeline_way(model, spec)}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    begun = time.perf_counter()
    for run in ways.values():
        run()
    possible = round(BUDGET_S / max(time.perf_counter() - begun, 1e-6))
    for turn in range(max(3, min(rounds, possible))):
        for name in sorted(ways, reverse=turn % 2 == 1):  # neither is always first
            before = time.perf_counter()
            ways[name]()
            seconds[name].append((time.perf_counter() - before) / spec.steps / spec.batch_size)
    return Cost(tuple(seconds["ours"]), tuple(seconds["theirs"]))


def rows(names: Sequence[str], device: torch.device, asked: argparse.Namespace) -> Iterator[str]:
    """Yield table rows as they are measured."""
    for dtype in asked.dtypes:
        for model in models(names, device, dtype):
            label = f"{model.name}, {model.parameters / 1e6:.1f} M"
            for batch in asked.batches or _batches(model, device):
                spec = SampleSpec(steps=steps_for(model, batch, device), batch_size=batch)
                cost = measure(model, spec, asked.rounds)
                yield _row(label, dtype, batch, cost)
            if asked.compile:
                yield compiled(model, label, dtype, max(asked.batches or _batches(model, device)), asked.rounds)


def _batches(model: Model, device: torch.device) -> tuple[int, ...]:
    if device.type == "cuda":
        return 16, 64, 150
    return (1, 4) if model.size > 128 else (1, 4, 16)  # sixteen of the large ones take minutes


def steps_for(model: Model, batch: int, device: torch.device) -> int:
    """Return so many steps that a run takes about a second on a desktop computer, and no more than fifty."""
    if device.type == "cuda":
        return 50
    each = 2.0 if model.size > 128 else 0.012
    return min(50, max(1, round(1.0 / (each * batch))))


def compiled(model: Model, label: str, dtype: str, batch: int, rounds: int) -> str:
    """Return the row of our loop on a compiled network, beside the pipeline on the network as it is."""
    spec = SampleSpec(batch_size=batch)
    fast = replace(model, network=Compiled(model.network))
    ours, theirs = our_way(fast, spec), pipeline_way(model, spec)
    ours(), theirs()
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(rounds):
        for name, run in (("ours", ours), ("theirs", theirs)):
            before = time.perf_counter()
            run()
            seconds[name].append((time.perf_counter() - before) / spec.steps / batch)
    return _row(f"{label}, compiled", dtype, batch, Cost(tuple(seconds["ours"]), tuple(seconds["theirs"])))


class Compiled(torch.nn.Module):
    """A network as torch.compile makes it, opaque to what watches its parts."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.weight = next(network.parameters())
        self._run = (torch.compile(network),)

    def modules(self) -> Iterator[torch.nn.Module]:  # type: ignore[override]
        """Return no parts: a hook on one would make it compile again."""
        return iter(())

    def forward(self, *arguments: Any, **options: Any) -> Any:
        """Evaluate the network."""
        return self._run[0](*arguments, **options)


def _row(label: str, dtype: str, batch: int, cost: Cost) -> str:
    each = statistics.median(cost.ours)
    spread = f"{_seconds(min(cost.ours))}-{_seconds(max(cost.ours))}"
    fifty = each * 50
    return (
        f"| {label} | {dtype} | {batch} | {_seconds(each)} ({spread}) | {_seconds(fifty)} | {1 / fifty:.3g} "
        f"| {cost.ratio:.2f} | {len(cost.ours)} |"
    )


def _seconds(value: float) -> str:
    return f"{value * 1000:.1f} ms" if value < 0.1 else f"{value:.2f} s"


def machine(device: torch.device) -> str:
    """Return this machine in a line."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("torch", "diffusers"))
    where = torch.cuda.get_device_name() if device.type == "cuda" else f"{os.cpu_count()} cores, {_processor()}"
    return f"{where}, {torch.get_num_threads()} threads, {platform.system()}, {versions}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown processor"


def arguments() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps")
    parser.add_argument("--models", nargs="+", choices=("bundled", "cat-256"), default=["bundled", "cat-256"])
    parser.add_argument("--dtypes", nargs="+", choices=sorted(DTYPES), default=["fp32", "bf16"])
    parser.add_argument("--batches", nargs="+", type=int, help="default: 1, 4, 16 (256 px: 1, 4); on CUDA 16, 64, 150")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compile", action="store_true", help="also with torch.compile, at the largest batch")
    return parser.parse_args()


def main() -> int:
    """Measure and print."""
    asked = arguments()
    device = pick_device(asked.device)
    print(f"`benchmarks/sampling.py`, {datetime.datetime.now(datetime.timezone.utc).date()}, on {machine(device)}.")
    print("DDIM; median of the rounds (least-most). The ratio is our time over that of diffusers' DDIMPipeline.\n")
    print("| model | precision | batch | a step and picture | a picture of 50 steps | pictures/s | ratio | rounds |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows(asked.models, device, asked):
        print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
