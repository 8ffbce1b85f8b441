"""How rows come into a store: each in its place, and the tally of cells and folders in the same transaction."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from forensics_app.core.store_places import Cells, Changes, Folders
from forensics_app.core.store_rows import INSIDE, Cell, Columns, Known, bounds, parents, split
from forensics_app.core.store_schema import told, transaction

CHUNK = 1_024


class Writer:
    """Writes rows to a store's file, and knows what is there."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self.db = db
        self.folders, self.cells = Folders(db), Cells(db)
        self._path = path

    @contextmanager
    def writing(self) -> Iterator[Changes]:
        """Write everything in the block and count it, or nothing; raises `BadStore`."""
        changes = Changes()
        try:
            with told(self._path), transaction(self.db):
                yield changes
                changes.write(self.db)
        except BaseException:
            self.folders.forget()
            self.cells.forget()
            raise

    def known(self, detector: int, path: bytes) -> Known | None:
        """Return what is known of a file, or None."""
        folder, name = split(path)
        number = self.folders.find(folder)
        found: Any = None if number is None else self.db.execute(
            "SELECT id, size, mtime_ns, cell, sha256 FROM rows WHERE detector = ? AND folder = ? AND name = ?",
            (detector, number, name),
        ).fetchone()  # fmt: skip
        if found is None:
            return None
        id_, size, mtime_ns, cell, sha256 = found
        kept = self.cells.cell(cell)
        return Known(id_, size, mtime_ns, kept.kind or None, kept.label, sha256.hex() if sha256 else None)

    def judged_ns(self, detector: int, path: bytes) -> int | None:
        """Return when the row of a path was judged, or None."""
        folder, name = split(path)
        found: Any = self.db.execute(
            "SELECT judged FROM rows WHERE detector = ? AND folder = ? AND name = ?",
            (detector, self.folders.find(folder), name),
        ).fetchone()
        return int(found[0]) if found else None

    def detector(self, key: str, name: str, card: str, used_ns: int) -> int:
        """Return a detector's number, made where it is new."""
        self.db.execute(
            "INSERT INTO detectors(key, name, card, used) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET used = max(used, excluded.used)",
            (key, name, card, used_ns),
        )
        return int(self.db.execute("SELECT id FROM detectors WHERE key = ?", (key,)).fetchone()[0])

    def began(self, detector: int, root: bytes, now_ns: int) -> None:
        """Keep that a scan of a folder or an archive began."""
        self.db.execute("INSERT OR REPLACE INTO scans VALUES (?, ?, ?)", (root, detector, now_ns))

    def put(self, changes: Changes, path: bytes, cell: Cell, columns: Columns, mark: str | None = None) -> int:
        """Write a row in place of what its path had and return its id; a mark stays while the content does."""
        folder, name = split(path)
        chain, number = self.folders.chain(folder), self.cells.number(cell)
        changes.come(chain, number, columns.judged)
        before = self.db.execute(
            "SELECT id, cell, sha256, mark FROM rows WHERE detector = ? AND folder = ? AND name = ?",
            (cell.detector, chain[0], name),
        ).fetchone()
        if before is None:
            id_ = self.db.execute(
                "INSERT INTO rows(detector, folder, name, cell, size, mtime_ns, sha256, p, judged, rest, mark) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (cell.detector, chain[0], name, number, *columns, mark),
            ).lastrowid or 0  # fmt: skip
            self.db.execute("INSERT INTO names(rowid, name) VALUES (?, CAST(? AS TEXT))", (id_, name))
            return id_
        id_, old, content, marked = before
        changes.leave(chain, old)
        kept = marked if content == columns.sha256 else None
        self.db.execute(
            "UPDATE rows SET cell = ?, size = ?, mtime_ns = ?, sha256 = ?, p = ?, judged = ?, rest = ?, mark = ? "
            "WHERE id = ?",
            (number, *columns, mark or kept, id_),
        )
        return int(id_)

    def finish(self, detector: int, root: bytes, seen: Callable[[int], bool], unseen: Set[bytes]) -> int:
        """Turn the rows at or below a path gone that were not seen, and the others back; returns how many went.

        What lies in or below the folders `unseen` stays as it is.
        """
        went = 0
        for folder, rows in self._there(detector, root):
            if unseen and not unseen.isdisjoint(parents(folder)):
                continue
            turned = [row for row in rows if seen(row[0]) == bool(self.cells.cell(row[1]).gone)]
            for start in range(0, len(turned), CHUNK):
                with self.writing() as changes:
                    went += sum(self._turn(changes, folder, *row) for row in turned[start : start + CHUNK])
        return went

    def _turn(self, changes: Changes, folder: bytes, id_: int, old: int, judged: int) -> int:
        """Turn a row gone, or back; returns whether it went."""
        cell, chain = self.cells.cell(old), self.folders.chain(folder)
        turned = self.cells.number(cell._replace(gone=1 - cell.gone))
        changes.leave(chain, old)
        changes.come(chain, turned, judged)
        self.db.execute("UPDATE rows SET cell = ? WHERE id = ?", (turned, id_))
        return 1 - cell.gone

    def _there(self, detector: int, root: bytes) -> Iterator[tuple[bytes, list[tuple[int, int, int]]]]:
        """Yield each folder at or below a path with the id, cell and time of its rows; a file is its own row alone."""
        folder, name = os.path.split(root)
        own = "SELECT id, cell, judged FROM rows WHERE detector = ? AND folder = ? AND name = ?"
        if found := self.db.execute(own, (detector, self.folders.find(folder), name)).fetchall():
            yield folder, found
        for start in (root, root + INSIDE):
            for path in self._folders_below(start):
                rows = self.db.execute(
                    "SELECT id, cell, judged FROM rows WHERE detector = ? AND folder = ?",
                    (detector, self.folders.find(path)),
                )
                yield path, rows.fetchall()

    def _folders_below(self, root: bytes) -> Iterator[bytes]:
        if self.folders.find(root) is not None:
            yield root
        low, high = bounds(root) if root else (b"", None)
        while True:
            found = self.db.execute(
                "SELECT path FROM folders WHERE path > ? AND (? IS NULL OR path < ?) ORDER BY path LIMIT ?",
                (low, high, high, CHUNK),
            ).fetchall()
            yield from (path for (path,) in found)
            if len(found) < CHUNK:
                return
            low = found[-1][0]
