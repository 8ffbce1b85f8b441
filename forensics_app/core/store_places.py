"""Folders and cells of a store by number, and how many rows each holds: counted as rows are written."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from typing import Any

from forensics_app.core.store_rows import Cell, parents

MAX_CACHED = 4_096


class Folders:
    """The folders of a store; each is told with all above it, by number."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._chains: dict[bytes, tuple[int, ...]] = {}
        self._numbers: dict[bytes, int] = {}

    def forget(self) -> None:
        """Drop what is remembered: a transaction that made some of it was undone."""
        self._chains.clear()
        self._numbers.clear()

    def find(self, path: bytes) -> int | None:
        """Return a folder's number, or None for one that holds no row."""
        if (known := self._numbers.get(path)) is not None:
            return known
        found = self._db.execute("SELECT id FROM folders WHERE path = ?", (path,)).fetchone()
        if found is None:
            return None
        if len(self._numbers) >= MAX_CACHED:
            self._numbers.clear()
        self._numbers[path] = found[0]
        return int(found[0])

    def chain(self, path: bytes) -> tuple[int, ...]:
        """Return the numbers of a folder and of all above it, made where they are new."""
        if (known := self._chains.get(path)) is not None:
            return known
        if len(self._chains) >= MAX_CACHED:
            self._chains.clear()
        from_the_top = [self._number(one) for one in reversed(parents(path))]
        numbers = tuple(reversed(from_the_top))  # what lies below a folder then mostly has the numbers that follow
        self._chains[path] = numbers
        return numbers

    def _number(self, path: bytes) -> int:
        found = self.find(path)
        if found is None:
            found = self._db.execute("INSERT INTO folders(path) VALUES (?)", (path,)).lastrowid or 0
        return found


class Cells:
    """The cells of a store by number, and back."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._numbers: dict[Cell, int] = {}
        self._cells: dict[int, Cell] = {}

    def forget(self) -> None:
        """Drop what is remembered: a transaction that made some of it was undone."""
        self._numbers.clear()
        self._cells.clear()

    def number(self, cell: Cell) -> int:
        """Return a cell's number, made where it is new."""
        if (known := self._numbers.get(cell)) is not None:
            return known
        found = self._db.execute(
            "SELECT id FROM cells WHERE (detector, label, format, evidence, kind, bin, gone) = (?, ?, ?, ?, ?, ?, ?)",
            cell,
        ).fetchone()
        number: Any = found[0] if found else self._db.execute(
            "INSERT INTO cells(detector, label, format, evidence, kind, bin, gone) VALUES (?, ?, ?, ?, ?, ?, ?)", cell
        ).lastrowid  # fmt: skip
        self._numbers[cell] = int(number)
        return int(number)

    def cell(self, number: int) -> Cell:
        """Return the cell of a number that a row holds."""
        if (known := self._cells.get(number)) is None:
            columns = "detector, label, format, evidence, kind, bin, gone"
            found = self._db.execute(f"SELECT {columns} FROM cells WHERE id = ?", (number,)).fetchone()  # noqa: S608
            known = self._cells[number] = Cell(*found)
        return known


class Changes:
    """How many rows came to each cell of each folder, and left it, in one transaction, and when they were judged."""

    def __init__(self) -> None:
        self._own: defaultdict[tuple[int, int], int] = defaultdict(int)
        self._below: defaultdict[tuple[int, int], int] = defaultdict(int)
        self._times: dict[tuple[int, int], tuple[int, int]] = {}

    def come(self, chain: tuple[int, ...], cell: int, judged: int) -> None:
        """Count a row more in the folder that a chain starts with, and in all above it."""
        self._count(chain, cell, 1)
        for folder in chain:
            first, last = self._times.get((folder, cell), (judged, judged))
            self._times[folder, cell] = min(first, judged), max(last, judged)

    def leave(self, chain: tuple[int, ...], cell: int) -> None:
        """Count a row fewer."""
        self._count(chain, cell, -1)

    def _count(self, chain: tuple[int, ...], cell: int, rows: int) -> None:
        self._own[chain[0], cell] += rows
        for folder in chain:
            self._below[folder, cell] += rows

    def write(self, db: sqlite3.Connection) -> None:
        """Add everything to the store's tally."""
        db.executemany(
            "INSERT INTO tally(folder, cell, below, own, first, last) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (folder, cell) DO UPDATE SET below = below + excluded.below, own = own + excluded.own, "
            "first = min(first, coalesce(excluded.first, first)), last = max(last, coalesce(excluded.last, last))",
            [(*place, rows, self._own.get(place, 0), *self._times.get(place, (None, None)))
             for place, rows in self._below.items()],
        )  # fmt: skip
