"""Keeping a second program out of a folder that one is writing to."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

if sys.platform != "win32":
    import fcntl


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("ab")
    except OSError as error:  # the folder was asked for, and not the lock in it
        raise OSError(error.errno, error.strerror, str(path.parent)) from None


@contextmanager
def only_one(path: Path, refusal: Exception) -> Iterator[None]:
    """Hold the lock file `path` during the block; raises `refusal` while another program holds it.

    A kill -9 lifts the lock too. Windows and some network disks know no such locks: there nobody is kept out.
    """
    if sys.platform == "win32":
        yield
        return
    with _opened(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = os.path.samestat(os.fstat(file.fileno()), path.stat())
        except (BlockingIOError, FileNotFoundError):  # another one has it, or had it and just removed it
            mine = False
        except OSError:
            mine = True
        if not mine:
            raise refusal
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
