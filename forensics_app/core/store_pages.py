"""Rows of a store in order, a page at a time by the key of the last row: as fast at the end as at the beginning.

The rows of a cell lie in the order of each sort in an index, so a page is the merge of the cells that match. Where few
rows match at all, they are taken together and sorted.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from forensics_app.core.store_query import Part, Selection, counted

FIRST, MOST = 2, 512
LOOKUP = 160
"""Finding a row by its number costs as much as passing by so many in order."""
WALKED = 1_000
"""So many rows are found for a page by a walk through a few hundred cells."""


Found = tuple[tuple[Any, ...], int]
"""A row's place in the order, and its id."""


@dataclass(frozen=True)
class Key:
    """A row's place in the order of a query: (folder, name), or (1 for rows without a p, value, id)."""

    place: tuple[Any, ...]


COLUMNS = {"p_fake": "p", "size": "size", "judged": "judged"}


def ordered(selection: Selection, after: Key | None) -> Iterator[Found]:
    """Yield the rows of a selection in its order that come after a key."""
    place = after.place if after else None
    if _is_sparse(selection):
        return _gathered(selection, place)
    return _by_path(selection, place) if selection.query.sort == "path" else _by_value(selection, place)


def _is_sparse(selection: Selection) -> bool:
    """Whether looking the rows up and sorting them costs less than a walk in order that passes by others."""
    if selection.by_row:
        return selection.named is not None
    passed = sum(part.everywhere for part in selection.parts)
    cut, scattered = (any(getattr(part, name) for part in selection.parts) for name in ("cut", "scattered"))
    if not cut and (not scattered or selection.query.sort == "path"):
        return False
    if LOOKUP * sum(part.rows for part in selection.parts if not part.cut) > passed:
        return False
    rows = sum(rows for _, rows in counted(selection))
    return LOOKUP * rows < passed * WALKED / max(rows, WALKED)


def _gathered(selection: Selection, after: tuple[Any, ...] | None) -> Iterator[Found]:
    found = [*_of_whole(selection), *_of_looked_at(selection)]
    down = selection.query.descending
    groups = [found]
    if selection.query.sort != "path":
        groups = [[one for one in found if one[0][0] == last] for last in (0, 1)]
    for group in groups:
        for place, row in sorted(group, reverse=down):
            if after is None or _follows(place, after, down):
                yield place, row


def _follows(place: tuple[Any, ...], after: tuple[Any, ...], down: bool) -> bool:
    if len(place) == 3 and place[0] != after[0]:
        return bool(place[0] > after[0])
    return place < after if down else place > after


def _of_whole(selection: Selection) -> Iterator[Found]:
    """Find rows by the folders that hold them, so that a small folder costs little."""
    if all(selection.looked_at(part) for part in selection.parts):
        return
    test, values = selection.below("f.path")
    source = (
        "FROM folders f CROSS JOIN tally t ON t.folder = f.id "  # noqa: S608
        "CROSS JOIN rows r INDEXED BY rows_name ON r.folder = f.id AND r.cell = t.cell "
        f"WHERE {test} AND t.own > 0 AND +t.cell IN (SELECT value FROM json_each(?))"
    )
    yield from _placed(selection, source, [*values, selection.numbers(looked_at=False)])


def _of_looked_at(selection: Selection) -> Iterator[Found]:
    for source, values in selection.sources("CROSS JOIN folders f ON f.id = r.folder"):
        yield from _placed(selection, source, values)


def _placed(selection: Selection, source: str, values: list[object]) -> Iterator[Found]:
    sort = selection.query.sort
    if sort == "path":
        for folder, name, row in selection.db.execute(f"SELECT f.path, r.name, r.id {source}", values):
            yield (folder, name), row
        return
    last = "r.p IS NULL" if sort == "p_fake" else "0"
    for missing, value, row in selection.db.execute(f"SELECT {last}, r.{COLUMNS[sort]}, r.id {source}", values):
        yield (missing, 0 if value is None else value, row), row


def _by_value(selection: Selection, after: tuple[Any, ...] | None) -> Iterator[Found]:
    column, down = COLUMNS[selection.query.sort], selection.query.descending
    groups: tuple[list[Part], list[Part]] = ([], [])
    for part in selection.parts:
        groups[column == "p" and part.cell.bin < 0].append(part)
    for last, group in enumerate(groups):
        if after is None or last >= after[0]:
            begin = after[1:] if after and last == after[0] else None
            streams = [_stream(selection, part, "" if last else column, begin) for part in group]
            for value, row in heapq.merge(*streams, reverse=down):
                yield (last, value, row), row


