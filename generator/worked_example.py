"""Why an audit is needed, worked out: one kind of picture in two classes that are only written differently."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from classifier.images import Pixels, load
from generator.audit import Audit, Looked, audit
from generator.equalize import Equalize, equalize

COUNT = 60
PHOTO_SIDES = (150, 220)
FAKE_SIDE = 128
SIDE = 64
WAVES, MOST_CYCLES = 40, 20.0
PHOTO_QUALITY = 69
"""Of the JPEG files that the usual collection of cat photographs holds."""


@dataclass(frozen=True)
class Example:
    """Two audits of the same pictures: written as they usually are, and equalized."""

    usual: Audit
    equalized: Audit


def work_out(seed: int = 0, count: int = COUNT) -> Iterator[Looked | Example]:
    """Make `count` random pictures a class, write them both ways and audit both; the last event is the `Example`.

    Both classes are drawn from one distribution, so that nothing in the pictures can tell them apart. As usual: the
    "photographs" are JPEG files of mixed sizes, the "generated" ones PNG files of one size.
    """
    found = []
    with tempfile.TemporaryDirectory(prefix="forensics-example-") as place:
        for number, name in enumerate(("usual", "equalized")):
            folder = Path(place, name)
            _write(folder, seed, count, usual=name == "usual")
            for event in audit(folder, seed=seed):
                if isinstance(event, Audit):
                    found.append(event)
                else:
                    yield Looked(number * event.total + event.done, 2 * event.total)
    yield Example(*found)


def _write(folder: Path, seed: int, count: int, *, usual: bool) -> None:
    rng, alike = np.random.default_rng(seed), Equalize(SIDE)
    for index in range(2 * count):
        kind = ("real", "fake")[index % 2]
        width, height = rng.integers(*PHOTO_SIDES, 2) if kind == "real" else (FAKE_SIDE, FAKE_SIDE)
        data, suffix = _as_usual(_picture(rng, int(width), int(height)), kind)
        if not usual:
            data, suffix = equalize(load(data).pixels, alike, rng), ".jpg"
        target = folder / kind / f"{index:05}{suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _as_usual(pixels: Pixels, kind: str) -> tuple[bytes, str]:
    out, image = io.BytesIO(), Image.fromarray(pixels)
    if kind == "real":
        image.save(out, "JPEG", quality=PHOTO_QUALITY)
        return out.getvalue(), ".jpg"
    image.save(out, "PNG")
    return out.getvalue(), ".png"


def _picture(rng: np.random.Generator, width: int, height: int) -> Pixels:
    """Return a random picture (height, width, 3): waves of all directions, the finer the weaker, as in photographs.

    The shorter side spans the same part of the scene at any size, so that the centre square looks alike.
    """
    unit = min(width, height)
    x, y = (np.arange(width) + 0.5 - width / 2) / unit, (np.arange(height) + 0.5 - height / 2) / unit
    total = np.full((height, width, 3), rng.uniform(80, 170, 3))
    for cycles in np.geomspace(0.5, MOST_CYCLES, WAVES):
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        turns = cycles * (np.cos(angle) * x[None, :] + np.sin(angle) * y[:, None])
        total += np.cos(2 * np.pi * turns + phase)[..., None] * rng.normal(0, 17 / cycles**0.6, 3)
    pixels: Pixels = np.clip(total, 0, 255).astype(np.uint8)
    return pixels
