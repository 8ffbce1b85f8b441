"""Labelled pictures and their splits: stratified by class and source, and near-duplicates never straddle two splits."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifier.files import read
from classifier.images import SUFFIXES, BadImage, Pixels, load
from classifier.recipes import Data

Split = Literal["train", "val", "cal", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "cal", "test")
NEAR_BITS = 4
"""Two pictures whose 64-bit difference hashes differ in at most so many bits count as near-duplicates."""
RECORD, MAX_RECORD_BYTES = "dataset.json", 2**28
Found = dict[str, list[tuple[Path, str]]]
"""Picture files by class, each with its source."""


class BadData(Exception):
    """A data folder that cannot be trained or evaluated on; `str()` says what is wrong and where."""


@dataclass(frozen=True)
class Item:
    """One labelled picture: `label` indexes the classes, `source` is the recipe's folder it came from, or its class."""

    path: Path
    label: int
    source: str


@dataclass(frozen=True)
class Labelled:
    """Pictures of a data folder by split, with the class names that their labels index (sorted, as in ImageFolder)."""

    root: Path
    classes: tuple[str, ...]
    splits: Mapping[Split, tuple[Item, ...]]
    unreadable: tuple[tuple[Path, str], ...] = ()


def picture_files(folder: Path) -> Iterator[Path]:
    """Yield the picture files below a folder in sorted order, by suffix, without following links to folders.

    Raises `PermissionError` where the folder may not be read; those inside it that may not are passed over.
    """

    def unlisted(error: OSError) -> None:
        if isinstance(error, PermissionError) and error.filename == os.fspath(folder):
            raise error

    for parent, folders, files in os.walk(folder, onerror=unlisted):
        folders.sort()
        for name in sorted(files):
            if Path(name).suffix.lower() in SUFFIXES:
                yield Path(parent) / name


def open_data(root: Path, spec: Data, seed: int) -> Labelled:
    """Find, check and split the pictures of a data folder; raises `BadData`.

    Splits that the folder has as sub-folders (`train/`, `val/` …) are kept, the others are set aside from the training
    part as `spec` says. Files that cannot be read are left out and listed.
    """
    given = find_pictures(root, spec)
    classes = tuple(sorted(given["train"]))
    items = {
        split: [Item(path, classes.index(name), source) for name, files in found.items() for path, source in files]
        for split, found in given.items()
    }
    return _split(root, classes, items, spec, seed)


def made_note(root: Path) -> str | None:
    """Return what whoever made a data set warns of in its dataset.json, or None where there is no such word."""
    try:
        record = json.loads(read(root / RECORD, max_bytes=MAX_RECORD_BYTES))
        note = record["reals"]["note"]
    except (BadImage, ValueError, RecursionError, LookupError, TypeError):
        return None
    return note if isinstance(note, str) and note else None


def find_pictures(root: Path, spec: Data) -> dict[Split, Found]:
    """Return the picture files of a data folder by split and class; all are `train` where it has no splits of its own.

    Raises `BadData` for a folder that has not at least two classes with files in each, or that may not be read.
    """
    try:
        return _pictures_of(root, spec)
    except PermissionError as error:
        where = error.filename or root
        raise BadData(f"{where} may not be read: change its permissions, or give another folder.") from None


def _pictures_of(root: Path, spec: Data) -> dict[Split, Found]:
    if root.is_dir():
        os.scandir(root).close()  # else an error names what is looked for inside
    else:
        raise BadData(f"There is no data folder {root}.")
    own = {split: root / split for split in SPLITS if (root / split).is_dir()}
    given: dict[Split, Found]
    if "train" in own and not spec.classes:
        given = {split: _image_folder(folder) for split, folder in own.items()}
    else:
        _check_not_splits(root, own, spec)
        given = {"train": _sources(root, spec) if spec.classes else _image_folder(root)}
    _check_classes(root, sorted(given["train"]), given)
    return given


def _check_not_splits(root: Path, own: Mapping[Split, Path], spec: Data) -> None:
    """Refuse a folder of splits without train: `val` and `test` would be read as classes."""
    visible = {child.name for child in root.iterdir() if child.is_dir() and not child.name.startswith(".")}
    if own and not spec.classes and visible == set(own):
        raise BadData(f"{root} has {' and '.join(f'{name}/' for name in own)} but no train/: nothing to learn from.")


def _image_folder(folder: Path) -> Found:
    children = [child for child in sorted(folder.iterdir()) if child.is_dir() and not child.name.startswith(".")]
    return {child.name: [(path, child.name) for path in picture_files(child)] for child in children}


def _sources(root: Path, spec: Data) -> Found:
    found: Found = {}
    for name, folders in spec.classes.items():
        for folder in folders:
            if not (root / folder).is_dir():
                raise BadData(f"The recipe's folder '{folder}' (class {name}) is not in {root}.")
        found[name] = [(path, folder) for folder in folders for path in picture_files(root / folder)]
    return found


def _check_classes(root: Path, classes: Sequence[str], given: Mapping[Split, Found]) -> None:
    if len(classes) < 2:
        found = f"only the class '{classes[0]}'" if classes else "no class folder"
        raise BadData(f"{root} has {found}; two class folders with pictures in each are needed.")
    for split, found_in in given.items():
        strange = set(found_in) - set(classes)
        if strange:
            raise BadData(f"{root / split} has the class '{sorted(strange)[0]}' that {root / 'train'} lacks.")
        for name in classes:
            if not found_in.get(name):
                where = root / split if len(given) > 1 else root
                raise BadData(f"The class '{name}' of {where} has no pictures; add some or remove the folder.")