def _stream(selection: Selection, part: Part, column: str, after: tuple[Any, ...] | None) -> Iterator[tuple[Any, int]]:
    """Yield (value, id) of a cell's rows in order; without a column p is missing and the ids alone are the order."""
    tests, values = selection.tests((part,))
    more, way = ("<", "DESC") if selection.query.descending else (">", "ASC")
    order = f"r.{column} {way}, r.id {way}" if column else f"r.id {way}"
    what = (f"r.{column}" if column else "0") + ", r.id"
    if not column:
        tests += " AND r.p IS NULL"
    if column == "judged" and part.scattered:
        test, bounds = _when(part, selection.query.descending, begun=after is not None)
        tests, values = tests + test, values + bounds

    def batch(after: tuple[Any, ...] | None, size: int) -> list[tuple[Any, int]]:
        begin, place = ("", ()) if after is None else (f" AND ({what}) {more} (?, ?)", after)
        sql = f"SELECT {what} FROM rows r WHERE r.cell = ?{tests}{begin} ORDER BY {order} LIMIT ?"  # noqa: S608
        return selection.db.execute(sql, (part.number, *values, *place, size)).fetchall()

    return _batches(batch, after, itemgetter(0, 1))


def _when(part: Part, down: bool, *, begun: bool) -> tuple[str, list[object]]:
    """Keep a walk in the order of time to the time in which the folder was judged; once begun, its key says more."""
    first, last = part.judged
    if first is None or last is None:
        return "", []
    if begun:
        return (" AND r.judged >= ?", [first]) if down else (" AND r.judged <= ?", [last])
    return " AND r.judged BETWEEN ? AND ?", [first, last]


def _batches(fetch: Callable[[Any, int], list[Any]], after: Any, key: Callable[[Any], Any]) -> Iterator[Any]:
    """Yield rows fetched in batches that grow; no cursor stays open between them."""
    size = FIRST
    while found := fetch(after, size):
        yield from found
        if len(found) < size:
            return
        after, size = key(found[-1]), min(2 * size, MOST)


def _by_path(selection: Selection, after: tuple[Any, ...] | None) -> Iterator[Found]:
    begin = after
    for number, folder in _folders(selection, after[0] if after else None):
        name = begin[1] if begin and begin[0] == folder else None
        for found, row in _names(selection, number, name):
            yield (folder, found), row


def _folders(selection: Selection, first: bytes | None) -> Iterator[tuple[int, bytes]]:
    """Yield the folders that hold rows of a selection, in order, from one on."""
    test, values = selection.below("f.path")
    down = selection.query.descending
    cells = json.dumps([part.number for part in selection.parts])
    sql = (
        "SELECT f.id, f.path FROM folders f WHERE {} AND EXISTS (SELECT 1 FROM tally t WHERE t.folder = f.id "
        "AND t.own > 0 AND +t.cell IN (SELECT value FROM json_each(?))) ORDER BY f.path {} LIMIT ?"
    )
    at = "f.path <= ?" if down else "f.path >= ?"

    def batch(after: tuple[str, bytes] | None, size: int) -> list[tuple[int, bytes]]:
        begin, place = ("", ()) if after is None else (f" AND {after[0]}", (after[1],))
        filled = sql.format(test + begin, "DESC" if down else "ASC")
        return selection.db.execute(filled, (*values, *place, cells, size)).fetchall()

    return _batches(batch, None if first is None else (at, first), lambda row: (at.replace("=", ""), row[1]))


def _names(selection: Selection, folder: int, after: bytes | None) -> Iterator[tuple[bytes, int]]:
    held = {cell for (cell,) in selection.db.execute("SELECT cell FROM tally WHERE folder = ? AND own > 0", (folder,))}
    parts = [part for part in selection.parts if part.number in held]
    streams = [_name_stream(selection, folder, part, after) for part in parts]
    yield from heapq.merge(*streams, reverse=selection.query.descending)


def _name_stream(selection: Selection, folder: int, part: Part, after: bytes | None) -> Iterator[tuple[bytes, int]]:
    tests, values = selection.tests((part._replace(everywhere=part.rows),))
    more, way = ("<", "DESC") if selection.query.descending else (">", "ASC")

    def batch(after: bytes | None, size: int) -> list[tuple[bytes, int]]:
        begin, place = ("", ()) if after is None else (f" AND r.name {more} ?", (after,))
        sql = f"SELECT r.name, r.id FROM rows r WHERE r.folder = ? AND r.cell = ?{tests}{begin} ORDER BY r.name {way} LIMIT ?"  # noqa: S608, E501
        return selection.db.execute(sql, (folder, part.number, *values, *place, size)).fetchall()

    return _batches(batch, after, itemgetter(0))
