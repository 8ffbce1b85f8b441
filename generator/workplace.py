"""Folders that are there whole or not at all: made beside their place, moved when they are finished."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from classifier.data import BadData

STALE_S = 86_400.0


@contextmanager
def workplace(to: Path) -> Iterator[Path]:
    """Make a folder beside `to` for what is half done; it is gone afterwards, and so are those of killed programs."""
    to.parent.mkdir(parents=True, exist_ok=True)
    for old in to.parent.glob(f".{to.name}.*.part"):
        if time.time() - old.stat().st_mtime > STALE_S:
            shutil.rmtree(old, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=f".{to.name}.", suffix=".part", dir=to.parent))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Yield a folder that becomes `out` when the block ends well, and is gone when it does not.

    Raises `BadData` for a place where something is: nothing is ever written over.
    """
    check_new(out)
    with workplace(out) as work:
        making = work / "folder"  # a folder of its own, because the workplace is closed to other users
        making.mkdir()
        yield making
        check_new(out)
        if out.is_dir():
            out.rmdir()
        making.rename(out)


def check_new(out: Path) -> None:
    """Raise `BadData` unless nothing, or an empty folder, is at `out`."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadData(f"{out} is there already; give a new folder with --out.")
