"""What is asked of a store, and what can be answered from its tally: counts, histogram, a summary of each folder."""

from __future__ import annotations

import heapq
import json
import os
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

from forensics_app.core.store_places import Folders
from forensics_app.core.store_rows import BINS, INSIDE, Cell, bounds
from forensics_app.core.words import ANSWERS

Sort = Literal["path", "p_fake", "size", "judged"]
ROUNDING = 1e-12
MOST_NAMED = 4_000
"""So many rows can be looked up by a part of their names while one waits for a page."""

FEW_FOLDERS = 100
"""So many are found once more for every cell; of more each row's own is looked up."""

Source = tuple[str, list[object]]


@dataclass(frozen=True)
class Query:
    """Which rows of a detector, and in which order.

    `under` is a folder or an archive with all below it; `labels` are among `words.ANSWERS`. `formats`, `error_kinds`
    and the bounds of p (both inclusive) leave out rows that have none. `text` is a part of the file's name;
    `marks` are what a person said, "" for nothing; `include_gone` adds the rows of files that are no longer there.
    Sorted by path, files of a folder come together; sorted by p_fake, rows without one come last.
    """

    detector: int
    under: bytes = b""
    labels: frozenset[str] = frozenset(ANSWERS)
    formats: frozenset[str] | None = None
    p_low: float | None = None
    p_high: float | None = None
    error_kinds: frozenset[str] | None = None
    with_evidence: bool | None = None
    text: str = ""
    marks: frozenset[str] | None = None
    include_gone: bool = False
    sort: Sort = "path"
    descending: bool = False

    @property
    def low(self) -> float:
        """The lower bound of p."""
        return 0.0 if self.p_low is None else self.p_low

    @property
    def high(self) -> float:
        """The upper bound of p."""
        return 1.0 if self.p_high is None else self.p_high


@dataclass(frozen=True)
class FolderSummary:
    """What the files of one folder came to, without those of the folders in it; `fake_share` is of those judged."""

    folder: bytes
    counts: dict[str, int]

    @property
    def fake_share(self) -> float:
        """Files called fake over files that were judged, 0 where none was."""
        judged = sum(self.counts.values()) - self.counts["error"]
        return self.counts["fake"] / judged if judged else 0.0


class Part(NamedTuple):
    """A cell whose rows match: how many lie below the folder asked for, and what of them is still to be tested."""

    number: int
    cell: Cell
    rows: int
    everywhere: int
    """How many there are of the cell in all."""
    cut: bool
    """A bound of p goes through the cell."""
    judged: tuple[int | None, int | None]
    """None of the rows was judged before the one, or after the other, in ns; None where that is not known."""

    @property
    def scattered(self) -> bool:
        """Whether other rows of the cell lie elsewhere."""
        return self.rows < self.everywhere


