"""Pictures out of an archive into a folder of the cache: each under a number, all of them or none."""

from __future__ import annotations

import gzip
import json
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from classifier.atomic import replacing
from generator.downloads import BadSource, Fetching, ticker
from generator.entries import Entry, Limits, Wanted, told
from generator.tars import BLOCK, is_tar, tar_entries
from generator.workplace import workplace
from generator.zips import zip_entries

INDEX = "index.json"
LIMITS, EVERYTHING = Limits(), Wanted()
BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, struct.error,
    EOFError, ValueError, NotImplementedError, OverflowError,
)  # fmt: skip
"""What the parsers raise for damaged archives."""


@dataclass(frozen=True)
class Unpacked:
    """The pictures of an archive: each one's name there and its file, by name; and what was left out, by reason."""

    folder: Path
    pictures: tuple[tuple[str, Path], ...]
    left_out: dict[str, int]


def extract(
    archive: Path, to: Path, *, wanted: Wanted = EVERYTHING, limits: Limits = LIMITS, what: str | None = None
) -> Iterator[Fetching | Unpacked]:
    """Unpack the pictures of a zip, tar or tar.gz into the folder `to`; the last event is the `Unpacked`.

    A folder that holds them already is taken as it is. Raises `BadSource` for an archive that is damaged, hostile,
    encrypted or without pictures; then, and when the job is closed, nothing is left.
    """
    if (found := unpacked(to)) is not None:
        yield found
        return
    name = what or archive.name
    with _named(name), workplace(to) as work:
        left_out: Counter[str] = Counter()
        written = yield from _write_all(archive, work, wanted, limits, left_out, name)
        if not written:
            raise BadSource(_empty(left_out))
        with replacing(work / INDEX) as file:
            file.write(json.dumps({"pictures": sorted(written), "left_out": left_out}).encode())
        if to.exists():  # what was there is incomplete
            shutil.rmtree(to)
        work.replace(to)
    found = unpacked(to)
    if found is None:
        raise BadSource(f"The pictures of {name} have disappeared from {to}.")
    yield found


def unpacked(folder: Path) -> Unpacked | None:
    """Return what was unpacked into a folder before, or None where that is not there or not complete."""
    try:
        index = json.loads((folder / INDEX).read_bytes())
        pictures = tuple((str(name), folder / Path(str(file)).name) for name, file in index["pictures"])
        left_out = {str(reason): int(count) for reason, count in index["left_out"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return Unpacked(folder, pictures, left_out) if all(path.is_file() for _, path in pictures) else None


def _write_all(
    archive: Path, work: Path, wanted: Wanted, limits: Limits, left_out: Counter[str], what: str
) -> Generator[Fetching, None, list[tuple[str, str]]]:
    """Write each picture of an archive under its number; returns the names there and the file names here."""
    written: list[tuple[str, str]] = []
    total, due = archive.stat().st_size, ticker()
    with archive.open("rb") as file:
        for entry in entries(file, wanted, left_out, limits):
            if entry is None:
                if due():
                    yield Fetching(file.tell(), total, f"Unpacking {what}")
                continue
            target = work / f"{len(written):06}{PurePosixPath(entry.name).suffix.lower()}"
            try:
                for _ in _write(entry, target):
                    if due():
                        yield Fetching(file.tell(), total, f"Unpacking {what}")
            except BROKEN:
                target.unlink(missing_ok=True)
                left_out["damaged"] += 1
                continue
            written.append((entry.name, target.name))
    return written


def entries(file: BinaryIO, wanted: Wanted, left_out: Counter[str], limits: Limits) -> Iterator[Entry | None]:
    """Yield the pictures of an archive of any kind, each name once; raises `BadSource` for damage to all of it."""
    start = file.read(BLOCK)
    file.seek(0)
    seen: set[str] = set()
    with _sentences():
        if start[:4] in (b"PK\3\4", b"PK\5\6"):
            found: Iterator[Entry | None] = zip_entries(file, wanted, left_out, limits)
        elif is_tar(start):
            found = tar_entries(file, wanted, left_out, limits)
        else:
            raise BadSource("It is no zip, tar or tar.gz: unpack it, and give the folder.")
        for entry in found:
            if entry is not None and entry.name in seen:
                left_out["repeated names"] += 1
            else:
                seen.update([entry.name] if entry else [])
                yield entry


@contextmanager
def _sentences() -> Iterator[None]:
    """Turn what the parsers raise for a damaged archive into `BadSource`."""
    try:
        yield
    except BROKEN as error:
        detail = " ".join(str(error).split())[:100] or type(error).__name__
        raise BadSource(f"It is damaged or cut off ({ascii(detail)[1:-1]}).") from None


def _write(entry: Entry, target: Path) -> Iterator[None]:
    """Write an entry, with a sign of life for each part of it."""
    with target.open("xb") as file:
        for chunk in entry.chunks:
            file.write(chunk)
            yield


def _empty(left_out: Counter[str]) -> str:
    if left_out["archives inside it"]:
        return "It holds no pictures but other archives: unpack it, and give one of these."
    return f"It holds no pictures that can be used{f' ({told(left_out)})' if left_out else ''}."


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Put the archive's name in front of what is wrong with it."""
    try:
        yield
    except BadSource as error:
        raise type(error)(f"{name} cannot be used. {error}") from None
