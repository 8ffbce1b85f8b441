"""A scan's three files: appended, cut at a half line, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from classifier.detector import Installed
from forensics_app.core import results
from forensics_app.core.scan import Scanned, Summary
from tests.core.test_report import CARD, failed, judged

DETECTOR = Installed(Path(), CARD, "x")


def events(count: int) -> Iterator[Scanned | Summary]:
    for done in range(1, count + 1):
        yield Scanned(done, count, judged(f"in/{done}.png"), 1.0)
    yield Summary(count, 0, {"fake": count, "real": 0, "unsure": 0, "error": 0}, 1.0)


def written(out: Path) -> list[str]:
    return [json.loads(line)["path"] for line in (out / results.JSONL).read_text().splitlines()]


def test_rows_are_on_disk_while_the_scan_runs(tmp_path: Path) -> None:
    results.claim(tmp_path)
    recorded = results.record(events(3), tmp_path, DETECTOR, title="t")
    next(recorded)
    assert len((tmp_path / results.PART).read_text().splitlines()) == 1
    assert len(list(recorded)) == 3
    assert written(tmp_path) == ["in/1.png", "in/2.png", "in/3.png"]
    assert not (tmp_path / results.PART).exists()


def test_closing_keeps_the_rows_so_far(tmp_path: Path) -> None:
    results.claim(tmp_path)
    closed: list[bool] = []

    def source() -> Iterator[Scanned | Summary]:
        try:
            yield from events(3)
        finally:
            closed.append(True)

    recorded = results.record(source(), tmp_path, DETECTOR, title="t")
    next(recorded)
    next(recorded)
    recorded.close()  # type: ignore[attr-defined]
    assert closed
    assert written(tmp_path) == ["in/1.png", "in/2.png"]
    assert "stopped before its end" in (tmp_path / results.REPORT).read_text()


def test_a_scan_without_rows_leaves_no_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = results.claim(out)

    def refused() -> Iterator[Scanned]:
        (out / "thumbnails").mkdir()
        (out / "thumbnails" / "a.jpg").write_bytes(b"x")
        raise ValueError("no such folder")
        yield

    with pytest.raises(ValueError, match="no such folder"):
        list(results.record(refused(), out, DETECTOR, title="t", made=made))
    assert not out.exists()


def test_a_scan_without_rows_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "mine"
    (out / "thumbnails").mkdir(parents=True)
    (out / results.PART).write_text('{"path": "old"}\n')

    def failing() -> Iterator[Scanned]:
        (out / "heatmaps").mkdir()
        raise ValueError("full")
        yield

    with pytest.raises(ValueError, match="full"):
        list(results.record(failing(), out, DETECTOR, title="t", made=results.claim(out)))
    assert sorted(path.name for path in out.iterdir()) == [results.PART, "thumbnails"]
    assert (out / results.PART).read_text() == '{"path": "old"}\n'


def test_one_scan_at_a_time(tmp_path: Path) -> None:
    first = results.record(events(3), tmp_path, DETECTOR, title="t", made=results.claim(tmp_path))
    next(first)
    with pytest.raises(results.ResultsRefused, match="Another scan"):
        results.claim(tmp_path)
    with pytest.raises(results.ResultsRefused, match="Another scan"):
        next(results.record(events(3), tmp_path, DETECTOR, title="t"))
    assert len(list(first)) == 3
    assert len(written(tmp_path)) == 3
    assert not (tmp_path / results.LOCK).exists()


def test_rows_of_a_killed_scan_are_kept(tmp_path: Path) -> None:
    for old in ("first", "second"):
        (tmp_path / results.PART).write_text(old)
        (tmp_path / results.LOCK).touch()
        list(results.record(events(1), tmp_path, DETECTOR, title="t", made=results.claim(tmp_path)))
    assert (tmp_path / "results.interrupted.jsonl").read_text() == "first"
    assert (tmp_path / "results.interrupted-2.jsonl").read_text() == "second"
    assert written(tmp_path) == ["in/1.png"]


def test_half_a_row_is_cut_off(tmp_path: Path) -> None:
    row = json.dumps(judged()).encode()
    (tmp_path / results.PART).write_bytes(row + b"\n" + row[:40])
    results.finish(tmp_path, DETECTOR, title="t", whole=False)
    assert written(tmp_path) == ["in/a.png"]


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
