"""A store's rows as files for other programs: CSV, JSON lines, Parquet, and the report of a scan."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from classifier.atomic import finite, replacing
from classifier.detector import Card, Installed
from forensics_app.core import report, results
from forensics_app.core.store import Query, ScanStore, Stored, StoredDetector
from forensics_app.core.words import shown

Format = Literal["csv", "jsonl", "parquet"]
Write = Callable[[list[Stored]], None]
CHUNK = 2_000


class ExportRefused(Exception):
    """The rows cannot go where they were asked to go; `str()` says why."""


@dataclass(frozen=True)
class Exported:
    """Rows that were written, of all; the file is there, whole, once the job has ended."""

    done: int
    total: int


@dataclass(frozen=True)
class Reported:
    """The last event of a report: its page, and the rows that it is of."""

    page: Path
    done: int
    total: int


def exporting(store: ScanStore, query: Query, form: Format, path: Path) -> Iterator[Exported]:
    """Write the rows of a query to a file, whole or not at all.

    Raises `ExportRefused` and `OSError` where the file cannot be written, and `ModuleNotFoundError` for Parquet without
    pyarrow.
    """
    if path.is_dir() or not path.absolute().parent.is_dir():
        problem = "is a folder" if path.is_dir() else "lies in a folder that does not exist"
        raise ExportRefused(f"'{shown(str(path))}' {problem}; give another file to write to.")
    total, done = store.count(query), 0
    with replacing(path) as file, ExitStack() as stack:
        write = _writer(form, file, stack)
        yield Exported(0, total)
        for rows in _chunks(store.stored_rows(query)):
            write(rows)
            done += len(rows)
            yield Exported(done, max(total, done))


def reporting(
    store: ScanStore, query: Query, detector: StoredDetector, out: Path, title: str
) -> Iterator[Exported | Reported]:
    """Write report.html, results.csv and results.jsonl of the rows of a query to a folder.

    Thumbnails and heat maps are those that lie beside the store. Raises `results.ResultsRefused` where the folder
    holds something else, and `OSError`.
    """
    beside, total = store.path.absolute().parent, store.count(query)
    installed = Installed(beside, Card.model_validate_json(detector.card), detector.id)
    results.claim(out)
    yield from exporting(store, query, "jsonl", out / results.JSONL)
    yield from exporting(store, query, "csv", out / results.CSV)
    page = report.render(store.rows(query), report.Made(title, installed), pictures=beside)
    with replacing(out / results.REPORT) as file:
        file.write(page.encode())
    yield Reported(out / results.REPORT, total, total)


def _writer(form: Format, file: BinaryIO, stack: ExitStack) -> Write:
    if form == "jsonl":
        return lambda rows: file.writelines(json.dumps(finite(one.public)).encode() + b"\n" for one in rows)
    if form == "parquet":
        from forensics_app.core.store_parquet import writing

        return stack.enter_context(writing(file))
    results.write_csv(file, ())
    return lambda rows: results.write_csv(file, (finite(one.public) for one in rows), header=False)


def _chunks(rows: Iterable[Stored]) -> Iterator[list[Stored]]:
    chunk = list[Stored]()
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