@dataclass(frozen=True)
class Selection:
    """A query as cells of a store, which are all alike in what is filtered by.

    `named` are the ids of the rows whose name may hold the text looked for, or that were marked as asked, None where
    neither is asked or those are more than `MOST_NAMED`.
    """

    db: sqlite3.Connection
    query: Query
    scope: bytes
    parts: tuple[Part, ...]
    named: tuple[int, ...] | None

    def looked_at(self, part: Part) -> bool:
        """Whether single rows of a part have to be looked at."""
        return part.cut or self.by_row

    @property
    def by_row(self) -> bool:
        """Whether something is asked that no cell tells."""
        return bool(self.query.text) or self.query.marks is not None

    def numbers(self, *, looked_at: bool) -> str:
        """Return the numbers of the cells whose rows have to be looked at, or of the others, as JSON."""
        return json.dumps([part.number for part in self.parts if self.looked_at(part) == looked_at])

    def sources(self, join: str = "") -> Iterator[Source]:
        """Yield SQL (from FROM on, with rows `r`) that finds the matching rows which have to be looked at."""
        parts = tuple(part for part in self.parts if self.looked_at(part))
        if self.named is None and not self.query.text:
            for part in parts:
                test, values = self.tests((part,))
                yield f"FROM rows r {join} WHERE r.cell = ?{test}", [part.number, *values]
            return
        test, values = self.tests(parts)
        among = f"{join} WHERE +r.cell IN (SELECT value FROM json_each(?)){test}"  # noqa: S608
        values.insert(0, self.numbers(looked_at=True))
        if self.named is None:
            yield f"FROM rows r INDEXED BY rows_name {among}", values
        else:
            values.insert(0, json.dumps(self.named))
            yield f"FROM json_each(?) j CROSS JOIN rows r ON r.id = j.value {among}", values

    def tests(self, parts: tuple[Part, ...]) -> Source:
        """Return SQL and its values for what is still to be tested of rows `r` of some parts."""
        sql, values = "", list[object]()
        if any(part.cut for part in parts):
            sql, values = " AND r.p BETWEEN ? AND ?", [self.query.low, self.query.high]
        if any(part.scattered for part in parts):
            test, bound = self.inside
            sql += test
            values += bound
        if self.query.text:
            sql += " AND instr(CAST(lower(CAST(r.name AS TEXT)) AS BLOB), ?)"
            values.append(os.fsencode(self.query.text).lower())
        if self.query.marks is not None:
            sql += " AND coalesce(r.mark, '') IN (SELECT value FROM json_each(?))"
            values.append(json.dumps(sorted(self.query.marks)))
        return sql, values

    @cached_property
    def inside(self) -> Source:
        """Test a row's folder; those that were found one after another have one number after another."""
        test, values = self.below("b.path")
        sql = f"SELECT min(b.id), max(b.id), count(*) FROM folders b WHERE {test}"  # noqa: S608
        first, last, count = self.db.execute(sql, values).fetchone()
        if count and last - first + 1 == count:
            return " AND r.folder BETWEEN ? AND ?", [first, last]
        if count <= FEW_FOLDERS:
            return f" AND r.folder IN (SELECT b.id FROM folders b WHERE {test})", values  # noqa: S608
        return f" AND EXISTS (SELECT 1 FROM folders b WHERE b.id = r.folder AND {test})", values  # noqa: S608

    def below(self, column: str) -> Source:
        """Return SQL and its values for a folder at or below the one asked for."""
        if not self.scope:
            return "TRUE", []
        low, high = bounds(self.scope)
        return f"({column} >= ? AND {column} < ? AND ({column} = ? OR {column} >= ?))", [
            self.scope, high, self.scope, low
        ]  # fmt: skip


def select(db: sqlite3.Connection, folders: Folders, query: Query) -> Selection:
    """Return the cells that a query matches."""
    scope, number = query.under, folders.find(query.under)
    if number is None:
        scope, number = query.under + INSIDE, folders.find(query.under + INSIDE)
    found = db.execute(
        "SELECT c.id, c.detector, c.label, c.format, c.evidence, c.kind, c.bin, c.gone, "
        "t.below, w.below, t.first, t.last "
        "FROM tally t JOIN cells c ON c.id = t.cell JOIN tally w ON w.folder = 0 AND w.cell = t.cell "
        "WHERE t.folder = ? AND t.below > 0 AND c.detector = ?",
        (number, query.detector),
    )
    parts = (
        Part(id_, Cell(*columns), below, everywhere, _cut(query, columns[5]), (first, last))
        for id_, *columns, below, everywhere, first, last in found
    )
    matching = tuple(part for part in parts if _matches(query, part.cell))
    few = [ids for ids in (_named(db, query.text), _marked(db, query.marks)) if ids is not None]
    named = tuple(sorted(set(few[0]).intersection(*few[1:]))) if few else None
    return Selection(db, query, scope, matching, named)


def _named(db: sqlite3.Connection, text: str) -> tuple[int, ...] | None:
    """Find names by the parts of three characters that a text has; what is shorter is in too many."""
    if len(text) < 3 or not text.isprintable():
        return None
    threes = {text[start : start + 3] for start in range(len(text) - 2)}
    match = " AND ".join('"' + three.replace('"', '""') + '"' for three in sorted(threes))
    found = db.execute("SELECT rowid FROM names WHERE names MATCH ? LIMIT ?", (match, MOST_NAMED + 1)).fetchall()
    return tuple(id_ for (id_,) in found) if len(found) <= MOST_NAMED else None


def _marked(db: sqlite3.Connection, marks: frozenset[str] | None) -> tuple[int, ...] | None:
    """Find the rows that a person marked so; those without a mark are too many."""
    if marks is None or "" in marks:
        return None
    sql = "SELECT id FROM rows WHERE mark IS NOT NULL AND mark IN (SELECT value FROM json_each(?)) LIMIT ?"
    found = db.execute(sql, (json.dumps(sorted(marks)), MOST_NAMED + 1)).fetchall()
    return tuple(id_ for (id_,) in found) if len(found) <= MOST_NAMED else None


