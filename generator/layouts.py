"""The named data sets that can be had as an ImageFolder, a row each: which class the name of a picture says."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from classifier.data import BadData, Split
from classifier.registry import by_name
from generator.picture_sets import SETS, KaggleSet, Set

Place = tuple[str, Split | None]
"""A picture's class, and its official split where there is one."""
Placer = Callable[[str], Place | None]
"""From a picture's name in the archive to its place, None for what is no picture of the set."""

DEFAULT_PARTS = "80/20"


@dataclass(frozen=True)
class Layout:
    """A data set: the set of pictures it is made of (`picture_sets`), and where each belongs.

    `place` is None where label files say it (`flower_labels`). `pattern` chooses other pictures of the set than its
    row. `split` is how it is divided unless people say otherwise; `official` whether it has a split of its own.
    """

    name: str
    source: str
    words: str
    pictures: int
    classes: int
    place: Placer | None
    pattern: str | None = None
    split: str = DEFAULT_PARTS
    official: bool = False

    def row(self) -> Set | KaggleSet:
        """Return the set of pictures to fetch, whose messages name the options of `forensics data fetch`."""
        row = SETS[self.source]
        if self.pattern is not None:
            row = replace(row, name=self.name, pattern=self.pattern)
        if isinstance(row, KaggleSet):
            return replace(row, option="--from", what=self.words)
        instead = f"download {row.remote.url} elsewhere and give the file with --from"
        return replace(row, remote=replace(row.remote, instead=instead, what=self.words))


def _by_pattern(pattern: str) -> Placer:
    """Return what finds the class, and where the pattern has it the official split, in a name."""
    compiled = re.compile(pattern)
    splits: dict[str, Split] = {"train": "train", "val": "val", "test": "test"}

    def place(name: str) -> Place | None:
        found = compiled.search(name)
        if found is None:
            return None
        return found["kind"].lower(), splits.get(found.groupdict().get("split") or "")

    return place


def _species(name: str) -> Place | None:
    """Oxford's pets are named after the breed; those of cats begin with a capital letter."""
    found = re.search(r"(?:^|/)([A-Za-z])[A-Za-z_]*_\d+\.jpg$", name)
    return ("cat" if found[1].isupper() else "dog", None) if found else None


ROWS = (
    Layout(
        "hymenoptera", "hymenoptera", "the ants and bees of PyTorch's tutorial", 398, 2,
        _by_pattern(r"(?:^|/)(?P<split>train|val)/(?P<kind>ants|bees)/[^/]+$"), split="official", official=True,
    ),
    Layout("flowers102", "flowers102", "the Oxford 102 Flower set", 8189, 102, None, official=True),
    Layout(
        "pets", "pets", "the Oxford-IIIT Pet set, by breed", 7390, 37,
        _by_pattern(r"(?:^|/)(?P<kind>[A-Za-z_]+)_\d+\.jpg$"),
    ),
    Layout("pets-species", "pets", "the Oxford-IIIT Pet set, cats and dogs", 7390, 2, _species),
    Layout(
        "microsoft-cats-dogs", "microsoft-cats", "Microsoft's Cats and Dogs", 25_000, 2,
        _by_pattern(r"(?:^|/)(?P<kind>Cat|Dog)/[^/]+$"), r"(^|/)(Cat|Dog)/", "80/10/10",
    ),
    Layout(
        "dogs-vs-cats", "dogs-vs-cats", "Kaggle's Dogs vs. Cats", 25_000, 2,
        _by_pattern(r"(?:^|/)(?P<kind>cat|dog)\.\d+\.jpg$"), r"(^|/)(cat|dog)\.\d+\.jpg$", "80/10/10",
    ),
)  # fmt: skip


LAYOUTS = by_name(ROWS, "data sets")


def layout(name: str) -> Layout:
    """Return the row of that name; raises `BadData` with the nearest name."""
    if name in LAYOUTS:
        return LAYOUTS[name]
    near = difflib.get_close_matches(name, LAYOUTS, 1)
    meant = f"Did you mean {near[0]}?" if near else f"There are {', '.join(LAYOUTS)}."
    raise BadData(f"There is no data set named {name!a}. {meant}")
