"""The one guarded door through which every picture from outside enters.

Free of torch. A file is opened without blocking, must be a regular file, is read once, and the bytes that are hashed
are the bytes that are decoded. Only formats of an allow-list reach Pillow (never EPS, which would start Ghostscript),
and the number of pixels is checked before any of them is decoded.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

Pixels = NDArray[np.uint8]
"""A picture as (H, W, 3) RGB bytes."""

BadKind = Literal[
    "missing", "no_permission", "not_regular", "empty", "too_large", "too_many_pixels",
    "unknown_format", "damaged", "too_small",
]  # fmt: skip

MAX_BYTES = 256 * 2**20
MAX_PIXELS = 128_000_000
MIN_SIDE_PX = 32
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")
SUFFIXES = frozenset((
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".tif", ".tiff", ".bmp", ".dib", ".gif",
    ".avif", ".heic", ".heif",
))  # fmt: skip

# Pillow's own guard is process-wide: a header that claims more than this is an error, not a warning.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


class BadImage(Exception):  # noqa: N818 - a file's state, named as users read it
    """A file that cannot be judged: `kind` says which way, `str()` is one sentence for people."""

    def __init__(self, kind: BadKind, message: str) -> None:
        super().__init__(message)
        self.kind: BadKind = kind

    def __reduce__(self) -> tuple[type[BadImage], tuple[BadKind, str]]:
        return BadImage, (self.kind, str(self))


@dataclass(frozen=True, eq=False)
class ImageFile:
    """A decoded picture with the bytes it came from.

    `pixels` is (H, W, 3) uint8 RGB after EXIF orientation; `mode` is what the file stored; `frames` counts the
    pictures in the file, of which only the first was decoded.
    """

    path: Path | None
    data: bytes
    sha256: str
    pixels: Pixels
    format: str
    mode: str
    frames: int

    @property
    def width(self) -> int:
        """Width in pixels, after orientation."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels, after orientation."""
        return int(self.pixels.shape[0])


