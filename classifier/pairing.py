"""The pictures that several detectors were measured on alike, found by path or by content. Free of torch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from classifier.metrics import Labels, Probabilities
from classifier.split_record import content


class NotComparable(Exception):
    """Detectors that no figure can compare; `str()` says why and what to do."""


@dataclass(frozen=True, eq=False)
class Judgements:
    """What one detector said of labelled pictures: paths (N), labels (N,) that index `classes`, `p` (N, C)."""

    name: str
    classes: tuple[str, ...]
    paths: tuple[Path, ...]
    labels: Labels
    p: Probabilities

    @cached_property
    def places(self) -> dict[str, int]:
        """Where each picture is, by its path in full."""
        return {_full(path): index for index, path in enumerate(self.paths)}


@dataclass(frozen=True, eq=False)
class Shared:
    """The pictures that all detectors judged, in the first one's order: `p` has (N, C) for each, in their order.

    `left_out` counts, for each detector, the pictures that it judged and another did not.
    """

    classes: tuple[str, ...]
    paths: tuple[Path, ...]
    labels: Labels
    p: tuple[Probabilities, ...]
    left_out: tuple[int, ...]


def shared(judgements: Sequence[Judgements]) -> Shared:
    """Pair several detectors' judgements picture by picture; raises `NotComparable`.

    A picture is the same if it lies in the same place, or else if a file has the same bytes (SHA-256).
    """
    first, *others = judgements
    for other in others:
        check_classes(first.name, first.classes, other.name, other.classes)
    matches = [_matches(first, other) for other in others]
    kept = np.array([i for i in range(len(first.paths)) if all(i in match for match in matches)], np.int64)
    if not len(kept):
        raise NotComparable(
            f"{_names(judgements)} were measured on different pictures, not one is the same: "
            "give --data DIR to judge the pictures of a folder with each."
        )
    p = [first.p[kept]]
    for other, match in zip(others, matches, strict=True):
        rows = np.array([match[int(index)] for index in kept])
        _check_labels(first, other, kept, rows)
        p.append(other.p[rows][:, [other.classes.index(name) for name in first.classes]])
    left_out = tuple(len(one.paths) - len(kept) for one in judgements)
    return Shared(first.classes, tuple(first.paths[i] for i in kept), first.labels[kept], tuple(p), left_out)


def _full(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - resolve() fails for names that no file can have


def _names(judgements: Sequence[Judgements]) -> str:
    *most, last = (one.name for one in judgements)
    return f"{', '.join(most)} and {last}"


def check_classes(name: str, classes: Sequence[str], other: str, others: Sequence[str]) -> None:
    """Raise `NotComparable` unless two detectors have the same classes, in whatever order."""
    if set(classes) != set(others):
        raise NotComparable(
            f"{name} tells {_listed(classes)} apart, {other} {_listed(others)}: "
            "only detectors of the same classes can be compared."
        )


def _listed(classes: Sequence[str]) -> str:
    return ", ".join(classes[:6]) + (f" and {len(classes) - 6} more" if len(classes) > 6 else "")


def _check_labels(first: Judgements, other: Judgements, mine: Labels, theirs: Labels) -> None:
    for a, b in zip(mine.tolist(), theirs.tolist(), strict=True):
        one, another = first.classes[first.labels[a]], other.classes[other.labels[b]]
        if one != another:
            raise NotComparable(
                f"{first.paths[a].name} is '{one}' among the pictures of {first.name} and '{another}' among those of "
                f"{other.name}: their labels contradict each other, so that no figure would mean anything."
            )


def _matches(first: Judgements, other: Judgements) -> dict[int, int]:
    """Return where the other has each of the first one's pictures, by path and then by content."""
    found = {index: other.places[full] for full, index in first.places.items() if full in other.places}
    taken = set(found.values())
    waiting = [index for index in range(len(first.paths)) if index not in found]
    free = [index for index in range(len(other.paths)) if index not in taken]
    if waiting and free:
        by_content = dict(_hashed(other, free))
        for content, index in _hashed(first, waiting):
            if content in by_content:  # each of the other's pictures is paired once
                found[index] = by_content.pop(content)
    return found


def _hashed(judgements: Judgements, places: Sequence[int]) -> Iterator[tuple[str, int]]:
    for index in places:
        if found := content(judgements.paths[index]):
            yield found, index
