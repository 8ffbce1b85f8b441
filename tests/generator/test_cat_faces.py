"""The squares of the bundled generator's training pictures are cut exactly, and fit the pictures that they are of."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT, picture, write_picture

sys.path.insert(0, str(ROOT / "benchmarks"))
import cat_faces


def test_crops_are_the_pictures_own_pixels(tmp_path: Path) -> None:
    write_picture(tmp_path / "data/kaggle/cat.1.png", 96, 80, seed=1)
    write_picture(tmp_path / "data/other/cat.1.png", 96, 80, seed=2)
    boxes = {"kaggle/cat.1": (10, 20, 50), "other/cat.1": (46, 31, 50), "kaggle/cat.2": (0, 0, 9)}
    cat_faces.write_boxes(tmp_path / "boxes.json", boxes)
    assert cat_faces.read_boxes(tmp_path / "boxes.json") == boxes
    written, bad = cat_faces.crop(tmp_path / "data", boxes, tmp_path / "heads")
    assert written == 1
    assert [line.partition(":")[0] for line in bad] == ["kaggle/cat.2", "other/cat.1"]
    assert "96 × 80" in bad[1]
    found = np.asarray(Image.open(tmp_path / "heads/kaggle_cat.1.png"))
    np.testing.assert_array_equal(found, picture(96, 80, seed=1)[20:70, 10:60])


@pytest.mark.parametrize(("face", "square"), [
    ((40, 30, 20, 20), (35, 25, 30)), ((0, 0, 20, 20), (0, 0, 30)), ((80, 60, 20, 20), (70, 50, 30)),
    ((10, 10, 70, 70), (5, 0, 80)),
])  # fmt: skip
def test_square_is_grown_and_stays_inside(face: tuple[int, ...], square: tuple[int, ...]) -> None:
    assert cat_faces._square(face, (80, 100)) == square


def test_squares_of_the_bundled_model_fit_the_pictures(shared_data: Path) -> None:
    boxes, pictures = cat_faces.read_boxes(cat_faces.BOXES), dict(cat_faces.named(shared_data / "cats"))
    assert len(boxes) == 779
    for name, (left, top, side) in boxes.items():
        with Image.open(pictures[name]) as image:
            assert side >= 48
            assert min(left, top) >= 0
            assert left + side <= image.width
            assert top + side <= image.height
