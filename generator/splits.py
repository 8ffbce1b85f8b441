"""Splits of exact size: counts of each class, and pictures that belong together stay in one split."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from classifier.data import BadData, Split, difference_hashes, near_duplicate_groups
from generator.reals import Real, Reals
from generator.record import pictures

NAMES: tuple[Split, ...] = ("train", "val", "test")
DEFAULT = (2, 1)
"""Two thirds train, one third val."""


def parse(text: str | None, n: int) -> dict[Split, int]:
    """Return how many pictures of each class every split gets, for n of each class; raises `BadData`.

    `text` is two or three numbers, `100/50` or `70/15/15`, in the order train, val, test: counts where they sum to n,
    percentages where they sum to 100. None is two thirds train, one third val. The train split cannot be empty: what
    reads the data set would take val and test for classes.
    """
    found = _parsed(text, n)
    if not found["train"]:
        raise BadData(f"The split '{text}' leaves nothing to train on: its first number, train, must be at least 1.")
    return found


def _parsed(text: str | None, n: int) -> dict[Split, int]:
    if text is None:
        return shares(DEFAULT, n)
    if not re.fullmatch(r"\d{1,9}(/\d{1,9}){1,2}", text):
        raise BadData(f"The split '{text}' must be two or three whole numbers, train/val or train/val/test: 100/50.")
    numbers = [int(part) for part in text.split("/")]
    if sum(numbers) == n:
        return dict(zip(NAMES, numbers, strict=False))
    if sum(numbers) == 100:
        return shares(numbers, n)
    raise BadData(
        f"The numbers of the split '{text}' sum to {sum(numbers)}: "
        f"they must sum to {n} (pictures of each class) or to 100 (per cent)."
    )


def shares(parts: Sequence[int], n: int) -> dict[Split, int]:
    """Divide n in proportion to `parts`, for train, val and test in this order (largest remainders)."""
    whole = sum(parts)
    counts = [n * part // whole for part in parts]
    by_remainder = sorted(range(len(parts)), key=lambda index: (-(n * parts[index] % whole), index))
    for index in by_remainder[: n - sum(counts)]:
        counts[index] += 1
    return dict(zip(NAMES, counts, strict=False))


def allocate(groups: Sequence[Hashable], needs: Mapping[Split, int]) -> list[Split | None]:
    """Return a split for each item, or None where it is not used: `needs` are met exactly and no group is divided.

    Large groups are placed first, each where most is still missing; what does not fit of a group is left out. Where
    this cannot fill the splits, some item is missing: count the answer.
    """
    members: dict[Hashable, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    left, answer = dict(needs), list[Split | None]([None] * len(groups))
    for places in sorted(members.values(), key=len, reverse=True):
        split = max(left, key=lambda name: left[name])
        for place in places[: left[split]]:
            answer[place] = split
        left[split] -= min(len(places), left[split])
    return answer


@dataclass(frozen=True)
class Checked:
    """Real pictures were looked at for damage and near-duplicates: `done` of at most `total`."""

    unit: ClassVar[str] = "pictures"
    done: int
    total: int


@dataclass(frozen=True)
class Chosen:
    """The pictures of each split, each with its group, and how many of the source could not be read."""

    splits: dict[Split, tuple[tuple[Real, str], ...]]
    unreadable: int


def choose(source: Reals, needs: Mapping[Split, int], seed: int) -> Iterator[Checked | Chosen]:
    """Draw pictures for each split: readable ones, no near-duplicates in two splits; the last event is `Chosen`.

    Of near-duplicates one is taken where there are enough without. Raises `BadData` with both numbers where a source
    has too few.
    """
    order = np.random.default_rng((seed, 1)).permutation(len(source.files))
    wanted, kept, hashes, refused = sum(needs.values()), list[Real](), list[int](), list[str]()
    start, chunk = 0, max(64, wanted // 4)
    while start < len(order):
        found = [source.files[index] for index in order[start : start + chunk]]
        fresh, bad = difference_hashes([one.path for one in found])
        start, broken = start + len(found), {path for path, _ in bad}
        refused.extend(reason for _, reason in bad)
        kept.extend(one for one in found if one.path not in broken)
        hashes.extend(int(one) for one in fresh)
        yield Checked(min(len(kept), wanted), wanted)
        groups = _groups(kept, hashes)
        if (places := _places(groups, needs, last=start >= len(order))) is not None:
            taken = {split: [i for i, place in enumerate(places) if place == split] for split in needs}
            yield Chosen({s: tuple((kept[i], groups[i]) for i in found) for s, found in taken.items()}, len(refused))
            return
    raise BadData(_too_few(source, kept, hashes, refused, needs))


def _too_few(
    source: Reals, kept: Sequence[Real], hashes: Sequence[int], refused: Sequence[str], needs: Mapping[Split, int]
) -> str:
    wanted, apart = sum(needs.values()), len(set(_groups(kept, hashes)))
    why = f"{len(refused)} cannot be used: {refused[0].rstrip('.')}" if refused else "none was refused"
    told = f"{source.name} has {pictures(len(kept), 'usable')} ({why})"
    if apart < len([count for count in needs.values() if count]) and len(kept) >= wanted:
        parts = "all belong together" if apart == 1 else f"are of {apart} groups that must each stay in one split"
        return f"{told}, which {parts}; {len(needs)} splits cannot be made of them. Give more with --real."
    return f"{told}, {apart} of them different; {wanted} are needed. Ask for fewer with --n, or give more with --real."


def _groups(kept: Sequence[Real], hashes: Sequence[int]) -> list[str]:
    """Return a name for what each picture must stay together with: what its source says, else its near-duplicates."""
    near = near_duplicate_groups(np.array(hashes, np.uint64))
    return [one.group or kept[root].name for one, root in zip(kept, near, strict=True)]


def _places(groups: Sequence[str], needs: Mapping[Split, int], *, last: bool) -> list[Split | None] | None:
    """Return each picture's split where all needs can be met, else None; more than one of a group only if `last`."""
    wanted, firsts = sum(needs.values()), dict[str, int]()
    for index, group in enumerate(groups):
        firsts.setdefault(group, index)
    if len(firsts) >= wanted:
        names = [split for split, count in needs.items() for _ in range(count)]
        taken = dict(zip(firsts.values(), names, strict=False))
        return [taken.get(index) for index in range(len(groups))]
    places = allocate(groups, needs) if last else []
    return places if sum(place is not None for place in places) == wanted else None
