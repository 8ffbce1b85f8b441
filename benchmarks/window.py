"""What the window promises: how soon it is there, how soon a drop is judged, that it never stalls and never grows.

    QT_QPA_PLATFORM=offscreen python benchmarks/window.py --write

Every figure but the starts is taken in one window with the bundled detector. A stall is a gap between two turns of the
event loop while a scan, a training or a generation runs as the window's own job. Close other programs first.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from judging import machine  # noqa: E402 - the folder of the project first
from PIL import Image  # noqa: E402
from scan_corpus import made  # noqa: E402
from sections import write  # noqa: E402

TICK_MS = 1
LARGE = (4000, 3000)


def spread(values: Sequence[float], unit: str = "ms") -> str:
    """Return the median with least and most."""
    return f"{statistics.median(values):.0f} {unit} ({min(values):.0f}-{max(values):.0f}, {len(values)} runs)"


def starts(repeats: int) -> list[str]:
    """Return rows on `forensics gui --self-test`, a process of its own each time."""
    seen = []
    for _ in range(repeats + 1):
        words = (sys.executable, "-m", "forensics_app", "gui", "--self-test")
        told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300).stdout
        seen.append(json.loads(told))
    seen = seen[1:]  # the first one reads the disk
    return [
        f"| the window is painted, from the start of the process | {spread([one['shown_ms'] for one in seen])} |",
        (
            f"| the first drop, detector still closed, until its map is painted | "
            f"{spread([one['judged_ms'] for one in seen])} |"
        ),
        f"| torch loaded | {'yes' if any(one['torch_loaded'] for one in seen) else 'no'} |",
        f"| memory of the process after it | {spread([one['rss_mb'] for one in seen], 'MB')} |",
    ]


class Loop:
    """The window, driven from outside as a person would, with a look at its event loop."""

    def __init__(self) -> None:
        from PySide6.QtCore import QTimer
        from PySide6.QtWidgets import QApplication

        from forensics_app.gui import app as entry
        from forensics_app.gui.window import Window

        self.app = QApplication(sys.argv[:1])
        entry.dress(self.app)
        self.window = Window()
        self.window.show()
        self._last, self.longest = time.perf_counter(), 0.0
        self._timer = QTimer(interval=TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.longest, self._last = max(self.longest, now - self._last), now

    def until(self, met: Callable[[], bool], seconds: float = 600) -> None:
        """Let the event loop run until something is so."""
        from PySide6.QtCore import QEventLoop, QTimer

        waiting, begun = QEventLoop(), time.perf_counter()

        def look() -> None:
            if met() or time.perf_counter() - begun > seconds:
                waiting.quit()

        timer = QTimer(interval=5)
        timer.timeout.connect(look)
        timer.start()
        waiting.exec()
        if not met():
            raise TimeoutError("the window did not get there")

    def watched(self, go: Callable[[], Any], words: str) -> tuple[float, Any]:
        """Let the event loop begin a job called so; return the loop's longest gap in ms until it ended, and the job."""
        from PySide6.QtCore import QTimer

        jobs = self.window.session.jobs
        before = set(jobs.jobs)

        def begun() -> list[Any]:
            return [job for job in jobs.jobs if job not in before and job.words.startswith(words)]

        self._last, self.longest = time.perf_counter(), 0.0
        QTimer.singleShot(0, go)
        self.until(lambda: bool(begun()) and begun()[-1].ended)
        return 1000 * self.longest, begun()[-1]

    def drop(self, paths: list[Path]) -> float:
        """Drop files; return the ms until all are judged and the first is shown."""
        from forensics_app.gui.self_test import drop

        desk = self.window.inspect.desk
        rows, begun = len(desk.pictures.rows), time.perf_counter()
        drop(self.window, paths)
        self.until(lambda: len(desk.pictures.rows) >= rows + len(paths) and not desk.running)
        return 1000 * (time.perf_counter() - begun)


def drops(loop: Loop, place: Path, data: Path, repeats: int) -> list[str]:
    """Return rows on warm drops of small and large pictures."""
    rows = []
    for name, size in (("0.2 megapixels", (550, 365)), ("12 megapixels", LARGE)):
        paths = sorted(made(data, place / name.replace(" ", ""), repeats + 1, size).rglob("*.jpg"))
        times = [loop.drop([path]) for path in paths]
        rows.append(f"| a drop of {name}, detector open, until all of it is shown | {spread(times[1:])} |")
    return rows


def memory(loop: Loop, place: Path, data: Path, many: int) -> list[str]:
    """Return a row on memory after a tenth of many drops and after all."""
    from forensics_app.gui.self_test import rss_mb

    paths = sorted(made(data, place / "many", many, (640, 480)).rglob("*.jpg"))
    tenth = many // 10
    for path in paths[:tenth]:
        loop.drop([path])
    early = rss_mb()
    for start in range(tenth, many, 50):
        loop.drop(paths[start : start + 50])
    late = rss_mb()
    return [(f"| memory after {tenth} and after {many:,} dropped pictures | {early:.0f}, {late:.0f} MB "
            f"({late / early - 1:+.1%}) |")]  # fmt: skip


