"""Colour modes and orientations: what the network gets is what a viewer shows."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from classifier import rgb
from classifier.images import load
from tests.classifier.encoded import chunk
from tests.conftest import ROOT, picture


def through(format_: str, image: Image.Image, **options: object) -> tuple[np.ndarray, str]:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    file = load(buffer.getvalue())
    return file.pixels.astype(int), file.mode


RAMP16 = np.linspace(0, 65535, 64 * 40).astype(np.uint16).reshape(40, 64)


@pytest.mark.parametrize("format_", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_not_clipped(format_: str) -> None:
    pixels, mode = through(format_, Image.fromarray(RAMP16))
    assert mode.startswith("I;16")
    assert np.abs(pixels - np.round(RAMP16 / 257.0)[..., None]).max() <= 1
    dark, _ = through(format_, Image.fromarray((RAMP16 // 100).astype(np.uint16)))
    assert dark.max() == 3  # a dark picture stays dark


def test_sixteen_bit_colour_is_scaled_not_clipped() -> None:
    rows = b"".join(b"\0" + bytes(row.astype(">u2").repeat(3).tobytes()) for row in RAMP16)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 40, 16, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert np.abs(load(data).pixels.astype(int) - (RAMP16 / 257.0)[..., None]).max() <= 1


@pytest.mark.parametrize(("top", "black", "white"), [(1.0, 0, 255), (255.0, 0, 255), (65535.0, 0, 255), (1e30, 0, 255)])
def test_float_pictures_keep_the_range_they_are_stored_in(top: float, black: int, white: int) -> None:
    values = (RAMP16 / 65535.0 * top).astype(np.float32)
    pixels, mode = through("TIFF", Image.fromarray(values))
    assert mode == "F"
    assert (pixels.min(), pixels.max()) == (black, white)
    assert np.abs(pixels[..., 0] - RAMP16 / 257.0).max() <= 1


@pytest.mark.parametrize("fill", [np.nan, np.inf, -np.inf, 3.4e38, -3.4e38, 0.0, 7.25])
def test_float_pictures_without_a_range_are_flat_and_raise_no_warning(fill: float) -> None:
    pixels, _ = through("TIFF", Image.fromarray(np.full((40, 64), fill, np.float32)))
    assert pixels.min() == pixels.max()
    values = np.linspace(0, 1, 64 * 40, dtype=np.float32).reshape(40, 64)
    values[0, 0] = fill
    through("TIFF", Image.fromarray(values))


def test_integers_of_32_bits() -> None:
    pixels, mode = through("TIFF", Image.fromarray((RAMP16.astype(np.int32) - 1000) * 30_000))
    assert mode == "I"
    assert (pixels.min(), pixels.max()) == (0, 255)


def test_cmyk_is_read_inverted_as_adobe_writes_it() -> None:
    """With the APP14 marker or without: nobody writes CMYK JPEGs otherwise, and Pillow reads both alike."""
    colour = Image.new("CMYK", (64, 48), (0, 255, 255, 0))  # red
    buffer = io.BytesIO()
    colour.save(buffer, "JPEG", quality=95)
    data = buffer.getvalue()
    assert b"Adobe" in data
    assert np.abs(load(data).pixels.astype(int) - (255, 0, 0)).max() < 10
    at = data.index(b"\xff\xee")
    bare = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]
    assert np.abs(load(bare).pixels.astype(int) - (255, 0, 0)).max() < 10
    assert np.abs(through("TIFF", colour)[0] - (255, 0, 0)).max() < 3


@pytest.mark.parametrize("mode", ["1", "L", "P", "LAB", "YCbCr", "CMYK"])
def test_tiff_modes_look_as_they_should(mode: str) -> None:
    plain = Image.fromarray(picture())
    if mode == "LAB":
        from PIL import ImageCms

        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.applyTransform(plain, ImageCms.buildTransform(*profiles, "RGB", "LAB"))
        assert image is not None
    else:
        image = plain.convert(mode)
    pixels, stored = through("TIFF", image)
    assert stored == mode
    wanted = np.asarray(plain.convert("L" if mode in ("1", "L") else "RGB").convert("RGB"), int)
    assert np.abs(pixels.mean((0, 1)) - wanted.mean((0, 1))).max() < 6


def test_alpha_is_laid_on_white() -> None:
    clear = np.zeros((40, 64, 4), np.uint8)
    clear[:, 32:] = (200, 10, 10, 255)
    rgba = Image.fromarray(clear)
    for image in (rgba, rgba.convert("LA"), rgba.quantize(8), rgba.convert("PA")):
        for format_ in ("PNG", "TIFF") if image.mode == "RGBA" else ("PNG",):
            if image.mode == "PA":
                image, format_ = image.convert("RGBA"), "WEBP"  # noqa: PLW2901
            pixels, _ = through(format_, image)
            assert (pixels[5, 5] >= 250).all(), image.mode
            assert pixels[5, 60].mean() < 120, image.mode
    key = Image.new("RGB", (64, 48), (10, 20, 30))
    assert (through("PNG", key, transparency=(10, 20, 30))[0] == 255).all()
    palette = Image.new("P", (64, 48), 0)
    palette.putpalette([0, 0, 0, 255, 0, 0])
    assert (through("GIF", palette, transparency=0)[0] == 255).all()


@pytest.mark.parametrize("mode", ["PA", "RGBa", "RGBX", "HSV"])
def test_modes_that_few_files_have(mode: str) -> None:
    image = Image.fromarray(picture()).convert("RGBA" if mode in ("PA", "RGBa") else "RGB").convert(mode)
    assert mode in rgb.MODES
    assert np.abs(rgb.to_rgb(image).astype(int) - picture()).mean() < 9


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_orientation_is_applied_as_pillow_does(orientation: int, format_: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.fromarray(picture(64, 40)).save(buffer, format_, exif=exif)
    file = load(buffer.getvalue())
    with Image.open(buffer) as image:
        wanted = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    assert (file.width, file.height) == ((64, 40) if orientation < 5 else (40, 64))
    assert (file.pixels == wanted).all()


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_orientations_that_do_not_exist_are_ignored(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert through("JPEG", Image.fromarray(picture(64, 40)), exif=exif)[0].shape == (40, 64, 3)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "I", "F", "LAB"])
def test_strips_join_without_a_seam(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    image = Image.fromarray(picture(64, 41)).convert(mode)
    whole = {turn: rgb.to_rgb(image, turn) for turn in rgb.STORED}
    monkeypatch.setattr(rgb, "STRIP_PIXELS", 64 * 7)
    for turn, wanted in whole.items():
        assert (rgb.to_rgb(image, turn) == wanted).all()


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux does")
def test_a_hundred_megapixels_take_less_than_a_gigabyte(tmp_path: Path) -> None:
    """The decoded JPEG, the array and one strip: 770 MB; a copy more would be over 1 GB."""
    path = tmp_path / "big.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (12_500, 8_000), (10, 100, 200)).save(path, exif=exif)
    code = (
        "import sys; from pathlib import Path; from classifier.images import load\n"
        "print(load(Path(sys.argv[1])).pixels.shape, end=' ')\n"  # getrusage counts the parent's at the fork
        "print(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])"
    )
    answer = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=True)
    shape, _, peak_kib = answer.stdout.strip().rpartition(" ")
    assert shape == "(12500, 8000, 3)"
    assert int(peak_kib) * 1024 < 1e9
