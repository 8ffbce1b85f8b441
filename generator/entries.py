"""What the pictures inside an archive from outside may be called and may cost, whatever its kind.

Nothing is unpacked by `zipfile` or `tarfile` themselves, and nothing goes to a place that an archive names. Whatever
points to an attack (names that lead out, overlapping entries, bombs) refuses the whole archive; links, devices,
repeated names and rare kinds of compression are left out and counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from classifier.images import SUFFIXES
from generator.connection import BadSource

CHUNK = 2**20
MAX_NAME = 4096
ARCHIVES = frozenset((".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz", ".zst"))


@dataclass(frozen=True)
class Limits:
    """What an archive may cost: bytes written, entries, bytes out for each byte in, levels of folders.

    `lenient` is for readers that write nothing anywhere: a name that leads out or very deep is no danger to them, and
    an encrypted entry is left out and counted.
    """

    max_total: int = 16 * 2**30
    max_files: int = 250_000
    max_ratio: int = 200
    max_depth: int = 32
    lenient: bool = False


@dataclass(frozen=True)
class Entry:
    """A picture in an archive: its name with `/` between folders, and its bytes.

    Reading the bytes raises what the parsers raise where this entry is damaged and others may not be.
    """

    name: str
    chunks: Iterator[bytes]


@dataclass(frozen=True)
class Wanted:
    """Which entries are taken: pictures by suffix, visible, and matching `pattern` (searched in the whole name)."""

    pattern: str = ""

    def __call__(self, name: str) -> bool:
        """Return whether an entry of this name is taken."""
        parts = PurePosixPath(name).parts
        hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
        return not hidden and PurePosixPath(name).suffix.lower() in SUFFIXES and bool(re.search(self.pattern, name))


def entry_name(raw: str, limits: Limits) -> str:
    """Return an entry's name, `/` between folders; raises `BadSource` for one that leads out of the archive.

    Where the limits are lenient, what would lead out is dropped from the name.
    """
    name = raw.partition("\0")[0].replace("\\", "/")
    shown = ascii(raw[:100])
    if not limits.lenient and (name.startswith("/") or re.match("[A-Za-z]:", name) or ".." in name.split("/")):
        raise BadSource(f"Its entry {shown} would be written outside of its folder: refused.")
    if len(name) > MAX_NAME or (name.count("/") > limits.max_depth and not limits.lenient):
        raise BadSource(f"Its entry {shown} lies more than {limits.max_depth} folders deep: refused.")
    parts = [part for part in name.split("/") if part not in ("", ".", "..")]
    return "/".join(parts).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def bomb(out: int, into: int, limits: Limits) -> BadSource:
    """Return what is raised where so many bytes in become so many bytes out."""
    return BadSource(
        f"It is a bomb: {into:,} bytes unpack to {out:,}, more than {limits.max_ratio} times as many. Refused."
    )


REASONS = {
    "archives inside it": ("archive inside it, which was not opened", "archives inside it, which were not opened"),
    "links": ("link", "links"),
    "devices and pipes": ("device or pipe", "devices and pipes"),
    "repeated names": ("repeated name", "repeated names"),
}
"""One and many of what is left out, where these differ."""


def told(left_out: Mapping[str, int]) -> str:
    """Return what was left out in words: `2 damaged; 1 archive inside it, which was not opened`."""
    words = ((count, REASONS.get(reason, (reason, reason))) for reason, count in sorted(left_out.items()))
    return "; ".join(f"{count:,} {one if count == 1 else many}" for count, (one, many) in words)


def count_archives(names: Iterable[str], left_out: Counter[str]) -> None:
    """Count the names of archives, which are not opened: a bomb may be one of many layers."""
    count = sum(PurePosixPath(name).suffix.lower() in ARCHIVES for name in names)
    left_out.update({"archives inside it": count} if count else {})
