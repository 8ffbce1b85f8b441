"""The pictures inside a zip, tar or tar.gz, one after the other, without anything being unpacked to a disk.

The container is read by `generator.archives` with its limits against bombs; the pictures themselves are only ever
decoded by a scan's workers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from classifier.files import BadImage, opened
from generator.archives import BROKEN, entries
from generator.connection import BadSource
from generator.entries import Entry, Limits, Wanted, told

INSIDE = "!/"
"""Between the path of an archive and the name of what lies in it."""
WORTH_TELLING = (
    "archives inside it", "damaged", "too large", "compressed in a rare way", "encrypted", "repeated names",
)  # fmt: skip
LIMITS = Limits(lenient=True)


@dataclass(frozen=True, eq=False)
class Member:
    """A picture in an archive, or with `problem` the archive itself, which could not be read (on).

    `path` is that of the archive, `!/` and the name inside; `read` returns the picture's bytes or raises `BadImage`,
    and must be called before the next member is asked for.
    """

    path: str
    read: Callable[[], bytes]
    problem: tuple[str, str] | None = None


def members(archive: str, wanted: Callable[[str], bool] = lambda _name: True) -> Iterator[Member | None]:
    """Yield the pictures of an archive whose name is `wanted`; None is a sign of life. Raises nothing of its own."""
    left_out: Counter[str] = Counter()
    try:
        with opened(Path(archive)) as file:
            for entry in entries(file, Wanted(), left_out, LIMITS):
                if entry is None:
                    yield None
                elif wanted(entry.name):
                    yield Member(f"{archive}{INSIDE}{entry.name}", _reader(entry))
    except BadImage as error:
        yield _broken(archive, error.kind, str(error))
        return
    except BadSource as error:
        yield _broken(archive, "damaged", f"The archive cannot be read. {error}")
        return
    except OSError as error:
        yield _broken(archive, "unreadable", f"The file could not be read: {error.strerror or error}.")
        return
    if worth := {reason: count for reason, count in left_out.items() if reason in WORTH_TELLING}:
        yield _broken(archive, "left_out", f"Not everything in this archive was looked at: {told(worth)}.")


def _broken(archive: str, kind: str, message: str) -> Member:
    return Member(archive, bytes, (kind, message))


def _reader(entry: Entry) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            return b"".join(entry.chunks)
        except BROKEN as error:
            detail = " ".join(str(error).split())[:100] or type(error).__name__
            raise BadImage("damaged", f"This part of the archive is damaged ({ascii(detail)[1:-1]}).") from None

    return read
