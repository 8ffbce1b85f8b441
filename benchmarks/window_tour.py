"""Walk through the whole window with a real mouse and real keys, and photograph each page with work in it.

Needs an X server of 1280 x 800, xdotool, a window manager such as openbox, and scikit-learn for its sample
photographs, the only ones besides our own that a screenshot may show:

    xvfb-run -s '-screen 0 1280x800x24' python benchmarks/window_tour.py docs/screenshots

The window tells where its controls are; everything else happens from outside, as a person's hand would do it. Ends
with 1 if something did not come about, or a process is left at the end.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from window_shots import carry, child, photograph, pointer  # noqa: E402 - the folder of the project first

TELL_MS, LIMIT_S = 150, 120.0
MIDDLE = (700, 420)
ANYWAY = "Start all the same"
PICTURES, EPOCHS, BATCH = 60, 8, 8


def window(state: Path) -> None:
    """Run the window; tell several times a second what is on it and where."""
    from PySide6.QtCore import QPoint, QTimer
    from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QSpinBox, QWidget

    from forensics_app.gui import app as entry
    from forensics_app.gui.window import Window

    app = QApplication([])
    entry.dress(app)
    shown = Window()
    shown.setGeometry(0, 0, 1280, 800)

    def controls() -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for widget in app.allWidgets():
            if not isinstance(widget, QAbstractButton | QComboBox | QLineEdit | QSpinBox) or not widget.isVisible():
                continue
            if widget.visibleRegion().isEmpty() or not widget.isEnabled():
                continue
            name = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")
            middle = widget.mapToGlobal(QPoint(widget.width() // 2, widget.height() // 2))
            found.setdefault(name.strip().replace("&", ""), [middle.x(), middle.y()])
        return found

    def tell() -> None:
        desk = shown.inspect.desk
        jobs = [{"words": job.words, "state": job.state, "done": job.done} for job in shown.session.jobs.jobs]
        dialogs = [one.windowTitle() for one in app.topLevelWidgets() if one is not shown and one.isVisible()]
        told: dict[str, Any] = {
            "page": shown.key, "controls": controls(), "jobs": jobs, "dialogs": dialogs,
            "rows": [row.state for row in desk.pictures.rows], "running": desk.running,
        }  # fmt: skip
        part = state.with_suffix(".part")
        part.write_text(json.dumps(told))
        part.replace(state)

    timer = QTimer(interval=TELL_MS)
    timer.timeout.connect(tell)
    timer.start()
    shown.show()
    assert isinstance(shown, QWidget)
    sys.exit(app.exec())


class Hand:
    """A mouse and a keyboard, and eyes for what the window tells."""

    def __init__(self, state: Path) -> None:
        self._state = state

    def sees(self) -> dict[str, Any]:
        """Return what the window told last."""
        return dict(json.loads(self._state.read_text())) if self._state.exists() else {}

    def until(self, met: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """Wait until the window shows something; ends the program if it does not."""
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            told = self.sees()
            if told and met(told):
                return told
            time.sleep(0.1)
        raise SystemExit(f"This did not come about: {what}. The window told: {self._state.read_text()[:2000]}")

    def click(self, name: str, times: int = 1) -> None:
        """Click on a control by its name."""
        told = self.until(lambda told: name in told["controls"], f"a control called '{name}'")
        pointer("mousemove", *told["controls"][name])
        time.sleep(0.2)
        pointer("click", "--repeat", times, "--delay", 60, 1)
        time.sleep(0.4)

    def fill(self, name: str, text: str) -> None:
        """Put a text in place of what a field has."""
        self.click(name)
        self.keys("ctrl+a")
        pointer("type", "--delay", 15, text)
        self.keys("Tab")

    def keys(self, *keys: str) -> None:
        """Press keys."""
        pointer("key", "--delay", 60, *keys)
        time.sleep(0.3)

    def drop(self, *paths: Path) -> None:
        """Drag files from another window on the middle of this one."""
        held = child("--source", *map(str, paths), script="window_shots.py")
        time.sleep(1.5)
        carry(MIDDLE)
        pointer("mouseup", 1)
        held.wait(20)

    def job(self, words: str) -> None:
        """Wait until the last job of some words has finished."""

        def over(told: dict[str, Any]) -> bool:
            found = jobs_of(told, words)
            return bool(found) and found[-1]["state"] == "finished"

        self.until(over, f"a job '{words}' that finishes")
        time.sleep(1.5)


def jobs_of(told: dict[str, Any], words: str) -> list[dict[str, Any]]:
    """Return the jobs that have some words in their name."""
    return [job for job in told["jobs"] if words in job["words"].lower()]


def tour(hand: Hand, place: Path, shot: Callable[[str], None]) -> None:
    """Go through the pages as one would on a first day."""
    from forensics_app.core.samples import sample_files

    samples = list(sample_files())
    folder = place / "pictures"
    folder.mkdir()
    for path in samples:
        shutil.copyfile(path, folder / path.name)
    hand.until(lambda told: told["page"] == "inspect", "a window")
    time.sleep(1)
    hand.drop(*samples)
    hand.until(lambda told: len(told["rows"]) == len(samples) and not told["running"], "verdicts")
    hand.keys("Right", "Left", "space", "space")
    hand.click("Scan")
    hand.drop(folder)
    hand.job("scan of")
    shot("scan")
    hand.click("Data sets")
    hand.fill("Pictures", str(PICTURES))
    hand.fill("Steps", "12")
    hand.fill("A new folder for the data set", str(place / "cats"))
    hand.click("Generate")
    told = hand.until(
        lambda told: ANYWAY in told["controls"] or bool(jobs_of(told, "making")), "a job that makes pictures"
    )
    if ANYWAY in told["controls"]:  # a slow machine is told how long it will take
        hand.click(ANYWAY)
    hand.job("making")
    shot("data")
    hand.click("Train")
    hand.drop(place / "cats")
    hand.fill("Phase 1: epochs", str(EPOCHS))
    hand.fill("Batch size", str(BATCH))
    hand.click("Start training")
    hand.job("train")
    shot("train")
    hand.click("See how good it is")
    hand.until(lambda told: told["page"] == "evaluate", "the run's figures")
    time.sleep(4)
    shot("evaluate")
    hand.click("Detectors")
    time.sleep(1)
    shot("detectors")
    hand.click("Quiz")
    hand.click("Play with the samples")
    time.sleep(2)
    shot("quiz")
    hand.keys("ctrl+k")
    hand.until(lambda told: bool(told["dialogs"]), "the palette")
    shot("palette")
    pointer("type", "--delay", 30, "about")
    hand.keys("Return")
    hand.until(lambda told: told["page"] == "about", "the page About")
    hand.keys("ctrl+q")


def main() -> int:
    """Make the tour, or be one of the children that it takes."""
    match sys.argv[1:]:
        case ["--window", state]:
            window(Path(state))
        case ["--photograph", path]:
            photograph(Path(path))
        case [target]:
            out, theme = Path(target), os.environ.get("FORENSICS_THEME", "light")
            out.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="forensics-tour-") as temporary:
                place = Path(temporary)
                home = {"HOME": str(place), "FORENSICS_HOME": str(place / "home"), "FORENSICS_THEME": theme}
                shown = child("--window", str(place / "state.json"), script="window_tour.py", **home)
                try:
                    hand = Hand(place / "state.json")
                    tour(hand, place, lambda name: shoot(out / f"{name}-{theme}.png"))
                    ended = shown.wait(30)
                finally:
                    shown.kill()
                left = subprocess.run(["pgrep", "-f", str(place)], capture_output=True, text=True, check=False).stdout
                print(f"the window ended with {ended}; processes left: {len(left.split())}")
                return 1 if ended or left.split() else 0
        case _:
            raise SystemExit(__doc__)
    return 0


def shoot(path: Path) -> None:
    """Photograph the screen, in a process of its own: Qt is not loaded here."""
    child("--photograph", str(path), script="window_tour.py").wait()


if __name__ == "__main__":
    sys.exit(main())
