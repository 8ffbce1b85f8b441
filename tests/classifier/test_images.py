"""The guarded door: every way in which a file can be bad ends in `BadImage` of the right kind."""

from __future__ import annotations

import hashlib
import io
import pickle
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from classifier.images import BadImage, ImageFile, load
from tests.classifier.encoded import chunk, encoded, kind_of, png
from tests.conftest import ROOT, picture, write_picture


def test_a_good_file_is_hashed_and_decoded_from_the_same_bytes(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png", 70, 50)
    file = load(path)
    assert isinstance(file, ImageFile)
    assert (file.path, file.data, file.sha256) == (path, path.read_bytes(), hashlib.sha256(file.data).hexdigest())
    assert (file.width, file.height, file.format, file.mode, file.frames) == (70, 50, "PNG", "RGB", 1)
    assert (file.pixels == picture(70, 50)).all()
    assert (load(file.data).pixels == file.pixels).all()


@pytest.mark.parametrize(
    ("suffix", "format_"),
    [
        ("jpg", "JPEG"), ("png", "PNG"), ("webp", "WEBP"), ("tiff", "TIFF"), ("bmp", "BMP"), ("gif", "GIF"),
        ("avif", "AVIF"),
    ],
)  # fmt: skip
def test_every_format_is_read_whatever_its_name_says(tmp_path: Path, suffix: str, format_: str) -> None:
    path = write_picture(tmp_path / f"a.{suffix}").rename(tmp_path / "wrong.xyz")
    file = load(path)
    assert (file.format, file.width, file.height) == (format_, 96, 80)
    assert abs(file.pixels.astype(int) - picture()).mean() < 20


def test_heic_is_read_with_the_extra() -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="needs the extra 'heif'")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(picture())).save(buffer, quality=90)
    file = load(buffer.getvalue())
    assert (file.format, file.width, file.height) == ("HEIF", 96, 80)


