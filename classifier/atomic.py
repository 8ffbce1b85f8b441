"""Files and folders that are whole or not there: written under a temporary name, then renamed."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO


class Occupied(Exception):
    """A new folder was asked for where there is something already; `str()` names it."""


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` when the block ends well, and is removed when it does not.

    An `OSError` of writing names `path`; a folder in its place is refused before the block.
    """
    temporary = _beside(path)
    with _naming(path, temporary):
        _check_no_folder(path)
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):  # what went wrong before is told
                temporary.unlink(missing_ok=True)
            raise


def check_file(path: Path) -> None:
    """Raise the `OSError` that `replacing` would meet at `path`, before there is anything to write."""
    temporary = _beside(path)
    with _naming(path, temporary):
        _check_no_folder(path)
        temporary.open("xb").close()
        temporary.unlink()


def _check_no_folder(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))


def _beside(path: Path) -> Path:
    return path.with_name(f".{secrets.token_hex(6)}.part")


@contextmanager
def _naming(path: Path, temporary: Path, above: Sequence[Path] = ()) -> Iterator[None]:
    """Let an error of a temporary file or folder, or of the folders `above` it, name the place that was asked for."""
    try:
        yield
    except OSError as error:
        if error.errno is None or not isinstance(error.filename, str):
            raise
        name = Path(error.filename)
        if name in above:
            asked = path
        elif name.is_relative_to(temporary):
            asked = path / name.relative_to(temporary)
        else:
            raise
        raise OSError(error.errno, error.strerror, str(asked)) from None  # OSError makes it the fitting kind of error


def check_new(path: Path) -> None:
    """Raise `Occupied` unless a new folder can be made at `path`: nothing is there, or an empty folder."""
    if path.is_dir() and any(path.iterdir()):
        raise Occupied(f"{path} is not empty; give a new folder.")
    if path.exists() and not path.is_dir():
        raise Occupied(f"{path} is a file; give a new folder.")


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a folder to write to that becomes `path` when the block ends well, and is removed when it does not.

    Raises `Occupied` at once where `path` is taken, and an `OSError` that names it where it cannot be made.
    """
    check_new(path)
    made = [parent for parent in path.absolute().parents if not parent.exists()]
    part = _beside(path.absolute())
    try:
        with _naming(path, part, made):
            part.mkdir(parents=True)
            yield part
            check_new(path)
            if path.is_dir():
                path.rmdir()
            part.replace(path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        for parent in made:
            with suppress(OSError):
                parent.rmdir()
        raise


def put(part: Path, folder: Path) -> None:
    """Move a finished folder to where it belongs, in place of the one that is there."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.replace(old)
    part.replace(folder)
    shutil.rmtree(old, ignore_errors=True)


def write_json(path: Path, value: Any) -> None:
    """Write plain values as JSON; what is no number becomes null, and in names that are no UTF-8 an escape."""
    text = json.dumps(finite(value), indent=2, ensure_ascii=False, allow_nan=False)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        data = json.dumps(finite(value), indent=2).encode()
    with replacing(path) as file:
        file.write(data + b"\n")


def finite(value: Any) -> Any:
    """Return plain values with null for what is no finite number, which JSON has no word for."""
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and value - value != 0 else value
