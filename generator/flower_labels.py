"""The two label files of the Oxford 102 Flower set: which class each picture is, and the official split.

Both are MATLAB files, which a parser of its own reads: their bytes are checked against the pinned hash just before.
Nilsback & Zisserman, "Automated Flower Classification over a Large Number of Classes", ICVGIP 2008.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from classifier.data import Split
from classifier.files import BadImage, read
from generator.downloads import BadSource, Fetching, Remote, Unreachable, download
from generator.picture_sets import OXFORD
from generator.reals import OFFLINE, offline

LABELS = Remote(
    f"{OXFORD}/flowers/102/imagelabels.mat", "the label file of the Oxford 102 Flower set", 502,
    "4903e94206bac23bf772aadf06451916df56b58fc483a62db32a97b82656651d",
)  # fmt: skip
SPLITS = Remote(
    f"{OXFORD}/flowers/102/setid.mat", "the split file of the Oxford 102 Flower set", 14_989,
    "46b8678f91fd95d3c8f4feab80d271a6c834a1dd896fe29fd3e6ad9ce5c8dccd",
)  # fmt: skip
FILES = {"labels": LABELS, "splits": SPLITS}
NAMES: Mapping[str, Split] = {"trnid": "train", "valid": "val", "tstid": "test"}
NUMBER = re.compile(r"image_(\d{5})\.jpg$")
MOST_PARSED = 2**20


@dataclass(frozen=True)
class FlowerLabels:
    """The class of every picture and its official split, by the picture's number."""

    classes: Mapping[int, str]
    splits: Mapping[int, Split]

    def place(self, name: str) -> tuple[str, Split] | None:
        """Return the class (`001` to `102`) and the official split of `…/image_00001.jpg`, or None for another name."""
        found = NUMBER.search(name)
        number = int(found[1]) if found else 0
        return (self.classes[number], self.splits[number]) if number in self.classes else None


def fetch(cache: Path, beside: Path | None = None) -> Generator[Fetching, None, FlowerLabels]:
    """Fetch both files, unless they lie in the cache or in the folder `beside`; raises `BadSource`."""
    data = {}
    for key, remote in FILES.items():
        path = yield from _file(remote, cache, beside)
        data[key] = _checked(path, remote)
    return parse(data["labels"], data["splits"])


def _file(remote: Remote, cache: Path, beside: Path | None) -> Generator[Fetching, None, Path]:
    name = remote.url.rpartition("/")[2]
    if beside is not None and (beside / name).is_file():
        return beside / name
    path = cache / "labels" / name
    instead = f"download {remote.url} elsewhere, and give the archive beside it with --from"
    if offline() and not path.is_file():
        raise Unreachable(f"{name}, {remote.what}, is not in the cache, and {OFFLINE} forbids downloads: {instead}.")
    for event in download(replace(remote, instead=instead), path):
        if isinstance(event, Fetching):
            yield event
    return path


def _checked(path: Path, remote: Remote) -> bytes:
    try:
        data = read(path, max_bytes=MOST_PARSED)
    except BadImage as error:
        raise BadSource(f"{path} cannot be read. {error}") from None
    if hashlib.sha256(data).hexdigest() != remote.sha256:
        raise BadSource(f"{path} is not {remote.what} (its SHA-256 differs): remove it, and run the command again.")
    return data


def parse(labels: bytes, splits: bytes) -> FlowerLabels:
    """Return what the two files say; raises `BadSource` where they do not cover the same pictures."""
    kinds, parts = _variables(labels, "imagelabels.mat"), _variables(splits, "setid.mat")
    try:
        classes = {number: f"{kind:03}" for number, kind in enumerate(_numbers(kinds["labels"]), 1)}
        found: dict[int, Split] = {number: split for key, split in NAMES.items() for number in _numbers(parts[key])}
    except (KeyError, TypeError, ValueError):
        raise BadSource("imagelabels.mat or setid.mat does not hold what the Oxford 102 Flower set has.") from None
    if set(found) != set(classes):
        raise BadSource("imagelabels.mat and setid.mat are not of the same pictures.")
    return FlowerLabels(classes, found)


def _variables(data: bytes, name: str) -> dict[str, Any]:
    from scipy.io import loadmat

    try:
        found: dict[str, Any] = loadmat(io.BytesIO(data))
    except Exception as error:  # scipy has a dozen kinds for a file that is none
        detail = " ".join(str(error).split())[:100]
        raise BadSource(f"{name} is no MATLAB file ({detail}).") from None
    return found


def _numbers(values: Any) -> list[int]:
    """Return the numbers of an array as they stand in it."""
    return [int(value) for value in np.asarray(values).ravel()]
