"""Writing the pictures of both classes into one ImageFolder, each through `equalize`, with a record of every file."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from classifier.atomic import replacing, write_json
from classifier.data import BadData, Split, difference_hashes, near_duplicate_groups
from classifier.images import load
from classifier.versions import versions
from generator import contact_sheet, splits
from generator.contact_sheet import SHEET
from generator.equalize import Equalize, enlarges, equalize, settle
from generator.fakes import Fakes
from generator.reals import Reals
from generator.record import FORMAT, RECORD
from generator.sampler import SampleSpec
from generator.weights import Model

CHUNK = 64


@dataclass(frozen=True)
class DatasetSpec:
    """What is asked for: `count` pictures of each class, divided as `split` says (pictures of each class by split).

    `real` names where real pictures come from (`generator.reals`), None takes what can be had, `none` takes none.
    """

    count: int
    split: dict[Split, int]
    real: str | None = None
    sampling: SampleSpec = field(default_factory=SampleSpec)
    equalize: Equalize = field(default_factory=Equalize)
    processes: int = 1


@dataclass(frozen=True)
class Written:
    """Pictures of the data set were written: `done` of `total`."""

    unit: ClassVar[str] = "pictures"
    done: int
    total: int


def plan(spec: DatasetSpec, model: Model) -> dict[str, Any]:
    """Return what the bytes of a data set depend on, as JSON."""
    facts = asdict(spec)
    del facts["processes"]
    facts["sampling"].update(device=model.device.type, dtype=model.dtype)
    facts["model"] = {"name": model.name, "sha256": model.sha256}
    return dict(json.loads(json.dumps(facts)))


@dataclass(frozen=True)
class _Picture:
    """A picture on its way into the data set: where its pixels are, where it goes, and what is recorded of it."""

    origin: Path
    target: str
    facts: dict[str, Any]


@dataclass(frozen=True)
class RealPictures:
    """Where the real pictures come from, and those of each split."""

    source: Reals
    pictures: splits.Chosen


def write(spec: DatasetSpec, model: Model, folder: Path, chosen: RealPictures | None, made: Fakes) -> Iterator[Written]:
    """Write both classes through `equalize`, then the contact sheet, then the record."""
    shutil.rmtree(folder, ignore_errors=True)
    pictures = [*_fake_pictures(spec, made), *(_real_pictures(chosen) if chosen else ())]
    settings = replace(spec.equalize, size=spec.equalize.size or model.size)
    settings = settle(settings, [one.origin for one in pictures if one.facts["class"] == "real"])
    suffix = ".png" if settings.format == "png" else ".jpg"
    entries: list[dict[str, Any]] = []

    def one(numbered: tuple[int, _Picture]) -> dict[str, Any]:
        number, picture = numbered
        rng = np.random.default_rng((spec.sampling.seed, 2, number))
        pixels, target = load(picture.origin).pixels, folder / (picture.target + suffix)
        data, facts = equalize(pixels, settings, rng), dict(picture.facts)
        if enlarges(pixels, settings):
            facts["enlarged"] = True
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as file:
            file.write(data)
        path = target.relative_to(folder).as_posix()
        return {"path": path, "sha256": hashlib.sha256(data).hexdigest(), **facts}

    with ThreadPoolExecutor() as pool:
        for start in range(0, len(pictures), CHUNK):
            entries.extend(pool.map(one, enumerate(pictures[start : start + CHUNK], start)))
            yield Written(len(entries), len(pictures))
    entries.sort(key=lambda entry: str(entry["path"]))
    shown = [(entry["path"], entry["class"]) for entry in entries]
    with replacing(folder / SHEET) as file:
        contact_sheet.draw(folder, shown, *_told(spec, model, settings, chosen)).save(file, "PNG")
    write_json(folder / RECORD, {"plan": plan(spec, model), **_record(spec, settings, entries, chosen, made)})


def _told(
    spec: DatasetSpec, model: Model, settings: Equalize, chosen: RealPictures | None
) -> tuple[str, tuple[str, ...]]:
    """Return the title of the contact sheet, and what stands below it: whatever the pictures depend on."""
    name, sampling = model.folder.name if Path(model.name).is_dir() else model.name, spec.sampling
    each, source = f"{spec.count:,}", chosen.source.name if chosen else ""
    title = f"{each} generated and {each} real" if chosen else f"{each} generated"
    made = f"{sampling.scheduler}, {sampling.steps} steps, eta {sampling.eta:g}, seed {sampling.seed}"
    written = "PNG" if settings.format == "png" else f"JPEG, quality {settings.quality}"
    if settings.drawn:
        written = "JPEG, qualities and sizes as of the real pictures"
    counts = ", ".join(f"{split} {count:,}" for split, count in spec.split.items())
    facts = [f"Generated by {name} ({made})", *([f"Real pictures: {source}"] if chosen else [])]
    facts += [f"Of each class: {counts}", f"All of {settings.size} px, {written}"]
    return title, tuple(facts)


def _fake_pictures(spec: DatasetSpec, made: Fakes) -> Iterator[_Picture]:
    """Yield the fakes with their splits; near-copies stay together as far as the exact numbers allow."""
    seeds = sorted(made.paths)
    hashes, bad = difference_hashes([made.paths[seed] for seed in seeds])
    if bad:
        raise BadData(f"{bad[0][0]}: {bad[0][1]} Remove it and add --resume: it is sampled again.")
    near = near_duplicate_groups(hashes)
    places, left = splits.allocate(near, spec.split), Counter(spec.split)
    left.subtract(place for place in places if place is not None)
    spare = iter(left.elements())
    numbers = Counter[str]()
    for seed, group, place in zip(seeds, near, places, strict=True):
        split: str = place or next(spare)
        target = f"{split}/fake/{numbers[split]:05}"
        numbers[split] += 1
        facts = {
            "class": "fake",
            "split": split,
            "source": made.facts["model"],
            "seed": seed,
            "group": f"fake {seeds[group]}",
        }
        yield _Picture(made.paths[seed], target, facts)


def _real_pictures(chosen: RealPictures) -> Iterator[_Picture]:
    for split, found in chosen.pictures.splits.items():
        for number, (real, group) in enumerate(found):
            facts = {"class": "real", "split": split, "source": real.source, "original": real.name, "group": group}
            yield _Picture(real.path, f"{split}/real/{number:05}", facts)


def _record(
    spec: DatasetSpec, settings: Equalize, entries: Sequence[dict[str, Any]], chosen: RealPictures | None, made: Fakes
) -> dict[str, Any]:
    counts = {split: Counter(entry["class"] for entry in entries if entry["split"] == split) for split in spec.split}
    origin = _origin(chosen) if chosen else None
    return {
        "format": FORMAT,
        "counts": {split: dict(sorted(found.items())) for split, found in counts.items()},
        "equalize": asdict(settings),
        "fakes": made.facts,
        "reals": origin,
        "versions": versions(("forensics", "torch", "diffusers", "numpy", "pillow")),
        "files": list(entries),
    }


def _origin(chosen: RealPictures) -> dict[str, Any]:
    source = chosen.source
    return {
        "name": source.name,
        "licence": source.licence,
        "note": source.note,
        "unreadable": chosen.pictures.unreadable,
    }
