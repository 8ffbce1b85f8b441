"""A comparison as files: one page that needs nothing else, and its tables as CSV and Markdown."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from classifier.atomic import replacing
from classifier.compare import ALPHA, Pair
from forensics_app.core.compare_gallery import gallery
from forensics_app.core.compare_judging import Looked
from forensics_app.core.compare_rows import Row
from forensics_app.core.compare_tables import costs, document, in_order, markdown, pairs_csv, rows_csv
from forensics_app.core.compare_words import (
    DIFFERENCES,
    context,
    counted,
    details,
    headline,
    p_words,
    plus_minus,
    signed,
)
from forensics_app.core.comparison import Compared, Measured
from forensics_app.core.html import page
from forensics_app.core.run_tables import told
from forensics_app.core.words import shown

PAGE, TABLE, PAIRS, TEXT = "compare.html", "compare.csv", "compare-pairs.csv", "compare.md"
COUNTED = 4
"""Up to so many classes a small confusion matrix has its counts in it."""
CHART = 1000


@dataclass(frozen=True)
class Square:
    """A field of a small confusion matrix: where it is, its part of the row from 0 to 1, its count."""

    row: int
    column: int
    part: float
    count: int


@dataclass(frozen=True)
class Line:
    """A row of the page's table; every text is safe to show. `span` is its accuracy's interval and value of `CHART`."""

    name: str
    arch: str
    link: str | None
    failure: str | None
    figures: tuple[str, ...]
    costs: tuple[str, ...]
    span: tuple[float, float, float] | None
    learned: float | None
    squares: tuple[Square, ...]
    right: str
    document: str
    training: str
    remarks: str


@dataclass(frozen=True)
class Test:
    """One detector against another: the difference in words, its p-value, and whether it can be seen."""

    difference: str
    p: str
    seen: bool


def write(measured: Measured, out: Path) -> Generator[Looked, None, Path]:
    """Write compare.html with its gallery, compare.csv, compare-pairs.csv and compare.md; return the page's path."""
    found = measured.compared
    order = in_order(found.rows)
    judges = [place for place, row in enumerate(found.rows) if not row.failure]
    columns = [judges.index(place) for place in order if place in judges]
    shown_pictures = yield from gallery(measured.those, measured.judged, columns)
    rows = [found.rows[place] for place in order]
    text = page(
        "compare.html.j2",
        styles=("report.css", "run.css", "compare.css"),
        made=datetime.now(),
        title=shown(found.title),
        headline=headline(found),
        details=details(found),
        context=context(found),
        notes=[shown(note) for note in found.notes],
        lines=[_line(row, found, out) for row in rows],
        classes=[shown(name) for name in found.counts],
        counted=len(found.counts) <= COUNTED,
        two_classes=any(row.auc for row in rows),
        trained=any(row.train for row in rows),
        claimed=any(row.claim for row in rows),
        chance=CHART / len(found.counts),
        only=_only(found),
        names=[shown(row.name) for row in rows if row.accuracy],
        tests=_matrix(found, [place for place in order if found.rows[place].accuracy]),
        seen=[counted(pair, found.rows) for pair in found.pairs if pair.p_holm < ALPHA],
        pairs=len(found.pairs),
        gallery=shown_pictures,
    )
    out.mkdir(parents=True, exist_ok=True)
    for name, content in ((TABLE, rows_csv(found)), (PAIRS, pairs_csv(found)), (TEXT, markdown(found)), (PAGE, text)):
        with replacing(out / name) as file:
            file.write(content.encode())
    return out / PAGE


def _line(row: Row, found: Compared, out: Path) -> Line:
    accuracy = row.accuracy
    right = sum(row.confusion[place][place] for place in range(len(row.confusion)))
    return Line(
        name=shown(row.name),
        arch=shown(row.arch),
        link=_link(row.report, out) if row.report else None,
        failure=shown(row.failure) if row.failure else None,
        figures=tuple(told(one) for one in (row.train, row.accuracy, row.balanced_accuracy, row.auc, row.log_loss)),
        costs=costs(row),
        span=(CHART * accuracy.low, CHART * accuracy.high, CHART * accuracy.value) if accuracy else None,
        learned=CHART * row.train.value if row.train else None,
        squares=tuple(_squares(row)),
        right=f"{right:,} of {found.n:,} right",
        document=document(row),
        training=row.training,
        remarks="; ".join(row.remarks),
    )


def _link(report: Path, out: Path) -> str:
    """Return the address of a run's own report, from the page's folder where that is possible."""
    try:
        return quote(os.fsencode(Path(os.path.relpath(report, out)).as_posix()))
    except ValueError:  # on another drive
        return report.absolute().as_uri()


def _squares(row: Row) -> Iterator[Square]:
    """Yield the fields that hold pictures; of many classes most hold none."""
    for number, counts in enumerate(row.confusion):
        for column, count in enumerate(counts):
            if count:
                yield Square(number, column, round(count / sum(counts), 3), count)


def _only(found: Compared) -> dict[str, object] | None:
    """Return the whole test of the only two detectors, the better first; None where there are more or fewer."""
    if len(found.pairs) != 1:
        return None
    pair = found.pairs[0]
    values = {key: getattr(pair.found, key) for key in DIFFERENCES}
    return {
        "first": shown(found.rows[pair.first].name),
        "second": shown(found.rows[pair.second].name),
        "found": pair.found,
        "p": p_words(pair.found.p),
        "differences": [(words, signed(values[key])) for key, words in DIFFERENCES.items() if values[key]],
    }


def _matrix(found: Compared, order: list[int]) -> list[list[Test | None]]:
    """Return the test of each detector (row) against each (column), None against itself."""
    by_pair = {(pair.first, pair.second): pair for pair in found.pairs}
    return [[_test(by_pair, row, column) for column in order] for row in order]


def _test(by_pair: dict[tuple[int, int], Pair], row: int, column: int) -> Test | None:
    if row == column:
        return None
    pair = by_pair.get((row, column)) or by_pair[column, row]
    value = pair.found.accuracy.value * (1 if pair.first == row else -1)
    return Test(plus_minus(value), p_words(pair.p_holm), pair.p_holm < ALPHA)
