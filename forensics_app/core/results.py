"""What a scan leaves in its folder: results.jsonl (appended while it runs), results.csv and report.html."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from itertools import count
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
    from forensics_app.core.scan import Event

JSONL, CSV, REPORT = "results.jsonl", "results.csv", "report.html"
PART = JSONL + ".part"
LOCK = ".forensics.lock"
COLUMNS = (
    "path", "verdict", "p_fake", "reason", "evidence", "format", "width", "height", "sha256",
    "detector", "detector_id", "heatmap", "error_kind", "error",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class ResultsRefused(Exception):
    """The results cannot go where they were asked to go; `str()` says why."""


def claim(out: Path) -> tuple[Path, ...]:
    """Make `out` the folder of a scan's results; returns what was not there before and goes again without a row.

    Raises `ResultsRefused` if it holds anything but an earlier scan, or if another scan is writing to it. An earlier
    scan's files stay until this one's take their place.
    """
    if out.exists() and not out.is_dir():
        raise ResultsRefused(f"{shown(str(out))} is a file, not a folder; give a folder for the results.")
    if out.is_dir() and any(out.iterdir()) and not any((out / name).is_file() for name in (JSONL, PART, LOCK)):
        raise ResultsRefused(f"{shown(str(out))} is not empty and holds no earlier scan; give a new folder.")
    own = (out / PICTURES, out / HEATMAPS, out / THUMBNAILS)
    made = tuple(path for path in (*own, out, *out.parents) if not path.exists())
    out.mkdir(parents=True, exist_ok=True)
    with only_one(out / LOCK, _busy(out)):
        (out / PART).touch()
    return made


def record(
    events: Iterator[Event], out: Path, detector: Installed, *, title: str, made: tuple[Path, ...] = ()
) -> Iterator[Event]:
    """Pass a scan's events on and keep its rows in `out`, a folder that `claim` accepted with the answer `made`.

    However the scan ends (done, closed, failed) the rows so far become the three files; after a kill -9 they are in
    results.jsonl.part, and a later scan keeps them as results.interrupted.jsonl. A scan that ends before its first row
    leaves nothing. Raises what the scan raises, `ResultsRefused` while another scan writes to `out`, and `OSError`
    where the disk is full.
    """
    with ExitStack() as stack:
        stack.callback(_remove_empty, made)
        stack.enter_context(only_one(out / LOCK, _busy(out)))
        kept = whole = False
        earlier = _set_aside(out)
        stack.callback(
            lambda: finish(out, detector, title=title, whole=whole) if kept or whole else abandon(out, made, earlier)
        )
        file = stack.enter_context((out / PART).open("wb"))
        stack.callback(getattr(events, "close", lambda: None))
        for event in events:
            if hasattr(event, "row"):
                _append(file, event.row)
                kept = True
            yield event
        whole = True


def _busy(out: Path) -> ResultsRefused:
    return ResultsRefused(f"Another scan is writing to {shown(str(out))}; give it another folder or wait.")


def _set_aside(out: Path) -> Path | None:
    """Keep the rows that a killed scan left behind; returns where they are now."""
    part = out / PART
    if not part.is_file() or not part.stat().st_size:
        return None
    names = (f"results.interrupted{'' if number == 1 else f'-{number}'}.jsonl" for number in count(1))
    return part.replace(next(out / name for name in names if not (out / name).exists()))


def abandon(out: Path, made: tuple[Path, ...], earlier: Path | None) -> None:
    """Leave a claimed folder as it was before: without what was `made` in it, with the rows of a killed scan."""
    (out / PART).unlink(missing_ok=True)
    if earlier is not None:
        earlier.replace(out / PART)
    for folder in made:
        if out in folder.parents:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_empty(made: tuple[Path, ...]) -> None:
    for folder in made:
        with suppress(OSError):  # it is not empty
            folder.rmdir()


def _append(file: BinaryIO, row: Mapping[str, Any]) -> None:
    file.write(json.dumps(row).encode() + b"\n")
    file.flush()  # so that it outlives a kill -9


def finish(out: Path, detector: Installed, *, title: str, whole: bool) -> None:
    """Turn the rows of results.jsonl.part into the three files; `whole` False says that the scan was cut short."""
    part = out / PART
    _cut_half_line(part)
    part.replace(out / JSONL)
    with replacing(out / CSV) as file:
        write_csv(file, rows(out / JSONL))
    with replacing(out / REPORT) as file:
        about = report.Made(title, detector, whole=whole)
        file.write(report.render(rows(out / JSONL), about, pictures=out).encode())


def _cut_half_line(path: Path) -> None:
    """A full disk or a kill may have left half a row at the end."""
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        tail = max(0, size - 2**20)
        file.seek(tail)
        end = file.read().rfind(b"\n")
        file.truncate(tail + end + 1)
        os.fsync(file.fileno())


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Read the rows of a results.jsonl."""
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)


def write_csv(file: BinaryIO, found: Iterator[dict[str, Any]]) -> None:
    """Write rows as UTF-8 CSV with a header; no cell can run as a formula or hide its text."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    table = csv.writer(text)
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
    )  # fmt: skip


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    safe = "'" + value if value.startswith(FORMULA) else value
    return shown(safe)
