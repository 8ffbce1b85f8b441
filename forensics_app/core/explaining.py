"""One picture explained by any detector, of things as well: its most probable classes, and the maps of one of them."""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from classifier.atomic import replacing
from classifier.detector import Card
from classifier.images import ImageFile, load
from classifier.runtime import Detector
from classifier.trust import Trust
from forensics_app.core.maps import Mapped, Maps
from forensics_app.core.walk import path_fields
from forensics_app.core.words import shown

MOST_CLASSES = 5


class BadClass(Exception):
    """A class that the detector does not know; `str()` names the nearest one."""


@dataclass(frozen=True)
class Drawn:
    """The map of a stage was drawn and tested, `done` of `total`."""

    done: int
    total: int
    stage: str
    level: str


@dataclass(frozen=True, eq=False)
class Explained:
    """A picture, the calibrated probability of each class, and the maps of the class `cls`, each with its trust."""

    file: ImageFile
    detector: str
    detector_id: str
    probabilities: tuple[tuple[str, float], ...]
    """All classes, the most probable first."""
    cls: str
    maps: tuple[tuple[Mapped, Trust], ...]
    ms: float

    @property
    def top(self) -> tuple[tuple[str, float], ...]:
        """The five most probable classes, and the one that was asked for if it is not among them."""
        first = self.probabilities[:MOST_CLASSES]
        asked = [one for one in self.probabilities[MOST_CLASSES:] if one[0] == self.cls]
        return (*first, *asked)


def explain(
    source: Path | bytes, detector: Detector, *, cls: str | None = None, stage: str = "last"
) -> Iterator[Drawn | Explained]:
    """Judge a picture, draw the maps of a class (default: the most probable) and test each.

    `stage` is `first`, `second`, `third`, `last`, a layer of the network, or `walk` for the first four. Raises
    `BadImage`, `BadClass`, `BadStage`, `NoMap` and `BadArch`, before anything is drawn where that can be known.
    """
    begun, card, maps = time.perf_counter(), detector.card, Maps(detector)
    if cls is not None:
        _require(card, cls)
    stages = maps.find(stage)
    file = load(source)
    p = detector.judge(file.pixels).probabilities
    order = np.argsort(-p, kind="stable")
    name, found = cls or card.classes[int(order[0])], list[tuple[Mapped, Trust]]()
    for done, one in enumerate(stages, 1):
        mapped = maps.draw(file.pixels, name, one)
        found.append((mapped, maps.test(file.pixels, name, mapped)))
        yield Drawn(done, len(stages), one.name, found[-1][1].level)
    ranked = tuple((card.classes[int(place)], float(p[place])) for place in order)
    ms = (time.perf_counter() - begun) * 1000
    yield Explained(file, detector.name, detector.id, ranked, name, tuple(found), ms)


def _require(card: Card, cls: str) -> None:
    if cls in card.classes:
        return
    near = difflib.get_close_matches(cls, card.classes, 1, 0.4)
    listed = ", ".join(shown(name) for name in card.classes[:12]) + (", …" if len(card.classes) > 12 else "")
    hint = f" Did you mean '{shown(near[0])}'?" if near else ""
    raise BadClass(f"The detector '{card.name}' knows no class '{shown(cls)}'.{hint} Its classes: {listed}.")


def write_maps(folder: Path, found: Explained) -> dict[str, str]:
    """Write each map alone into a new or existing folder; return where each stage's is, by its name.

    They are grey PNGs of 8 bits, at most 1024 px on a side: 0 for nothing, 255 for the strongest place.
    """
    folder.mkdir(parents=True, exist_ok=True)
    places = {mapped.stage.name: folder / f"{mapped.stage.name}.png" for mapped, _ in found.maps}
    for mapped, _ in found.maps:
        grey = np.rint(np.clip(mapped.heat.values, 0, 1) * 255).astype(np.uint8)
        with replacing(places[mapped.stage.name]) as file:
            Image.fromarray(grey).save(file, "PNG")
    return {name: str(path) for name, path in places.items()}


def to_json(
    picture: Path, found: Explained, written: dict[str, str], alone: dict[str, str] | None = None
) -> dict[str, Any]:
    """Return the public JSON form; `written` and `alone` say where the map of each stage was written, by its name.

    The first are maps on the picture, the second are maps alone; `boxes` are the parts that the detector looked at.
    """
    file, alone = found.file, alone or {}
    return {
        **path_fields(str(picture)),
        "sha256": file.sha256,
        "format": file.format,
        "width": file.width,
        "height": file.height,
        "detector": {"name": found.detector, "id": found.detector_id},
        "classes": [{"class": name, "p": round(p, 6)} for name, p in found.top],
        "explained": found.cls,
        "maps": [
            {
                "stage": mapped.stage.name,
                "layer": mapped.stage.layer,
                "file": written.get(mapped.stage.name),
                "alone": alone.get(mapped.stage.name),
                "boxes": [list(box) for box in mapped.heat.boxes],
                "trust": asdict(trust),
            }
            for mapped, trust in found.maps
        ],
        "ms": round(found.ms, 1),
    }
