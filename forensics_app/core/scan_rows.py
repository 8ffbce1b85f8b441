"""A scan's rows: which files are known, what was judged but not yet written, and what is still there."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from classifier.detector import Installed
from forensics_app.core.judging import Heatmaps, heatmap_name, thumbnail_name
from forensics_app.core.requirement import error_json
from forensics_app.core.scan_source import Todo
from forensics_app.core.store import Entry, Known, ScanStore
from forensics_app.core.walk import path_fields

ROWS_AT_ONCE = 256
TRANSIENT = frozenset(("missing", "no_permission", "unreadable", "crashed", "timeout", "memory", "failed", "left_out"))
"""Errors that may be over the next time: these files are tried again."""
OF_A_DISK = frozenset(("missing", "unreadable", "no_permission", "not_regular"))
"""What files seem to be when the disk that they are on has gone."""


@dataclass(frozen=True)
class Pictures:
    """Which pictures a scan makes beside its rows, and where; none without `out`."""

    out: Path | None
    heatmaps: Heatmaps
    detector: Installed

    def has(self, sha256: str, label: str) -> bool:
        """Return whether those of a row are there, as far as this scan is asked to make them."""
        if self.out is None:
            return True
        mapped = self.heatmaps == "all" or (self.heatmaps == "flagged" and label != "real")
        if mapped and self.detector.card.closed_form_cam:
            return (self.out / heatmap_name(sha256, self.detector.id)).exists() and self._small(sha256)
        return self._small(sha256)

    def _small(self, sha256: str) -> bool:
        return self.out is not None and (self.out / thumbnail_name(sha256)).exists()


@dataclass(eq=False)
class Rows:
    """The rows of one detector in a store, seen from a scan that writes them in portions."""

    store: ScanStore
    number: int
    pictures: Pictures
    since: float = 0.0
    _batch: list[Entry] = field(default_factory=list)
    _recent: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Rows of the batch by hash: what the store does not have yet."""
    _seen: bytearray = field(default_factory=bytearray)
    """A bit for each row that was in the store before and whose file is still there."""
    _last: int = 0

    def __len__(self) -> int:
        return len(self._batch)

    def begin(self) -> None:
        """Forget which files were seen: a new look at the folder begins."""
        self._seen, self._last = bytearray(), self.store.last_id()

    def known(self, todo: Todo) -> Known | None:
        """Return what the store has of a file that is there."""
        known = self.store.known(self.number, todo.stored)
        if known is not None:
            self._see(known.id)
        return known

    def is_current(self, known: Known, todo: Todo) -> bool:
        """Return whether a known file need not be judged again."""
        if (known.size, known.mtime_ns) != todo.facts or known.error in TRANSIENT:
            return False
        return known.sha256 is None or self.pictures.has(known.sha256, known.label)

    def of(self, sha256: str) -> dict[str, Any] | None:
        """Return the row that any file with these bytes has, if it has all that is asked for."""
        row = self._recent.get(sha256) or self.store.judged(self.number, sha256)
        return row if row is not None and self.pictures.has(sha256, row["verdict"]["label"]) else None

    def add(self, todo: Todo, row: dict[str, Any]) -> None:
        """Take a row into the next portion."""
        if not self._batch:
            self.since = time.monotonic()
        if "sha256" in row:
            self._recent[row["sha256"]] = row
        size, mtime_ns = todo.facts
        self._batch.append(Entry(todo.stored, size, mtime_ns, row))

    def keep(self, *, disk_gone: bool) -> list[Mapping[str, Any]]:
        """Write the portion and return its rows; errors that come from a disk that has gone are dropped.

        Raises `forensics_app.core.store.BadStore`, and then nothing of the portion is kept.
        """
        batch, self._batch = [one for one in self._batch if not (disk_gone and _of_a_disk(one.row))], []
        if batch:
            self.store.put(self.number, batch)
        self._recent.clear()
        return [one.row for one in batch]

    def finish(self, root: str, unseen: Set[bytes]) -> int:
        """Mark what was not seen at or below `root` as gone, except below `unseen`; returns how many."""
        return self.store.finish(self.number, os.fsencode(root), self._was_seen, unseen)

    def _see(self, row_id: int) -> None:
        place = row_id >> 3
        if place >= len(self._seen):
            self._seen.extend(bytes(max(place + 1 - len(self._seen), len(self._seen))))
        self._seen[place] |= 1 << (row_id & 7)

    def _was_seen(self, row_id: int) -> bool:
        place = row_id >> 3
        return row_id > self._last or (place < len(self._seen) and bool(self._seen[place] & 1 << (row_id & 7)))


def problem_row(path: str, problem: tuple[str, str]) -> dict[str, Any]:
    """Return the row of what could not be judged."""
    fields = path_fields(path)
    return {**error_json(fields["path"], *problem), **fields, "thumbnail": None}


def copied(row: dict[str, Any], path: str) -> dict[str, Any]:
    """Return a row as that of another file with the same bytes."""
    return {**{name: value for name, value in row.items() if name != "path_bytes"}, **path_fields(path)}


def _of_a_disk(row: Mapping[str, Any]) -> bool:
    return "error" in row and row["error"]["kind"] in OF_A_DISK
