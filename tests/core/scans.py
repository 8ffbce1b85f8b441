"""Scans for tests: run one and check what holds for every scan."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from forensics_app.core.scan import Event, Options, Scanned, Summary, scan
from forensics_app.core.store import ScanStore
from tests.conftest import write_picture

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files and signals")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and mounts of Linux")


@contextmanager
def new_store() -> Iterator[ScanStore]:
    with tempfile.TemporaryDirectory() as folder, ScanStore.open(Path(folder, "scan.db")) as store:
        yield store


def scanning(root: Path, detector: Path, store: ScanStore | None = None, **options: Any) -> Iterator[Event]:
    """Scan into a store, by default a new one; `selection` and `shard` are those of `scan`, others its options."""
    chosen = {name: options.pop(name) for name in ("selection", "shard") if name in options}
    with nullcontext(store) if store else new_store() as kept:
        yield from scan(root, detector, kept, options=Options(**options), **chosen)


def run(
    root: Path, detector: Path, store: ScanStore | None = None, **options: Any
) -> tuple[dict[str, Mapping[str, Any]], Summary]:
    """Scan and return the rows by their path below the root, and the summary."""
    *events, summary = scanning(root, detector, store, **options)
    assert isinstance(summary, Summary)
    rows = [event.row for event in events if isinstance(event, Scanned)]
    done = [event.done for event in events if isinstance(event, Scanned)]
    assert done == sorted(set(done)) and (summary.known or done == list(range(1, len(rows) + 1)))
    assert all(event.total >= event.done and event.rate >= 0 for event in events if isinstance(event, Scanned))
    assert summary.done == len(rows) + summary.known == sum(summary.counts.values())
    assert summary.failed == summary.counts["error"] >= sum("error" in row for row in rows)
    assert json.loads(json.dumps(rows)) == rows
    "".join(row["path"] for row in rows).encode()
    below = {row["path"].removeprefix(f"{root}{os.sep}"): row for row in rows}
    assert len(below) == len(rows)
    return below, summary


def kinds(rows: dict[str, Mapping[str, Any]]) -> dict[str, str]:
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


def no_workers() -> bool:
    return not multiprocessing.active_children()
