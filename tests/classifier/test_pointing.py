"""The share of a map inside a box: of what was looked at, against the area, and against other pictures' maps."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.pointing import Share, box_mask, compared, share
from classifier.runtime import Heat

SHAPE = (40, 80)
WHOLE = ((0, 0, 80, 40),)


def heat(values: np.ndarray, *boxes: tuple[int, int, int, int]) -> Heat:
    return Heat(values.astype(np.float32), boxes or WHOLE)


def test_a_map_without_preference_has_the_share_of_the_area() -> None:
    mask = box_mask((20, 10, 40, 30), SHAPE)
    assert mask.sum() == 20 * 20
    even = share(heat(np.ones(SHAPE)), mask)
    assert even is not None
    assert even.inside == pytest.approx(even.area) == pytest.approx(400 / 3200)


def test_a_map_inside_and_a_map_outside() -> None:
    mask = box_mask((20, 10, 40, 30), SHAPE)
    inside, outside = share(heat(mask), mask), share(heat(~mask), mask)
    assert inside is not None and outside is not None
    assert (inside.inside, outside.inside) == (1, 0)


def test_only_what_was_looked_at_counts() -> None:
    mask, looked = box_mask((0, 0, 40, 40), SHAPE), (30, 0, 50, 40)
    found = share(heat(np.ones(SHAPE), looked), mask)
    assert found is not None
    assert found.inside == pytest.approx(0.5) == pytest.approx(found.area)
    assert share(heat(np.ones(SHAPE), (0, 0, 40, 40)), mask) is None
    assert share(heat(np.ones(SHAPE), (40, 0, 80, 40)), mask) is None
    assert share(heat(np.zeros(SHAPE)), mask) is None


def test_a_map_smaller_than_the_picture() -> None:
    small = np.zeros((10, 20))
    small[:, :10] = 1
    found = share(Heat(small.astype(np.float32), WHOLE), box_mask((0, 0, 40, 40), SHAPE))
    assert found is not None
    assert found.inside == pytest.approx(1)
    assert found.area == pytest.approx(0.5)


def test_a_box_beyond_the_edge_is_cut_off() -> None:
    assert box_mask((-5, -5, 10, 10), SHAPE).sum() == 100
    assert box_mask((70, 30, 900, 900), SHAPE).sum() == 100
    assert box_mask((90, 50, 95, 60), SHAPE).sum() == 0


def test_figures_have_an_interval_that_holds_the_mean() -> None:
    rng = np.random.default_rng(0)
    areas = rng.uniform(0.1, 0.4, 200)
    shares = [Share(area + rng.normal(0.2, 0.1), area) for area in areas]
    others = [Share(area + rng.normal(0.05, 0.1), area) for area in areas]
    found = compared(shares, others)
    assert found["over_area"].low < 0.2 < found["over_area"].high
    assert found["over_elsewhere"].low < 0.15 < found["over_elsewhere"].high
    assert found["inside"].value == pytest.approx(found["area"].value + found["over_area"].value)
    assert {figure.n for figure in found.values()} == {200}
    assert set(compared(shares)) == {"inside", "area", "over_area"}
