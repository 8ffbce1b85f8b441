"""What the benchmark of scanning needs: folders of pictures made from real ones, and a plain ResNet-18."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from judging import pictures
from PIL import Image

SMALL, LARGE = (550, 365), (4000, 3000)


def sources(data: Path, most: int = 400) -> list[Path]:
    """Return real JPEGs, of each folder some."""
    found = [path for path in pictures(data) if path.suffix.lower() in (".jpg", ".jpeg")]
    return found[:most]


def small(found: Sequence[Path], folder: Path, count: int) -> Path:
    """Fill a folder with JPEGs of 0.2 megapixels: parts of real pictures, each cut elsewhere."""
    rng = random.Random(0)
    folder.mkdir(parents=True)
    for number in range(count):
        with Image.open(found[number % len(found)]) as image:
            part = rng.uniform(0.8, 1.0)
            width, height = int(image.width * part), int(image.height * part)
            left, top = rng.randint(0, image.width - width), rng.randint(0, image.height - height)
            cut = image.convert("RGB").resize(SMALL, box=(left, top, left + width, top + height))
        cut.save(folder / f"{number:05}.jpg", quality=rng.randrange(80, 96))
    return folder


def large(found: Sequence[Path], folder: Path, count: int) -> Path:
    """Fill a folder with JPEGs of 12 megapixels: real pictures in their own resolution laid side by side."""
    rng = random.Random(1)
    folder.mkdir(parents=True)
    for number in range(count):
        sheet, top = Image.new("RGB", LARGE), 0
        while top < LARGE[1]:
            left, lowest = 0, 0
            while left < LARGE[0]:
                with Image.open(rng.choice(found)) as image:
                    sheet.paste(image.convert("RGB"), (left, top))
                    left, lowest = left + image.width, max(lowest, image.height)
            top += max(1, lowest)
        sheet.save(folder / f"{number:05}.jpg", quality=90)
    return folder


def resnet18(folder: Path, found: Sequence[Path]) -> Path:
    """Write a ResNet-18 at 224 px that was never trained, which changes no time, with its fast twin."""
    import torch

    from classifier import zoo
    from classifier.detector import Band, Card, open_folder
    from classifier.export import export
    from classifier.preprocess_spec import Preprocess
    from classifier.quantize import quantize

    torch.manual_seed(0)
    card = Card(name="resnet18", arch="resnet18", classes=("fake", "real"), band=Band(low=0.4, high=0.6, n=1),
                preprocess=Preprocess(kind="resize", size=224, resize=256))  # fmt: skip
    check = np.random.default_rng(0).normal(size=(2, 3, 224, 224)).astype(np.float32)
    installed = export(zoo.build("resnet18", 2), card, folder, check=check)
    labelled = folder.with_name("labelled")
    for number, path in enumerate(found[:80]):
        place = labelled / ("fake", "real")[number % 2] / f"{number}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    for _ in quantize(open_folder(installed.folder), labelled, None, force=True):
        pass
    return folder
