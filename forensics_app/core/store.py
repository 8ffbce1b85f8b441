"""What is known of the files that were scanned: one SQLite file, written by one scan at a time, read by anyone.

Rows belong to a detector and a path. What a transaction wrote outlives a kill -9 and a power cut.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics_app.core import store_order, store_query
from forensics_app.core.store_merge import Merged, merging
from forensics_app.core.store_pages import Found, Key, ordered
from forensics_app.core.store_query import FolderSummary, Query
from forensics_app.core.store_rows import Columns, Entry, Known, decode, encode
from forensics_app.core.store_schema import BadStore, connect, snapshot, told
from forensics_app.core.store_writing import Writer
from forensics_app.core.words import ANSWERS, shown

if TYPE_CHECKING:
    from array import array
    from types import TracebackType

    from classifier.detector import Installed

__all__ = ["BadStore", "Entry", "FolderSummary", "Key", "Known", "Merged", "Page", "Query", "ScanStore", "Stored",
           "StoredDetector", "StoredScan"]  # fmt: skip

FILE = "scan.db"
CHUNK = 1_024


@dataclass(frozen=True)
class StoredDetector:
    """A detector whose verdicts a store holds: `card` is its card's JSON, `used_ns` when it last scanned."""

    number: int
    id: str
    name: str
    card: str
    used_ns: int


@dataclass(frozen=True)
class StoredScan:
    """A folder or an archive that was scanned into a store: by which detector last, and when that began."""

    path: bytes
    detector: int
    begun_ns: int


@dataclass(frozen=True)
class Stored:
    """A row with what is kept beside it; `mark` is what a person said of it, apart from the verdict."""

    id: int
    row: dict[str, Any]
    size: int
    mtime_ns: int
    judged_ns: int
    gone: bool
    mark: str | None

    @property
    def public(self) -> dict[str, Any]:
        """The row as other programs get it: with the mark, where there is one."""
        return self.row if self.mark is None else {**self.row, "mark": self.mark}


@dataclass(frozen=True)
class Page:
    """Some rows in order, and the key after which the next ones come, None at the end."""

    rows: tuple[Stored, ...]
    next: Key | None


