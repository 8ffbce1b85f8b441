"""The journey of a folder through the real command: three files of results, whatever happens on the way."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import write_picture
from tests.program import COMMAND, environment, forensics, records

MANY = 400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures in two folders and a text that calls itself a picture."""
    for number in range(4):
        write_picture(tmp_path / "in" / f"{number % 2}" / f"{number}.png", seed=number)
    (tmp_path / "in" / "text.jpg").write_text("no picture")
    return tmp_path / "in"


def left_behind(out: Path) -> list[str]:
    return [path.name for path in out.rglob("*") if path.name.endswith(".part")]


def test_three_files_of_results(tmp_path: Path, folder: Path, detector_folder: Path) -> None:
    out = tmp_path / "out"
    done = forensics("scan", folder, "--out", out, "--detector", detector_folder)
    assert done.returncode == 1, done.stderr
    assert "5 pictures in" in done.stdout
    assert "1  ! Could not be judged" in done.stdout
    rows = records((out / "results.jsonl").read_text())
    assert len(rows) == 5
    assert [row["error"]["kind"] for row in rows if "error" in row] == ["unknown_format"]
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert {row["path"] for row in table} == {row["path"] for row in rows}
    page = (out / "report.html").read_text(encoding="utf-8")
    assert all(Path(row["path"]).name in page for row in rows)
    assert left_behind(out) == []


def test_json_is_events(tmp_path: Path, folder: Path, detector_folder: Path) -> None:
    done = forensics("scan", folder, "--out", tmp_path / "out", "--detector", detector_folder, "--json")
    events = records(done.stdout)
    assert done.stderr == ""
    assert {event["event"] for event in events} <= {"scanned", "progress", "summary"}
    assert events[-1] | {"seconds": 0} == {
        "event": "summary", "done": 5, "failed": 1, "counts": events[-1]["counts"], "seconds": 0, "known": 0, "gone": 0,
    }  # fmt: skip
    assert sum(event["event"] == "scanned" for event in events) == 5


def test_a_second_scan_takes_the_place_of_the_first(tmp_path: Path, folder: Path, detector_folder: Path) -> None:
    out = tmp_path / "out"
    for expected in (5, 4):
        done = forensics("scan", folder, "--out", out, "--detector", detector_folder, "-q")
        assert done.stderr == ""
        assert len((out / "results.jsonl").read_text().splitlines()) == expected
        (folder / "text.jpg").unlink(missing_ok=True)
    assert done.returncode == 0


def test_pictures_of_others_are_not_mixed_with_results(tmp_path: Path, folder: Path, detector_folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    done = forensics("scan", folder, "--out", folder, "--detector", detector_folder)
    assert done.returncode == 2
    assert "not empty" in done.stderr
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("wrong", ["missing", "in/text.jpg"])
def test_no_folder_leaves_nothing(tmp_path: Path, folder: Path, detector_folder: Path, wrong: str) -> None:
    done = forensics("scan", tmp_path / wrong, "--out", tmp_path / "out", "--detector", detector_folder)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()
    assert folder.is_dir()


def test_an_empty_name_is_not_the_folder_one_is_in(tmp_path: Path) -> None:
    done = forensics("scan", "", "--out", tmp_path / "out")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert not (tmp_path / "out").exists()


def test_reports_below_the_folder_are_not_pictures(tmp_path: Path, folder: Path, detector_folder: Path) -> None:
    for number in (1, 2):
        done = forensics(
            "scan", folder, "--out", folder / f"report{number}", "--detector", detector_folder, "--heatmaps", "all"
        )
        assert "5 pictures in" in done.stdout


def test_a_failed_scan_leaves_the_earlier_one(tmp_path: Path, folder: Path, detector_folder: Path) -> None:
    out = tmp_path / "out"
    forensics("scan", folder, "--out", out, "--detector", detector_folder)
    before = (out / "results.jsonl").read_bytes()
    assert forensics("scan", tmp_path / "missing", "--out", out, "--detector", detector_folder).returncode == 2
    assert (out / "results.jsonl").read_bytes() == before
    assert left_behind(out) == []


def test_an_empty_folder_is_done_and_says_so(tmp_path: Path, detector_folder: Path) -> None:
    (tmp_path / "in").mkdir()
    done = forensics("scan", tmp_path / "in", "--out", tmp_path / "out", "--detector", detector_folder)
    assert done.returncode == 0
    assert "no picture" in done.stderr
    assert "No pictures" in (tmp_path / "out" / "report.html").read_text()


def test_the_fast_twin_judges_and_its_rows_are_kept_apart(tmp_path: Path, folder: Path, detector_folder: Path) -> None:
    done = forensics("scan", folder, "--store", tmp_path / "a.db", "--detector", detector_folder, "--fast")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "no fast twin" in done.stderr and not (tmp_path / "a.db").exists()
    found = {}
    for way in ((), ("--fast",)):
        done = forensics("scan", folder, "--store", tmp_path / "a.db", "--json", *way)
        rows = [event["row"] for event in records(done.stdout) if event["event"] == "scanned"]
        found[way] = {row["path"]: row["verdict"]["p_fake"] for row in rows if "verdict" in row}
        assert records(done.stdout)[-1]["known"] == 0
    exact, fast = found.values()
    assert exact.keys() == fast.keys() and len(exact) == 4
    assert 0 < max(abs(exact[name] - fast[name]) for name in exact) < 0.1


def many(folder: Path) -> Path:
    first = write_picture(folder / "0.png", 256, 256)
    for number in range(1, MANY):  # the same picture each time, but not the same bytes
        (folder / f"{number}.png").write_bytes(first.read_bytes() + str(number).encode())
    return folder


@contextmanager
def scanning(folder: Path, out: Path, detector: Path) -> Iterator[tuple[subprocess.Popen[str], list[Any]]]:
    """Start a scan as the leader of a process group and wait until it has judged three pictures."""
    words = [*COMMAND, "scan", folder, "--out", out, "--detector", detector, "--json"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), start_new_session=True
    ) as process:
        assert process.stdout is not None
        lines: list[Any] = []
        while sum(line["event"] == "scanned" for line in lines) < 3:
            lines.append(json.loads(process.stdout.readline()))
        yield process, lines


