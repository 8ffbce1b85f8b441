"""How a scan holds out: many files, many kills, a million known ones, hostile ones in between.

    python benchmarks/endurance.py --data ../shared/data --files 100000 --kills 50

Prints the tables of docs/BENCHMARKS.md, section "Scanning for long". Every scan is the real command in a process of its
own. Pictures are made from real ones: cropped, resized and encoded anew, then each with bytes of its own at its end, so
that none is a copy. Needs Linux (/proc) and, for 100,000 files, 2 GB of disk.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from judging import machine  # noqa: E402 - the folder of the project first
from scan_corpus import COMMAND, FOLDER_OF, judged_seconds, made, scanned  # noqa: E402

from classifier.detector import find, open_folder  # noqa: E402
from forensics_app.core.scan_rows import problem_row  # noqa: E402
from forensics_app.core.store import Entry, Query, ScanStore  # noqa: E402


def endurance(data: Path, place: Path, files: int, detector: str) -> list[str]:
    """Return rows on memory and rate over many files."""
    folder, store = made(data, place / "many", files, (320, 240)), place / "many.db"
    watched = scanned(folder, store, "--detector", detector)
    times = judged_seconds(store)
    tenth = max(2, len(times) // 10)
    # The first rows come while workers start: the rate begins with the second hundredth.
    rates = [
        (len(part) - 1) / (part[-1] - part[0]) for part in (times[tenth // 10 : tenth + tenth // 10], times[-tenth:])
    ]
    small, large = watched.parent_mb(files // 10), watched.parent_mb(files)
    grown, faster = large / small - 1, rates[1] / rates[0] - 1
    return [
        f"| {files:,} files of 320 × 240, {len(times):,} rows, detector {detector} | {watched.seconds:.0f} s |",
        f"| the parent's memory after {files // 10:,} and {files:,} | {small:.0f}, {large:.0f} MB ({grown:+.1%}) |",
        f"| the most that a worker had | {watched.worker_mb:.0f} MB |",
        f"| rate over the first and the last tenth | {rates[0]:.0f}/s, {rates[1]:.0f}/s ({faster:+.1%}) |",
    ]


ALONE = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from forensics_app.core.judging import Manner, prepare
from forensics_app.core.worker import Task
from classifier.images import load
from classifier.preprocess import regions
job = prepare(Manner(sys.argv[2]))
paths = [Path(line) for line in Path(sys.argv[3]).read_text().splitlines()]
def one(path):
    found = load(path)
    job.detector.judge(found.pixels)
for path in paths[:8]:
    one(path)
begun = time.perf_counter()
for path in paths:
    one(path)
print(time.perf_counter() - begun)
"""


def efficiency(data: Path, place: Path, count: int, detector: str, rounds: int) -> list[str]:
    """Return rows on how much of the speed of decoding and judging alone a scan keeps, both on all cores."""
    folder = made(data, place / "some", count, (550, 365))
    cores, paths = len(os.sched_getaffinity(0)), sorted(folder.rglob("*.jpg"))
    shares, scans = list[float](), list[float]()
    for number in range(rounds):
        lists = []
        for core in range(cores):
            lists.append(place / f"list{core}")
            lists[-1].write_text("\n".join(map(str, paths[core::cores])))
        words = (sys.executable, "-c", ALONE, str(ROOT), os.fspath(find(detector)))
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        alone = [
            subprocess.Popen((*words, str(one)), stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT) for one in lists
        ]
        slowest = max(float(process.communicate()[0]) for process in alone)
        store = place / f"some{number}.db"
        scanned(folder, store, "--detector", detector)
        times = judged_seconds(store)
        lag = count // 4  # while the workers start, and what is told late, counts for neither
        rate = (len(times) - lag) / (times[-1] - times[lag])
        shares.append(count / slowest)
        scans.append(rate)
    ratios = [scan / alone for scan, alone in zip(scans, shares, strict=True)]
    return [
        f"| decoding and judging alone, {cores} processes, detector {detector} | {_spread(shares)} files/s |",
        f"| the scan, {cores} workers | {_spread(scans)} files/s |",
        f"| share that is kept | {_spread(ratios, 2)} |",
    ]


def _spread(values: list[float], digits: int = 1) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def killed(data: Path, place: Path, files: int, kills: int, detector: str) -> list[str]:
    """Return rows on a scan that was killed at random moments, against one that was not."""
    folder, rng = made(data, place / "killed", files, (160, 120)), random.Random(1)
    (folder / "text.jpg").write_text("no picture")
    whole = place / "whole.db"
    scanned(folder, whole, "--detector", detector)
    store, lost, done = place / "killed.db", 0, 0
    while done < kills:
        store.unlink(missing_ok=True) if done % 10 == 0 else None
        acknowledged, ended = _killed_once(folder, store, detector, rng.uniform(0.3, 2.5))
        lost += len(acknowledged - _paths(store))
        done += not ended
        if ended:
            store.unlink()
    scanned(folder, store, "--detector", detector)
    same = _verdicts(store) == _verdicts(whole)
    with sqlite3.connect(store) as db:
        integrity = db.execute("PRAGMA integrity_check").fetchone()[0]
    return [
        f"| kills by SIGKILL, {files:,} files, a fresh store after each ten | {kills} |",
        f"| rows that were told and lost | {lost} |",
        f"| rows at the end equal those of a scan that was not killed | {'yes' if same else 'NO'} |",
        f"| integrity_check | {integrity} |",
    ]


