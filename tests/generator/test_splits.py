"""Splits are of exactly the asked size, and what belongs together stays together."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classifier.data import BadData
from generator.reals import Real, Reals
from generator.splits import Checked, Chosen, allocate, choose, parse


@pytest.mark.parametrize(
    ("text", "n", "expected"),
    [
        (None, 150, {"train": 100, "val": 50}),
        (None, 8, {"train": 5, "val": 3}),
        (None, 1, {"train": 1, "val": 0}),
        ("100/50", 150, {"train": 100, "val": 50}),
        ("80/20", 150, {"train": 120, "val": 30}),
        ("60/40", 100, {"train": 60, "val": 40}),
        ("70/15/15", 10, {"train": 7, "val": 2, "test": 1}),
        ("4/4/2", 10, {"train": 4, "val": 4, "test": 2}),
    ],
)
def test_a_split_is_counts_or_percentages(text: str | None, n: int, expected: dict[str, int]) -> None:
    assert parse(text, n) == expected
    assert sum(expected.values()) == n


@pytest.mark.parametrize("text", ["", "100", "100/60", "1/2/3/4", "a/b", "-50/200", "50/50/", "1e2/50", "99.5/0.5"])
def test_a_split_that_does_not_add_up_is_refused_with_both_sums(text: str) -> None:
    with pytest.raises(BadData, match="split"):
        parse(text, 150)


@pytest.mark.parametrize(("text", "n"), [("0/6", 6), ("0/3/3", 6), ("0/100", 6), ("1/99", 3)])
def test_a_split_without_train_is_refused(text: str, n: int) -> None:
    with pytest.raises(BadData, match=f"'{text}' leaves nothing to train on"):
        parse(text, n)


def test_groups_are_not_divided_and_needs_are_met() -> None:
    groups = [0, 0, 0, 1, 1, 2, 3, 4, 5, 6]
    places = allocate(groups, {"train": 6, "val": 3})
    assert Counter(places) == {"train": 6, "val": 3, None: 1}
    for group in set(groups):
        assert len({place for place, mine in zip(places, groups, strict=True) if mine == group} - {None}) <= 1


def test_one_group_cannot_fill_two_splits() -> None:
    assert Counter(allocate([0] * 9, {"train": 2, "val": 1})) == {"train": 2, None: 7}


def _source(folder: Path, *, count: int, copies: int = 1, group: bool = False) -> Reals:
    rng, files = np.random.default_rng(0), list[Real]()
    for index in range(count):
        small = rng.integers(0, 255, (8, 9, 3), np.uint8)
        for copy in range(copies):
            path = folder / f"{index}-{copy}.png"
            Image.fromarray(small).resize((90 + copy, 80), Image.Resampling.BICUBIC).save(path)
            files.append(Real(path.name, path, "test", f"photograph {index % 2}" if group else None))
    return Reals("test", tuple(files), None, None)


def _chosen(source: Reals, needs: dict[str, int], seed: int = 0) -> Chosen:
    events = list(choose(source, needs, seed))  # type: ignore[arg-type]
    assert all(isinstance(event, Checked) for event in events[:-1])
    end = events[-1]
    assert isinstance(end, Chosen)
    return end


def test_near_duplicates_never_straddle_and_are_avoided(tmp_path: Path) -> None:
    chosen = _chosen(_source(tmp_path, count=30, copies=3), {"train": 20, "val": 10})
    groups = {split: [group for _, group in found] for split, found in chosen.splits.items()}
    assert [len(found) for found in groups.values()] == [20, 10]
    assert len(set(groups["train"]) | set(groups["val"])) == 30


def test_near_duplicates_fill_up_where_there_is_nothing_else(tmp_path: Path) -> None:
    chosen = _chosen(_source(tmp_path, count=10, copies=3), {"train": 14, "val": 7})
    groups = {split: {group for _, group in found} for split, found in chosen.splits.items()}
    assert [len(found) for found in chosen.splits.values()] == [14, 7]
    assert not groups["train"] & groups["val"]


def test_parts_of_one_photograph_stay_in_one_split(tmp_path: Path) -> None:
    chosen = _chosen(_source(tmp_path, count=40, group=True), {"train": 20, "val": 10})
    groups = {split: {group for _, group in found} for split, found in chosen.splits.items()}
    assert len(groups["train"]) == len(groups["val"]) == 1
    assert groups["train"] != groups["val"]


def test_the_seed_decides_the_choice(tmp_path: Path) -> None:
    source, needs = _source(tmp_path, count=40), {"train": 8, "val": 4}
    assert _chosen(source, needs, 1) == _chosen(source, needs, 1) != _chosen(source, needs, 2)


def test_too_few_pictures_are_a_sentence_with_both_numbers(tmp_path: Path) -> None:
    source = _source(tmp_path, count=7)
    (tmp_path / "3-0.png").write_bytes(b"no picture")
    with pytest.raises(BadData, match=r"6 usable pictures \(1 cannot be used: .*\), 6 of them different; 9 are needed"):
        list(choose(source, {"train": 6, "val": 3}, 0))


def test_two_photographs_cannot_make_three_splits(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="2 groups that must each stay in one split; 3 splits"):
        list(choose(_source(tmp_path, count=40, group=True), {"train": 8, "val": 4, "test": 4}, 0))
