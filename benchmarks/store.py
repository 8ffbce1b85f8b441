"""How fast a store of a million rows answers: prints a block for docs/BENCHMARKS.md.

The rows are made up: 2,000 folders, five formats, evidence on one in seven, errors on one in fifty, p as an uncertain
detector spreads it. A page is 200 rows as JSON. Where a line is of several orders it is the slowest of them: by path,
p, size and time, in both directions, at the beginning and from the middle. The file is in the disk's cache.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice, product
from pathlib import Path
from typing import Any

from classifier.detector import Band, Card, Installed
from forensics_app.core.store import Entry, Key, Query, ScanStore
from forensics_app.core.store_query import Sort

FOLDERS, SMALL, LARGE = 2_000, 256, 20_000
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "HEIF")
SORTS: tuple[Sort, ...] = ("path", "p_fake", "size", "judged")
NOTHING = "The metadata says nothing about how the picture was made."
HUNDRED = "in 100 pictures that look like this to the detector were generated"
REASONS = {
    "fake": f"{{}} {HUNDRED}.",
    "unsure": f"{{}} {HUNDRED}: too close to call. Between 0.24 and 0.70 the detector errs too often.",
    "real": f"{{}} {HUNDRED}. Looked at: the pixels and the metadata. That is no proof that a camera made it.",
}
FILTERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("no filter", {}),
    ("verdict fake", {"labels": frozenset({"fake"})}),
    ("errors", {"labels": frozenset({"error"})}),
    ("timeouts", {"error_kinds": frozenset({"timeout"})}),
    ("the rarest format", {"formats": frozenset({"HEIF"})}),
    ("with evidence", {"with_evidence": True}),
    ("p from .03 to .97", {"p_low": 0.03, "p_high": 0.97}),
    ("p from .42 to .43", {"p_low": 0.42, "p_high": 0.43}),
    ("fake or unsure PNGs with evidence, p from .5", {
        "labels": frozenset({"fake", "unsure"}), "formats": frozenset({"PNG"}), "with_evidence": True, "p_low": 0.5,
    }),
    ("below the folder of half", {"under": b"/data/a"}),
    ("below one folder of 20", {"under": b"/data/b/1050"}),
    ("fakes of one folder", {"under": b"/data/b/1060/07", "labels": frozenset({"fake"})}),
    ("a name in one file of 1,000", {"text": "0999"}),
    ("a name in one file", {"text": "0099123"}),
)  # fmt: skip


@dataclass(frozen=True)
class Times:
    """Repeated measurements in milliseconds."""

    values: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The median."""
        return statistics.median(self.values)

    def __str__(self) -> str:
        digits = 1 if self.middle < 100 else 0
        return f"{self.middle:.{digits}f} ({min(self.values):.{digits}f}-{max(self.values):.{digits}f})"


def timed(work: Callable[[], object], repeats: int, clock: Callable[[], float] = time.perf_counter) -> Times:
    """Return the times of some work, after one time that is not counted."""
    work()
    values = []
    for _ in range(repeats):
        begun = clock()
        work()
        values.append((clock() - begun) * 1000)
    return Times(tuple(values))


