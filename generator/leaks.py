"""What crosses a border that it should not: the same picture, or its source, in two splits or in two classes."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.images import BadImage, read
from generator.record import RECORD

MAX_RECORD_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Place:
    """A file of a data set, by its path below the set's folder, and where it stands."""

    name: str
    split: str
    kind: str


@dataclass(frozen=True)
class Leaks:
    """Groups of files (paths below the data folder) that stand where only one of them should.

    `same_bytes` are byte-identical files in two splits or classes, `near` near-duplicates, which are not identical, in
    two splits, `near_classes` such in two classes, `sources` the groups of dataset.json that are in two splits.
    `near_held` is the part of the pictures outside `train` that have a near-duplicate in another split.
    """

    same_bytes: tuple[tuple[str, ...], ...] = ()
    near: tuple[tuple[str, ...], ...] = ()
    near_classes: tuple[tuple[str, ...], ...] = ()
    sources: tuple[str, ...] = ()
    near_held: float = 0.0


def same_bytes(files: Sequence[tuple[Path, Place]], known: Mapping[Path, str]) -> Iterator[tuple[str, ...] | None]:
    """Yield the groups of identical files that cross a border, and None now and then while files are read.

    Only files of one size are compared; `known` are the SHA-256 that are at hand.
    """
    sizes: dict[int, list[tuple[Path, Place]]] = defaultdict(list)
    for path, place in files:
        try:
            sizes[path.stat().st_size].append((path, place))
        except OSError:
            continue  # it went away; what can be read was looked at before
    yield None
    for several in (group for group in sizes.values() if _crosses(place for _, place in group)):
        alike: dict[str, list[Place]] = defaultdict(list)
        for path, place in several:
            if (digest := known.get(path) or _digest(path)) is not None:
                alike[digest].append(place)
            if path not in known:
                yield None
        yield from (_names(group) for group in alike.values() if _crosses(group))


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(read(path)).hexdigest()
    except BadImage:
        return None


def _crosses(places: Iterable[Place]) -> bool:
    listed = list(places)
    return len({place.split for place in listed}) > 1 or len({place.kind for place in listed}) > 1


def _names(places: Iterable[Place]) -> tuple[str, ...]:
    """Return names of which the first two lie on both sides of a border."""
    listed = sorted(places, key=lambda place: place.name)
    other = next((one for one in listed if (one.split, one.kind) != (listed[0].split, listed[0].kind)), listed[-1])
    return tuple(dict.fromkeys((listed[0].name, other.name, *(place.name for place in listed))))


def near_copies(places: Sequence[Place], kin: Sequence[int], digests: Sequence[str]) -> Leaks:
    """Return the near-duplicates (pictures of one number in `kin`) that cross a border and are not identical."""
    groups: dict[int, list[int]] = defaultdict(list)
    for index, group in enumerate(kin):
        groups[group].append(index)
    between, across, held = [], [], set[str]()
    for members in groups.values():
        if len({digests[index] for index in members}) < 2:
            continue
        found = [places[index] for index in members]
        if len({place.split for place in found}) > 1:
            between.append(_names(found))
            held.update(place.name for place in found if place.split != "train")
        if len({place.kind for place in found}) > 1:
            across.append(_names(found))
    outside = sum(place.split != "train" for place in places)
    return Leaks(near=tuple(between), near_classes=tuple(across), near_held=len(held) / outside if outside else 0.0)


def straddling_sources(root: Path) -> tuple[str, ...]:
    """Return the groups that dataset.json, if there is one, names in two splits; a file that is none says nothing."""
    splits: dict[str, set[str]] = defaultdict(set)
    for entry in _entries(root / RECORD):
        group, split = entry.get("group"), entry.get("split")
        if isinstance(group, str) and isinstance(split, str):
            splits[group].add(split)
    return tuple(sorted(group for group, found in splits.items() if len(found) > 1))


def _entries(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    try:
        record = json.loads(read(path, max_bytes=MAX_RECORD_BYTES))
    except (BadImage, ValueError, RecursionError):
        return []
    files = record.get("files") if isinstance(record, dict) else None
    return [entry for entry in files if isinstance(entry, dict)] if isinstance(files, list) else []
