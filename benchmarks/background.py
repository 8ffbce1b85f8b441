"""Does a detector look at the thing or at its background? Asked where boxes of the thing are at hand.

For every picture with a box (benchmarks/cat_boxes.json: squares around cats' heads) the map of a class is drawn, and
the share of the map inside the box is compared with the share of the area (the energy-based pointing game of Wang et
al., Score-CAM, 2020) and with what the maps of the other pictures have there, because cats sit in the middle and so do
most maps.

    python benchmarks/background.py ../shared/data/cats --detector runs/dogs-cats/detector --class cats

Another boxes file has the same form, {"folder": {"file name without suffix": [left, top, side]}} in pixels; [left, top,
right, bottom] is a box that is no square. Flowers have none here, so that the claim is not tested for them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from classifier.images import BadImage, load
from classifier.metrics import Figure
from classifier.pointing import Mask, Share, box_mask, compared, share
from classifier.preprocess import Box
from classifier.runtime import Detector, Heat
from forensics_app.core.maps import Maps

BOXES = Path(__file__).with_name("cat_boxes.json")
WORDS = {
    "inside": "share of the map inside the boxes",
    "area": "share of the area, which a map without preference has",
    "over_area": "difference of the two",
    "elsewhere": "share of other pictures' maps inside the same boxes",
    "over_elsewhere": "difference to those",
}


def boxes_of(path: Path) -> dict[str, Box]:
    """Return the boxes of a file by folder/stem; a square [left, top, side] is one as well."""
    found = {}
    for folder, boxes in json.loads(path.read_text(encoding="utf-8")).items():
        for stem, box in boxes.items():
            left, top, right, bottom = box if len(box) == 4 else (*box[:2], box[0] + box[2], box[1] + box[2])
            found[f"{folder}/{stem}"] = (left, top, right, bottom)
    return found


def drawn(root: Path, boxes: dict[str, Box], maps: Maps, cls: str, stage: str) -> Iterator[tuple[Heat, Mask, float]]:
    """Yield the map, the box as a mask, and the probability of the class, of each picture that has a box."""
    place = maps.detector.card.classes.index(cls)
    (layer,) = maps.find(stage)
    for path in sorted(root.rglob("*")):
        box = boxes.get(f"{path.parent.name}/{path.stem}")
        if box is None or not path.is_file():
            continue
        try:
            pixels = load(path).pixels
        except BadImage as error:
            print(f"{path.name}: {error}", file=sys.stderr)
            continue
        p = float(maps.detector.judge(pixels).probabilities[place])
        yield maps.draw(pixels, cls, layer).heat, box_mask(box, (pixels.shape[0], pixels.shape[1])), p


def moved(heat: Heat, other: Heat) -> Heat:
    """Return the other picture's map brought to the shape of this one, with what this one's detector looked at."""
    height, width = heat.values.shape
    values = Image.fromarray(other.values).resize((width, height), Image.Resampling.BILINEAR)
    return Heat(np.asarray(values, np.float32), heat.boxes)


def measured(found: Sequence[tuple[Heat, Mask, float]]) -> dict[str, Figure]:
    """Return the figures; each picture's box is also compared with the map of the next one in the list."""
    shares: list[Share] = []
    others: list[Share] = []
    for (heat, mask, _), (other, _, _) in zip(found, [*found[1:], *found[:1]], strict=True):
        own, strange = share(heat, mask), share(moved(heat, other), mask)
        if own and strange:
            shares.append(own)
            others.append(strange)
    return compared(shares, others) if shares else {}


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DIR", help="pictures that the boxes are of")
    parser.add_argument("--detector", default="default", metavar="NAME|DIR")
    parser.add_argument("--class", dest="cls", metavar="NAME", help="whose map (default: the detector's first class)")
    parser.add_argument("--stage", default="last", metavar="NAME", help="first, second, third, last or a layer")
    parser.add_argument("--boxes", type=Path, default=BOXES, metavar="FILE")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take every Nth picture")
    parser.add_argument("--certain", action="store_true", help="only pictures in which the class is the most probable")
    return parser.parse_args()


def main() -> int:
    """Measure and print."""
    asked = arguments()
    detector = Detector.load(asked.detector)
    cls = asked.cls or detector.card.classes[0]
    if cls not in detector.card.classes:
        print(f"The detector knows no class '{cls}': {', '.join(detector.card.classes)}.", file=sys.stderr)
        return 2
    boxes = dict(sorted(boxes_of(asked.boxes).items())[:: asked.every])
    found = list(drawn(asked.data, boxes, Maps(detector), cls, asked.stage))
    least = 1 / len(detector.card.classes)
    kept = [one for one in found if one[2] > least] if asked.certain else found
    figures = measured(kept)
    if not figures:
        print("Not tested: no picture with a box has a map.", file=sys.stderr)
        return 1
    print(f"detector {detector.name} {detector.id}, class {cls}, {asked.stage} stage: {len(kept)} pictures")
    for name, figure in figures.items():
        print(f"{WORDS[name]:60s} {figure.value:.3f} ({figure.low:.3f}–{figure.high:.3f}), n = {figure.n}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
