"""Pairing detectors by the pictures that they judged: by place, by content, and what cannot be paired."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from classifier.pairing import Judgements, NotComparable, shared
from tests.conftest import write_picture


def judged(
    name: str, paths: Sequence[Path], labels: Sequence[int], classes: tuple[str, ...] = ("cat", "dog")
) -> Judgements:
    p = np.random.default_rng(len(name)).dirichlet(np.ones(len(classes)), len(paths))
    return Judgements(name, classes, tuple(paths), np.array(labels, np.int64), p)


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    return [write_picture(tmp_path / f"{seed}.png", seed=seed) for seed in range(4)]


def test_the_pictures_that_both_judged_are_paired_whatever_their_order(pictures: list[Path]) -> None:
    one = judged("one", pictures[:3], [0, 1, 0])
    other = judged("another", [pictures[3], pictures[2], pictures[0]], [1, 0, 0])
    both = shared([one, other])
    assert both.paths == (pictures[0], pictures[2])
    assert both.labels.tolist() == [0, 0]
    assert both.p[0] == pytest.approx(one.p[[0, 2]])
    assert both.p[1] == pytest.approx(other.p[[2, 1]])
    assert both.left_out == (1, 1)


def test_a_copy_elsewhere_is_the_same_picture(tmp_path: Path, pictures: list[Path]) -> None:
    copies = [Path(shutil.copy(path, tmp_path / f"copy-{path.name}")) for path in pictures]
    one, other = judged("one", pictures, [0, 0, 1, 1]), judged("another", copies[::-1], [1, 1, 0, 0])
    both = shared([one, other])
    assert both.paths == tuple(pictures)
    assert both.p[1] == pytest.approx(other.p[::-1])


def test_pictures_that_are_gone_are_still_known_by_their_place() -> None:
    gone = [Path("/nowhere/a.png"), Path("/nowhere/b.png"), Path("zero\0byte.png")]
    both = shared([judged("one", gone, [0, 1, 0]), judged("another", gone, [0, 1, 0])])
    assert len(both.paths) == 3


def test_classes_in_another_order_are_put_in_order(pictures: list[Path]) -> None:
    one = judged("one", pictures, [0, 0, 1, 1])
    other = judged("another", pictures, [1, 1, 0, 0], ("dog", "cat"))
    both = shared([one, other])
    assert both.classes == ("cat", "dog")
    assert both.p[1] == pytest.approx(other.p[:, ::-1])


def test_what_cannot_be_compared_is_refused_with_the_reason(pictures: list[Path]) -> None:
    one = judged("one", pictures[:2], [0, 1])
    with pytest.raises(NotComparable, match=r"one tells cat, dog apart, ants ant, bee: only detectors of the same"):
        shared([one, judged("ants", pictures, [0, 0, 1, 1], ("ant", "bee"))])
    with pytest.raises(NotComparable, match=r"one and another were measured on different pictures.*--data"):
        shared([one, judged("another", pictures[2:], [0, 1])])
    with pytest.raises(
        NotComparable, match=r"0\.png is 'cat' among the pictures of one and 'dog' among those of other"
    ):
        shared([one, judged("other", pictures[:2], [1, 1])])


def test_three_share_what_all_three_judged(pictures: list[Path]) -> None:
    those = [judged(name, pictures[start:], [0] * (4 - start)) for start, name in enumerate(("a", "bb", "ccc"))]
    both = shared(those)
    assert both.paths == tuple(pictures[2:])
    assert both.left_out == (2, 1, 0)
    assert both.p[2] == pytest.approx(those[2].p)


def test_a_picture_that_is_there_twice_is_paired_once(tmp_path: Path, pictures: list[Path]) -> None:
    twin = Path(shutil.copy(pictures[0], tmp_path / "twin.png"))
    one = judged("one", [pictures[0], twin], [0, 0])
    elsewhere = Path(shutil.copy(pictures[0], tmp_path / "elsewhere.png"))
    assert len(shared([one, judged("another", [elsewhere], [0])]).paths) == 1
