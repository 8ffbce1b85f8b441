"""Drop pictures on the real window from another process and photograph what comes of it.

Needs an X server of 1280 x 800, xdotool, and scikit-learn for its sample photographs, the only ones besides our own
that a screenshot may show:

    xvfb-run -s '-screen 0 1280x800x24' python benchmarks/window_shots.py docs/screenshots
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE_AT, TARGET_AT = (40, 740), (640, 420)
LIMIT_S, SERVING_MS = 60.0, 3000


def window(state: Path) -> None:
    """Run the window; write what it judged to `state` whenever that changes."""
    from PySide6.QtWidgets import QApplication

    from forensics_app.gui import app as entry
    from forensics_app.gui.window import Window

    app = QApplication([])
    entry.dress(app)
    shown = Window()
    shown.setGeometry(0, 0, 1280, 800)

    def tell() -> None:
        rows = {row.picture.name: row.state for row in shown.inspect.desk.pictures.rows}
        state.write_text(
            json.dumps({"rows": rows, "running": shown.inspect.desk.running, "veil": shown.veil.isVisible()})
        )

    shown.inspect.progressed.connect(tell)
    shown.show()
    tell()
    app.exec()


def source(paths: list[str]) -> None:
    """Show a small square from which the files can be dragged, as from a file manager."""
    from PySide6.QtCore import QMimeData, Qt, QTimer, QUrl
    from PySide6.QtGui import QDrag, QMouseEvent
    from PySide6.QtWidgets import QApplication, QLabel

    class Files(QLabel):
        def mouseMoveEvent(self, _event: QMouseEvent) -> None:  # noqa: N802
            mime = QMimeData()
            mime.setUrls([QUrl.fromLocalFile(path) for path in paths])
            drag = QDrag(self)
            drag.setMimeData(mime)
            drag.exec(Qt.DropAction.CopyAction)
            self.hide()
            # The target asks for the data after the drag has ended here.
            QTimer.singleShot(SERVING_MS, QApplication.quit)

    app = QApplication([])
    files = Files("files")
    files.setWindowFlag(Qt.WindowType.BypassWindowManagerHint)
    files.setGeometry(SOURCE_AT[0] - 30, SOURCE_AT[1] - 15, 60, 30)
    files.show()
    files.raise_()
    app.exec()


def photograph(path: Path) -> None:
    """Save the whole screen."""
    from PIL import Image
    from PySide6.QtGui import QGuiApplication

    app = QGuiApplication([])
    app.primaryScreen().grabWindow(0).save(str(path))
    with Image.open(path) as image:  # in 256 colours, a third of the size
        colours = image.convert("RGB")
        palette = colours.quantize(256, Image.Quantize.MEDIANCUT, kmeans=2)
        colours.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)


def child(*arguments: str, script: str = "window_shots.py", **environment: str) -> subprocess.Popen[bytes]:
    """Run one of these programs in a process of its own."""
    words = [sys.executable, str(Path(__file__).with_name(script)), *arguments]
    return subprocess.Popen(words, env={**os.environ, "PYTHONPATH": str(ROOT), **environment})


def pointer(*arguments: object) -> None:
    """Let xdotool move the mouse, press a button or a key."""
    subprocess.run(["xdotool", *map(str, arguments)], check=True)


def carry(target: tuple[int, int]) -> None:
    """Take what can be dragged, and move it in small steps, as a hand does; it is not let go yet."""
    pointer("mousemove", *SOURCE_AT, "mousedown", 1)
    for step in range(1, 21):
        x, y = (round(a + (b - a) * step / 20) for a, b in zip(SOURCE_AT, target, strict=True))
        pointer("mousemove", x, y)
        time.sleep(0.05)


def _until(state: Path, wanted: int) -> dict[str, dict[str, str]]:
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        told = json.loads(state.read_text() or "{}") if state.exists() else {}
        if told and len(told["rows"]) >= wanted and not told["running"]:
            return dict(told)
        time.sleep(0.1)
    raise SystemExit(f"the window did not judge {wanted} pictures in {LIMIT_S:.0f} s: {state.read_text()}")


def drop(paths: list[Path], out: Path, theme: str) -> None:
    """Drag the files on the window in small steps, photograph the veil on the way and the verdicts at the end."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state.json"
        shown = child("--window", str(state), FORENSICS_THEME=theme, FORENSICS_HOME=folder)
        try:
            _until(state, 0)
            time.sleep(1.5)
            held = child("--source", *map(str, paths))
            time.sleep(1.5)
            carry(TARGET_AT)
            child("--photograph", str(out / f"drag-{theme}.png")).wait()
            pointer("mouseup", 1)
            told = _until(state, len(paths))
            held.wait(10)
            time.sleep(0.5)
            child("--photograph", str(out / f"inspect-{theme}.png")).wait()
            print(f"{theme}: dropped {len(paths)}, judged {told['rows']}")
        finally:
            shown.terminate()
            shown.wait()


def main() -> None:
    """Make the screenshots, or be one of the children that this takes."""
    match sys.argv[1:]:
        case ["--window", state]:
            window(Path(state))
        case ["--source", *paths]:
            source(paths)
        case ["--photograph", path]:
            photograph(Path(path))
        case [folder]:
            sys.path.insert(0, str(ROOT))
            from forensics_app.core.samples import sample_files

            found = {path.name: path for path in sample_files()}
            for theme, first in (("light", "china.jpg"), ("dark", "flower.jpg")):
                drop([found[first], *(path for path in found.values() if path.name != first)], Path(folder), theme)
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