def _matches(query: Query, cell: Cell) -> bool:
    wanted = cell.label in query.labels and (query.include_gone or not cell.gone)
    if query.formats is not None:
        wanted &= bool(cell.format) and cell.format in query.formats
    if query.error_kinds is not None:
        wanted &= cell.label == "error" and cell.kind in query.error_kinds
    if query.with_evidence is not None:
        wanted &= query.with_evidence == bool(cell.evidence)
    if query.p_low is not None or query.p_high is not None:
        overlaps = cell.bin / BINS - ROUNDING <= query.high and query.low <= (cell.bin + 1) / BINS + ROUNDING
        wanted &= cell.bin >= 0 and overlaps
    return wanted


def _cut(query: Query, place: int) -> bool:
    """Whether a bound of p may lie inside a twentieth; one that lies on its edge counts, because of rounding."""
    least, most = place / BINS - ROUNDING, (place + 1) / BINS + ROUNDING
    return place >= 0 and ((query.low > 0 and least < query.low) or (query.high < 1 and query.high < most))


def counted(selection: Selection) -> Iterator[tuple[Cell, int]]:
    """Yield the cells of a selection with how many rows each has there."""
    cells = {part.number: part.cell for part in selection.parts}
    yield from ((part.cell, part.rows) for part in selection.parts if not selection.looked_at(part))
    for source, values in selection.sources():
        found = selection.db.execute(f"SELECT r.cell, count(*) {source} GROUP BY r.cell", values)
        yield from ((cells[number], rows) for number, rows in found)


def counts(selection: Selection) -> dict[str, int]:
    """Return how many rows each answer has."""
    found = dict.fromkeys(ANSWERS, 0)
    for cell, rows in counted(selection):
        found[cell.label] += rows
    return found


def histogram(selection: Selection, bins: int) -> dict[str, list[int]]:
    """Return for each answer but errors how many rows have p in each of `bins` equal parts of [0, 1].

    Raises `ValueError` unless `bins` divides 20.
    """
    if bins < 1 or BINS % bins:
        raise ValueError(f"a histogram has 1, 2, 4, 5, 10 or 20 bins, not {bins}")
    found = {label: [0] * bins for label in ANSWERS if label != "error"}
    for cell, rows in counted(selection):
        if cell.bin >= 0:
            found[cell.label][cell.bin * bins // BINS] += rows
    return found


def summaries(selection: Selection, limit: int) -> list[FolderSummary]:
    """Return what each folder came to, those with the most fakes first."""
    labels = {part.number: part.cell.label for part in selection.parts}
    found: defaultdict[bytes, Counter[str]] = defaultdict(Counter)
    for folder, *own in _own(selection):
        found[folder].update(dict(zip(ANSWERS, own, strict=True)))
    for folder, cell, rows in _looked_at(selection):
        found[folder][labels[cell]] += rows
    order = heapq.nsmallest(limit, found, key=lambda folder: (-found[folder]["fake"], folder))
    return [FolderSummary(one, {name: found[one][name] for name in ANSWERS}) for one in order]


def _own(selection: Selection) -> Iterator[tuple[Any, ...]]:
    test, values = selection.below("f.path")
    sums = ", ".join(f"sum(CASE c.label WHEN '{label}' THEN t.own ELSE 0 END)" for label in ANSWERS)
    yield from selection.db.execute(
        f"SELECT f.path, {sums} FROM folders f CROSS JOIN tally t ON t.folder = f.id "  # noqa: S608
        f"CROSS JOIN cells c ON c.id = t.cell WHERE {test} AND t.own > 0 "
        "AND +t.cell IN (SELECT value FROM json_each(?)) GROUP BY f.id",
        (*values, selection.numbers(looked_at=False)),
    )


def _looked_at(selection: Selection) -> Iterator[tuple[bytes, int, int]]:
    for source, values in selection.sources("CROSS JOIN folders f ON f.id = r.folder"):
        grouped = f"SELECT f.path, r.cell, count(*) {source} GROUP BY r.folder, r.cell"
        yield from selection.db.execute(grouped, values)
