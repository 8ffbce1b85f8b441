"""The map on its picture: only what was looked at is coloured, at any shape."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.pointing import looked_at
from classifier.runtime import Heat
from forensics_app.core.overlay import coloured, overlay
from tests.conftest import picture


def heat(height: int, width: int, *boxes: tuple[int, int, int, int], value: float = 1.0) -> Heat:
    return Heat(np.full((height, width), value, np.float32), boxes)


def test_only_the_boxes_are_coloured() -> None:
    pixels = picture(100, 60)
    out = overlay(pixels, heat(60, 100, (10, 20, 50, 40)), opacity=0.5)
    assert out.shape == pixels.shape and out.dtype == np.uint8
    outside = np.ones((60, 100), bool)
    outside[20:40, 10:50] = False
    assert (out[outside] == pixels[outside]).all()
    assert np.abs(out[~outside].astype(int) - pixels[~outside]).mean() > 10


def test_opacity_runs_from_the_picture_to_the_map() -> None:
    pixels, full = picture(64, 48), heat(48, 64, (0, 0, 64, 48), value=0.7)
    assert (overlay(pixels, full, opacity=0) == pixels).all()
    assert (overlay(pixels, full, opacity=1) == coloured(full)).all()


@pytest.mark.parametrize("shape", [(3000, 2000), (100, 4000), (4000, 100), (32, 32), (1, 5000)])
def test_a_map_smaller_than_the_picture_covers_it(shape: tuple[int, int]) -> None:
    height, width = shape
    scale = min(1, 1024 / max(shape))
    small = heat(max(1, round(height * scale)), max(1, round(width * scale)), (0, 0, width, height))
    assert looked_at(small, shape).min() == 1
    assert overlay(np.zeros((height, width, 3), np.uint8), small).shape == (*small.values.shape, 3)


def test_colours_run_from_dark_to_bright_and_take_matplotlibs_names() -> None:
    ramp = Heat(np.linspace(0, 1, 256, dtype=np.float32)[None], ())
    for name in ("inferno", "viridis"):
        brightness = coloured(ramp, name).astype(float)[0] @ (0.299, 0.587, 0.114)
        assert (np.diff(brightness) > -1).all() and brightness[-1] - brightness[0] > 150