def _split(root: Path, classes: tuple[str, ...], items: dict[Split, list[Item]], spec: Data, seed: int) -> Labelled:
    everything = [item for found in items.values() for item in found]
    hashes, bad = difference_hashes([item.path for item in everything])
    if bad and spec.unreadable == "refuse":
        raise BadData(_refusal(bad))
    unreadable = {path for path, _ in bad}
    kept = [item for item in everything if item.path not in unreadable]
    groups = dict(zip((item.path for item in kept), near_duplicate_groups(hashes), strict=True))
    held, fixed = set(), set()
    for split, found in items.items():
        for item in found:
            if item.path in groups:
                if split != "train":
                    fixed.add(groups[item.path])
                if any(_below(item, root, folder) for folder in spec.holdout):
                    held.add(groups[item.path])
    out: dict[Split, list[Item]] = {split: [i for i in items.get(split, []) if i.path in groups] for split in SPLITS}
    pool = [item for item in out["train"] if groups[item.path] not in fixed]
    out["train"] = []
    shares: dict[Split, float] = {"val": spec.val, "cal": spec.cal, "test": spec.test}
    parts = {split: share for split, share in shares.items() if split not in items}
    for item, split in zip(pool, _assign(pool, groups, parts, held, seed), strict=True):
        out[split].append(item)
    _check_splits(root, classes, out)
    return Labelled(root, classes, {split: tuple(found) for split, found in out.items()}, tuple(bad))


def _refusal(bad: Sequence[tuple[Path, str]]) -> str:
    path, reason = bad[0]
    count = "One picture" if len(bad) == 1 else f"{len(bad)} pictures"
    return (
        f"{count} cannot be read, the first: {path}: {reason} Remove them, or leave them out with "
        "--set data.unreadable=skip."
    )


def _below(item: Item, root: Path, folder: str) -> bool:
    return item.path.is_relative_to(root / folder)


def _assign(
    pool: Sequence[Item], groups: Mapping[Path, int], parts: Mapping[Split, float], held: set[int], seed: int
) -> list[Split]:
    """Cut each (class, source) stratum's groups, shuffled, into the asked parts; held-out groups go to test."""
    strata: dict[tuple[int, str], list[int]] = {}
    placed: dict[int, Split] = dict.fromkeys(held, "test")
    for item in pool:
        group = groups[item.path]
        if group not in placed:
            placed[group] = "train"
            strata.setdefault((item.label, item.source), []).append(group)
    for number, key in enumerate(sorted(strata)):
        order = np.random.default_rng((seed, number)).permutation(strata[key])
        start = 0.0
        for split, part in parts.items():
            for group in order[round(start * len(order)) : round((start + part) * len(order))]:
                placed[int(group)] = split
            start += part
    return [placed[groups[item.path]] for item in pool]


def _check_splits(root: Path, classes: Sequence[str], out: Mapping[Split, Sequence[Item]]) -> None:
    for label, name in enumerate(classes):
        if not any(item.label == label for item in out["train"]):
            raise BadData(f"No readable picture of the class '{name}' is left to train on in {root}.")


def difference_hashes(paths: Sequence[Path]) -> tuple[NDArray[np.uint64], list[tuple[Path, str]]]:
    """Return the 64-bit difference hashes of the readable pictures (in order), and the unreadable with the reason."""

    def one(path: Path) -> int | str:
        try:
            return difference_hash(load(path).pixels)
        except BadImage as error:
            return str(error)

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        answers = list(pool.map(one, paths))
    bad = [(path, answer) for path, answer in zip(paths, answers, strict=True) if isinstance(answer, str)]
    return np.array([answer for answer in answers if isinstance(answer, int)], np.uint64), bad


def difference_hash(pixels: Pixels) -> int:
    """Return the 64-bit dHash of a picture: the signs of the horizontal differences of its 9 × 8 grey thumbnail."""
    small = np.asarray(Image.fromarray(pixels).convert("L").resize((9, 8), Image.Resampling.BOX), np.int16)
    return int.from_bytes(np.packbits(small[:, 1:] > small[:, :-1]).tobytes(), "big")


def near_duplicate_groups(hashes: NDArray[np.uint64], bits: int = NEAR_BITS) -> list[int]:
    """Return a group number for each hash; hashes that are linked by at most `bits` differing bits share one."""
    parent = list(range(len(hashes)))

    def root_of(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for index in range(len(hashes)):
        near = np.flatnonzero(_popcount(hashes[index + 1 :] ^ hashes[index]) <= bits)
        for other in near:
            parent[root_of(index + 1 + int(other))] = root_of(index)
    return [root_of(index) for index in range(len(hashes))]


_BYTE_BITS = np.array([bin(byte).count("1") for byte in range(256)], np.uint8)


def _popcount(values: NDArray[np.uint64]) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = _BYTE_BITS[values.view(np.uint8)].reshape(len(values), 8).sum(axis=1, dtype=np.int64)
    return counts


class Pictures:
    """Decoded pictures by path, kept in memory up to a limit so that each is decoded once. Thread-safe."""

    def __init__(self, *, limit_bytes: int = 6 * 2**30) -> None:
        self._kept: dict[Path, Pixels] = {}
        self._left = limit_bytes

    def __getitem__(self, path: Path) -> Pixels:
        """Return the pixels (H, W, 3) of a picture; raises `BadImage`."""
        kept = self._kept.get(path)
        if kept is not None:
            return kept
        pixels = load(path).pixels
        if pixels.nbytes <= self._left:
            self._left -= pixels.nbytes
            self._kept[path] = pixels
        return pixels
