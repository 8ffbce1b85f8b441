"""The one guarded door through which every picture from outside enters.

Free of torch. A file is opened without blocking, must be a regular file, is read once, and the bytes that are hashed
are the bytes that are decoded. Only formats of an allow-list reach Pillow (never EPS, which would start Ghostscript),
and the number of pixels is checked before any of them is decoded.
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from classifier.files import MAX_BYTES, SUFFIXES, BadImage, BadKind, read
from classifier.rgb import MODES, to_rgb

__all__ = ["FORMATS", "MAX_BYTES", "MAX_PIXELS", "MIN_SIDE_PX", "SUFFIXES", "BadImage", "BadKind", "ImageFile",
           "Pixels", "decoding", "heif_available", "load", "open_image", "read"]  # fmt: skip

Pixels = NDArray[np.uint8]
"""A picture as (H, W, 3) RGB bytes."""

MAX_PIXELS = 128_000_000
MIN_SIDE_PX = 32
TURNED = (5, 6, 7, 8)
"""The EXIF orientations that exchange width and height."""
# Importing a plugin registers it; left to itself Pillow would load all sixty of its plugins for some of these.
PLUGINS = (
    JpegImagePlugin.JpegImageFile, PngImagePlugin.PngImageFile, WebPImagePlugin.WebPImageFile,
    TiffImagePlugin.TiffImageFile, BmpImagePlugin.BmpImageFile, GifImagePlugin.GifImageFile,
    AvifImagePlugin.AvifImageFile,
)  # fmt: skip
FORMATS = tuple(str(plugin.format) for plugin in PLUGINS)
MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"heif", b"mif1", b"msf1")

# Pillow's own guard is process-wide: a header that claims more than this is an error, not a warning.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


@dataclass(frozen=True, eq=False)
class ImageFile:
    """A decoded picture with the bytes it came from.

    `pixels` is (H, W, 3) uint8 RGB after EXIF orientation; `mode` is what the file stored; `frames` counts the
    pictures in the file, of which only the first was decoded. `info` is what the file says beside its pixels, named as
    Pillow does: PNG texts, `exif`, `xmp`, `comment` …
    """

    path: Path | None
    data: bytes
    sha256: str
    pixels: Pixels
    format: str
    mode: str
    frames: int
    info: Mapping[str, str | bytes] = field(default_factory=dict)
    full_size: tuple[int, int] | None = None
    """Width and height of a picture that was decoded smaller."""

    @property
    def width(self) -> int:
        """Width in pixels, after orientation."""
        return self.full_size[0] if self.full_size else int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels, after orientation."""
        return self.full_size[1] if self.full_size else int(self.pixels.shape[0])


@cache
def heif_available() -> bool:
    """Register HEIC/HEIF with Pillow if the extra `heif` is installed."""
    try:
        import pillow_heif
    except (ImportError, OSError):  # not installed, or its library does not load
        return False
    pillow_heif.register_heif_opener(thumbnails=False)
    return True


def load(
    source: Path | bytes,
    *,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
    min_side_px: int = MIN_SIDE_PX,
    scaled_px: int | None = None,
) -> ImageFile:
    """Read, hash and decode one picture; thread-safe.

    With `scaled_px` a JPEG may be decoded at a half, a quarter or an eighth of its size, its shorter side still at
    least so long: several times as fast, but noise and fine traces are not what they were.

    Raises `BadImage`, and nothing else for whatever a file may hold; its `kind` says which of: missing, no permission,
    not a regular file, empty, too large, too many pixels, unknown format, damaged, too small to judge.
    """
    path = source if isinstance(source, Path) else None
    data = read(source, max_bytes=max_bytes) if isinstance(source, Path) else source
    if not data:
        raise BadImage("empty", "The picture is empty (0 bytes).")
    if len(data) > max_bytes:
        raise BadImage("too_large", f"The picture has {len(data):,} bytes; the limit is {max_bytes:,}.")
    with decoding(), open_image(data) as image:
        _check_size(image.size, max_pixels, min_side_px)
        stored_mode, kind = image.mode, "JPEG" if image.format == "MPO" else str(image.format)
        frames = _frames(image)
        image.seek(0)
        full_size = image.size
        if scaled_px is not None and kind == "JPEG":
            _shrink(image, scaled_px)
        with _quiet_libtiff() if kind == "TIFF" else nullcontext():
            image.load()
        if image.mode not in MODES:
            raise BadImage("unknown_format", f"The picture stores its colours in an unsupported way ({image.mode}).")
        info = {str(key): value for key, value in image.info.items() if isinstance(value, (str, bytes))}
        orientation = _orientation(image)
        pixels = to_rgb(image, orientation)
    size = None
    if image.size != full_size:
        size = (full_size[1], full_size[0]) if orientation in TURNED else full_size
    return ImageFile(path, data, hashlib.sha256(data).hexdigest(), pixels, kind, stored_mode, frames, info, size)


