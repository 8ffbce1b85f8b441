"""What ends a file, a worker or a whole scan, and that nothing is left behind."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from classifier.detector import CARD, BadDetector, sha256_of
from forensics_app.core.analysis import CannotJudge
from forensics_app.core.scan import CannotScan, Limits, Progress, Scanned, Summary
from tests.conftest import ROOT, export_tiny, write_picture
from tests.core.scans import kinds, linux, no_workers, pictures, posix, run, scanning

MANY = 250
"""More than are judged before the first rows are told."""


def victims(detector: Path, root: Path, stop: int, **options: Any) -> Iterator[Scanned | Progress | Summary]:
    """Scan with one worker, and send the first one the signal `stop` after the first portion of rows."""
    stopped = False
    for event in scanning(root, detector, workers=1, **options):
        if isinstance(event, Scanned) and not stopped:
            (child,), stopped = multiprocessing.active_children(), True
            os.kill(child.pid or 0, stop)
        yield event


@posix
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_worker_that_dies_costs_at_most_one_file(tmp_path: Path, detector_folder: Path, number: int) -> None:
    root = pictures(tmp_path, MANY)
    rows = [event.row for event in victims(detector_folder, root, number) if isinstance(event, Scanned)]
    assert len({row["path"] for row in rows}) == len(rows) == MANY
    failed = [row["error"]["kind"] for row in rows if "error" in row]
    assert failed in ([], ["crashed"])


@posix
def test_a_worker_that_hangs_costs_one_file_and_the_wait_is_told(tmp_path: Path, detector_folder: Path) -> None:
    root, last, gaps, rows = pictures(tmp_path, MANY), time.monotonic(), [], []
    for event in victims(detector_folder, root, signal.SIGSTOP, limits=Limits(seconds_a_file=2)):
        gaps.append(time.monotonic() - last)
        last = time.monotonic()
        rows.append(event)
    found = [event.row for event in rows if isinstance(event, Scanned)]
    assert len(found) == MANY
    assert [row["error"]["kind"] for row in found if "error" in row] == ["timeout"]
    assert sum(isinstance(event, Progress) for event in rows) >= 3
    assert max(gaps) < 0.9  # half a second on an idle machine


@linux
def test_a_picture_that_needs_too_much_memory_is_its_own_error(tmp_path: Path, detector_folder: Path) -> None:
    root = pictures(tmp_path, 3)
    Image.new("RGB", (9000, 9000)).save(root / "big.png", compress_level=1)
    rows, _ = run(root, detector_folder, limits=Limits(memory_bytes=400 * 2**20))
    found = kinds(rows)
    assert found.pop("big.png") in ("memory", "too_many_pixels")
    assert set(found.values()) == {"judged"}
    assert "memory" in rows["big.png"]["error"]["message"]


def test_a_bad_detector_is_told_once_before_anything_starts(tmp_path: Path, detector_folder: Path) -> None:
    root, bad = pictures(tmp_path / "in", 3), tmp_path / "bad"
    with pytest.raises(BadDetector, match="cannot be"):
        next(scanning(root, bad))
    shutil.copytree(detector_folder, bad)
    (bad / "model.onnx").write_bytes(b"changed")
    with pytest.raises(BadDetector, match="SHA-256"):
        next(scanning(root, bad, out=tmp_path / "out"))
    assert no_workers()
    assert not (tmp_path / "out").exists()


def test_a_graph_that_cannot_run_is_told_once(tmp_path: Path, detector_folder: Path) -> None:
    root, bad = pictures(tmp_path / "in", 30), tmp_path / "bad"
    shutil.copytree(detector_folder, bad)
    (bad / "model.onnx").write_bytes(b"no graph at all")
    card = json.loads((bad / CARD).read_text())
    card["files"]["model.onnx"] = sha256_of(bad / "model.onnx")
    (bad / CARD).write_text(json.dumps(card))
    with pytest.raises(BadDetector, match="cannot be run"):
        list(scanning(root, bad))
    assert no_workers()


def test_a_detector_of_other_things_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotJudge, match="not fake from real"):
        next(scanning(tmp_path, export_tiny(tmp_path / "pets", classes=("cat", "dog"))))


def test_a_root_that_is_no_folder_is_refused(tmp_path: Path, detector_folder: Path) -> None:
    for root in (tmp_path / "missing", write_picture(tmp_path / "a.png")):
        with pytest.raises(CannotScan, match="not a folder"):
            next(scanning(root, detector_folder))


def test_an_out_that_cannot_be_made_is_refused(tmp_path: Path, detector_folder: Path) -> None:
    root = pictures(tmp_path / "in", 1)
    with pytest.raises(CannotScan, match="cannot write"):
        next(scanning(root, detector_folder, out=root / "000.png" / "out"))


@linux
def test_a_full_disk_ends_the_scan_with_nothing_half_written(tmp_path: Path, detector_folder: Path) -> None:
    root, out = tmp_path / "in", tmp_path / "out"
    for index in range(12):
        write_picture(root / f"{index}.jpg", 640, 480, seed=index)
    out.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(out)], capture_output=True, check=False
    ).returncode:
        pytest.skip("may not mount a small disk here")
    try:
        rows: list[object] = []
        with pytest.raises(CannotScan, match="No space left"):
            rows.extend(event for event in scanning(root, detector_folder, out=out, heatmaps="all"))
        written = [path for path in out.rglob("*") if path.is_file()]
        assert written
        for path in written:
            with Image.open(path) as image:
                image.load()
    finally:
        subprocess.run(["umount", str(out)], check=True)
    assert no_workers()


def test_closing_stops_the_workers_and_leaves_whole_files(tmp_path: Path, detector_folder: Path) -> None:
    root, out = pictures(tmp_path / "in", 60), tmp_path / "out"
    events = scanning(root, detector_folder, out=out, workers=2, heatmaps="all")
    for event in events:
        if event.done == 10:
            break
    begun = time.monotonic()
    events.close()  # type: ignore[attr-defined]
    assert time.monotonic() - begun < 3
    assert no_workers()
    assert not list(out.rglob("*.part"))
    assert list(out.rglob("*.jpg"))


@linux
def test_ctrl_c_in_a_terminal_ends_everything_quietly(tmp_path: Path, detector_folder: Path) -> None:
    """The signal goes to the whole process group, as a terminal sends it."""
    script = (
        "import multiprocessing, sys\nfrom pathlib import Path\nfrom tests.core.scans import *\n"
        "try:\n"
        "    for event in scanning(Path(sys.argv[1]), Path(sys.argv[2]), workers=2):\n"
        "        if event.done == 4: print(*[one.pid for one in multiprocessing.active_children()], flush=True)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', 'torch' in sys.modules, len(multiprocessing.active_children()))\n"
    )
    root = pictures(tmp_path / "in", 400)
    command = [sys.executable, "-c", script, str(root), str(detector_folder)]
    child = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert child.stdout
    pids = [int(pid) for pid in child.stdout.readline().split()]
    assert pids
    assert not any("torch" in Path(f"/proc/{pid}/maps").read_text() for pid in pids)
    begun = time.monotonic()
    os.killpg(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=20)
    assert time.monotonic() - begun < 5
    assert (out, err, child.returncode) == ("interrupted False 0\n", "", 0)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_slow_reader_loses_nothing(tmp_path: Path, detector_folder: Path) -> None:
    root, seen = pictures(tmp_path, 6), 0
    for event in scanning(root, detector_folder, workers=1, limits=Limits(seconds_a_file=1.5)):
        if isinstance(event, Scanned):
            seen += "error" not in event.row
            if event.done in (2, 4):
                time.sleep(2)
    assert seen == 6
