"""A folder, judged file by file in worker processes: hostile files cost themselves, never the scan.

What was judged is in the store before it is told, so that a scan which was stopped in any way goes on where it was:
run again, it judges only what is new or has changed. The same bytes are judged once, wherever they lie.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from classifier import devices
from classifier.detector import BadDetector, Installed, open_folder
from forensics_app.core.judging import HEATMAPS, THUMBNAILS, Heatmaps, Manner, prepare, unfinished
from forensics_app.core.requirement import require_judge
from forensics_app.core.scan_events import Event, Progress, Scanned, Summary
from forensics_app.core.scan_loop import CannotScan, Loop
from forensics_app.core.scan_rows import Pictures, Rows
from forensics_app.core.scan_source import Shard, Source
from forensics_app.core.store import ScanStore
from forensics_app.core.walk import Selection, is_archive
from forensics_app.core.words import shown
from forensics_app.core.workers import Ahead, CannotContinue, Limits, Workers

__all__ = ["CannotScan", "Event", "Limits", "Options", "Progress", "Scanned", "Selection", "Summary", "scan"]


LIMITS = Limits()


@dataclass(frozen=True)
class Options:
    """How a scan works, beside what it looks at; `watch` is the number of seconds between two looks at the folder."""

    out: Path | None = None
    workers: int = 0
    limits: Limits = LIMITS
    heatmaps: Heatmaps = "flagged"
    device: str = "cpu"
    scaled: bool = False
    watch: float | None = None


def scan(
    root: Path,
    detector: Path,
    store: ScanStore,
    *,
    shard: Shard = (0, 1),
    selection: Selection = Selection(archives=True),  # noqa: B008 - frozen
    options: Options = Options(),
    ahead: Ahead | None = None,
) -> Iterator[Event]:
    """Judge every picture of `root`, a folder or an archive, with the detector in the folder `detector`.

    Rows go to `store`, in no particular order. A file that is there with the same detector, size and time of change is
    known; others are judged, and tried again if they failed for a reason that may pass. Below `options.out` (made if
    missing, never scanned) overlays and thumbnails are written, named by SHA-256; files that are there already are
    kept. `options.workers` 0 means one a core. A file that crashes or hangs its worker, or needs more than the limits,
    is a row with an error. `shard` (i, n) takes the i-th of n shares, each into a store of its own, which
    `ScanStore.merge` joins. `ahead` is a worker that was started before all this was known, to be ready sooner, with
    the limits of `options` and the imports of `forensics_app.core.judging.NEEDED`. Closing the generator stops the
    workers and keeps what was judged.
    Raises `CannotScan`, `forensics_app.core.analysis.CannotJudge`, `classifier.detector.BadDetector` and `BadStore`.
    """
    installed = _check(root, detector, options)
    path = os.path.abspath(root)  # noqa: PTH100 - resolves no links
    source = Source(path, _without_own(selection, root, options.out), shard)
    number = store.detector(known_as(installed, options))
    manner = Manner(
        os.fspath(detector), None if options.out is None else os.fspath(options.out), options.heatmaps,
        options.device, options.scaled,
    )  # fmt: skip
    pictures = Pictures(options.out, options.heatmaps, installed)
    crew = Workers(prepare, manner, limits=options.limits, ahead=ahead)
    try:
        with crew:
            most = options.workers if options.workers > 0 else _cores()
            yield from Loop(source, Rows(store, number, pictures), crew, most, options.watch).run()
    except CannotContinue as error:
        raise (BadDetector if error.kind == "BadDetector" else CannotScan)(str(error)) from None
    finally:
        for pid in crew.pids:
            if options.out is not None:
                unfinished(options.out, pid).unlink(missing_ok=True)


def known_as(installed: Installed, options: Options) -> Installed:
    """Return the detector under which rows are kept.

    A device that computes otherwise may give other answers, and so may pictures that were decoded smaller.
    """
    device = devices.named(options.device).name
    ways = [way for way, taken in ((device, device != "cpu"), ("scaled", options.scaled)) if taken]
    return replace(installed, id="-".join((installed.id, *ways)))


def _check(root: Path, detector: Path, options: Options) -> Installed:
    """Refuse once, before any worker starts, what would fail for every file."""
    installed = open_folder(detector)
    require_judge(installed.card)
    if not root.is_dir() and not (root.is_file() and is_archive(root.name)):
        raise CannotScan(f"'{shown(str(root))}' is not a folder that can be scanned, nor a zip or tar.")
    if options.scaled and installed.card.preprocess.kind == "tiles":
        raise CannotScan(
            f"The detector '{installed.card.name}' looks at pixels in native resolution: pictures cannot be decoded "
            "smaller for it. Leave --scaled out."
        )
    out = options.out
    for folder in (out / HEATMAPS, out / THUMBNAILS) if out else ():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotScan(f"The scan cannot write to '{shown(str(folder))}': {error.strerror}.") from None
    return installed


def _without_own(selection: Selection, root: Path, out: Path | None) -> Selection:
    """Leave out the scan's own pictures; a user's folder given as `out` is still scanned itself."""
    if out is None:
        return selection
    same = root.is_dir() and out.samefile(root)
    own = tuple(os.fspath(out / name) for name in (HEATMAPS, THUMBNAILS)) if same else (os.fspath(out),)
    return replace(selection, skip=(*selection.skip, *own))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
