"""The contact sheet says what a data set is, wastes no paper, and is the same for the same set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generator import contact_sheet
from tests.conftest import write_picture


@pytest.fixture
def pictures(tmp_path: Path) -> list[tuple[str, str]]:
    names = [(f"{kind}-{index}.png", kind) for kind in ("fake", "real") for index in range(80)]
    for index, (name, _) in enumerate(names):
        write_picture(tmp_path / name, 40, 40, seed=index)
    return names


def _sheet(folder: Path, pictures: list[tuple[str, str]], each: int, title: str = "A set", *facts: str) -> Image.Image:
    chosen = [one for kind in ("fake", "real") for one in [two for two in pictures if two[1] == kind][:each]]
    return contact_sheet.draw(folder, chosen, title, facts)


@pytest.mark.parametrize("each", [2, 3, 6, 20, 80])
def test_little_of_the_paper_is_empty(tmp_path: Path, pictures: list[tuple[str, str]], each: int) -> None:
    sheet = np.asarray(_sheet(tmp_path, pictures, each, "A set", "seed 0"))
    assert (sheet == 255).all(axis=2).mean() < 0.6
    assert sheet.shape[1] < 1200


def test_what_is_said_is_drawn_and_long_names_are_wrapped(tmp_path: Path, pictures: list[tuple[str, str]]) -> None:
    plain, seeded = (_sheet(tmp_path, pictures, 6, "A set", words) for words in ("seed 0", "seed 1"))
    assert plain.size == seeded.size
    assert plain.tobytes() != seeded.tobytes()
    assert plain.tobytes() == _sheet(tmp_path, pictures, 6, "A set", "seed 0").tobytes()
    named = _sheet(tmp_path, pictures, 6, "猫 " + "word " * 60, "x" * 500)
    assert named.width == plain.width
    assert named.height > plain.height
