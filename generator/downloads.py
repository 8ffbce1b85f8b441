"""Files from the network: resumed where they broke off, bounded, and kept only if their hash is the expected one."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from generator.connection import (
    TICK_S,
    BadSource,
    Broken,
    Interrupted,
    Remote,
    Transfer,
    Unreachable,
    host,
    reachable,
)  # fmt: skip

__all__ = ["BadSource", "Fetching", "Interrupted", "Remote", "Unreachable", "download", "hash_file", "reachable",
           "ticker"]  # fmt: skip

STALL_S = 30.0
PAUSE_S = 1.0
ATTEMPTS = 3
"""Connections in a row that brought nothing, after which a download is given up."""


@dataclass(frozen=True)
class Fetching:
    """Something large is under way: `done` of `total` in `unit`; `total` is None where it is not known yet."""

    done: int
    total: int | None
    what: str
    unit: Literal["bytes", "pictures"] = "bytes"


def download(remote: Remote, to: Path, *, stall_s: float = STALL_S) -> Iterator[Fetching | Path]:
    """Fetch a file to `to`; the last event is the path. A file that is there already is taken as it is.

    What came is kept in `to` + `.part`, and the next call goes on from there (byte ranges, RFC 9110 section 14). Raises
    `BadSource`; a file of another hash is removed.
    """
    if to.is_file():
        yield to
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    part = to.with_name(to.name + ".part")
    with _exclusive(part, remote) as file:
        resumed = file.tell() > 0
        digest = yield from _fetch(remote, file, stall_s)
        if digest != remote.sha256 and resumed:  # what was there may have been of another version
            file.truncate(0)
            digest = yield from _fetch(remote, file, stall_s)
    if digest != remote.sha256:
        part.unlink()
        raise BadSource(
            f"What {host(remote)} sent for {remote.what} is not the expected file (SHA-256 {digest[:12]}…, expected "
            f"{remote.sha256[:12]}…); it was removed. Try again later, or {remote.instead}."
        )
    part.replace(to)
    yield to


def ticker(seconds: float = TICK_S) -> Callable[[], bool]:
    """Return a function that says, at most every so many seconds, that it is time for another event."""
    told = 0.0

    def due() -> bool:
        nonlocal told
        now = time.monotonic()
        if now - told < seconds:
            return False
        told = now
        return True

    return due


def hash_file(file: BinaryIO, total: int, what: str) -> Generator[Fetching, None, str]:
    """Read a file from its beginning to its end; returns its SHA-256."""
    file.seek(0)
    digest, due = hashlib.sha256(), ticker()
    while chunk := file.read(2**20):
        digest.update(chunk)
        if due():
            yield Fetching(file.tell(), total, what)
    return digest.hexdigest()


def _fetch(remote: Remote, file: BinaryIO, stall_s: float) -> Generator[Fetching, None, str]:
    """Bring a file to its full size over as many connections as it takes; returns its SHA-256."""
    if file.seek(0, os.SEEK_END) > remote.size:
        file.truncate(0)
    fruitless, reason = 0, "the connection was closed"
    while (before := file.seek(0, os.SEEK_END)) < remote.size:
        transfer = Transfer(remote, before, stall_s)
        try:
            yield from _receive(transfer, file, remote)
        except Broken as error:
            reason = str(error)
        finally:
            transfer.stop()
        have = file.seek(0, os.SEEK_END)
        fruitless = 0 if have > before else fruitless + 1
        if fruitless == ATTEMPTS:
            raise _given_up(remote, have, reason)
        due = time.monotonic() + PAUSE_S * fruitless
        while time.monotonic() < due:
            yield Fetching(have, remote.size, f"Downloading {remote.what}")
            time.sleep(min(TICK_S, PAUSE_S))
    file.flush()
    os.fsync(file.fileno())
    return (yield from hash_file(file, remote.size, f"Checking {remote.what}"))


def _receive(transfer: Transfer, file: BinaryIO, remote: Remote) -> Iterator[Fetching]:
    """Append what one connection brings, never more than the size; raises `Broken` where it fails."""
    due = ticker()
    while (have := file.tell()) < remote.size:
        piece = transfer.next()
        if piece == b"":
            return
        if isinstance(piece, bytes):
            file.write(piece[: remote.size - have])
        elif piece is not None and piece.begins != have:  # a server without ranges begins anew
            file.truncate(piece.begins)
            file.seek(piece.begins)
        if due():
            yield Fetching(file.tell(), remote.size, f"Downloading {remote.what}")


def _given_up(remote: Remote, have: int, reason: str) -> BadSource:
    if not have:
        return Unreachable(
            f"{host(remote)} cannot be reached for {remote.what} ({reason}): check the network, or {remote.instead}."
        )
    return Interrupted(
        f"The download of {remote.what} broke off ({reason}). {have:,} of {remote.size:,} bytes are kept: "
        "run the same command again to go on."
    )


@contextmanager
def _exclusive(part: Path, remote: Remote) -> Iterator[BinaryIO]:
    """Open a part to append to it; raises `BadSource` while another program does (where the system can tell)."""
    with part.open("a+b") as file:
        try:
            import fcntl
        except ImportError:  # Windows; there the hash alone guards
            yield file
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            taken = not part.exists()
        except BlockingIOError:
            taken = True
        except OSError:  # a file system without locks
            taken = False
        if taken:
            raise BadSource(f"Another program is downloading {remote.what}: wait until it is done.")
        yield file
