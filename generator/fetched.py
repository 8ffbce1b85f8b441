"""A named data set laid out as an ImageFolder: fetched, looked at, divided into splits, copied."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from classifier.data import BadData, Split, difference_hashes, near_duplicate_groups
from classifier.files import read
from generator import flower_labels, reals, record, splits
from generator.downloads import BadSource, Fetching
from generator.layouts import Layout, Placer
from generator.reals import Real, Reals
from generator.workplace import check_apart, check_new, new_folder

CHUNK = 64
WHOLE = "all"
"""What a record calls the split of a data set that has none."""
OFFICIAL, NONE = "official", "none"
SAFE_NAME = re.compile(r"(?!\.)[\w.-]{1,100}", re.ASCII)


@dataclass(frozen=True)
class Checked:
    """Pictures were opened and compared: `done` of `total`."""

    done: int
    total: int


@dataclass(frozen=True)
class Copied:
    """Pictures are in place: `done` of `total`."""

    done: int
    total: int


@dataclass(frozen=True)
class Fetched:
    """The end: the new folder, its counts by split and class, what was left out and why, and the licence."""

    folder: Path
    counts: dict[str, dict[str, int]]
    left_out: tuple[tuple[str, str], ...]
    note: str | None
    licence: str | None


@dataclass(frozen=True)
class _Picture:
    real: Real
    kind: str
    official: Split | None


Job = Generator[Any, None, Any]


def fetch(
    layout: Layout, out: Path, *, cache: Path, split: str | None = None, seed: int = 0, given: Path | None = None
) -> Iterator[Fetching | Checked | Copied | Fetched]:
    """Bring a named data set to `out`; the last event is the `Fetched`.

    `split` is `official`, `none`, or per cent for train/test or train/val/test (`80/20`, `70/15/15`), drawn by `seed`
    within each class, near-duplicates together. `given` is an archive or a folder that was fetched by hand. The files
    stay as they are; unreadable ones are left out and told. Downloads go on where they stopped; nothing is at `out`
    before all of it is. Raises `BadData` and `BadSource`.
    """
    check_new(out)
    if given is not None:
        check_apart(out, given)
    wanted = split or layout.split
    parts = parts_of(layout, wanted)
    place = layout.place or (yield from _labels(cache, given))
    source = yield from _source(layout, cache, given)
    pictures = _placed(layout, source, place)
    kept, groups, left_out = yield from _checked(pictures)
    chosen = _splits(kept, groups, parts, seed)
    with new_folder(out) as folder:
        entries: list[dict[str, Any]] = []
        names: set[str] = set()
        for number, (picture, where) in enumerate(zip(kept, chosen, strict=True)):
            entries.append(_copy(picture, where, number, folder, names))
            if number % CHUNK == 0 or number + 1 == len(kept):
                yield Copied(number + 1, len(kept))
        plan = {"set": layout.name, "split": wanted, "seed": seed}
        record.write(
            folder, plan, entries, ("forensics", "numpy", "pillow"), source=_origin(layout, source), left_out=left_out
        )
    yield Fetched(out, record.counts(entries), tuple(left_out), source.note, source.licence)


def parts_of(layout: Layout, split: str) -> dict[Split, int] | None:
    """Return per cent by split, empty for no split at all, None for the official one; raises `BadData`."""
    if split == OFFICIAL:
        if not layout.official:
            raise BadData(f"No official split of {layout.name} is known here: give per cent, such as --split 80/20.")
        return None
    if split == NONE:
        return {}
    numbers = [int(part) for part in split.split("/")] if re.fullmatch(r"\d{1,2}(/\d{1,2}){1,2}", split) else []
    if sum(numbers) != 100:
        raise BadData(
            f"--split takes official, none, or per cent that sum to 100, such as 80/20 or 70/15/15, not {split!a}."
        )
    names: tuple[Split, ...] = ("train", "test") if len(numbers) == 2 else ("train", "val", "test")
    return dict(zip(names, numbers, strict=True))


def _labels(cache: Path, given: Path | None) -> Generator[Fetching, None, Placer]:
    beside = given if given is None or given.is_dir() else given.parent
    found = yield from flower_labels.fetch(cache, beside)
    return found.place


def _source(layout: Layout, cache: Path, given: Path | None) -> Job:
    if given is None:
        return (yield from reals.named(layout.row(), cache))
    found = None
    for event in reals.find(str(given), count=0, seed=0, cache=cache):
        if isinstance(event, Reals):
            found = event
        else:
            yield event
    return found


def _placed(layout: Layout, source: Reals, place: Placer) -> list[_Picture]:
    """Return the pictures that belong to the set, by name; raises `BadSource` where they are not what it needs."""
    found = [_Picture(real, *where) for real in source.files if (where := place(real.name))]
    kinds = {one.kind for one in found}
    if len(kinds) < 2:
        raise BadSource(
            f"{source.name} is not {layout.words}: {len(found):,} of its {len(source.files):,} pictures are named as "
            f"there, in {len(kinds)} of {layout.classes} classes."
        )
    return sorted(found, key=lambda one: (one.kind, one.real.name))


def _checked(pictures: Sequence[_Picture]) -> Job:
    """Open every picture; returns the readable ones, the group of near-duplicates of each, and the others."""
    kept: list[_Picture] = []
    hashes: list[int] = []
    left_out: list[tuple[str, str]] = []
    for start in range(0, len(pictures), CHUNK):
        part = pictures[start : start + CHUNK]
        fresh, bad = difference_hashes([one.real.path for one in part])
        broken = dict(bad)
        kept.extend(one for one in part if one.real.path not in broken)
        left_out.extend((one.real.name, broken[one.real.path]) for one in part if one.real.path in broken)
        hashes.extend(int(one) for one in fresh)
        yield Checked(min(start + CHUNK, len(pictures)), len(pictures))
    return kept, near_duplicate_groups(np.array(hashes, np.uint64)), left_out


def _splits(
    pictures: Sequence[_Picture], groups: Sequence[int], parts: dict[Split, int] | None, seed: int
) -> list[str]:
    if parts is None:
        return [one.official or "train" for one in pictures]
    if not parts:
        return [WHOLE] * len(pictures)
    return list(divided([one.kind for one in pictures], groups, parts, seed))


def divided(kinds: Sequence[str], groups: Sequence[int], parts: dict[Split, int], seed: int) -> list[Split]:
    """Return a split for each picture: the same part of each class, and no group in two splits."""
    placed: dict[int, Split] = {}
    for index, kind in enumerate(sorted(set(kinds))):
        sizes = Counter(group for group, mine in zip(groups, kinds, strict=True) if mine == kind)
        left = dict(zip(parts, splits.shares(list(parts.values()), sizes.total()).values(), strict=True))
        for group in sizes.keys() & placed.keys():
            left[placed[group]] -= sizes[group]
        fresh = sorted(sizes.keys() - placed.keys())
        for place in np.random.default_rng((seed, index)).permutation(len(fresh)):
            split: Split = next((one for one in reversed(left) if left[one] > 0), "train")
            placed[fresh[place]] = split
            left[split] -= sizes[fresh[place]]
    return [placed[group] for group in groups]


def _copy(picture: _Picture, split: str, number: int, folder: Path, names: set[str]) -> dict[str, Any]:
    """Copy a file, under its own name where that is a plain one; returns its entry in the record."""
    parent = picture.kind if split == WHOLE else f"{split}/{picture.kind}"
    own = PurePosixPath(picture.real.name)
    name = own.name if SAFE_NAME.fullmatch(own.name) else f"{number:06}{own.suffix.lower()}"
    path = f"{parent}/{name}" if f"{parent}/{name}" not in names else f"{parent}/{number:06}-{name}"
    names.add(path)
    data = read(picture.real.path)
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    return {"path": path, "sha256": digest, "class": picture.kind, "split": split, "original": picture.real.name}


def _origin(layout: Layout, source: Reals) -> dict[str, Any]:
    return {"name": source.name, "what": layout.words, "licence": source.licence, "note": source.note}