def _killed_once(folder: Path, store: Path, detector: str, after: float) -> tuple[set[bytes], bool]:
    """Scan, kill everything after so many seconds; returns the paths that were told, and whether it had ended."""
    words = (*COMMAND, str(folder), "--store", str(store), "--json", "--detector", detector)
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(words, cwd=ROOT, stdout=told, start_new_session=True)
        try:
            process.wait(after)
            ended = True
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            ended = False
        told.seek(0)
        lines = [json.loads(line) for line in told.read().split(b"\n")[:-1]]
    return {os.fsencode(line["row"]["path"]) for line in lines if line["event"] == "scanned"}, ended


def _paths(store: Path) -> set[bytes]:
    return set(_verdicts(store))


def _verdicts(store: Path) -> dict[bytes, tuple[object, ...]]:
    if not store.exists():
        return {}
    with ScanStore.open(store) as opened:
        if not (detectors := opened.detectors()):
            return {}
        number = detectors[0].number
        return {
            os.fsencode(row["path"]): (row.get("sha256"), str(row.get("verdict")), str(row.get("error")))
            for row in opened.rows(Query(number))
        }


def known(place: Path, files: int, detector: str) -> list[str]:
    """Return a row on how long it takes to find that so many files are known, all of them on the disk."""
    folder, store = place / "known", place / "known.db"
    with ScanStore.open(store) as opened:
        number = opened.detector(open_folder(find(detector)))
        for portion in _portions(folder, files):
            opened.put(number, portion)
    begun = time.monotonic()
    done = subprocess.run(
        (*COMMAND, str(folder), "--store", str(store), "--json", "--detector", detector),
        cwd=ROOT, stdout=subprocess.PIPE, check=False,
    )  # fmt: skip
    seconds = time.monotonic() - begun
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["known"] == files, summary
    return [f"| {files:,} known files, found to be known by a scan run again | {seconds:.1f} s |"]


def _portions(folder: Path, files: int) -> Iterator[list[Entry]]:
    for first in range(0, files, FOLDER_OF):
        inside = folder / f"{first // FOLDER_OF:05}"
        inside.mkdir(parents=True)
        entries = []
        for number in range(first, min(files, first + FOLDER_OF)):
            path = inside / f"{number:07}.jpg"
            path.touch()
            facts = path.stat()
            row = problem_row(str(path), ("empty", "The file is empty (0 bytes)."))
            entries.append(Entry(os.fsencode(path), facts.st_size, facts.st_mtime_ns, row))
        yield entries


def malformed(data: Path, place: Path, count: int, detector: str, rounds: int) -> list[str]:
    """Return rows on what hostile files in a scan cost, beside what they cost alone."""
    folder, hostile = made(data, place / "sound", count, (550, 365)), data / "malformed"
    mixed = place / "mixed"
    shutil.copytree(folder, mixed)
    shutil.copytree(hostile, mixed / "malformed")
    seconds: dict[str, list[float]] = {"sound": [], "malformed": [], "mixed": []}
    for number in range(rounds):
        for name, root in (("sound", folder), ("malformed", hostile), ("mixed", mixed)):
            seconds[name].append(scanned(root, place / f"{name}{number}.db", "--detector", detector).seconds)
    extra = [mixed - sound for mixed, sound in zip(seconds["mixed"], seconds["sound"], strict=True)]
    number = sum(1 for path in hostile.rglob("*") if path.is_file())
    return [
        f"| {count:,} sound files | {_spread(seconds['sound'])} s |",
        f"| {number} malformed ones alone, start included | {_spread(seconds['malformed'])} s |",
        f"| what they add to the sound ones | {_spread(extra)} s |",
    ]


def arguments() -> argparse.Namespace:
    """Return the command line."""
    shared = os.environ.get("FORENSICS_TEST_DATA", ROOT.parent / "shared" / "data")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(shared), help="a folder of pictures (default: %(default)s)")
    parser.add_argument("--detector", default="default", help="for the share of speed and the malformed files")
    parser.add_argument("--small", default="default", help="a small detector, for the many files and the kills")
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--known", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default="efficiency,malformed,kills,known,endurance", help="parts, by comma")
    return parser.parse_args()


def main() -> int:
    """Measure and print."""
    asked = arguments()
    if not (asked.data / "cats").is_dir():
        print(f"There is no folder cats in {asked.data}; give a folder of pictures with --data.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="forensics-endurance-") as temporary:
        place = Path(temporary)
        parts = {
            "efficiency": lambda: efficiency(asked.data, place, 300, asked.detector, asked.repeats),
            "malformed": lambda: malformed(asked.data, place, 400, asked.detector, asked.repeats),
            "kills": lambda: killed(asked.data, place, 400, asked.kills, asked.small),
            "known": lambda: known(place, asked.known, asked.small),
            "endurance": lambda: endurance(asked.data, place, asked.files, asked.small),
        }
        print(f"`benchmarks/endurance.py`, {datetime.datetime.now(datetime.timezone.utc).date()}, on {machine()}.\n")
        print("| what | measured |", "|---|---|", sep="\n", flush=True)
        for name in asked.only.split(","):
            print(*parts[name](), sep="\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
