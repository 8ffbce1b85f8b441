"""From pixels to input: the numbers the network sees, and where they came from."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from classifier.preprocess import normalize, pad, regions
from classifier.preprocess_spec import IMAGENET_MEAN, IMAGENET_STD, Preprocess
from tests.conftest import picture

PLAIN = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}


def bytes_of(batch: np.ndarray) -> np.ndarray:
    return np.round(np.moveaxis(batch, 1, -1) * 255).astype(np.uint8)


def test_normalize_is_what_torchvision_does() -> None:
    pixels = picture(40, 30)
    wanted = (pixels / 255.0 - IMAGENET_MEAN) / IMAGENET_STD
    got = normalize(pixels, Preprocess())
    assert got.dtype == np.float32 and got.shape == (3, 30, 40) and got.flags.c_contiguous
    assert np.abs(np.moveaxis(got, 0, -1) - wanted).max() < 1e-5


@pytest.mark.parametrize(
    ("shape", "count"),
    [((64, 64), 1), ((127, 127), 1), ((128, 64), 2), ((128, 128), 4), ((500, 700), 9), ((10, 10), 1), ((10, 200), 3)],
)
def test_tiles_are_native_pixels_laid_evenly(shape: tuple[int, int], count: int) -> None:
    pixels = picture(shape[1], shape[0])
    looked = regions(pixels, Preprocess(kind="tiles", size=64, tiles=3, **PLAIN))
    assert looked.batch.shape == (count, 3, 64, 64) and len(looked.boxes) == count
    for tile, (left, top, right, bottom) in zip(bytes_of(looked.batch), looked.boxes, strict=True):
        part = pixels[top:bottom, left:right]
        assert (right - left, bottom - top) == (64, 64)
        assert (tile[: part.shape[0], : part.shape[1]] == part).all()
    if min(shape) >= 128:
        # The tiles lie evenly: as much is left out at one edge as at the other, within the pixel that cannot be halved.
        assert abs(min(box[0] for box in looked.boxes) - (shape[1] - max(box[2] for box in looked.boxes))) <= 1
        assert abs(min(box[1] for box in looked.boxes) - (shape[0] - max(box[3] for box in looked.boxes))) <= 1


def test_a_single_tile_is_the_centre() -> None:
    looked = regions(picture(164, 264), Preprocess(kind="tiles", size=64, tiles=1))
    assert looked.boxes == ((50, 100, 114, 164),)


def test_padding_mirrors_and_large_pictures_are_not_copied() -> None:
    small = picture(10, 7)
    padded = pad(small, 64)
    assert padded.shape == (64, 64, 3)
    assert (padded[:7, :10] == small).all() and (padded[:7, 10:20] == small[:, ::-1]).all()
    large = picture(80, 70)
    assert pad(large, 64) is large


@pytest.mark.parametrize("kernel", ["box", "bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("shape", [(300, 200), (200, 300), (100, 100), (40, 33), (2000, 60)])
def test_resizing_equals_resize_then_centre_crop(kernel: str, shape: tuple[int, int]) -> None:
    pixels = picture(shape[1], shape[0])
    looked = regions(pixels, Preprocess(kind="resize", size=56, resize=64, kernel=kernel, **PLAIN))
    scale = 64 / min(shape)
    whole = Image.fromarray(pixels).resize(
        (round(shape[1] * scale), round(shape[0] * scale)), getattr(Image.Resampling, kernel.upper())
    )
    left, top = (whole.width - 56) / 2, (whole.height - 56) / 2
    wanted = np.asarray(whole.crop((int(left), int(top), int(left) + 56, int(top) + 56)), int)
    got = bytes_of(looked.batch)[0].astype(int)
    assert got.shape == wanted.shape
    if left == int(left) and top == int(top):
        assert np.abs(got - wanted).mean() < 3
    (box,) = looked.boxes
    assert 0 <= box[0] < box[2] <= shape[1] and 0 <= box[1] < box[3] <= shape[0]


@pytest.mark.parametrize(
    "wrong",
    [{"size": 8}, {"kind": "stretch"}, {"tiles": 0}, {"std": (0, 1, 1)}, {"mean": (float("nan"), 0, 0)}, {"x": 1}],
)  # fmt: skip
def test_a_preprocessing_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Preprocess.model_validate(wrong)