class ScanStore:
    """A store that is open, to read or to write; every method raises `BadStore` where the file cannot be used."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self._db = db
        self._writer = Writer(db, path)
        self._names: dict[int, dict[str, str]] = {}

    @classmethod
    def open(cls, path: Path, *, readonly: bool = False) -> ScanStore:
        """Open a store's file; to write, it is made or brought up to date. Raises `BadStore`."""
        return cls(connect(path, readonly=readonly), path)

    def __enter__(self) -> ScanStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was written stays."""
        self._db.close()

    def detector(self, installed: Installed) -> int:
        """Return a detector's number here; it and its card are kept."""
        card = installed.card
        with self._writer.writing():
            return self._writer.detector(installed.id, card.name, card.model_dump_json(), time.time_ns())

    def detectors(self) -> tuple[StoredDetector, ...]:
        """Return the detectors, the last used first."""
        with told(self.path):
            found = self._db.execute("SELECT id, key, name, card, used FROM detectors ORDER BY used DESC, id DESC")
            return tuple(StoredDetector(*row) for row in found)

    def begin(self, detector: int, root: bytes) -> None:
        """Keep that a scan of a folder or an archive begins, for `scans`."""
        with self._writer.writing():
            self._writer.began(detector, root, time.time_ns())

    def scans(self) -> tuple[StoredScan, ...]:
        """Return what was scanned, the latest first."""
        with told(self.path):
            found = self._db.execute("SELECT path, detector, begun FROM scans ORDER BY begun DESC")
            return tuple(StoredScan(*row) for row in found)

    def known(self, detector: int, path: bytes) -> Known | None:
        """Return what is known of a file, also of one that was gone, or None."""
        with told(self.path):
            return self._writer.known(detector, path)

    def last_id(self) -> int:
        """Return the highest id that there is: rows that are written later have a higher one, or one that was."""
        with told(self.path):
            return int(self._db.execute("SELECT coalesce(max(id), 0) FROM rows").fetchone()[0])

    def judged(self, detector: int, sha256: str) -> dict[str, Any] | None:
        """Return the row of a content (hexadecimal digits) that a detector judged under any path, or None."""
        content = bytes.fromhex(sha256)
        with told(self.path):
            found = self._db.execute(
                "SELECT id FROM rows WHERE substr(sha256, 1, 8) = ? AND sha256 = ? AND detector = ? LIMIT 1",
                (content[:8], content, detector),
            ).fetchone()
        return self.row(found[0]) if found else None

    def put(self, detector: int, entries: Sequence[Entry]) -> list[int]:
        """Write entries, durable when it returns, in place of what their paths had; returns their ids."""
        now, writer = time.time_ns(), self._writer
        with writer.writing() as changes:
            return [writer.put(changes, one.path, *encode(detector, one, judged=now)) for one in entries]

    def finish(self, detector: int, root: bytes, seen: Callable[[int], bool], unseen: Set[bytes] = frozenset()) -> int:
        """Mark the rows at or below `root` whose id was not seen as gone, and those that were as there again.

        What lies in or below the folders `unseen` (an archive has a `!` behind) stays as it is. Returns how many went;
        their rows are kept, and queries leave them out.
        """
        with told(self.path):
            return self._writer.finish(detector, root, seen, unseen)

    def merge(self, other: Path) -> Iterator[Merged]:
        """Take over the rows of another store; of two of one detector and path the one judged later stays.

        It can be closed at any event and begun again. Raises `BadStore` also for the store itself.
        """
        if other.exists() and other.samefile(self.path):
            raise BadStore(f"The store '{shown(str(other))}' cannot be merged into itself; give another file.")
        with ScanStore.open(other, readonly=True) as theirs, told(other):
            yield from merging(self._writer, theirs._db)

    def rows(self, query: Query) -> Iterator[dict[str, Any]]:
        """Yield the public JSON form of every row of a query, in its order."""
        return (stored.public for stored in self.stored_rows(query))

    def stored_rows(self, query: Query) -> Iterator[Stored]:
        """Yield every row of a query with what is kept beside it, in its order."""
        after = None
        while True:
            page = self.page(query, after=after, limit=CHUNK)
            yield from page.rows
            after = page.next
            if after is None:
                return

    def page(self, query: Query, *, after: Key | None = None, limit: int = 200) -> Page:
        """Return the next rows of a query after a key."""
        with told(self.path), snapshot(self._db):
            found = list[Found]()
            for place, id_ in ordered(self._select(query), after):
                if len(found) == limit:
                    return Page(tuple(self._stored(row) for _, row in found), Key(found[-1][0]))
                found.append((place, id_))
            return Page(tuple(self._stored(row) for _, row in found), None)

    def count(self, query: Query) -> int:
        """Return how many rows a query has."""
        return sum(self.counts(query).values())

    def counts(self, query: Query) -> dict[str, int]:
        """Return how many rows of a query each of `words.ANSWERS` has."""
        with told(self.path), snapshot(self._db):
            return store_query.counts(self._select(query))

    def histogram(self, query: Query, bins: int = 20) -> dict[str, list[int]]:
        """Return the p of a query's rows by answer, in `bins` (a divisor of 20) equal parts of [0, 1]."""
        with told(self.path), snapshot(self._db):
            return store_query.histogram(self._select(query), bins)

    def order(self, query: Query) -> array[int]:
        """Return the ids of all rows of a query in its order, for those who jump about in it."""
        with told(self.path), snapshot(self._db):
            return store_order.ids(self._select(query))

    def paths(self, query: Query) -> list[bytes]:
        """Return the paths of all rows of a query in its order."""
        with told(self.path), snapshot(self._db):
            return store_order.paths(self._select(query))

    def spread(self, query: Query, bins: int = 100) -> dict[str, list[int]]:
        """Return what `histogram` does in any number of bins; it looks at every row."""
        with told(self.path), snapshot(self._db):
            return store_order.spread(self._select(query), bins)

    def formats(self, query: Query) -> dict[str, int]:
        """Return how many rows of a query each format has, the commonest first."""
        with told(self.path), snapshot(self._db):
            return store_order.formats(self._select(query))

    def folders(self, query: Query, limit: int = 1_000) -> list[FolderSummary]:
        """Return what each folder came to, those with the most fakes first."""
        with told(self.path), snapshot(self._db):
            return store_query.summaries(self._select(query), limit)

    def row(self, id_: int) -> dict[str, Any]:
        """Return the public JSON form of a row; raises `KeyError` where there is none."""
        return self.stored(id_).row

    def stored(self, id_: int) -> Stored:
        """Return a row with what is kept beside it; raises `KeyError` where there is none."""
        with told(self.path):
            return self._stored(id_)

    def mark(self, id_: int, label: str | None) -> None:
        """Keep what a person says of a row: real, fake, unsure, or nothing any more."""
        if label not in (None, *ANSWERS[:3]):
            raise ValueError(f"no mark: {label!r}")
        with self._writer.writing():
            self._db.execute("UPDATE rows SET mark = ? WHERE id = ?", (label, id_))

    def _select(self, query: Query) -> store_query.Selection:
        return store_query.select(self._db, self._writer.folders, query)

    def _stored(self, id_: int) -> Stored:
        found = self._db.execute(
            "SELECT f.path, r.name, r.cell, r.mark, r.size, r.mtime_ns, r.sha256, r.p, r.judged, r.rest "
            "FROM rows r JOIN folders f ON f.id = r.folder WHERE r.id = ?",
            (id_,),
        ).fetchone()
        if found is None:
            raise KeyError(id_)
        cell, columns = self._writer.cells.cell(found[2]), Columns(*found[4:])
        row = decode(os.path.join(*found[:2]), cell, columns, self._named(cell.detector))  # noqa: PTH118 - bytes
        return Stored(id_, row, columns.size, columns.mtime_ns, columns.judged, bool(cell.gone), found[3])

    def _named(self, detector: int) -> dict[str, str]:
        if detector not in self._names:
            name, key = self._db.execute("SELECT name, key FROM detectors WHERE id = ?", (detector,)).fetchone()
            self._names[detector] = {"name": name, "id": key}
        return self._names[detector]
