"""Square crops of cats' heads, the training pictures of the bundled cat generator.

`crop` cuts the squares of a boxes file out of a folder of pictures and writes them as PNG in native resolution. It
needs nothing but this project: benchmarks/cat_boxes.json holds the squares that the bundled model was trained on, as
{"folder": {"file name without suffix": [left, top, side]}}, in pixels of the upright picture.

    python benchmarks/cat_faces.py crop ../shared/data/cats --out heads

`find` makes such a file for other pictures with OpenCV's two cascades for frontal cat faces, in an environment of its
own (pip install "opencv-python-headless<5"; OpenCV 5 has no cascades): the face with the best score of both, its
square grown 1.5 times, moved inside the picture. One in seven is no face: look at the crops, write the names of the
bad ones as folder/name into a text file, a line each, and give it with --reject.

    python benchmarks/cat_faces.py find ../shared/data/cats --boxes boxes.json --reject no-faces.txt
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from classifier.atomic import replacing
from classifier.data import picture_files
from classifier.images import BadImage, Pixels, load

BOXES = Path(__file__).with_name("cat_boxes.json")
CASCADES = ("haarcascade_frontalcatface.xml", "haarcascade_frontalcatface_extended.xml")
GROWN, SMALLEST_PX = 1.5, 48
Box = tuple[int, int, int]
"""Left, top and side of a square in pixels."""


def named(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the pictures below a folder with their names in a boxes file: folder/stem."""
    for path in picture_files(root):
        yield f"{path.parent.name}/{path.stem}", path


def read_boxes(path: Path) -> dict[str, Box]:
    """Return the squares of a boxes file by folder/stem."""
    folders = json.loads(path.read_text(encoding="utf-8"))
    return {f"{folder}/{stem}": tuple(box) for folder, boxes in folders.items() for stem, box in boxes.items()}


def write_boxes(path: Path, boxes: dict[str, Box]) -> None:
    """Write a boxes file, a line for each picture."""
    folders: dict[str, list[str]] = {}
    for name, box in sorted(boxes.items()):
        folder, _, stem = name.partition("/")
        folders.setdefault(folder, []).append(f"{json.dumps(stem)}: {json.dumps(box, separators=(',', ':'))}")
    parts = [f"{json.dumps(folder)}: {{\n" + ",\n".join(lines) + "\n}" for folder, lines in folders.items()]
    with replacing(path) as file:
        file.write(("{\n" + ",\n".join(parts) + "\n}\n").encode())


def cut(pixels: Pixels, box: Box) -> Pixels:
    """Return the square of a picture; raises `ValueError` if it does not lie inside."""
    left, top, side = box
    if not (0 <= left <= left + side <= pixels.shape[1] and 0 <= top <= top + side <= pixels.shape[0] and side > 0):
        raise ValueError(f"the square {box} does not lie inside a picture of {pixels.shape[1]} × {pixels.shape[0]} px")
    return pixels[top : top + side, left : left + side]


def crop(root: Path, boxes: dict[str, Box], out: Path) -> tuple[int, list[str]]:
    """Write the crops below `out`; return how many, and what is missing or does not fit."""
    out.mkdir(parents=True, exist_ok=True)
    written, found = 0, dict(named(root))
    bad = [f"{name}: not below {root}" for name in boxes if name not in found]
    for name in sorted(boxes.keys() & found.keys()):
        try:
            head = cut(load(found[name]).pixels, boxes[name])
        except (BadImage, ValueError) as error:
            bad.append(f"{name}: {error}")
            continue
        with replacing(out / f"{name.replace('/', '_')}.png") as file:
            Image.fromarray(head).save(file, format="PNG")
        written += 1
    return written, bad


def find(root: Path, rejected: set[str]) -> dict[str, Box]:
    """Return the square around the best cat's face of each picture that has one and is not rejected."""
    cv2: Any = importlib.import_module("cv2")
    cascades = [cv2.CascadeClassifier(cv2.data.haarcascades + name) for name in CASCADES]
    found = {}
    for name, path in named(root):
        if name in rejected:
            continue
        try:
            grey = cv2.equalizeHist(cv2.cvtColor(load(path).pixels, cv2.COLOR_RGB2GRAY))
        except BadImage:
            continue
        faces = [face for cascade in cascades for face in _faces(cascade, grey)]
        if faces:
            found[name] = _square(max(faces, key=lambda face: face[0])[1], grey.shape)
    return found


def _faces(cascade: Any, grey: Any) -> Iterator[tuple[float, Any]]:
    smallest = (SMALLEST_PX, SMALLEST_PX)
    boxes, _, scores = cascade.detectMultiScale3(grey, 1.05, 3, minSize=smallest, outputRejectLevels=True)
    for box, score in zip(boxes, scores, strict=True):
        yield float(np.ravel(score)[0]), box


def _square(face: Any, shape: tuple[int, int]) -> Box:
    left, top, width, height = (int(edge) for edge in face)
    side = min(max(width, height) * GROWN, *shape)
    corner = (left + (width - side) / 2, top + (height - side) / 2)
    x, y = (int(min(max(start, 0), length - side)) for start, length in zip(corner, shape[::-1], strict=True))
    return x, y, int(side)


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    cutting = commands.add_parser("crop", help="cut squares out of pictures")
    finding = commands.add_parser("find", help="find the squares, with OpenCV")
    for command in (cutting, finding):
        command.add_argument("data", type=Path, metavar="DIR", help="a folder of pictures")
    cutting.add_argument("--boxes", type=Path, default=BOXES, help="the squares (default: %(default)s)")
    cutting.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the crops go")
    finding.add_argument("--boxes", type=Path, required=True, help="the file to write")
    finding.add_argument("--reject", type=Path, metavar="FILE", help="names that are no faces, a line each")
    return parser.parse_args()


def main() -> int:
    """Crop or find."""
    asked = arguments()
    if asked.command == "find":
        rejected = set(asked.reject.read_text(encoding="utf-8").split("\n")) if asked.reject else set()
        boxes = find(asked.data, rejected)
        write_boxes(asked.boxes, boxes)
        print(f"{len(boxes)} squares in {asked.boxes}")
        return 0
    written, bad = crop(asked.data, read_boxes(asked.boxes), asked.out)
    print(f"{written} crops in {asked.out}")
    print(*bad, sep="\n", file=sys.stderr, end="\n" if bad else "")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
