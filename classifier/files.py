"""Reading a file from outside: regular files only, never blocking, never more than a limit."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

SUFFIXES = frozenset((
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".tif", ".tiff", ".bmp", ".dib", ".gif",
    ".avif", ".heic", ".heif",
))  # fmt: skip
"""What the name of a picture ends with; it is looked for by this, and judged by its bytes."""

BadKind = Literal[
    "missing", "no_permission", "not_regular", "empty", "too_large", "too_many_pixels",
    "unknown_format", "damaged", "too_small", "unreadable",
]  # fmt: skip

MAX_BYTES = 256 * 2**20
NOT_REGULAR = "This is not a regular file but a folder, a pipe or a device."
NO_PERMISSION = "The file may not be read: permission denied."
REFUSALS: dict[int, tuple[BadKind, str]] = {
    errno.EACCES: ("no_permission", NO_PERMISSION),
    errno.EPERM: ("no_permission", NO_PERMISSION),
    errno.ELOOP: ("missing", "The link points in a loop and leads to no file."),
    errno.ENXIO: ("not_regular", NOT_REGULAR),
    errno.EISDIR: ("not_regular", NOT_REGULAR),
    errno.ENODEV: ("not_regular", NOT_REGULAR),
    errno.ENOENT: ("missing", "There is no such file."),
    errno.ENOTDIR: ("missing", "There is no such file."),
    errno.ENAMETOOLONG: ("missing", "There is no such file: its name is too long."),
}


class BadImage(Exception):
    """A file that cannot be judged: `kind` says which way, `str()` is one sentence for people."""

    def __init__(self, kind: BadKind, message: str) -> None:
        super().__init__(message)
        self.kind: BadKind = kind

    def __reduce__(self) -> tuple[type[BadImage], tuple[BadKind, str]]:
        return BadImage, (self.kind, str(self))


def read(path: Path, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of a regular file; raises `BadImage` for anything else. Never blocks on a FIFO."""
    with opened(path) as file:
        try:
            data = _read(file, max_bytes)
        except OSError as error:
            raise _unreadable(path, error) from None
    if not data:
        raise BadImage("empty", "The file is empty (0 bytes).")
    if len(data) > max_bytes:
        raise BadImage("too_large", f"The file is larger than the limit of {max_bytes:,} bytes.")
    return data


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Give a regular file to read from; raises `BadImage` for anything else. Never blocks on a FIFO."""
    flags = os.O_RDONLY
    for name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY"):
        flags |= getattr(os, name, 0)
    try:
        handle = os.open(path, flags)
    except OSError as error:
        raise _unreadable(path, error) from None
    except ValueError:
        raise BadImage("missing", "There is no such file: its name holds a zero byte.") from None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise BadImage("not_regular", NOT_REGULAR)
        with os.fdopen(handle, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(handle)


def _read(file: BinaryIO, max_bytes: int) -> bytes:
    size = os.fstat(file.fileno()).st_size
    if size > max_bytes:
        raise BadImage("too_large", f"The file has {size:,} bytes; the limit is {max_bytes:,}.")
    data = file.read(size + 1)  # never a buffer of max_bytes for a small file
    return data if len(data) <= size else data + file.read(max_bytes + 1 - len(data))


def _unreadable(path: Path, error: OSError) -> BadImage:
    code = error.errno
    if code in (errno.EACCES, errno.EPERM) and os.path.isdir(path):  # Windows answers "permission denied" for a folder
        code = errno.EISDIR
    if code == errno.ENOENT and os.path.islink(path):
        return BadImage("missing", "There is no such file (the link points to nothing).")
    kind, message = REFUSALS.get(code or 0, ("unreadable", f"The file could not be read: {error.strerror or error}."))
    return BadImage(kind, message)
