"""Rows of one store brought into another: none lost, none doubled, as often as one likes."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from forensics_app.core.store_places import Cells, Changes
from forensics_app.core.store_rows import Columns
from forensics_app.core.store_writing import Writer

CHUNK = 4_096


@dataclass(frozen=True)
class Merged:
    """Rows of the other store that were looked at, of all; `taken` of them were new here or judged later there."""

    done: int
    total: int
    taken: int


def merging(writer: Writer, other: sqlite3.Connection) -> Iterator[Merged]:
    """Take over what another store holds; of two rows of one detector and path the one judged later stays.

    Each chunk is written when its event comes. Merging again, also after it was closed, changes nothing that was done.
    """
    total, done, taken, last = other.execute("SELECT count(*) FROM rows").fetchone()[0], 0, 0, 0
    numbers, cells = _detectors(writer, other), Cells(other)
    yield Merged(0, total, 0)
    while rows := other.execute(
        "SELECT r.id, f.path, r.name, r.cell, r.mark, r.size, r.mtime_ns, r.sha256, r.p, r.judged, r.rest "
        "FROM rows r JOIN folders f ON f.id = r.folder WHERE r.id > ? ORDER BY r.id LIMIT ?",
        (last, CHUNK),
    ).fetchall():  # fmt: skip
        with writer.writing() as changes:
            taken += sum(_take(writer, changes, cells, numbers, row) for row in rows)
        last, done = rows[-1][0], done + len(rows)
        yield Merged(done, max(total, done), taken)
    yield Merged(done, done, taken)


def _detectors(writer: Writer, other: sqlite3.Connection) -> dict[int, int]:
    """Return the numbers of the other store's detectors here."""
    numbers = {}
    with writer.writing():
        for number, *columns in other.execute("SELECT id, key, name, card, used FROM detectors"):
            numbers[number] = writer.detector(*columns)
    return numbers


def _take(writer: Writer, changes: Changes, cells: Cells, numbers: dict[int, int], row: tuple[Any, ...]) -> bool:
    _, folder, name, number, mark, *values = row
    columns, path = Columns(*values), os.path.join(folder, name)  # noqa: PTH118
    found = cells.cell(number)
    cell = found._replace(detector=numbers[found.detector])
    if (ours := writer.judged_ns(cell.detector, path)) is not None and ours >= columns.judged:
        return False
    writer.put(changes, path, cell, columns, mark)
    return True
