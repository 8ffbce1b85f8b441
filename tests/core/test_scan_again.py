"""A scan that is run again: what is known is not judged, and what was judged is not lost."""

from __future__ import annotations

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

from classifier.detector import open_folder
from forensics_app.core.scan import CannotScan, Scanned, Selection, Summary
from forensics_app.core.store import Query, ScanStore
from tests.conftest import ROOT, export_tiny, write_picture
from tests.core.scans import linux, no_workers, pictures, posix, run, scanning


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ScanStore]:
    with ScanStore.open(tmp_path / "scan.db") as opened:
        yield opened


def stored(store: ScanStore, detector: Path, **query: Any) -> dict[str, dict[str, Any]]:
    rows = store.rows(Query(store.detector(open_folder(detector)), **query))
    return {Path(row["path"]).name: {name: value for name, value in row.items() if name != "ms"} for row in rows}


def test_only_what_is_new_or_has_changed_is_judged(tmp_path: Path, detector_folder: Path, store: ScanStore) -> None:
    root = pictures(tmp_path / "in", 4)
    (root / "text.jpg").write_text("no picture")
    first, summary = run(root, detector_folder, store)
    assert (len(first), summary.known, summary.failed) == (5, 0, 1)
    assert run(root, detector_folder, store)[1].known == 5
    write_picture(root / "new.png", seed=40)
    write_picture(root / "000.png", seed=41)
    os.utime(root / "000.png", ns=(0, 12_345))
    rows, summary = run(root, detector_folder, store)
    assert set(rows) == {"new.png", "000.png"}
    assert (summary.done, summary.known, summary.failed) == (6, 4, 1)
    assert rows["000.png"]["sha256"] != first["000.png"]["sha256"]


def test_a_new_detector_judges_all(tmp_path: Path, detector_folder: Path, store: ScanStore) -> None:
    root = pictures(tmp_path / "in", 3)
    run(root, detector_folder, store)
    other = export_tiny(tmp_path / "other", seed=5)
    rows, summary = run(root, other, store)
    assert (len(rows), summary.known) == (3, 0)
    assert run(root, detector_folder, store)[1].known == 3
    assert stored(store, other).keys() == stored(store, detector_folder).keys()


def test_the_same_bytes_are_judged_once(tmp_path: Path, detector_folder: Path, store: ScanStore) -> None:
    first = write_picture(tmp_path / "in" / "0.png")
    for number in range(1, 40):
        shutil.copyfile(first, first.with_name(f"{number}.png"))
    out = tmp_path / "out"
    rows, _ = run(first.parent, detector_folder, store, workers=2, out=out)
    assert len(rows) == 40
    assert len({(row["ms"], row["thumbnail"]) for row in rows.values()}) == 1, "each judgement takes its own time"
    shutil.copyfile(first, first.with_name("later.png"))
    rows, summary = run(first.parent, detector_folder, store, out=out)
    assert (set(rows), summary.known) == ({"later.png"}, 40)
    assert rows["later.png"]["ms"] == stored_ms(store, detector_folder, first)


def stored_ms(store: ScanStore, detector: Path, path: Path) -> float:
    known = store.known(store.detector(open_folder(detector)), os.fsencode(path))
    assert known is not None
    return float(store.row(known.id)["ms"])


def test_files_that_went_are_told_and_left_out(tmp_path: Path, detector_folder: Path, store: ScanStore) -> None:
    root = pictures(tmp_path / "in", 3)
    write_picture(tmp_path / "elsewhere" / "a.png", seed=9)
    run(root, detector_folder, store)
    run(tmp_path / "elsewhere", detector_folder, store)
    (root / "001.png").unlink()
    _, summary = run(root, detector_folder, store, selection=Selection(include=("000*",)))
    assert (summary.known, summary.gone) == (1, 0), "what was not looked for has not gone"
    _, summary = run(root, detector_folder, store)
    assert (summary.known, summary.gone) == (2, 1)
    assert set(stored(store, detector_folder)) == {"000.png", "002.png", "a.png"}
    assert set(stored(store, detector_folder, include_gone=True)) == {"000.png", "001.png", "002.png", "a.png"}


def test_an_error_that_may_pass_is_tried_again(tmp_path: Path, detector_folder: Path, store: ScanStore) -> None:
    root = pictures(tmp_path / "in", 1)
    (root / "gone.png").symlink_to(tmp_path / "later.png")
    (root / "cut.png").write_bytes((root / "000.png").read_bytes()[:300])
    rows, _ = run(root, detector_folder, store)
    assert rows["gone.png"]["error"]["kind"] == "missing"
    write_picture(tmp_path / "later.png", seed=7)
    rows, summary = run(root, detector_folder, store)
    assert set(rows) == {"gone.png"} and "error" not in rows["gone.png"]
    assert (summary.known, summary.failed) == (2, 1)


def test_pictures_that_are_asked_for_later_are_made(tmp_path: Path, detector_folder: Path, store: ScanStore) -> None:
    root, out = pictures(tmp_path / "in", 3), tmp_path / "out"
    run(root, detector_folder, store)
    assert run(root, detector_folder, store)[1].known == 3
    rows, summary = run(root, detector_folder, store, out=out, heatmaps="all")
    assert (len(rows), summary.known) == (3, 0)
    assert all((out / row["heatmap"]).is_file() and (out / row["thumbnail"]).is_file() for row in rows.values())
    assert run(root, detector_folder, store, out=out, heatmaps="all")[1].known == 3


