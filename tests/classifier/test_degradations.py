"""Damage to pictures: as strong as it says, the same each time, and nothing invented at the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from classifier.degradations import DEGRADATIONS, ROWS, BadDegradation, Degrade, degradation, inscribed, rows
from classifier.recompress import jpeg
from classifier.registry import by_name
from tests.conftest import picture

GREY = np.full((120, 160, 3), 128, np.uint8)


def damaged(name: str, pixels: np.ndarray, seed: int = 0) -> np.ndarray:
    found = degradation(name, seed=seed)
    assert found is not None
    return found(pixels)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_strength_has_a_name_and_damages(row: object) -> None:
    assert isinstance(row, type(ROWS[0]))
    pixels = picture(96, 80)
    assert row.levels.count(None) == 1
    for strength in row.strengths:
        degrade = Degrade(row, strength)
        assert degradation(degrade.name) == degrade
        out = degrade(pixels)
        assert (out.dtype, out.ndim, out.shape[2]) == (np.uint8, 3, 3)
        assert out.shape != pixels.shape or (out != pixels).any()


def test_noise_is_as_strong_as_it_says() -> None:
    for sigma in (2, 10, 20):
        apart = damaged(f"noise{sigma}", GREY).astype(float) - 128
        assert apart.std() == pytest.approx(math.sqrt(sigma**2 + 1 / 12), rel=0.02)  # rounding adds a twelfth
        assert abs(apart.mean()) < 4 * sigma / math.sqrt(apart.size)


def test_noise_hangs_on_the_picture_and_the_seed_alone() -> None:
    one, other = picture(seed=1), picture(seed=2)
    first = damaged("noise5", one)
    assert (first == damaged("noise5", one.copy())).all()
    assert (first != damaged("noise5", one, seed=1)).any()
    noise = first.astype(int) - one, damaged("noise5", other).astype(int) - other
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 0.05


@pytest.mark.parametrize("sigma", [1, 2, 4])
def test_blur_is_a_gaussian(sigma: float) -> None:
    pixels = picture(128, 128)
    exact = ndimage.gaussian_filter(pixels.astype(float), (sigma, sigma, 0), mode="nearest")
    inner = slice(16, -16)
    assert np.abs(damaged(f"blur{sigma}", pixels)[inner, inner] - exact[inner, inner]).mean() < 1.0


@pytest.mark.parametrize("angle", [2, 15, 45, 100])
def test_turned_pictures_have_no_invented_corners(angle: int) -> None:
    white = np.full((90, 160, 3), 255, np.uint8)
    assert damaged(f"rotate{angle}", white).min() >= 254


def test_turned_by_a_right_angle_is_exact() -> None:
    pixels = picture(97, 64)
    assert (damaged("rotate90", pixels) == np.rot90(pixels)).all()


@pytest.mark.parametrize(("width", "height"), [(4.0, 3.0), (3.0, 4.0), (9.0, 1.0), (1.0, 1.0)])
@pytest.mark.parametrize("angle", [0.1, 0.7, math.pi / 4, 1.2])
def test_no_upright_rectangle_inside_is_larger(width: float, height: float, angle: float) -> None:
    """Against a search over shapes: the largest of each shape touches a side with a corner."""
    best = 0.0
    for ratio in np.geomspace(1 / 40, 40, 4001):
        wide, high = ratio, 1.0
        reach = (wide * abs(math.cos(angle)) + high * abs(math.sin(angle))) / width
        rise = (wide * abs(math.sin(angle)) + high * abs(math.cos(angle))) / height
        best = max(best, wide * high / max(reach, rise) ** 2)
    found = inscribed(width, height, angle)
    assert found[0] * found[1] == pytest.approx(best, rel=1e-3)


def test_sizes() -> None:
    pixels = picture(96, 80)
    assert damaged("resize0.5", pixels).shape == (40, 48, 3)
    assert damaged("resize2", pixels).shape == (160, 192, 3)
    assert damaged("resize0.25", pixels).shape == (32, 32, 3)  # no side under what can be judged
    assert (damaged("crop0.5", pixels) == pixels[20:60, 24:72]).all()
    assert damaged("crop0.25", pixels).shape == (32, 32, 3)
    assert (damaged("jpeg50", pixels) == jpeg(pixels, 50)).all()
    assert degradation(None) is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fog", "blur (σ in pixels)"),
        ("blurr2", "did you mean 'blur'"),
        ("jpg75", "did you mean 'jpeg'"),
        ("blur", "such as blur0.5"),
        ("jpeg0", "from 1 to 100"),
        ("jpeg75.5", "a whole number"),
        ("crop1.5", "from 0.05 to 1"),
        ("resize1e9", "There is no degradation"),
        ("", "There is no degradation ''"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(name: str, words: str) -> None:
    with pytest.raises(BadDegradation) as caught:
        degradation(name)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_rows_of_a_sweep() -> None:
    assert rows(None) == ROWS
    assert [row.name for row in rows("jpeg, blur")] == ["blur", "jpeg"]
    with pytest.raises(BadDegradation, match="did you mean 'noise'"):
        rows("jpeg,noize")
    with pytest.raises(ValueError, match="two degradations"):
        by_name((*ROWS, DEGRADATIONS["blur"]), "degradations")