def test_heic_without_the_extra_names_the_extra() -> None:
    code = (
        "import sys; sys.modules['pillow_heif'] = None\n"
        "from classifier.images import BadImage, load\n"
        "try: load(b'\\0\\0\\0\\x18ftypheic' + bytes(64))\n"
        "except BadImage as error: print(error.kind, error)\n"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("unknown_format") and "forensics[heif]" in answer.stdout


@pytest.mark.parametrize("size", [(30_000, 30_000), (2**31 - 1, 2**31 - 1), (2**31 - 1, 1), (12_000, 12_000)])
def test_a_png_that_claims_too_many_pixels_is_refused_undecoded(size: tuple[int, int]) -> None:
    assert kind_of(png(*size, rows=bytes(1000))) == "too_many_pixels"


def test_other_headers_that_claim_too_many_pixels() -> None:
    jpeg = bytearray(encoded("JPEG"))
    start = jpeg.index(b"\xff\xc0") + 5
    jpeg[start : start + 4] = struct.pack(">HH", 65500, 65500)
    assert kind_of(bytes(jpeg)) == "too_many_pixels"
    gif = bytearray(encoded("GIF"))
    gif[6:10] = struct.pack("<HH", 65535, 65535)
    assert kind_of(bytes(gif)) == "too_many_pixels"
    frame = bytearray(encoded("GIF"))  # the screen is small, the frame is not
    at = frame.index(b",", 13 + 768)
    frame[at + 5 : at + 9] = struct.pack("<HH", 65535, 65535)
    assert kind_of(bytes(frame)) == "too_many_pixels"
    bmp = bytearray(encoded("BMP"))
    bmp[18:26] = struct.pack("<ii", 60_000, 60_000)
    assert kind_of(bytes(bmp)) == "too_many_pixels"
    assert kind_of(encoded("PNG"), max_pixels=96 * 80 - 1) == "too_many_pixels"
    assert load(encoded("PNG"), max_pixels=96 * 80).width == 96


def test_too_small_to_judge() -> None:
    assert kind_of(encoded("PNG", Image.new("RGB", (1, 1)))) == "too_small"
    assert kind_of(encoded("PNG", Image.new("RGB", (3000, 31)))) == "too_small"
    assert load(encoded("PNG", Image.new("RGB", (32, 32)))).width == 32


@pytest.mark.parametrize(
    "data",
    [
        b"just some text, named .jpg\n" * 9,
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n99 0 0 setrgbcolor showpage\n",
        b"\xc5\xd0\xd3\xc6" + bytes(60),
        b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 64, 64, 8, 3) + bytes(64),
        b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"P6\n64 64\n255\n" + bytes(64 * 64 * 3),
        b"\x1f\x8b\x08" + bytes(40),
        b"\0",
    ],
    ids=["text", "eps", "eps-binary", "psd", "pdf", "svg", "ppm", "gzip", "zero"],
)
def test_foreign_formats_are_unknown(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "named.jpg"
    path.write_bytes(data)
    assert kind_of(path) == "unknown_format"


def test_truncated_files_are_damaged() -> None:
    for format_ in ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF"):
        data = encoded(format_, Image.fromarray(picture(300, 200)))
        assert kind_of(data[: len(data) // 2]) == "damaged", format_
    for format_ in ("JPEG", "PNG", "GIF", "TIFF"):
        assert kind_of(encoded(format_)[:11]) == "damaged", format_


def test_garbage_behind_the_picture_does_not_matter() -> None:
    for format_ in ("JPEG", "PNG", "GIF", "BMP"):
        assert load(encoded(format_) + b"garbage" * 99).width == 96


def test_text_chunks_that_inflate_to_gigabytes_are_refused() -> None:
    bomb = zlib.compress(bytes(64 * 2**20), 9)
    text = chunk(b"zTXt", b"Comment\0\0" + bomb)
    profile = chunk(b"iCCP", b"icc\0\0" + bomb)
    assert kind_of(png(64, 64, rows=bytes(65 * 64), extra=text)) == "damaged"
    assert kind_of(png(64, 64, rows=bytes(65 * 64), extra=profile)) == "damaged"


def test_broken_colour_profiles_and_exif_do_not_matter() -> None:
    plain = load(encoded("JPEG", quality=95)).pixels
    for extra in ({"icc_profile": b"not a profile" * 20}, {"exif": b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 99}):
        assert (load(encoded("JPEG", quality=95, **extra)).pixels == plain).all()
    assert load(encoded("PNG", icc_profile=b"x" * 99)).width == 96


def test_animations_give_the_first_frame_and_the_count() -> None:
    red, blue = (Image.new("RGB", (64, 48), colour) for colour in ("red", "blue"))
    for format_ in ("GIF", "WEBP", "PNG", "TIFF", "AVIF"):
        options = {} if format_ == "TIFF" else {"duration": 50}
        file = load(encoded(format_, red, save_all=True, append_images=[blue, red], **options))
        assert file.frames == 3, format_
        assert abs(file.pixels.astype(int) - (255, 0, 0)).max() < 12, format_
    mpo = load(encoded("MPO", red, save_all=True, append_images=[blue]))
    assert (mpo.format, mpo.frames) == ("JPEG", 2)


def test_a_broken_second_frame_does_not_spoil_the_first() -> None:
    red = Image.new("RGB", (64, 48), "red")
    data = encoded("GIF", red, save_all=True, append_images=[Image.new("RGB", (64, 48), "blue")], duration=9)
    assert load(data[: len(data) - 20]).pixels[0, 0].tolist() == [255, 0, 0]


def test_a_tiff_of_very_many_pages_is_counted_to_a_thousand() -> None:
    data = encoded("TIFF")
    first = struct.unpack("<I", data[4:8])[0]
    size = 2 + 12 * struct.unpack("<H", data[first : first + 2])[0]
    page, base = data[first : first + size], len(data) + len(data) % 2
    pages = b"".join(page + struct.pack("<I", base + (size + 4) * (n + 1)) for n in range(5_000))
    tiff = data[: first + size] + struct.pack("<I", base) + data[first + size + 4 :] + bytes(len(data) % 2) + pages
    assert load(tiff).frames == 1000
    assert (load(tiff).pixels == picture()).all()


def test_errors_travel_between_processes() -> None:
    error = pickle.loads(pickle.dumps(BadImage("damaged", "A sentence.")))
    assert isinstance(error, BadImage) and (error.kind, str(error)) == ("damaged", "A sentence.")


def test_threads_do_not_disturb_one_another() -> None:
    sources = [encoded("JPEG"), encoded("PNG")[:500], b"text" * 99, png(30_000, 30_000), encoded("GIF")]
    expected = ["ok", "damaged", "unknown_format", "too_many_pixels", "ok"]
    before, wrong = list(warnings.filters), []

    def work() -> None:
        for _ in range(20):
            for source, wanted in zip(sources, expected, strict=True):
                try:
                    load(source)
                    got = "ok"
                except BadImage as error:
                    got = error.kind
                if got != wanted:
                    wrong.append((wanted, got))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert list(warnings.filters) == before


def test_bombs_stay_errors_when_nobody_turns_warnings_into_errors() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert kind_of(png(12_000, 12_000)) == "too_many_pixels"
    assert PngImagePlugin.MAX_TEXT_CHUNK <= 2**20