def test_ctrl_c_keeps_what_was_done(tmp_path: Path, detector_folder: Path) -> None:
    out = tmp_path / "out"
    with scanning(many(tmp_path / "in"), out, detector_folder) as (process, _):
        os.killpg(process.pid, signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in told
    assert told.splitlines()[-1] == "Cancelled."
    rows = records((out / "results.jsonl").read_text())
    assert 3 <= len(rows) < MANY
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(rows)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "stopped before its end" in page
    assert page.count("<tr data-answer") == len(rows)
    assert left_behind(out) == []


def test_a_killed_scan_is_gone_on_with(tmp_path: Path, detector_folder: Path) -> None:
    out = tmp_path / "out"
    with scanning(many(tmp_path / "in"), out, detector_folder) as (process, _):
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    assert not (out / "results.jsonl").exists()
    done = forensics("scan", tmp_path / "in", "--out", out, "--detector", detector_folder, "--json")
    events = records(done.stdout)
    assert events[-1]["done"] == MANY and events[-1]["known"] >= 3
    assert sum(event["event"] == "scanned" for event in events) == MANY - events[-1]["known"]
    assert len({row["path"] for row in records((out / "results.jsonl").read_text())}) == MANY


@contextmanager
def tiny_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own that is soon full; skips where mounting is not allowed."""
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("needs the right to mount a tiny tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("size", ["16k", "64k", "140k"])
def test_a_full_disk_is_a_sentence(tmp_path: Path, detector_folder: Path, size: str) -> None:
    for number in range(24):
        write_picture(tmp_path / "in" / f"{number}.png", 300, 300, seed=number)
    with tiny_disk(tmp_path / "disk", size) as disk:
        out = disk / "out"
        done = forensics(
            "scan", tmp_path / "in", "--out", out, "--detector", detector_folder, "-q", "--heatmaps", "all"
        )
        assert done.returncode == 2, done.stdout
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert left_behind(disk) == []
        for path in disk.rglob("*.jsonl"):
            assert all("path" in row for row in records(path.read_text()))
        for path in disk.rglob("report.html"):
            assert path.read_text().rstrip().endswith("</html>")


def test_after_a_full_disk_the_same_command_goes_on(tmp_path: Path, detector_folder: Path) -> None:
    for number in range(150):
        write_picture(tmp_path / "in" / f"{number}.png", seed=number)
    with tiny_disk(tmp_path / "disk", "300k") as disk:
        command = ("scan", tmp_path / "in", "--out", disk / "out", "--detector", detector_folder, "--json")
        done = forensics(*command)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        told = [event["row"]["path"] for event in records(done.stdout) if event["event"] == "scanned"]
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        done = forensics(*command)
        assert done.returncode == 0, done.stderr
        rows = records((disk / "out" / "results.jsonl").read_text())
        assert len(rows) == 150 and set(told) <= {row["path"] for row in rows}
        assert records(done.stdout)[-1]["known"] >= len(told)


def test_a_full_disk_leaves_no_half_map(tmp_path: Path, detector_folder: Path) -> None:
    path = write_picture(tmp_path / "a.png", 400, 400)
    with tiny_disk(tmp_path / "disk", "16k") as disk:
        done = forensics("analyze", path, "--detector", detector_folder, "--heatmap", disk / "maps")
        assert done.returncode == 2
        assert "disk is full" in done.stderr
        assert [found for found in disk.rglob("*") if found.is_file()] == []