def _shrink(image: Image.Image, side_px: int) -> None:
    """Have libjpeg leave out the finest frequencies, as far as the shorter side stays at least `side_px` long."""
    width, height = image.size
    scale = max(1, min(8, min(width, height) // side_px))
    image.draft("RGB", (width // scale, height // scale))


def open_image(data: bytes) -> Image.Image:
    """Return Pillow's image of a file's bytes, its header read and nothing decoded; allowed formats only.

    Raises `BadImage` for an unknown format, and whatever Pillow raises for a damaged one.
    """
    heif = data[4:8] == b"ftyp" and heif_available()
    try:
        return Image.open(io.BytesIO(data), formats=(*FORMATS, "HEIF") if heif else FORMATS)
    except UnidentifiedImageError:
        raise _unknown(data) from None


@contextmanager
def decoding() -> Iterator[None]:
    """Turn whatever a decoder raises into `BadImage`: files from outside break parsers in any way."""
    try:
        yield
    except BadImage:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadImage("too_many_pixels", f"The picture claims more than {MAX_PIXELS:,} pixels: refused.") from None
    except MemoryError:
        raise BadImage("too_many_pixels", "The picture needs more memory than may be used for one file.") from None
    except Exception as error:
        detail = " ".join(str(error).split())[:120] or type(error).__name__
        raise BadImage("damaged", f"The picture is damaged and cannot be decoded ({detail}).") from None


_stderr_lock = threading.Lock()


@contextmanager
def _quiet_libtiff() -> Iterator[None]:
    """Keep libtiff's remarks off the terminal: it writes hundreds of lines about one bad file, past Python."""
    with _stderr_lock:
        try:
            kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        except OSError:  # a window's process may have no stderr
            yield
            return
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)


def _unknown(data: bytes) -> BadImage:
    brand = data[8:12] if data[4:8] == b"ftyp" else b""
    if brand in HEIF_BRANDS and not heif_available():
        return BadImage("unknown_format", "HEIC pictures need the extra 'heif': pip install 'forensics[heif]'.")
    if brand in (*HEIF_BRANDS, b"avif", b"avis") or data[8:12] == b"WEBP" or data.startswith(MAGIC):
        return BadImage("damaged", "The picture is damaged, or of a rare kind: its header cannot be understood.")
    return BadImage("unknown_format", "This is not a picture in a known format (" + ", ".join(FORMATS) + ", HEIC).")


def _check_size(size: tuple[int, int], max_pixels: int, min_side_px: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise BadImage(
            "too_many_pixels",
            f"The picture has {width} × {height} pixels; the limit is {max_pixels:,} in all.",
        )
    if min(width, height) < min_side_px:
        raise BadImage(
            "too_small",
            f"The picture has {width} × {height} pixels; under {min_side_px} on a side nothing can be said.",
        )


def _frames(image: Image.Image) -> int:
    """Return how many pictures the file has, at most 1000 for TIFF, whose count takes quadratic time in Pillow."""
    if image.format != "TIFF":
        try:
            return int(getattr(image, "n_frames", 1))
        except Exception:
            return 1  # a broken tail of an animation does not spoil its first frame
    for frame in range(1, 1000):
        try:
            image.seek(frame)
        except Exception:
            return frame
    return 1000


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except MemoryError:
        raise
    except Exception:
        return 1  # unreadable EXIF says nothing about the orientation
