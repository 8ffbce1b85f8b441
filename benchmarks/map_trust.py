"""What the badge beside a map is worth: how often maps are called good, and how often the same maps laid elsewhere.

A badge that means something is good for the maps that a network draws, and seldom for maps that lie anywhere. Each
picture's map is judged against eight of sixteen random ones, and each of the sixteen against eight of the others.

    python benchmarks/map_trust.py ../shared/data/generated --detector default --pictures 20
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classifier import deletion
from classifier.data import picture_files
from classifier.images import Pixels, load
from classifier.metrics import wilson
from classifier.runtime import Detector
from classifier.trust import RANDOM_MAPS, judged, trust
from forensics_app.core.maps import Maps

DRAWN, REPEATS = 2 * RANDOM_MAPS, 5


@dataclass(frozen=True)
class Tested:
    """What was found of one picture: the level of its map, those of maps laid elsewhere, likeness, and seconds."""

    own: str
    elsewhere: tuple[str, ...]
    similarity: float
    seconds: float
    similarity_seconds: float


def tested(maps: Maps, pixels: Pixels, rng: np.random.Generator) -> Tested | None:
    """Test the map of a picture's most probable class; None where it has no map."""
    detector = maps.detector
    cls = int(detector.judge(pixels).probabilities.argmax())
    name = detector.card.classes[cls]
    mapped = maps.draw(pixels, name)
    grid = deletion.grid_of(pixels, detector.card.preprocess)
    values = deletion.values_of(mapped.heat, grid)
    others = deletion.elsewhere(values, DRAWN, rng) if np.ptp(values) else []
    if len(others) < DRAWN:
        return None
    found = deletion.curves(detector, grid, [values, *others], cls, rng)
    levels = []
    for row in (number for number in range(1, DRAWN + 1) for _ in range(REPEATS)):
        others_of = rng.choice(np.delete(np.arange(1, DRAWN + 1), row - 1), RANDOM_MAPS, replace=False)
        levels.append(judged(_rows(found, [row, *others_of])).level)
    begun = time.perf_counter()
    own = trust(detector, pixels, mapped.heat, name).level
    middle = time.perf_counter()
    similarity = maps.network.similarity(pixels, name, mapped.stage.layer)
    return Tested(own, tuple(levels), similarity, middle - begun, time.perf_counter() - middle)


def _rows(found: deletion.Curves, rows: list[int]) -> deletion.Curves:
    return deletion.Curves(found.emptied, found.deletion[rows], found.insertion[rows])


def report(found: list[Tested]) -> None:
    """Print the figures."""
    print("level     maps as drawn               laid elsewhere")
    own, elsewhere = Counter(one.own for one in found), Counter(level for one in found for level in one.elsewhere)
    for level in ("good", "fair", "poor", "untested"):
        mine = wilson(own[level], len(found))
        part = elsewhere[level] / max(1, elsewhere.total())
        print(f"{level:9s} {mine.value:.2f} ({mine.low:.2f}–{mine.high:.2f}), n = {mine.n:<5d}  {part:.2f}")
    known = np.array([one.similarity for one in found if np.isfinite(one.similarity)])
    low, high = known.min(), known.max()
    print(f"like random weights {known.mean():.2f}, from {low:.2f} to {high:.2f}, n = {len(known)}")
    for words, values in (
        ("deletion and insertion", [one.seconds for one in found]),
        ("random weights", [one.similarity_seconds for one in found]),
    ):
        print(f"{words}: {np.median(values):.2f} s a picture ({min(values):.2f}–{max(values):.2f})")


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DIR", help="a folder of pictures")
    parser.add_argument("--detector", default="default", metavar="NAME|DIR")
    parser.add_argument("--pictures", type=int, default=20, metavar="N", help="how many, drawn evenly from the folder")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    return parser.parse_args()


def main() -> int:
    """Measure and print."""
    asked = arguments()
    files = sorted(picture_files(asked.data))
    if not files:
        print(f"There are no pictures in {asked.data}.", file=sys.stderr)
        return 2
    detector, rng = Detector.load(asked.detector, threads=asked.threads), np.random.default_rng(0)
    maps = Maps(detector)
    chosen = files[:: max(1, len(files) // asked.pictures)][: asked.pictures]
    found = [one for path in chosen if (one := tested(maps, load(path).pixels, rng)) is not None]
    print(f"detector {detector.name} {detector.id}, {len(found)} of {len(chosen)} pictures have a map")
    report(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