def entries(rows: int) -> Iterator[Entry]:
    """Yield made-up files, folder by folder."""
    rng = random.Random(1)
    for index in range(rows):
        number = index * FOLDERS // rows
        half = b"a" if number < FOLDERS // 2 else b"b"
        folder = b"/data/%b/%04d/%02d" % (half, 1000 + number // 20, number % 20)
        path = b"%b/IMG_%07d.jpg" % (folder, index)
        yield Entry(path, rng.randrange(10**4, 10**7), 1_700_000_000 * 10**9 + rng.randrange(10**15), row(rng))


def row(rng: random.Random) -> dict[str, Any]:
    """Return the public JSON form of a made-up picture."""
    if rng.random() < 0.02:
        kind = rng.choice(("damaged", "too_large", "timeout", "missing"))
        message = "The file is damaged: it ends too early."
        return {"path": "", "error": {"kind": kind, "message": message}, "thumbnail": None}
    p, sha256 = rng.betavariate(0.4, 0.8), f"{rng.getrandbits(256):064x}"
    label = "fake" if p >= 0.7 else "real" if p <= 0.24 else "unsure"
    return {
        "path": "", "sha256": sha256, "format": rng.choices(FORMATS, (80, 12, 5, 2, 1))[0],
        "width": rng.choice((640, 1024, 4000)), "height": 480,
        "verdict": {"label": label, "p_fake": p, "reason": REASONS[label].format(round(100 * p))},
        "evidence": [evidence(rng)], "heatmap": f"heatmaps/{sha256}-c983d1cff4b352dd.jpg" if label != "real" else None,
        "ms": round(30 * rng.random(), 1), "thumbnail": f"thumbnails/{sha256}.jpg",
    }  # fmt: skip


def evidence(rng: random.Random) -> dict[str, Any]:
    """Return what the metadata of a made-up picture says."""
    base = {"probe": "metadata", "finding": "nothing", "strength": "hint", "summary": NOTHING, "details": {}}
    if rng.random() > 0.15:
        return base
    make, model = rng.choice(("Canon", "Nikon", "Apple")), f"X{rng.randrange(40)}"
    summary = f"The metadata names a camera ({make} {model}). Anyone can write that."
    return base | {"finding": "camera", "summary": summary, "details": {"Make": make, "Model": model}}


def fill(path: Path, rows: int) -> tuple[float, float]:
    """Write the rows; returns rows a second in transactions of 256 (the last 50,000) and of 20,000."""
    card = Card(name="default", arch="resnet18", classes=("fake", "real"), band=Band(low=0.24, high=0.7, n=1))
    left, rates = entries(rows), []
    with ScanStore.open(path) as store:
        detector = store.detector(Installed(Path(), card, "c983d1cff4b352dd"))
        for size, count in ((LARGE, max(rows - 50_000, 0)), (SMALL, min(rows, 50_000))):
            seconds, some = 0.0, islice(left, count)
            while chunk := list(islice(some, size)):
                begun = time.perf_counter()
                store.put(detector, chunk)
                seconds += time.perf_counter() - begun
            rates.append(count / max(seconds, 1e-9))
    return rates[1], rates[0]


def middle_of(store: ScanStore, query: Query) -> Key:
    """Return a key in the middle of the table in the order of a query."""
    stored = store.stored(store.last_id() // 2)
    folder, name = os.path.split(os.fsencode(stored.row["path"]))
    value = {"p_fake": 0.5, "size": 5 * 10**6, "judged": stored.judged_ns, "path": 0}[query.sort]
    return Key((folder, name)) if query.sort == "path" else Key((0, value, 0))


def pages(store: ScanStore, found: dict[str, Any], repeats: int) -> tuple[Times, Times]:
    """Return the slowest page of a filter over all orders, at the beginning and from the middle: on two clocks."""
    slowest = []
    for clock in (time.perf_counter, time.process_time):
        times = []
        for sort, down in product(SORTS, (False, True)):
            query = Query(1, sort=sort, descending=down, **found)
            for after in (None, middle_of(store, query)):
                times.append(timed(partial(store.page, query, after=after), repeats, clock))
        slowest.append(max(times, key=lambda one: one.middle))
    return slowest[0], slowest[1]


def known(store: ScanStore, rows: int) -> float:
    """Return the seconds that the decision to judge again takes for every file."""
    paths = [entry.path for entry in entries(rows)]
    begun = time.perf_counter()
    assert all(store.known(1, path) is not None for path in paths)
    return time.perf_counter() - begun


def report(path: Path, rows: int, repeats: int) -> None:
    """Print the block."""
    rates = None if path.exists() else fill(path, rows)
    print(f"`benchmarks/store.py`, {datetime.datetime.now().date()}, {rows:,} rows, {machine()}.")
    print(f"Milliseconds, median of {repeats} (least-most); a page has 200 rows.\n")
    print("| what | rows | count | histogram | slowest page | the same, processor |\n|---|---|---|---|---|---|")
    with ScanStore.open(path, readonly=True) as store:
        for name, found in FILTERS:
            query = Query(1, **found)
            count, histogram = (timed(lambda ask=ask, query=query: ask(query), repeats)  # type: ignore[misc]
                                for ask in (store.count, store.histogram))  # fmt: skip
            page, busy = pages(store, found, repeats)
            print(f"| {name} | {store.count(query):,} | {count} | {histogram} | {page} | {busy} |", flush=True)
        opened = timed(lambda: ScanStore.open(path, readonly=True).close(), repeats)
        folders = timed(lambda: store.folders(Query(1)), repeats)
        seconds = [known(store, rows) for _ in range(repeats)]
    print("\n| what | measured |\n|---|---|")
    print(f"| open to read, ms | {opened} |")
    print(f"| a summary of each of {FOLDERS:,} folders, ms | {folders} |")
    print(f"| whether to judge again, {rows:,} files, s | {Times(tuple(seconds))} |")
    print(f"| bytes a row | {path.stat().st_size / rows:.0f} |")
    if rates is not None:
        print(f"| rows a second, in transactions of {SMALL} and of {LARGE:,} | {rates[0]:,.0f} and {rates[1]:,.0f} |")


def machine() -> str:
    """Return what this runs on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores, {platform.system()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"


def main() -> None:
    """Measure a store in a temporary folder."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="Keep the store there, or measure the one kept.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report(asked.keep or Path(folder) / "scan.db", asked.rows, asked.repeats)


if __name__ == "__main__":
    main()
