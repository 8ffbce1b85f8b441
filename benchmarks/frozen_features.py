"""What keeping a frozen trunk's features saves, and what it costs: prints a block for docs/BENCHMARKS.md.

For each seed the same recipe is trained three times, only the head of it: with pictures varied as the recipe says, with
every picture as it is and the whole network computed in every epoch, and with every picture as it is and its features
kept. The last two see the same and differ in nothing but the work. Their order changes from seed to seed, so that what
else the machine does strikes all of them. Close other programs first.
"""

from __future__ import annotations

import argparse
import datetime
import math
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from classifier.data import Labelled, open_data
from classifier.environment import PACKAGES, processor
from classifier.history import Epoch
from classifier.metrics import wilson
from classifier.recipes import Recipe, load, override
from classifier.train import train
from classifier.versions import versions

PLAIN = "augment={crop: center, flip: 0}"
WAYS = {
    "varied": ("pictures varied, whole network", ()),
    "anew": ("pictures as they are, whole network", (PLAIN, "cache_features=never")),
    "kept": ("pictures as they are, features kept", (PLAIN, "cache_features=auto")),
}


@dataclass(frozen=True)
class Outcome:
    """One training: wall time, that of an epoch after the first (median), how many of val were right at the end."""

    total_s: float
    epoch_s: float
    right: int
    n: int

    @property
    def accuracy(self) -> float:
        """The part of the validation split that was right after the last epoch."""
        return self.right / self.n


def measure(recipe: Recipe, data: Labelled, *, cached: bool) -> Outcome:
    """Train into a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        epochs = [event for event in train(recipe, data, Path(folder), device="cpu") if isinstance(event, Epoch)]
        total = time.perf_counter() - begun
    if [epoch.cached for epoch in epochs] != [cached] * len(epochs):
        sys.exit(f"features were {'not ' * cached}kept: choose a recipe that trains the head only")
    n = len(data.splits["val"])
    later = [epoch.seconds for epoch in epochs[1:]] or [math.nan]
    return Outcome(total, statistics.median(later), round(epochs[-1].val_accuracy * n), n)


def outcomes(recipe: Recipe, root: Path, seeds: int) -> Iterator[tuple[str, Outcome]]:
    """Yield what came of each way for each seed."""
    for seed in range(seeds):
        names = list(WAYS)
        for name in names[seed % len(names) :] + names[: seed % len(names)]:
            changed = override(recipe, [f"seed={seed}", *WAYS[name][1]])
            found = measure(changed, open_data(root, changed.data, seed), cached=name == "kept")
            print(f"seed {seed} {name}: {found}", file=sys.stderr, flush=True)
            yield name, found


def spread(values: Sequence[float], form: str) -> str:
    """Return the median and, of several, the least and the most."""
    middle = format(statistics.median(values), form)
    return middle if len(values) == 1 else f"{middle} ({min(values):{form}}–{max(values):{form}})"


def block(recipe: Recipe, root: Path, found: dict[str, list[Outcome]]) -> Iterator[str]:
    """Yield the lines for docs/BENCHMARKS.md."""
    kept, anew = found["kept"], found["anew"]
    seeds, n, epochs = len(kept), kept[0].n, sum(phase.epochs for phase in recipe.phases)
    known = versions(PACKAGES)
    yield (
        f"`python benchmarks/frozen_features.py`, {datetime.date.today()}, on {processor()}, {os.cpu_count()} cores, "
        f"{torch.get_num_threads()} threads, {platform.system()} {platform.machine()}, torch {known['torch']}. "
        f"{recipe.name} ({recipe.arch}, weights: {recipe.weights}), {epochs} epochs, {root.name}, n = {n}, "
        f"{seeds} seeds: median (least–most)."
    )
    yield "\n| way | training, s | an epoch, s | accuracy on val |\n|---|---:|---:|---:|"
    for name, (words, _) in WAYS.items():
        those = found[name]
        pooled = wilson(sum(one.right for one in those), sum(one.n for one in those))
        times = f"{spread([one.total_s for one in those], '.1f')} | {spread([one.epoch_s for one in those], '.3f')}"
        right = f"{spread([one.accuracy for one in those], '.3f')}; mean {pooled.value:.3f}"
        yield f"| {words} | {times} | {right} |"
    pairs = list(zip(anew, kept, strict=True))
    differences = [two.accuracy - one.accuracy for one, two in pairs]
    epoch = [one.epoch_s / two.epoch_s for one, two in pairs]
    yield "\n| kept against computed anew | |\n|---|---:|"
    yield f"| training is faster by | {spread([one.total_s / two.total_s for one, two in pairs], '.1f')} |"
    yield f"| an epoch after the first is faster by | {spread(epoch, '.0f')} |"
    yield f"| accuracy differs by | {spread(differences, '+.4f')}, mean {statistics.mean(differences):+.4f} |"
    noise = wilson(anew[0].right, anew[0].n)
    yield f"| half of one run's 95 % interval, for comparison | {(noise.high - noise.low) / 2:.3f} |"


def main() -> int:
    """Measure and print."""
    shared = Path(os.environ.get("FORENSICS_TEST_DATA", "../shared/data"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=shared / "hymenoptera_data", help="default: %(default)s")
    parser.add_argument(
        "--recipe", default="ants-bees-features", help="one that trains the head (default: %(default)s)"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as in forensics train")
    asked = parser.parse_args()
    recipe = override(load(asked.recipe), ["weights=none", *asked.set])
    found: dict[str, list[Outcome]] = {name: [] for name in WAYS}
    for name, outcome in outcomes(recipe, asked.data, asked.seeds):
        found[name].append(outcome)
    print("\n".join(block(recipe, asked.data, found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
