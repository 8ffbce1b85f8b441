"""Stores for the tests of the Scan page: made of files that are there, or of thousands that are not."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

from pytestqt.qtbot import QtBot

from forensics_app.core.store import Entry, ScanStore
from forensics_app.gui.scan_page import ScanPage
from forensics_app.gui.window import Window
from tests.conftest import write_picture
from tests.core.stored import installed, row
from tests.gui.conftest import LIMIT_MS

LABELS = (("fake", 0.9), ("unsure", 0.5), ("real", 0.1))


def fill(path: Path, root: Path, count: int, *, seed: int = 1) -> None:
    """Make a store of files below `root` that are not there, in folders of 100; random rows."""
    rng = random.Random(seed)
    with ScanStore.open(path) as store:
        number = store.detector(installed())
        store.begin(number, os.fsencode(root))
        entries = [
            Entry(os.fsencode(root / f"{at // 100:04d}" / f"IMG_{at:06d}.jpg"), at, at, row(rng)) for at in range(count)
        ]
        for start in range(0, count, 2_000):
            store.put(number, entries[start : start + 2_000])


def fill_with_pictures(path: Path, root: Path, count: int) -> list[Path]:
    """Make a store of pictures that are there, called fake, unsure and real in turn with p of .9, .5 and .1."""
    files = [write_picture(root / "a" / f"{at:02d}.png", 64, 48, seed=at) for at in range(count)]
    with ScanStore.open(path) as store:
        number = store.detector(installed())
        store.begin(number, os.fsencode(root))
        for at, file in enumerate(files):
            label, p = LABELS[at % 3]
            verdict = {"label": label, "p_fake": p, "reason": f"Because of {at}."}
            told = {"sha256": f"{at:064x}", "format": "PNG", "width": 64, "height": 48, "verdict": verdict,
                    "evidence": [], "heatmap": None, "thumbnail": None}  # fmt: skip
            store.put(number, [Entry(os.fsencode(file), file.stat().st_size, at, told)])
    return files


def scan_page(window: Window) -> ScanPage:
    """Turn to the Scan page."""
    window.turn_to("scan")
    page = window.current
    assert isinstance(page, ScanPage)
    return page


def show(qtbot: QtBot, page: ScanPage, root: Path) -> None:
    """Show a scanned folder and wait until all its rows are arranged."""
    page.show_root(os.fsencode(root))
    settle(qtbot, page, lambda: page.results.found is not None)


def settle(qtbot: QtBot, page: ScanPage, also: Callable[[], bool] = lambda: True) -> None:
    """Wait until what was asked for is shown."""
    results = page.results

    def there() -> bool:
        answered = results.found is not None and results.found.view == results.view and also()
        return answered and len(results.model.ids) == results.model.rowCount() == results.found.total

    qtbot.waitUntil(there, timeout=LIMIT_MS)
    rows = range(min(3, results.model.rowCount()))
    qtbot.waitUntil(lambda: all(results.model.line(row) for row in rows), timeout=LIMIT_MS)
