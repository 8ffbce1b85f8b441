"""Folders of pictures to scan, made from real ones, and scans by the real command that are watched from outside."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from judging import pictures  # noqa: E402
from PIL import Image  # noqa: E402 - the folder of the project first

FOLDER_OF = 1_000
SEEDS = 64
SAMPLE_SECONDS = 0.5
COMMAND = (sys.executable, "-m", "forensics_app", "scan")


def made(data: Path, folder: Path, count: int, size: tuple[int, int]) -> Path:
    """Fill a folder with so many JPEGs of `size`, no two of the same bytes."""
    rng, encoded = random.Random(0), list[bytes]()
    sources = [path for path in pictures(data / "cats") if path.suffix == ".jpg"][:SEEDS]
    for number, path in enumerate(sources):
        with Image.open(path) as image:
            target = folder.with_suffix(f".{number}.jpg")
            image.convert("RGB").resize(size).save(target, quality=rng.randrange(80, 96))
        encoded.append(target.read_bytes())
        target.unlink()
    for number in range(count):
        if number % FOLDER_OF == 0:
            (folder / f"{number // FOLDER_OF:04}").mkdir(parents=True)
        path = folder / f"{number // FOLDER_OF:04}" / f"{number:07}.jpg"
        path.write_bytes(encoded[number % len(encoded)] + number.to_bytes(8, "big"))
    return folder


@dataclass
class Watched:
    """A scan that was watched: seconds, and resident MB of the parent and of its largest worker as rows came in."""

    seconds: float = 0.0
    samples: list[tuple[int, float, float]] = field(default_factory=list)

    def parent_mb(self, rows: int) -> float:
        """Return the parent's memory when so many rows were there."""
        return next((parent for done, parent, _ in self.samples if done >= rows), self.samples[-1][1])

    @property
    def worker_mb(self) -> float:
        """The most that a worker had once rows came, which is after it has opened the detector."""
        return max((worker for rows, _, worker in self.samples if rows), default=0.0)


def scanned(folder: Path, store: Path, *arguments: str) -> Watched:
    """Scan a folder into a store and look at it twice a second."""
    words = (*COMMAND, str(folder), "--store", str(store), "--quiet", *arguments)
    begun, watched = time.monotonic(), Watched()
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            time.sleep(SAMPLE_SECONDS)
            rows = _rows(store)
            if parent := _resident_mb(process.pid):
                workers = [_resident_mb(child) for child in _children(process.pid)]
                watched.samples.append((rows, parent, max(workers, default=0.0)))
    watched.seconds = time.monotonic() - begun
    return watched


def _resident_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _rows(store: Path) -> int:
    if not store.exists():
        return 0
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as db:
        try:
            return int(db.execute("SELECT coalesce(max(id), 0) FROM rows").fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def judged_seconds(store: Path) -> list[float]:
    """Return when each row of a store was judged, in seconds since 1970, in order."""
    with sqlite3.connect(store) as db:
        return [row[0] / 1e9 for row in db.execute("SELECT judged FROM rows ORDER BY judged")]