def test_closing_keeps_what_was_judged(tmp_path: Path, detector_folder: Path, store: ScanStore) -> None:
    root = pictures(tmp_path / "in", 60)
    events, told = scanning(root, detector_folder, store), []
    for event in events:
        told += [event.row["path"]] if isinstance(event, Scanned) else []
        if told:
            break
    events.close()  # type: ignore[attr-defined]
    kept = {row["path"] for row in store.rows(Query(store.detector(open_folder(detector_folder))))}
    assert set(told) <= kept
    rows, summary = run(root, detector_folder, store)
    assert summary.known == len(kept) and len(rows) == 60 - len(kept)


@posix
def test_a_folder_that_goes_away_ends_the_scan_clearly(tmp_path: Path, detector_folder: Path, store: ScanStore) -> None:
    root = pictures(tmp_path / "in", 300)
    gone, before = False, tmp_path / "aside"
    with pytest.raises(CannotScan, match=r"has gone, perhaps with its disk\..*again when it is back\.$"):
        for event in scanning(root, detector_folder, store, workers=1):
            if isinstance(event, Scanned) and not gone:
                root.rename(before)
                root.mkdir()  # as the empty place where a disk was mounted
                gone = True
    assert no_workers()
    assert all("error" not in row for row in stored(store, detector_folder).values())
    root.rmdir()
    before.rename(root)
    rows, summary = run(root, detector_folder, store)
    assert summary.failed == 0 and summary.known > 0 and summary.known + len(rows) == 300


@linux
def test_killed_again_and_again_it_says_what_an_uninterrupted_one_says(
    tmp_path: Path, detector_folder: Path, store: ScanStore
) -> None:
    root, database = pictures(tmp_path / "in", 150), tmp_path / "killed.db"
    (root / "text.jpg").write_text("no picture")
    run(root, detector_folder, store)
    script = (
        "import sys\nfrom pathlib import Path\nfrom forensics_app.core.store import ScanStore\n"
        "from tests.core.scans import *\n"
        "with ScanStore.open(Path(sys.argv[3])) as store:\n"
        "    for event in scanning(Path(sys.argv[1]), Path(sys.argv[2]), store):\n"
        "        if isinstance(event, Scanned): print(event.row['path'], flush=True)\n"
    )
    command = [sys.executable, "-c", script, str(root), str(detector_folder), str(database)]
    acknowledged = set[str]()
    for turn in range(6):
        child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert child.stdout is not None
        acknowledged.update([child.stdout.readline().strip()] if turn else [])
        time.sleep(0.05 * turn)
        os.killpg(child.pid, signal.SIGKILL)
        acknowledged.update(
            line.strip() for line in child.communicate()[0].splitlines(keepends=True) if line[-1] == "\n"
        )
        with ScanStore.open(database) as killed:
            kept = {row["path"] for row in killed.rows(Query(killed.detector(open_folder(detector_folder))))}
        assert acknowledged - {""} <= kept
    with ScanStore.open(database) as killed:
        _, summary = run(root, detector_folder, killed)
        assert isinstance(summary, Summary) and summary.known >= len(acknowledged - {""}) > 0
        assert stored(killed, detector_folder) == stored(store, detector_folder)


@linux
def test_shares_scanned_side_by_side_join_to_the_whole(tmp_path: Path, detector_folder: Path, store: ScanStore) -> None:
    root = pictures(tmp_path / "in", 30)
    for number in range(6):
        write_picture(root / f"{number}" / "a.png", seed=100 + number)
    run(root, detector_folder, store)
    script = (
        "import sys\nfrom pathlib import Path\nfrom forensics_app.core.store import ScanStore\n"
        "from tests.core.scans import *\n"
        "with ScanStore.open(Path(sys.argv[3])) as store:\n"
        "    run(Path(sys.argv[1]), Path(sys.argv[2]), store, shard=(int(sys.argv[4]), 4), workers=1)\n"
    )
    shares = [tmp_path / f"share{number}.db" for number in range(4)]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(root), str(detector_folder), str(share), str(number)], cwd=ROOT
        )
        for number, share in enumerate(shares)
    ]
    assert [child.wait(120) for child in children] == [0] * 4
    with ScanStore.open(tmp_path / "all.db") as joined:
        for share in shares:
            list(joined.merge(share))
        assert len(list(joined.rows(Query(1)))) == 36
        with_folder = {row["path"]: row["verdict"] for row in joined.rows(Query(1))}
        assert with_folder == {row["path"]: row["verdict"] for row in store.rows(Query(1))}


def test_a_watched_folder_is_looked_at_again(tmp_path: Path, detector_folder: Path, store: ScanStore) -> None:
    root, names, until = pictures(tmp_path / "in", 2), set[str](), time.monotonic() + 60
    for path in root.iterdir():
        os.utime(path, (1, 1))
    events = scanning(root, detector_folder, store, watch=0.2)
    for event in events:
        assert time.monotonic() < until
        if isinstance(event, Scanned):
            names.add(Path(event.row["path"]).name)
        if names == {"000.png", "001.png"}:
            write_picture(root / "later.png", seed=5)
            os.utime(root / "later.png", (2, 2))
            write_picture(root / "growing.png", seed=6)  # its last change is now: it may not be whole
            os.utime(root / "growing.png", (time.time() + 100,) * 2)
        if "later.png" in names:
            break
    events.close()  # type: ignore[attr-defined]
    assert names == {"000.png", "001.png", "later.png"}
    assert no_workers()
