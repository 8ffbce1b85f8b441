"""Folder scans with real worker processes over real and hostile files."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from classifier.runtime import Detector
from forensics_app.core.analysis import analyze
from forensics_app.core.scan import Summary
from forensics_app.core.walk import path_fields
from tests.conftest import ROOT, write_picture
from tests.core.scans import kinds, linux, no_workers, pictures, posix, run, scanning


def png_header(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")


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
        "import json, sys\nfrom pathlib import Path\nfrom tests.core.scans import *\n"
        "for event in scanning(Path(sys.argv[1]), Path(sys.argv[2])):\n"
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


def test_an_empty_folder_is_a_summary_without_a_worker(tmp_path: Path, detector_folder: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    events = list(scanning(tmp_path, detector_folder))
    assert len(events) == 1
    assert isinstance(events[0], Summary)
    assert (events[0].done, events[0].failed) == (0, 0)
    assert events[0].counts == {"fake": 0, "real": 0, "unsure": 0, "error": 0}


@pytest.mark.parametrize(("files", "most"), [(1, 1), (7, 1), (60, 2)])
def test_few_files_start_few_workers(tmp_path: Path, detector_folder: Path, files: int, most: int) -> None:
    root, seen = pictures(tmp_path, files), 0
    for _ in scanning(root, detector_folder, workers=2):
        seen = max(seen, len(multiprocessing.active_children()))
    assert seen == most
    assert no_workers()