def stalls(loop: Loop, place: Path, data: Path, repeats: int) -> list[str]:
    """Return rows on the longest gap of the event loop while a page follows its job, from the click that starts it."""
    rows = []
    numbers = itertools.count()
    made_ready: dict[str, tuple[str, Callable[[], Callable[[], Any]]]] = {
        "a scan of 400 files": ("Scan of", lambda: scan(loop, data, place / f"scanned{next(numbers)}")),
        "a training of two epochs": ("Training", lambda: train(loop, data / "hymenoptera_data")),
        "a generation of 8 pictures": ("Making", lambda: generate(loop, place / f"made{next(numbers)}")),
    }
    for name, (words, ready) in made_ready.items():
        gaps = []
        for _ in range(repeats + 1):
            gap, job = loop.watched(ready(), words)
            gaps.append(gap)
            if job.state != "finished":
                raise RuntimeError(f"{name}: {job.state}\n{job.log}")
        rows.append(f"| longest gap of the event loop during {name}, the page shown | {spread(gaps[1:])} |")
        rows.append(f"| the same for the first of its kind, which imports what draws | {gaps[0]:.0f} ms (1 run) |")
    return rows


def scan(loop: Loop, data: Path, folder: Path) -> Callable[[], Any]:
    """Return what scans pictures of a size of their own on its page: the same bytes would not be judged again."""
    loop.window.turn_to("scan")
    number = int(folder.name.removeprefix("scanned"))
    pictures = made(data, folder, 400, (320 + number, 240))
    return lambda: loop.window.turn_to("scan", pictures)


def put(loop: Loop, page: Any, name: str, value: str) -> None:
    """Fill in a page's field by the name that it has for a screen reader."""
    from PySide6.QtWidgets import QComboBox, QLineEdit, QSpinBox, QWidget

    fields = (QComboBox, QLineEdit, QSpinBox)

    def found() -> list[Any]:
        return [one for one in page.findChildren(QWidget) if one.accessibleName() == name and isinstance(one, fields)]

    loop.until(lambda: bool(found()), 20)  # a page makes some of its fields when they are first looked at
    (field, *_) = found()
    if isinstance(field, QComboBox):
        loop.until(lambda: field.findText(value) >= 0, 20)
        field.setCurrentText(value)
    elif isinstance(field, QSpinBox):
        field.setValue(int(value))
    else:
        field.setText(value)
        field.editingFinished.emit()


def train(loop: Loop, data: Path) -> Callable[[], Any]:
    """Return what starts a training on its page, on small pictures."""
    loop.window.turn_to("train")
    page: Any = loop.window.current
    put(loop, page, "Recipe", "ants-bees-finetune")
    put(loop, page, "Folder for runs", os.environ["FORENSICS_HOME"])
    for name, value in (("Weights", "none"), ("Size", "64"), ("Phase 1: epochs", "2"), ("Batch size", "16")):
        put(loop, page, name, value)
    page.open_with(data)
    loop.until(page.start.isEnabled)
    return page.start.click  # type: ignore[no-any-return]


def generate(loop: Loop, folder: Path) -> Callable[[], Any]:
    """Return what starts a generation on its page."""
    loop.window.turn_to("data")
    page: Any = loop.window.current
    for name, value in (("Pictures", "8"), ("Steps", "10"), ("A new folder for the data set", str(folder))):
        put(loop, page, name, value)
    return page.form.go.click  # type: ignore[no-any-return]


def told(rows: list[str]) -> list[str]:
    """Return rows, after showing them: the whole takes minutes."""
    print(*rows, sep="\n", file=sys.stderr, flush=True)
    return rows


def main() -> int:
    """Measure and print, or write into docs/BENCHMARKS.md."""
    shared = os.environ.get("FORENSICS_TEST_DATA", ROOT.parent / "shared" / "data")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(shared), help="a folder of pictures (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--drops", type=int, default=1000)
    parser.add_argument("--write", action="store_true", help="write the table into docs/BENCHMARKS.md")
    asked = parser.parse_args()
    Image.MAX_IMAGE_PIXELS = None
    with tempfile.TemporaryDirectory(prefix="forensics-window-") as temporary:
        place = Path(temporary)
        os.environ["FORENSICS_HOME"] = str(place / "home")
        rows = told(starts(asked.repeats))
        loop = Loop()
        rows += told(drops(loop, place, asked.data, asked.repeats))
        rows += told(memory(loop, place, asked.data, asked.drops))
        rows += told(stalls(loop, place, asked.data, asked.repeats))
        loop.window.quit()
    day = datetime.datetime.now(datetime.timezone.utc).date()
    text = "\n".join((f"`benchmarks/window.py`, {day}, on {machine()}.", "", "| what | measured |", "|---|---|", *rows))
    if asked.write:
        write("window", text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
