from __future__ import annotations

from pathlib import Path

from PIL import Image, PngImagePlugin

from classifier.images import load
from forensics_app.core.file_metadata import MAX_TEXT, Row, rows
from tests.conftest import write_picture


def test_exif_its_sub_tables_and_a_comment(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[271] = "Canon"
    exif.get_ifd(0x8769)[33434] = 0.01
    exif.get_ifd(0x8825)[1] = "N"
    found = rows(load(write_picture(tmp_path / "one.jpg", exif=exif, comment=b"hello")))
    assert Row("EXIF", "Make", "Canon") in found
    assert Row("EXIF photo", "ExposureTime", "0.01") in found
    assert Row("EXIF place", "GPSLatitudeRef", "N") in found
    assert Row("Text", "comment", "hello") in found


def test_png_texts_are_shown_safely_and_cut(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("parameters", "Steps: 20\n\u202eevil")
    info.add_text("long", "x" * 9000)
    found = {row.name: row.value for row in rows(load(write_picture(tmp_path / "one.png", pnginfo=info)))}
    assert found["parameters"] == "Steps: 20 \\u202eevil"
    assert found["long"].startswith("x" * MAX_TEXT) and found["long"].endswith("(9,000 characters)")


def test_bytes_that_are_no_text_are_told_by_their_length(tmp_path: Path) -> None:
    found = rows(load(write_picture(tmp_path / "one.jpg", icc_profile=bytes(range(256)))))
    (profile,) = [row for row in found if row.part == "Colour"]
    assert profile.name == "icc_profile" and profile.value.startswith("00 01 02") and "256 bytes" in profile.value


def test_a_damaged_part_is_a_row(tmp_path: Path) -> None:
    file = load(write_picture(tmp_path / "one.jpg"))
    broken = type(file)(None, file.data, file.sha256, file.pixels, "JPEG", "RGB", 1, {"exif": b"Exif\0\0II*\0\xff\xff"})
    assert [row.name for row in rows(broken)] in ([], ["cannot be read"])


def test_a_bare_file_says_nothing(tmp_path: Path) -> None:
    assert rows(load(write_picture(tmp_path / "one.png"))) == ()
