"""What is told of a file, of a picture's past and of its looks: measured against files that are made to have it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from classifier.images import ImageFile, Pixels, load
from generator.file_facts import file_facts, layout, trailing_bytes, unexplained_bytes
from generator.picture_facts import noise_level, picture_facts
from generator.trace_facts import earlier_grid, luma, recompression_dip, resizing_peak, trace_facts, uniform_border
from tests.generator.sets import scene


def encoded(pixels: Pixels, kind: str = "JPEG", **options: object) -> ImageFile:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return load(out.getvalue())


def test_the_container_is_read() -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    jpeg = file_facts(encoded(scene(0), quality=80, subsampling=1, progressive=True, exif=exif, comment=b"hello"))
    assert jpeg["file format"] == "JPEG"
    assert jpeg["JPEG quality"] == 80
    assert str(jpeg["JPEG table"]).startswith("Q80 (")
    assert (jpeg["chroma subsampling"], jpeg["progressive"]) == ("4:2:2", "yes")
    assert jpeg["metadata"] == "EXIF comment"
    text = PngInfo()
    text.add_text("parameters", "steps: 50")
    png = file_facts(encoded(scene(0), "PNG", pnginfo=text))
    assert (png["file format"], png["JPEG table"], png["JPEG quality"], png["metadata"]) == ("PNG", "none", 0, "text")
    assert set(png) == set(jpeg)
    assert file_facts(encoded(scene(0), "WEBP"))["encoder's layout"] == "VP8"


def test_deep_and_transparent_pictures_are_known(tmp_path: Path) -> None:
    Image.fromarray(scene(0)[..., 0].astype(np.uint16) * 257).save(tmp_path / "deep.png")
    Image.fromarray(scene(0)).convert("RGBA").save(tmp_path / "clear.png")
    assert file_facts(load(tmp_path / "deep.png"))["colour mode"] == "I;16, 16 bit"
    assert file_facts(load(tmp_path / "clear.png"))["colour mode"] == "RGBA"


def test_layout_of_parts() -> None:
    assert layout(encoded(scene(0)).data) == "APP0 DQT SOF0 DHT SOS"
    assert layout(encoded(scene(0), progressive=True).data) == "APP0 DQT SOF2 DHT SOS"
    assert layout(encoded(scene(0), "PNG").data) == "IHDR IDAT IEND"
    assert layout(encoded(scene(0), "BMP").data) == "none"


@pytest.mark.parametrize("data", [
    b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8" + b"\xff" * 5000, b"\xff\xd8\xff\xe0\0\0" + b"\xff\xe0\0\1" * 9,
    b"\xff\xd8" + b"\xff\xe1\0\x02" * 90_000, b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n" + b"\xff" * 40,
    b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0abcd\0\0\0\0" * 20_000, b"RIFF0000WEBP", b"",
], ids=range(10))  # fmt: skip
def test_parts_of_a_hostile_file_end(data: bytes) -> None:
    """The door lets only pictures through, but what follows their header may be anything."""
    assert len(layout(data)) < 100_000
    assert trailing_bytes(data) >= 0


def test_bytes_after_the_end() -> None:
    for kind in ("JPEG", "PNG"):
        data = encoded(scene(0), kind).data
        assert trailing_bytes(data) == 0
        assert trailing_bytes(data + b"12345") == 5


def test_bytes_that_the_pixels_do_not_explain() -> None:
    for options in ({"quality": 60}, {"quality": 95, "subsampling": 0}):
        assert unexplained_bytes(encoded(scene(1), **options)) == 0
    assert unexplained_bytes(encoded(scene(1), "PNG")) == 0
    assert unexplained_bytes(encoded(scene(1), quality=60, optimize=True)) < -0.05
    assert unexplained_bytes(encoded(scene(1), quality=60, comment=b"x" * 5000)) > 0.5
    assert unexplained_bytes(encoded(scene(1)[..., 0], quality=60)) == 0  # grey
    assert unexplained_bytes(encoded(scene(1), "WEBP")) == 0


@pytest.mark.parametrize("own", ["PNG", "JPEG"])
def test_the_grid_of_an_earlier_jpeg(own: str) -> None:
    def grid(pixels: Pixels) -> float:
        image = encoded(pixels, own, quality=95)
        return earlier_grid(image.pixels, image.data if own == "JPEG" else None)

    clean = [grid(scene(seed, 160, 160)) for seed in range(8)]
    once = [grid(encoded(scene(seed, 171, 173), quality=50).pixels[3:163, 5:165]) for seed in range(8)]
    assert sum(value > 0 for value in clean) <= 1
    assert np.median(once) > 1
    lattice = [grid(scene(seed, 80, 80).repeat(2, 0).repeat(2, 1)) for seed in range(8)]
    assert sum(value > 0 for value in lattice) <= 1  # generators leave lattices of 2, 4 and 8 pixels themselves


def test_an_earlier_compression_on_the_same_grid() -> None:
    for seed in range(6):
        once = encoded(scene(seed, 160, 160), quality=92)
        twice = encoded(encoded(scene(seed, 160, 160), quality=56).pixels, quality=92)
        assert recompression_dip(once.pixels, once.data) == 0
        assert recompression_dip(twice.pixels, twice.data) > 0.2
    lowest = encoded(scene(0), quality=20)
    assert recompression_dip(lowest.pixels, lowest.data) == 0  # nothing below its own quality is looked at


def test_traces_of_resizing() -> None:
    plain = [resizing_peak(luma(scene(seed, 128, 128))) for seed in range(8)]
    grown = []
    for seed in range(8):
        small = Image.fromarray(scene(seed, 90, 90))
        grown.append(resizing_peak(luma(np.asarray(small.resize((128, 128), Image.Resampling.BICUBIC)))))
    assert min(grown) > max(plain)


def test_borders_of_one_colour() -> None:
    pixels = scene(0, 100, 80)
    assert uniform_border(pixels) == 0
    pixels[:8] = 0
    pixels[-2:] = 255
    assert uniform_border(pixels) == round(10 / 180, 3)
    assert uniform_border(np.full((50, 50, 3), 7, np.uint8)) == 0  # a picture of one colour has no border


def test_noise_is_measured_in_grey_levels() -> None:
    ground = np.full((200, 200), 128.0)
    noisy = ground + np.random.default_rng(0).normal(0, 5, ground.shape)
    assert abs(noise_level(noisy) - 5) < 0.3
    assert noise_level(ground) == 0


@pytest.mark.parametrize("size", [(32, 32), (33, 400), (400, 32), (385, 391)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_any_picture_has_finite_facts(size: tuple[int, int], kind: str) -> None:
    for pixels in (scene(0, *size), np.zeros((size[1], size[0], 3), np.uint8)):
        image = encoded(pixels, kind)
        numbers = [value for facts in (file_facts(image), trace_facts(image), picture_facts(image))
                   for value in facts.values() if not isinstance(value, str)]  # fmt: skip
        assert np.isfinite(numbers).all()
