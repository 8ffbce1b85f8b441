"""All rows of a question at once: their ids in order, how finely their p is spread, which formats they have.

SQLite does the work in one go. A page by key (`forensics_app.core.store_pages`) is there at once, but what a scroll
bar is dragged to has no key yet.
"""

from __future__ import annotations

import json
import os
from array import array
from collections import Counter

from forensics_app.core.store_pages import COLUMNS
from forensics_app.core.store_query import Selection, counted
from forensics_app.core.words import ANSWERS

ROUNDING = 1e-9
IN_CELLS = "r.cell IN (SELECT value FROM json_each(?))"
Source = tuple[str, list[object]]


def ids(selection: Selection) -> array[int]:
    """Return the ids of all rows of a selection, in the order of `forensics_app.core.store_pages.ordered`."""
    source, values = _by_folder(selection) if selection.query.sort == "path" else _rows(selection)
    found = selection.db.execute(f"SELECT r.id {source} ORDER BY {_order(selection)}", values)
    return array("q", (id_ for (id_,) in found))


def paths(selection: Selection) -> list[bytes]:
    """Return the paths of all rows of a selection, in the same order."""
    source, values = _by_folder(selection)
    found = selection.db.execute(f"SELECT f.path, r.name {source} ORDER BY {_order(selection)}", values)
    return [os.path.join(folder, name) for folder, name in found]  # noqa: PTH118 - bytes


def _order(selection: Selection) -> str:
    query, way = selection.query, "DESC" if selection.query.descending else "ASC"
    if query.sort == "path":
        return f"f.path {way}, r.name {way}"
    missing = "r.p IS NULL, " if query.sort == "p_fake" else ""
    return f"{missing}r.{COLUMNS[query.sort]} {way}, r.id {way}"


def spread(selection: Selection, bins: int) -> dict[str, list[int]]:
    """Return for each answer but errors how many rows have p in each of `bins` equal parts of [0, 1]."""
    labels = {part.number: part.cell.label for part in selection.parts}
    found = {label: [0] * bins for label in ANSWERS if label != "error"}
    source, values = _rows(selection)
    place = f"min(CAST(r.p * {bins} + {ROUNDING} AS INTEGER), {bins - 1})"
    grouped = f"SELECT r.cell, {place}, count(*) {source} AND r.p IS NOT NULL GROUP BY 1, 2"
    for cell, at, rows in selection.db.execute(grouped, values):
        if (label := labels[cell]) != "error":
            found[label][at] += rows
    return found


def formats(selection: Selection) -> dict[str, int]:
    """Return how many rows each format has, the commonest first; files whose format is unknown have none."""
    found: Counter[str] = Counter()
    for cell, rows in counted(selection):
        if cell.format:
            found[cell.format] += rows
    return {name: rows for name, rows in found.most_common() if rows}


def _cells(selection: Selection) -> str:
    return json.dumps([part.number for part in selection.parts])


def _rows(selection: Selection) -> Source:
    tests, values = selection.tests(selection.parts)
    if selection.named is None:
        return f"FROM rows r WHERE {IN_CELLS}{tests}", [_cells(selection), *values]
    source = f"FROM json_each(?) j CROSS JOIN rows r ON r.id = j.value WHERE {IN_CELLS}{tests}"
    return source, [json.dumps(selection.named), _cells(selection), *values]


def _by_folder(selection: Selection) -> Source:
    if selection.named is not None:
        source, values = _rows(selection)
        return source.replace(" WHERE ", " CROSS JOIN folders f ON f.id = r.folder WHERE ", 1), values
    tests, values = selection.tests(tuple(part._replace(everywhere=part.rows) for part in selection.parts))
    inside, bounds = selection.below("f.path")
    source = (
        f"FROM folders f CROSS JOIN rows r INDEXED BY rows_name ON r.folder = f.id WHERE {inside} AND {IN_CELLS}{tests}"
    )
    return source, [*bounds, _cells(selection), *values]
