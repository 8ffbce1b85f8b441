"""Folder scans with real worker processes over real and hostile files."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from classifier.detector import CARD, BadDetector, sha256_of
from classifier.runtime import Detector
from forensics_app.core.analysis import CannotJudge, analyze
from forensics_app.core.scan import CannotScan, Limits, Progress, Scanned, Summary, scan
from forensics_app.core.walk import find_files, path_fields
from tests.conftest import ROOT, export_tiny, write_picture

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files and signals")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and mounts of Linux")


def run(root: Path, detector: Path, **options: Any) -> tuple[dict[str, dict[str, Any]], Summary]:
    """Scan and return the rows by their path below the root, and the summary."""
    *events, summary = scan(root, detector, **options)
    assert isinstance(summary, Summary)
    rows = [event.row for event in events if isinstance(event, Scanned)]
    assert [event.done for event in events if isinstance(event, Scanned)] == list(range(1, len(rows) + 1))
    assert all(event.total >= event.done and event.rate >= 0 for event in events if isinstance(event, Scanned))
    assert summary.done == len(rows) == sum(summary.counts.values())
    assert summary.failed == summary.counts["error"] == sum("error" in row for row in rows)
    assert json.loads(json.dumps(rows)) == rows
    "".join(row["path"] for row in rows).encode()
    below = {row["path"].removeprefix(f"{root}{os.sep}"): row for row in rows}
    assert len(below) == len(rows)
    return below, summary


def kinds(rows: dict[str, dict[str, Any]]) -> dict[str, str]:
    for row in rows.values():
        if "error" in row:
            message = row["error"]["message"]
            assert re.fullmatch(r"[^\n]{10,240}\.", message) and "Traceback" not in message
            assert row["thumbnail"] is None
    return {name: row["error"]["kind"] if "error" in row else "judged" for name, row in rows.items()}


def pictures(folder: Path, count: int) -> Path:
    for index in range(count):
        write_picture(folder / f"{index:03}.png", seed=index)
    return folder


def png_header(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")


def no_workers() -> bool:
    return not multiprocessing.active_children()


def test_rows_say_what_an_analysis_says(tmp_path: Path, detector_folder: Path) -> None:
    root = pictures(tmp_path / "in", 3)
    write_picture(root / "deep" / "er" / "a.jpg", 400, 300, seed=9)
    rows, summary = run(root, detector_folder, out=tmp_path / "out", heatmaps="all")
    assert summary.failed == 0
    assert set(rows) == {"000.png", "001.png", "002.png", str(Path("deep", "er", "a.jpg"))}
    detector = Detector(detector_folder)
    for name, row in rows.items():
        direct = analyze(root / name, detector)
        assert row["verdict"]["p_fake"] == pytest.approx(direct.verdict.p_fake, abs=1e-5)
        assert row["verdict"]["label"] == direct.verdict.label
        assert (row["sha256"], row["width"], row["height"]) == (
            direct.file.sha256,
            direct.file.width,
            direct.file.height,
        )
        assert row["detector"] == {"name": detector.name, "id": detector.id}
        assert [one["probe"] for one in row["evidence"]] == [one.probe for one in direct.evidence]
        assert set(row) == {
            "path", "sha256", "format", "width", "height", "verdict", "evidence", "detector", "heatmap", "ms",
            "thumbnail",
        }  # fmt: skip


def test_overlays_and_thumbnails_are_pictures_below_out(tmp_path: Path, detector_folder: Path) -> None:
    root = tmp_path / "in"
    write_picture(root / "a.jpg", 400, 300)
    (row,) = run(root, detector_folder, out=tmp_path / "out", heatmaps="all")[0].values()
    with (
        Image.open(tmp_path / "out" / row["heatmap"]) as overlay,
        Image.open(tmp_path / "out" / row["thumbnail"]) as small,
    ):
        assert overlay.size == (400, 300)
        assert small.size == (160, 120)
    written = {
        path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()
    }
    assert written == {row["heatmap"], row["thumbnail"]}
    assert row["sha256"] in row["heatmap"] and row["sha256"] in row["thumbnail"]


def test_heat_maps_of_what_is_flagged_or_of_none(tmp_path: Path, detector_folder: Path) -> None:
    root = pictures(tmp_path / "in", 6)
    for choice in ("flagged", "none"):
        rows, _ = run(root, detector_folder, out=tmp_path / choice, heatmaps=choice)
        for row in rows.values():
            assert (row["heatmap"] is not None) == (choice == "flagged" and row["verdict"]["label"] != "real")
            assert row["thumbnail"] is not None
    rows, _ = run(root, detector_folder, heatmaps="all")
    assert all(row["heatmap"] is None and row["thumbnail"] is None for row in rows.values())


def test_what_is_there_already_is_kept(tmp_path: Path, detector_folder: Path) -> None:
    root, out = pictures(tmp_path / "in", 2), tmp_path / "out"
    first, _ = run(root, detector_folder, out=out, heatmaps="all")
    mine = out / first["000.png"]["thumbnail"]
    mine.write_bytes(b"mine")
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    again, _ = run(root, detector_folder, out=out, heatmaps="all")
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}.items() <= before.items()
    assert mine.read_bytes() == b"mine"
    assert again["001.png"]["heatmap"] == first["001.png"]["heatmap"]


@pytest.mark.parametrize("where", ["results", "."])
def test_the_scans_own_pictures_are_not_scanned(tmp_path: Path, detector_folder: Path, where: str) -> None:
    pictures(tmp_path, 2)
    for _ in range(2):
        rows, _ = run(tmp_path, detector_folder, out=tmp_path / where, heatmaps="all")
        assert set(rows) == {"000.png", "001.png"}


@posix
def test_hostile_files_are_rows_and_the_scan_goes_on(tmp_path: Path, detector_folder: Path) -> None:
    root = pictures(tmp_path / "in", 2)
    os.mkfifo(root / "fifo.jpg")
    (root / "folder.jpg").mkdir()
    write_picture(root / "folder.jpg" / "inside.png", seed=5)
    (root / "loop.png").symlink_to("loop.png")
    (root / "dangling.png").symlink_to("nowhere.png")
    (root / "link.png").symlink_to("000.png")
    (root / "empty.jpg").touch()
    (root / "text.jpg").write_text("This is no picture.")
    (root / "cut.png").write_bytes((root / "000.png").read_bytes()[:900])
    write_picture(root / "one.png", 1, 1)
    (root / "huge.png").write_bytes(png_header(30_000, 30_000))
    frame = b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 65_500, 65_500) + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    (root / "huge.jpg").write_bytes(b"\xff\xd8" + frame + b"\xff\xd9")
    write_picture(root / '"><script>alert(1)<' / "&'.png", seed=6)
    (root / "null.gif").symlink_to(os.devnull)
    rows, summary = run(root, detector_folder, out=tmp_path / "out")
    assert kinds(rows) == {
        "000.png": "judged", "001.png": "judged", "link.png": "judged", "folder.jpg/inside.png": "judged",
        "\"><script>alert(1)</&'.png": "judged", "fifo.jpg": "not_regular", "folder.jpg": "not_regular",
        "null.gif": "not_regular", "loop.png": "missing", "dangling.png": "missing", "empty.jpg": "empty",
        "text.jpg": "unknown_format", "cut.png": "damaged", "one.png": "too_small", "huge.png": "too_many_pixels",
        "huge.jpg": rows["huge.jpg"]["error"]["kind"],
    }  # fmt: skip
    assert rows["huge.jpg"]["error"]["kind"] in ("too_many_pixels", "damaged")
    assert summary.failed == 11


@linux
def test_a_name_that_is_no_utf8(tmp_path: Path, detector_folder: Path) -> None:
    root = tmp_path / "in"
    strange = write_picture(root / "a.png").rename(root / os.fsdecode(b"caf\xe9 \xff.png"))
    rows, _ = run(root, detector_folder, out=tmp_path / "out")
    assert set(rows) == {r"caf\xe9 \xff.png"}
    (row,) = rows.values()
    assert "error" not in row
    assert bytes.fromhex(row["path_bytes"]) == os.fsencode(strange)
    (root / "empty\udcfe.png").touch()
    rows, _ = run(root, detector_folder)
    assert bytes.fromhex(rows[r"empty\xfe.png"]["path_bytes"]).endswith(b"empty\xfe.png")
    assert path_fields("plain/é.png") == {"path": "plain/é.png"}


@linux
def test_what_may_not_be_read_is_a_row(tmp_path: Path, detector_folder: Path) -> None:
    """Root may read everything, so this scan runs without that power."""
    root = pictures(tmp_path / "in", 2)
    write_picture(root / "locked" / "a.png")
    script = (
        "import json, sys\nfrom pathlib import Path\nfrom forensics_app.core.scan import *\n"
        "for event in scan(Path(sys.argv[1]), Path(sys.argv[2])):\n"
        "    if isinstance(event, Scanned): print(json.dumps(event.row), flush=True)\n"
    )
    (root / "000.png").chmod(0)
    (root / "locked").chmod(0)
    powerless = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    if powerless and not shutil.which("setpriv"):
        pytest.skip("needs setpriv to give up the powers of root")
    command = [*powerless, sys.executable, "-c", script, str(root), str(detector_folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    (root / "locked").chmod(0o755)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    found = {Path(row["path"]).name: row.get("error", {}).get("kind") for row in rows}
    assert found == {"000.png": "no_permission", "001.png": None, "locked": "no_permission"}, done.stderr


def test_which_files_are_found(tmp_path: Path) -> None:
    judged = ["a.JPG", "b.webp", "c", "d.unknown", "e.bin", "f.tga", "g.heic", "h.svg", "sub/i.png"]
    other = ["j.txt", "k.mp4", "l.pdf", "m.zip", "n.json", "o.xmp", ".hidden.png", ".hidden/p.png", "Thumbs.db"]
    for name in judged + other:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    below = {os.path.relpath(found.path, tmp_path) for found in find_files(str(tmp_path))}
    assert below == {os.path.normpath(name) for name in judged}
    every = {os.path.relpath(found.path, tmp_path) for found in find_files(str(tmp_path), every_file=True)}
    assert every == {os.path.normpath(name) for name in judged + other}


@posix
def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "in"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "a.png").write_bytes(b"x")
    (root / "sub" / "up").symlink_to(root, target_is_directory=True)
    (root / "sub" / "up.png").symlink_to(root, target_is_directory=True)
    os.mkfifo(root / "pipe")
    assert [os.path.relpath(found.path, root) for found in find_files(str(root))] == ["sub/a.png", "sub/up.png"]


def test_an_empty_folder_is_a_summary_without_a_worker(tmp_path: Path, detector_folder: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    events = list(scan(tmp_path, detector_folder))
    assert len(events) == 1
    assert isinstance(events[0], Summary)
    assert (events[0].done, events[0].failed) == (0, 0)
    assert events[0].counts == {"fake": 0, "real": 0, "unsure": 0, "error": 0}


@pytest.mark.parametrize(("files", "most"), [(1, 1), (7, 1), (60, 2)])
def test_few_files_start_few_workers(tmp_path: Path, detector_folder: Path, files: int, most: int) -> None:
    root, seen = pictures(tmp_path, files), 0
    for _ in scan(root, detector_folder, workers=2):
        seen = max(seen, len(multiprocessing.active_children()))
    assert seen == most
    assert no_workers()


def victims(detector: Path, root: Path, stop: int, **options: Any) -> Iterator[Scanned | Progress | Summary]:
    """Scan with one worker, and send the first one the signal `stop` after the fifth file."""
    for event in scan(root, detector, workers=1, **options):
        if isinstance(event, Scanned) and event.done == 5:
            (child,) = multiprocessing.active_children()
            os.kill(child.pid or 0, stop)
        yield event


@posix
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_worker_that_dies_costs_at_most_one_file(tmp_path: Path, detector_folder: Path, number: int) -> None:
    root = pictures(tmp_path, 20)
    rows = [event.row for event in victims(detector_folder, root, number) if isinstance(event, Scanned)]
    assert len({row["path"] for row in rows}) == len(rows) == 20
    failed = [row["error"]["kind"] for row in rows if "error" in row]
    assert failed in ([], ["crashed"])


@posix
def test_a_worker_that_hangs_costs_one_file_and_the_wait_is_told(tmp_path: Path, detector_folder: Path) -> None:
    root, last, gaps, rows = pictures(tmp_path, 12), time.monotonic(), [], []
    for event in victims(detector_folder, root, signal.SIGSTOP, limits=Limits(seconds_a_file=2)):
        gaps.append(time.monotonic() - last)
        last = time.monotonic()
        rows.append(event)
    found = [event.row for event in rows if isinstance(event, Scanned)]
    assert len(found) == 12
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
        next(scan(root, bad))
    shutil.copytree(detector_folder, bad)
    (bad / "model.onnx").write_bytes(b"changed")
    with pytest.raises(BadDetector, match="SHA-256"):
        next(scan(root, bad, out=tmp_path / "out"))
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
        list(scan(root, bad))
    assert no_workers()


def test_a_detector_of_other_things_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotJudge, match="not fake from real"):
        next(scan(tmp_path, export_tiny(tmp_path / "pets", classes=("cat", "dog"))))


def test_a_root_that_is_no_folder_is_refused(tmp_path: Path, detector_folder: Path) -> None:
    for root in (tmp_path / "missing", write_picture(tmp_path / "a.png")):
        with pytest.raises(CannotScan, match="not a folder"):
            next(scan(root, detector_folder))


def test_an_out_that_cannot_be_made_is_refused(tmp_path: Path, detector_folder: Path) -> None:
    root = pictures(tmp_path / "in", 1)
    with pytest.raises(CannotScan, match="cannot write"):
        next(scan(root, detector_folder, out=root / "000.png" / "out"))


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
        rows = []
        with pytest.raises(CannotScan, match="No space left"):
            rows.extend(event for event in scan(root, detector_folder, out=out, heatmaps="all"))
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
    events = scan(root, detector_folder, out=out, workers=2, heatmaps="all")
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
        "import multiprocessing, sys\nfrom pathlib import Path\nfrom forensics_app.core.scan import *\n"
        "try:\n"
        "    for event in scan(Path(sys.argv[1]), Path(sys.argv[2]), workers=2):\n"
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
    for event in scan(root, detector_folder, workers=1, limits=Limits(seconds_a_file=1.5)):
        if isinstance(event, Scanned):
            seen += "error" not in event.row
            if event.done in (2, 4):
                time.sleep(2)
    assert seen == 6
