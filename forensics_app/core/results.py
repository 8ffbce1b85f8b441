"""What a scan leaves in its folder: scan.db while it runs, and results.jsonl, results.csv, report.html at its end."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from classifier.atomic import replacing
from classifier.lock import only_one
from forensics_app.core import report
from forensics_app.core.judging import HEATMAPS, THUMBNAILS
from forensics_app.core.samples import PICTURES
from forensics_app.core.words import answer, shown

if TYPE_CHECKING:
    from classifier.detector import Installed
    from forensics_app.core.scan_events import Event

STORE, JSONL, CSV, REPORT = "scan.db", "results.jsonl", "results.csv", "report.html"
LOCK = ".forensics.lock"
COLUMNS = (
    "path", "verdict", "p_fake", "reason", "evidence", "format", "width", "height", "sha256",
    "detector", "detector_id", "heatmap", "error_kind", "error", "mark",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")

Rows = Callable[[], Iterator[dict[str, Any]]]


class ResultsRefused(Exception):
    """The results cannot go where they were asked to go; `str()` says why."""


def claim(out: Path) -> tuple[Path, ...]:
    """Make `out` the folder of a scan's results; returns what was not there before and goes again without a row.

    Raises `ResultsRefused` if it holds anything but an earlier scan, or if another scan is writing to it. An earlier
    scan's files stay until this one's take their place.
    """
    if out.exists() and not out.is_dir():
        raise ResultsRefused(f"{shown(str(out))} is a file, not a folder; give a folder for the results.")
    if out.is_dir() and any(out.iterdir()) and not any((out / name).is_file() for name in (JSONL, STORE, LOCK)):
        raise ResultsRefused(f"{shown(str(out))} is not empty and holds no earlier scan; give a new folder.")
    databases = tuple(out / f"{STORE}{ending}" for ending in ("", "-wal", "-shm"))
    own = (out / PICTURES, out / HEATMAPS, out / THUMBNAILS, *databases)
    made = tuple(path for path in (*own, out, *out.parents) if not path.exists())
    out.mkdir(parents=True, exist_ok=True)
    with only_one(out / LOCK, _busy(out)):
        pass
    return made


def record(
    events: Iterator[Event], out: Path, rows: Rows, detector: Installed, *, title: str, made: tuple[Path, ...] = ()
) -> Iterator[Event]:
    """Pass a scan's events on, and at its end write the three files from `rows`, those that its store has by then.

    `out` was accepted by `claim` with the answer `made`. However the scan ends (done, closed, failed) the rows so far
    become the files; after a kill -9 they are in the store, and the same scan run again goes on from there. A scan
    that ends before its first row leaves nothing. Raises what the scan raises, `ResultsRefused` while another scan
    writes to `out`, and `OSError` where the disk is full.
    """
    with ExitStack() as stack:
        stack.callback(_remove_empty, made)
        stack.enter_context(only_one(out / LOCK, _busy(out)))
        whole = False
        stack.callback(lambda: _end(out, rows, detector, title, made, whole=whole))
        stack.callback(getattr(events, "close", lambda: None))
        yield from events
        whole = True


def _busy(out: Path) -> ResultsRefused:
    return ResultsRefused(f"Another scan is writing to {shown(str(out))}; give it another folder or wait.")


def _end(out: Path, rows: Rows, detector: Installed, title: str, made: tuple[Path, ...], *, whole: bool) -> None:
    if whole or next(rows(), None) is not None:
        finish(out, rows, detector, title=title, whole=whole)
    else:
        _abandon(out, made)


def _abandon(out: Path, made: tuple[Path, ...]) -> None:
    """Leave a claimed folder as it was before: without what was `made` in it."""
    for path in made:
        if out not in path.parents:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _remove_empty(made: tuple[Path, ...]) -> None:
    for folder in made:
        with suppress(OSError):  # it is not empty
            folder.rmdir()


def finish(out: Path, rows: Rows, detector: Installed, *, title: str, whole: bool) -> None:
    """Write the three files; `whole` False says that the scan was cut short."""
    with replacing(out / JSONL) as file:
        for row in rows():
            file.write(json.dumps(row).encode() + b"\n")
    with replacing(out / CSV) as file:
        write_csv(file, rows())
    with replacing(out / REPORT) as file:
        about = report.Made(title, detector, whole=whole)
        file.write(report.render(rows(), about, pictures=out).encode())


def write_csv(file: BinaryIO, found: Iterable[Mapping[str, Any]], *, header: bool = True) -> None:
    """Write rows as UTF-8 CSV, with a header or as more of the same; no cell can run as a formula or hide its text."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    table = csv.writer(text)
    if header:
        table.writerow(COLUMNS)
    for row in found:
        table.writerow([_cell(value) for value in _values(row)])
    text.flush()
    text.detach()


def _values(row: Mapping[str, Any]) -> tuple[Any, ...]:
    error = row.get("error") or {}
    verdict, detector = row.get("verdict") or {}, row.get("detector") or {}
    evidence = "; ".join(one["summary"] for one in row.get("evidence", ()) if one["finding"] != "nothing")
    return (
        row["path"], answer(row), verdict.get("p_fake"), verdict.get("reason"), evidence,
        row.get("format"), row.get("width"), row.get("height"), row.get("sha256"),
        detector.get("name"), detector.get("id"), row.get("heatmap"), error.get("kind"), error.get("message"),
        row.get("mark"),
    )  # fmt: skip


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    safe = "'" + value if value.startswith(FORMULA) else value
    return shown(safe)
