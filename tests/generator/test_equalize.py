"""Both classes pass one function: same size, same encoder, nothing but pixels left."""

from __future__ import annotations

import io
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classifier.data import BadData
from classifier.images import load
from generator import jpeg_tables
from generator.equalize import Drawn, Equalize, enlarges, equalize, settle
from tests.conftest import picture, write_picture

RNG = np.random.default_rng


@pytest.mark.parametrize("spec", [Equalize(64), Equalize(64, "png"), Equalize(64, subsampling="4:4:4", quality=70)])
@pytest.mark.parametrize("size", [(96, 80), (50, 200), (64, 64), (40, 33)])
def test_every_picture_becomes_alike(spec: Equalize, size: tuple[int, int]) -> None:
    data = equalize(picture(*size), spec, RNG(0))
    image = load(data)
    assert (image.width, image.height, image.mode) == (64, 64, "RGB")
    assert image.format == {"jpeg": "JPEG", "png": "PNG"}[spec.format]
    assert equalize(picture(*size), spec, RNG(1)) == data  # nothing is drawn


def test_only_the_file_of_the_pixels_is_left(tmp_path: Path) -> None:
    """Of a file with every kind of metadata nothing but the pixels goes through."""
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    plain = write_picture(tmp_path / "plain.png", 80, 80)
    full = tmp_path / "full.png"
    with Image.open(plain) as image:
        image.save(full, exif=exif, icc_profile=b"x" * 200, dpi=(300, 300))
    first, second = (equalize(load(path).pixels, Equalize(64), RNG(0)) for path in (plain, full))
    assert first == second
    assert b"Exif" not in second
    with Image.open(io.BytesIO(second)) as image:
        assert set(image.info) == {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_the_centre_square_is_kept() -> None:
    pixels = np.zeros((64, 128, 3), np.uint8)
    pixels[:, 32:96] = picture(64, 64)
    assert np.array_equal(load(equalize(pixels, Equalize(64, "png"), RNG(0))).pixels, picture(64, 64))


def test_matching_draws_from_the_reals_whatever_the_picture(tmp_path: Path) -> None:
    made = [(40, 48), (70, 64), (95, 96), (95, 200)]
    real = [write_picture(tmp_path / f"{q}{s}.jpg", s + 9, s, seed=s, quality=q) for q, s in made]
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    spec = settle(Equalize(96, match_quality=True), [*real, bad, write_picture(tmp_path / "lossless.png", 80, 80)])
    assert spec.drawn == tuple(Drawn(*pair) for pair in [(40, 48), (70, 64), (90, 80), (95, 96), (95, 200)])
    seen = {_drawn(equalize(picture(300, 300, seed=3), spec, RNG(seed))) for seed in range(40)}
    assert seen == {(40, 48), (70, 64), (90, 80), (95, 96)}  # nothing above the fakes' own size
    assert [_drawn(equalize(picture(100, 100), spec, RNG(s))) for s in range(9)] == [
        _drawn(equalize(picture(500, 333), spec, RNG(s))) for s in range(9)
    ]


def _drawn(data: bytes) -> tuple[int | None, int]:
    return jpeg_tables.quality(jpeg_tables.read(data)), load(data).width


def test_settings_are_plain_json_and_bounded(tmp_path: Path) -> None:
    assert asdict(Equalize())["size"] == 0
    assert settle(Equalize(64), []) == Equalize(64)
    for wrong in ({"size": 8}, {"size": 10**6}, {"quality": 0}, {"quality": 101}):
        with pytest.raises(BadData, match="between"):
            Equalize(**wrong)
    with pytest.raises(BadData, match="needs JPEG"):
        Equalize(format="png", match_quality=True)
    with pytest.raises(BadData, match="No real picture"):
        settle(Equalize(64, match_quality=True), [tmp_path / "gone.jpg"])


def test_a_picture_that_would_be_enlarged_is_known() -> None:
    assert enlarges(picture(80, 60), Equalize(64))
    assert not enlarges(picture(80, 64), Equalize(64))
    matched = replace(Equalize(256, match_quality=True), drawn=(Drawn(80, 64), Drawn(80, 100)))
    assert enlarges(picture(90, 90), matched)
    assert not enlarges(picture(100, 100), matched)


@pytest.mark.parametrize("quality", [1, 10, 50, 75, 90, 96, 100])
def test_quality_is_read_from_the_table(quality: int, tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.jpg", quality=quality)
    assert jpeg_tables.quality(jpeg_tables.read(path.read_bytes())) == quality
    assert jpeg_tables.quality(jpeg_tables.read(write_picture(tmp_path / "a.png").read_bytes())) is None