def heif_available() -> bool:
    """Register HEIC/HEIF with Pillow if the extra `heif` is installed."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener(thumbnails=False)
    return True


def read(path: Path, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of a regular file; raises `BadImage` for anything else. Never blocks on a FIFO."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)
    except OSError as error:
        raise _unreadable(path, error) from None
    with os.fdopen(handle, "rb") as file:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            raise BadImage("not_regular", "This is not a regular file but a folder, a pipe or a device.")
        if facts.st_size > max_bytes:
            raise BadImage("too_large", f"The file has {facts.st_size:,} bytes; the limit is {max_bytes:,}.")
        try:
            data = file.read(max_bytes + 1)
        except OSError as error:
            raise _unreadable(path, error) from None
    if not data:
        raise BadImage("empty", "The file is empty (0 bytes).")
    if len(data) > max_bytes:
        raise BadImage("too_large", f"The file is larger than the limit of {max_bytes:,} bytes.")
    return data


def _unreadable(path: Path, error: OSError) -> BadImage:
    if error.errno in (errno.EACCES, errno.EPERM):
        if path.is_dir():  # Windows answers "permission denied" for a folder
            return BadImage("not_regular", "This is a folder, not a picture.")
        return BadImage("no_permission", "The file may not be read: permission denied.")
    if error.errno == errno.ELOOP:
        return BadImage("missing", "The link points in a loop and leads to no file.")
    if error.errno in (errno.ENXIO, errno.EISDIR, errno.ENODEV):
        return BadImage("not_regular", "This is not a regular file but a folder, a pipe or a device.")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        link = " (the link points to nothing)" if path.is_symlink() else ""
        return BadImage("missing", f"There is no such file{link}.")
    return BadImage("damaged", f"The file could not be read: {error.strerror or error}.")


def load(
    source: Path | bytes,
    *,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
    min_side_px: int = MIN_SIDE_PX,
) -> ImageFile:
    """Read, hash and decode one picture.

    Raises `BadImage`, whose `kind` says which of: missing, no permission, not a regular file, empty, too large, too
    many pixels, unknown format, damaged, too small to judge.
    """
    path = source if isinstance(source, Path) else None
    if isinstance(source, Path):
        data = read(source, max_bytes=max_bytes)
    elif not source:
        raise BadImage("empty", "The picture is empty (0 bytes).")
    elif len(source) > max_bytes:
        raise BadImage("too_large", f"The picture is larger than the limit of {max_bytes:,} bytes.")
    else:
        data = source
    with _open(data) as image:
        _check_size(image.size, max_pixels, min_side_px)
        stored_mode, kind = image.mode, "JPEG" if image.format == "MPO" else str(image.format)
        frames = _frames(image)
        pixels = _decode(image)
    return ImageFile(path, data, hashlib.sha256(data).hexdigest(), pixels, kind, stored_mode, frames)


def _open(data: bytes) -> Image.Image:
    formats = (*FORMATS, "MPO", "HEIF") if heif_available() else (*FORMATS, "MPO")
    try:
        return Image.open(io.BytesIO(data), formats=formats)
    except UnidentifiedImageError:
        raise _unknown(data) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadImage("too_many_pixels", f"The picture claims too many pixels: {error}") from None
    except Exception as error:
        raise _damaged(error) from None


def _unknown(data: bytes) -> BadImage:
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"heif", b"mif1", b"msf1", b"hevc"):
        return BadImage("unknown_format", "HEIC pictures need the extra 'heif': pip install 'forensics[heif]'.")
    return BadImage("unknown_format", "This is not a picture in a known format (" + ", ".join(FORMATS) + ", HEIC).")


def _damaged(error: Exception) -> BadImage:
    detail = " ".join(str(error).split())[:120] or type(error).__name__
    return BadImage("damaged", f"The picture is damaged and cannot be decoded ({detail}).")


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
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:
        return 1  # a broken tail of an animation does not spoil its first frame
    finally:
        _rewind(image)


def _rewind(image: Image.Image) -> None:
    try:
        image.seek(0)
    except Exception as error:
        raise _damaged(error) from None


def _decode(image: Image.Image) -> Pixels:
    try:
        image.load()
        upright = _upright(image)
        return np.ascontiguousarray(to_rgb(upright))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadImage("too_many_pixels", f"The picture claims too many pixels: {error}") from None
    except MemoryError:
        raise BadImage("too_many_pixels", "The picture needs more memory than may be used for one file.") from None
    except BadImage:
        raise
    except Exception as error:
        raise _damaged(error) from None


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except MemoryError:
        raise
    except Exception:
        return image  # unreadable EXIF says nothing about the orientation


def to_rgb(image: Image.Image) -> Pixels:
    """Return (H, W, 3) uint8 RGB of any mode: deep greys are scaled, not clipped; alpha is laid on white."""
    mode = image.mode
    if mode == "RGB":
        return np.asarray(image, dtype=np.uint8)
    if mode.startswith("I;16") or mode in ("I", "F"):
        return _deep_grey(np.asarray(image))
    if mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        ground = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return np.asarray(Image.alpha_composite(ground, rgba).convert("RGB"), dtype=np.uint8)
    if mode in ("1", "L", "P", "CMYK", "YCbCr", "LAB", "HSV", "RGBX"):
        return np.asarray(image.convert("RGB"), dtype=np.uint8)
    raise BadImage("unknown_format", f"The picture stores its colours in a way that is not supported ({mode}).")


def _deep_grey(values: NDArray[np.generic]) -> Pixels:
    deep = np.nan_to_num(values.astype(np.float32), copy=False, posinf=0.0, neginf=0.0)
    low, high = float(deep.min()), float(deep.max())
    # 16-bit pictures keep their scale; anything outside that range has none, so its own extremes are used.
    floor, ceiling = (0.0, 65535.0) if low >= 0 and 1.0 < high <= 65535 else (low, max(high, low + 1e-12))
    grey = np.clip((deep - floor) * (255.0 / (ceiling - floor)), 0, 255).round().astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
