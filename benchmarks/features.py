"""Train the network that benchmarks/generator_card.py measures pictures with: python benchmarks/features.py OUT.

An ordinary detector of five kinds of things, trained from scratch at 64 px with benchmarks/features.yaml. Its cats are
those that the bundled generator was not trained on, so that it describes generated cats and that generator's training
pictures without having seen either. It takes minutes, goes on where it was stopped, and is not part of the product.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from cat_faces import BOXES, named, read_boxes
from PIL import Image

from classifier.atomic import replacing
from classifier.images import BadImage, load
from classifier.recipes import load as load_recipe
from classifier.run import run
from classifier.train import Epoch, Step

ROOT = Path(__file__).resolve().parent.parent
KINDS = {"cat": "cats", "dog": "dogs", "flower": "flowers102", "insect": "hymenoptera_data", "vehicle": "vehicles"}
KEPT_PX = 96
"""Shorter side of the copies that are trained on: decoding them takes less than a training step."""


def pictures(data: Path) -> Iterator[tuple[str, Path]]:
    """Yield kind and file of every picture to train on; cats that the generator was trained on are left out."""
    seen = read_boxes(BOXES)
    for kind, folder in KINDS.items():
        yield from ((kind, path) for name, path in named(data / folder) if kind != "cat" or name not in seen)


def shrink(data: Path, out: Path) -> None:
    """Write small copies of the pictures as an ImageFolder; those that are there are kept."""
    for number, (kind, path) in enumerate(pictures(data)):
        to = out / kind / f"{number:05}.png"
        if to.exists():
            continue
        try:
            image = Image.fromarray(load(path).pixels)
        except BadImage as error:
            print(f"{path}: {error}", file=sys.stderr)
            continue
        scale = min(1.0, KEPT_PX / min(image.size))
        size = (round(image.width * scale), round(image.height * scale))
        to.parent.mkdir(parents=True, exist_ok=True)
        with replacing(to) as file:
            image.resize(size, Image.Resampling.LANCZOS).save(file, format="PNG")


def main() -> int:
    """Shrink, train, print the figures."""
    shared = os.environ.get("FORENSICS_TEST_DATA", ROOT.parent / "shared" / "data")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="receives pictures/ and run/, the detector in run/detector")
    parser.add_argument("--data", type=Path, default=Path(shared), help="a folder of pictures (default: %(default)s)")
    asked = parser.parse_args()
    shrink(asked.data, asked.out / "pictures")
    recipe = load_recipe(Path(__file__).with_name("features.yaml"))
    for event in run(recipe, asked.out / "pictures", asked.out / "run", resume=True):
        if not isinstance(event, Step):
            print(event if isinstance(event, Epoch) else type(event).__name__, flush=True)
    print(f"Detector: {asked.out / 'run/detector'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
