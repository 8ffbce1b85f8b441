"""A map that marks what the answer hangs on is good, one that marks anything else is not."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from classifier import deletion
from classifier.images import Pixels
from classifier.preprocess_spec import Preprocess
from classifier.runtime import Detector, Heat
from classifier.trust import TOO_ALIKE, trust
from tests.classifier.graphs import PATCH, RESIZE, SIDE, TILES, heat_on, scene, write_patch_detector

ELSEWHERE = (np.s_[40:56, 8:24], np.s_[44:60, 44:60], np.s_[4:20, 4:20])
CASES = [(RESIZE, 1, SIDE), (RESIZE, 1, 5 * SIDE), (TILES, 2, SIDE)]


@pytest.fixture(scope="module")
def patch(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    return Detector(write_patch_detector(tmp_path_factory.mktemp("patch") / "resize"), threads=1)


@pytest.fixture(scope="module")
def tiled(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    return Detector(write_patch_detector(tmp_path_factory.mktemp("patch") / "tiles", TILES), threads=1)


@pytest.mark.parametrize(("spec", "tiles", "side_px"), CASES)
def test_the_map_of_the_patch_is_good_and_one_beside_it_poor(
    patch: Detector, tiled: Detector, spec: Preprocess, tiles: int, side_px: int
) -> None:
    detector, pixels = (patch, tiled)[tiles > 1], scene(side_px, tiles=tiles)
    right = trust(detector, pixels, heat_on(PATCH, pixels, spec, tiles=tiles), "yes")
    assert right.level == "good"
    assert right.beaten == right.random_maps == 8
    assert right.deletion is not None and right.deletion_random is not None
    assert right.insertion is not None and right.insertion_random is not None
    assert right.deletion < right.deletion_random and right.insertion > right.insertion_random
    for place in ELSEWHERE:
        wrong = trust(detector, pixels, heat_on(place, pixels, spec, tiles=tiles), "yes")
        assert wrong.level == "poor", place
        assert wrong.gain is not None and right.gain is not None and wrong.gain < 0 < right.gain


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("side_px", [(40, 9), (9, 40), (3, 3), (64, 2)])
def test_of_a_tiny_picture_no_cell_is_empty(side_px: tuple[int, int]) -> None:
    spec = Preprocess(size=32, resize=256)  # looks at an eighth of the shorter side
    grid = deletion.grid_of(np.zeros((*side_px, 3), np.uint8), spec)
    assert grid.cells
    assert all(right > left and bottom > top for left, top, right, bottom in grid.cells)
    assert [np.unique(empty).tolist() for _, empty in deletion.emptied(grid, np.random.default_rng(0))] == [[0]] * 3


def test_maps_at_random_are_seldom_good(patch: Detector) -> None:
    pixels, rng = scene(), np.random.default_rng(4)
    levels = []
    for seed in range(40):
        coarse = rng.random((8, 8)).astype(np.float32)
        heat = Heat(np.kron(coarse, np.ones((8, 8), np.float32)), ((0, 0, SIDE, SIDE),))
        levels.append(trust(patch, pixels, heat, "yes", seed=seed).level)
    assert levels.count("good") <= 8
    assert levels.count("poor") >= 16


def test_a_map_of_nothing_and_an_answer_without_a_reason_are_untested(patch: Detector) -> None:
    pixels = scene()
    flat = Heat(np.zeros((SIDE, SIDE), np.float32), ((0, 0, SIDE, SIDE),))
    assert trust(patch, pixels, flat, "yes").level == "untested"
    dull = np.full((SIDE, SIDE, 3), 128, np.uint8)
    found = trust(patch, dull, heat_on(PATCH, dull), "yes")
    assert found.level == "untested"
    assert "hardly" in found.words
    assert found.whole == pytest.approx(found.emptied, abs=0.1)


def test_a_map_that_survives_random_weights_is_never_better_than_poor(patch: Detector) -> None:
    pixels = scene()
    heat = heat_on(PATCH, pixels)
    assert trust(patch, pixels, heat, "yes", similarity=0.1).level == "good"
    alike = trust(patch, pixels, heat, "yes", similarity=TOO_ALIKE + 0.1)
    assert (alike.level, alike.randomised_similarity) == ("poor", TOO_ALIKE + 0.1)


def test_the_same_seed_gives_the_same_badge(patch: Detector) -> None:
    pixels = scene()
    heat = heat_on(PATCH, pixels)
    assert trust(patch, pixels, heat, "yes", seed=3) == trust(patch, pixels, heat, "yes", seed=3)
    assert asdict(trust(patch, pixels, heat, "yes", seed=3)) != asdict(trust(patch, pixels, heat, "yes", seed=4))


def test_curves_begin_and_end_with_the_whole_and_the_empty_picture(patch: Detector) -> None:
    pixels, rng = scene(), np.random.default_rng(0)
    grid = deletion.grid_of(pixels, RESIZE)
    values = deletion.values_of(heat_on(PATCH, pixels), grid)
    found = deletion.curves(patch, grid, [values], 1, rng)
    whole, emptied = patch.predict([pixels])[0, 1], found.deletion[0, -1]
    assert found.deletion[0, 0] == found.insertion[0, -1] == pytest.approx(whole, abs=1e-6)
    assert found.insertion[0, 0] == emptied < whole - 0.5
    assert (np.diff(found.deletion[0]) <= 1e-6).all() and (np.diff(found.insertion[0]) >= -1e-6).all()
    # Four of the 64 cells hold the patch: an eighth of the picture is enough, and nothing more happens after it.
    assert found.deletion[0, 1] == pytest.approx(emptied, abs=0.02)
    assert deletion.areas(found.deletion)[0] == pytest.approx(np.trapezoid(found.deletion[0], deletion.FRACTIONS))


def shapes() -> list[tuple[int, int, Preprocess, tuple[int, int]]]:
    four = TILES.model_copy(update={"tiles": 8})
    return [
        (64, 64, RESIZE, (8, 8)), (33, 500, RESIZE, (8, 8)), (64, 64, TILES, (8, 8)), (64, 200, TILES, (6, 12)),
        (128, 128, TILES, (8, 8)), (40, 50, TILES, (8, 8)), (520, 530, four, (8, 8)), (64, 520, four, (3, 24)),
    ]  # fmt: skip


@pytest.mark.parametrize(("height", "width", "spec", "shape"), shapes())
def test_cells_cover_what_is_looked_at_once(height: int, width: int, spec: Preprocess, shape: tuple[int, int]) -> None:
    pixels: Pixels = np.zeros((height, width, 3), np.uint8)
    grid = deletion.grid_of(pixels, spec)
    assert grid.shape == shape
    assert len(grid.cells) == shape[0] * shape[1]
    covered = np.zeros(grid.pixels.shape[:2], int)
    for left, top, right, bottom in grid.cells:
        assert 0 <= left < right <= width and 0 <= top < bottom <= height
        covered[top:bottom, left:right] += 1
    assert covered.max() == 1


def test_a_large_picture_is_reduced_and_its_map_still_lies_on_it() -> None:
    pixels = scene(20 * SIDE)
    grid = deletion.grid_of(pixels, RESIZE)
    assert grid.pixels.shape == (2 * SIDE, 2 * SIDE, 3)
    values = deletion.values_of(heat_on(PATCH, pixels), grid)
    assert {tuple(place) for place in np.argwhere(values > 0.5).tolist()} == {(1, 5), (1, 6), (2, 5), (2, 6)}


def test_random_maps_have_the_same_values_and_lie_elsewhere() -> None:
    values = np.arange(64, dtype=np.float32).reshape(8, 8)
    found = deletion.elsewhere(values, 8, np.random.default_rng(0))
    assert len(found) == 8
    assert not any(np.array_equal(one, values) for one in found)
    assert all(sorted(one.ravel()) == sorted(values.ravel()) for one in found)
    assert len({one.tobytes() for one in found}) == 8
