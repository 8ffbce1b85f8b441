"""A folder, judged file by file in worker processes: hostile files cost themselves, never the scan."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from classifier.detector import BadDetector, open_folder
from forensics_app.core.analysis import error_json, require_judge
from forensics_app.core.judging import HEATMAPS, THUMBNAILS, Heatmaps, prepare, unfinished
from forensics_app.core.walk import Found, path_fields, walk
from forensics_app.core.words import shown
from forensics_app.core.workers import CannotContinue, Limits, Workers

__all__ = ["CannotScan", "Limits", "Progress", "Scanned", "Summary", "scan"]

EVENT_SECONDS = 0.4
WALK_SECONDS = 0.01
FILES_A_WORKER = 32
"""Below this many files a further worker takes longer to start than it saves."""


class CannotScan(Exception):
    """The whole scan cannot go on; `str()` is one sentence that says why."""


@dataclass(frozen=True)
class Scanned:
    """One file is done. `total` grows while folders are still being listed; `rate` is files a second so far.

    `row` is the public JSON form of an image (`forensics_app.core.analysis.to_json` or `error_json`) with `thumbnail`;
    that and `heatmap` are paths relative to `out`, or None. `path` begins with the scanned folder as it was given;
    `path_bytes` is there only for a name that is no UTF-8.
    """

    done: int
    total: int
    row: dict[str, Any]
    rate: float


@dataclass(frozen=True)
class Progress:
    """Nothing was finished for a moment; comes at least twice a second then."""

    done: int
    total: int
    rate: float


@dataclass(frozen=True)
class Summary:
    """The last event. `counts` has the keys fake, real, unsure and error; `failed` is the number of errors."""

    done: int
    failed: int
    counts: dict[str, int]
    seconds: float


Event = Scanned | Progress | Summary


@dataclass
class _Tally:
    begun: float = field(default_factory=time.monotonic)
    told: float = field(default_factory=time.monotonic)
    done: int = 0
    total: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("fake", "real", "unsure", "error"), 0))

    @property
    def rate(self) -> float:
        return self.done / max(time.monotonic() - self.begun, 1e-6)

    def scanned(self, row: dict[str, Any]) -> Scanned:
        self.done += 1
        self.counts["error" if "error" in row else row["verdict"]["label"]] += 1
        self.told = time.monotonic()
        return Scanned(self.done, self.total, row, self.rate)

    def progress(self) -> Iterator[Progress]:
        if time.monotonic() - self.told >= EVENT_SECONDS:
            self.told = time.monotonic()
            yield Progress(self.done, self.total, self.rate)

    def summary(self) -> Summary:
        return Summary(self.done, self.counts["error"], self.counts, time.monotonic() - self.begun)


def scan(
    root: Path,
    detector: Path,
    *,
    out: Path | None = None,
    workers: int = 0,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    heatmaps: Heatmaps = "flagged",
    every_file: bool = False,
) -> Iterator[Event]:
    """Judge every picture below `root` with the detector in the folder `detector`, in no particular order.

    Found is what `forensics_app.core.walk.find_files` says: every file that is not hidden and whose suffix does not
    name another kind of file; `every_file` leaves out nothing. `workers` 0 means one a core. Below `out` (made if
    missing, never scanned) the overlays (`heatmaps`: of what is not called real, of all, of none) and thumbnails are
    written, named by SHA-256; files that are there already are kept. A file that crashes or hangs its worker, or needs
    more than `limits`, is a row with an error. Closing the generator stops the workers.
    Raises `CannotScan`, `forensics_app.core.analysis.CannotJudge` and `classifier.detector.BadDetector`.
    """
    _check(root, detector, out)
    tally, own = _Tally(), _own_folders(root, out)
    listing = walk(os.fspath(root), every_file=every_file, skip=own)
    most = workers if workers > 0 else _cores()
    crew = Workers(prepare, os.fspath(detector), None if out is None else os.fspath(out), heatmaps, limits=limits)
    try:
        with crew:
            yield from _run(listing, crew, most, tally)
    except CannotContinue as error:
        raise (BadDetector if error.kind == "BadDetector" else CannotScan)(str(error)) from None
    finally:
        for pid in crew.pids:
            if out is not None:
                unfinished(out, pid).unlink(missing_ok=True)
    yield tally.summary()


def _run(listing: Iterator[Found | None], crew: Workers, most: int, tally: _Tally) -> Iterator[Scanned | Progress]:
    pending: deque[str] = deque()
    walking = True
    while walking or pending or crew.tasks:
        if walking:
            problems, walking = _walk(listing, pending, tally)
            for row in problems:
                yield tally.scanned(row)
        wanted = min(most, 1 + tally.total // FILES_A_WORKER, len(pending) + crew.tasks)
        while len(crew) < wanted:
            crew.start()
        for _ in range(min(crew.free, len(pending))):
            crew.give(pending.popleft())
        patience = 0.0 if walking or (not pending and not crew.tasks) else tally.told + EVENT_SECONDS - time.monotonic()
        for outcome in crew.wait(patience):
            yield tally.scanned(outcome.answer or _problem(outcome.task, outcome.problem or ("failed", "No answer.")))
        yield from tally.progress()


def _walk(listing: Iterator[Found | None], pending: deque[str], tally: _Tally) -> tuple[list[dict[str, Any]], bool]:
    """List files for a moment; returns the rows of folders that could not be listed, and whether there is more."""
    until = time.monotonic() + WALK_SECONDS
    problems = []
    for found in listing:
        tally.total += found is not None
        if found and found.problem:
            problems.append(_problem(found.path, found.problem))
        elif found:
            pending.append(found.path)
        if time.monotonic() > until:
            return problems, True
    return problems, False


def _problem(path: str, problem: tuple[str, str]) -> dict[str, Any]:
    fields = path_fields(path)
    return {**error_json(fields["path"], *problem), **fields, "thumbnail": None}


def _check(root: Path, detector: Path, out: Path | None) -> None:
    """Refuse once, before any worker starts, what would fail for every file."""
    require_judge(open_folder(detector).card)
    if not root.is_dir():
        raise CannotScan(f"'{shown(str(root))}' is not a folder that can be scanned.")
    for folder in (out / HEATMAPS, out / THUMBNAILS) if out else ():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotScan(f"The scan cannot write to '{shown(str(folder))}': {error.strerror}.") from None


def _own_folders(root: Path, out: Path | None) -> tuple[str, ...]:
    """Return the folders that hold the scan's own pictures; a user's folder given as `out` is still scanned itself."""
    if out is None:
        return ()
    same = out.samefile(root)
    return tuple(os.fspath(out / name) for name in (HEATMAPS, THUMBNAILS)) if same else (os.fspath(out),)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
