"""Folders that are there whole or not at all: made beside their place, moved when they are finished."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from classifier.data import BadData
from classifier.lock import only_one

LOCK, FOLDER = "forensics.lock", "folder"
"""What lies in a workplace: the lock that its program holds, by which it is known as ours, and what is being made."""


@contextmanager
def workplace(to: Path) -> Iterator[Path]:
    """Make a folder beside `to` for what is half done; it is gone afterwards, and so are those of killed programs."""
    to.parent.mkdir(parents=True, exist_ok=True)
    for old in _others(to):
        _remove_if_left(old)
    work = Path(tempfile.mkdtemp(prefix=f".{to.name}.", suffix=".part", dir=to.parent))
    try:
        with only_one(work / LOCK, _busy(to)):
            making = work / FOLDER  # a folder of its own, because the workplace is closed to other users
            making.mkdir()
            yield making
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Yield a folder that becomes `out` when the block ends well, and is gone when it does not.

    Raises `BadData` for a place where something is, or that another program is about to fill: nothing is ever written
    over.
    """
    check_new(out)
    if [old for old in _others(out) if not _remove_if_left(old)]:
        raise _busy(out)
    with workplace(out) as making:
        yield making
        check_new(out)
        if out.is_dir():
            out.rmdir()
        making.rename(out)


def check_new(out: Path) -> None:
    """Raise `BadData` unless a new folder can be made at `out`: nothing, or an empty folder, is there."""
    if out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        raise BadData(f"{out} is there already; give a new folder with --out.")
    if out.name in ("", ".."):
        raise BadData(f"'{out}' is where you are, or above it; give a new folder with --out.")
    check_place(out)


def check_place(out: Path) -> None:
    """Raise `BadData` unless something can be written at `out`: the folder there, or the closest above it, takes it."""
    above = next(path for path in (out.absolute(), *out.absolute().parents) if os.path.lexists(path))
    try:
        Path(tempfile.mkdtemp(prefix=".", dir=above)).rmdir()
    except OSError as error:
        raise BadData(f"{out} cannot be written ({above}: {error.strerror}); give another --out.") from None


def check_apart(out: Path, source: Path) -> None:
    """Raise `BadData` if `out` lies in the folder that is read: what is written would be read as part of it."""
    if source.is_dir() and out.resolve().is_relative_to(source.resolve()):
        raise BadData(f"{out} lies in {source}, which is read; give a folder outside of it with --out.")


def _busy(out: Path) -> BadData:
    return BadData(f"Another program is writing {out}: wait until it is done, or give another --out.")


def _others(to: Path) -> list[Path]:
    """Return the workplaces beside `to` that other programs made for it."""
    if not to.parent.is_dir():
        return []
    beside = (path for path in to.parent.iterdir() if path.name.startswith(f".{to.name}.") and path.suffix == ".part")
    return [path for path in beside if (path / LOCK).is_file()]


def _remove_if_left(work: Path) -> bool:
    """Remove the workplace of a program that was killed; return whether it was one."""
    try:
        with only_one(work / LOCK, _busy(work)):
            shutil.rmtree(work, ignore_errors=True)
    except (BadData, OSError):
        return False
    return True
