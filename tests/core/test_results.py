"""A scan's three files: appended, cut at a half line, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from classifier.detector import Installed
from forensics_app.core import results
from forensics_app.core.scan_events import Event, Scanned, Summary
from tests.core.test_report import CARD, failed, judged

DETECTOR = Installed(Path(), CARD, "x")


def events(count: int, kept: list[dict[str, Any]]) -> Iterator[Event]:
    """A scan of so many pictures, whose store is the list `kept`."""
    for done in range(1, count + 1):
        kept.append(judged(f"in/{done}.png"))
        yield Scanned(done, count, kept[-1], 1.0)
    yield Summary(count, 0, {"fake": count, "real": 0, "unsure": 0, "error": 0}, 1.0)


def recorded(
    kept: list[dict[str, Any]], source: Iterator[Event], out: Path, made: tuple[Path, ...] = ()
) -> Iterator[Event]:
    return results.record(source, out, lambda: iter(list(kept)), DETECTOR, title="t", made=made)


def written(out: Path) -> list[str]:
    return [json.loads(line)["path"] for line in (out / results.JSONL).read_text().splitlines()]


def test_the_files_are_there_at_the_end(tmp_path: Path) -> None:
    kept: list[dict[str, Any]] = []
    assert len(list(recorded(kept, events(3, kept), tmp_path, results.claim(tmp_path)))) == 4
    assert written(tmp_path) == ["in/1.png", "in/2.png", "in/3.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "results.csv", "results.jsonl"]
    assert "stopped before its end" not in (tmp_path / results.REPORT).read_text()


def test_closing_keeps_the_rows_so_far(tmp_path: Path) -> None:
    closed, kept = list[bool](), list[dict[str, Any]]()

    def source() -> Iterator[Event]:
        try:
            yield from events(3, kept)
        finally:
            kept.append(judged("in/last.png"))  # what a scan still writes when it is closed
            closed.append(True)

    found = recorded(kept, source(), tmp_path, results.claim(tmp_path))
    next(found)
    next(found)
    found.close()  # type: ignore[attr-defined]
    assert closed
    assert written(tmp_path) == ["in/1.png", "in/2.png", "in/last.png"]
    assert "stopped before its end" in (tmp_path / results.REPORT).read_text()


def test_a_scan_without_rows_leaves_no_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = results.claim(out)

    def refused() -> Iterator[Event]:
        (out / "thumbnails").mkdir()
        (out / "thumbnails" / "a.jpg").write_bytes(b"x")
        (out / results.STORE).write_bytes(b"x")
        raise ValueError("no such folder")
        yield

    with pytest.raises(ValueError, match="no such folder"):
        list(recorded([], refused(), out, made))
    assert not out.exists()


def test_a_scan_without_rows_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "mine"
    (out / "thumbnails").mkdir(parents=True)
    (out / results.STORE).write_text("old")

    def failing() -> Iterator[Event]:
        (out / "heatmaps").mkdir()
        raise ValueError("full")
        yield

    with pytest.raises(ValueError, match="full"):
        list(recorded([], failing(), out, results.claim(out)))
    assert sorted(path.name for path in out.iterdir()) == [results.STORE, "thumbnails"]
    assert (out / results.STORE).read_text() == "old"


def test_one_scan_at_a_time(tmp_path: Path) -> None:
    first = recorded(kept := [], events(3, kept), tmp_path, results.claim(tmp_path))
    next(first)
    with pytest.raises(results.ResultsRefused, match="Another scan"):
        results.claim(tmp_path)
    with pytest.raises(results.ResultsRefused, match="Another scan"):
        next(recorded([], events(3, []), tmp_path))
    assert len(list(first)) == 3
    assert len(written(tmp_path)) == 3
    assert not (tmp_path / results.LOCK).exists()


def test_a_folder_of_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(results.ResultsRefused, match="not empty"):
        results.claim(tmp_path)
    with pytest.raises(results.ResultsRefused, match="is a file"):
        results.claim(tmp_path / "diary.txt")
    assert (tmp_path / "diary.txt").read_text() == "mine"


def test_cells_do_not_run_and_do_not_hide() -> None:
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "a\u202egnp.exe", "a\r\nb", 'a"b,c', "\\x"]
    buffer = io.BytesIO()
    results.write_csv(buffer, iter([judged(name) for name in names] + [failed("=2")]))
    table = list(csv.DictReader(io.StringIO(buffer.getvalue().decode(), newline="")))
    assert [row["path"] for row in table] == [
        "'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\\x09x", "a\\u202egnp.exe", "a\\x0d\\x0ab", 'a"b,c', "\\x", "'=2",
    ]  # fmt: skip
    assert [row["verdict"] for row in table] == ["fake"] * 9 + ["error"]
    assert table[0]["p_fake"] == "0.9"
    assert table[-1]["error_kind"] == "empty"
