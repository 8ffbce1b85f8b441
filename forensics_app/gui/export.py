"""An analysis written to disk: the picture with its map as PNG, and the JSON form beside it."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QObject, Signal, Slot

from classifier.atomic import replacing
from forensics_app.core.analysis import to_json
from forensics_app.core.overlay import overlay
from forensics_app.core.walk import path_fields
from forensics_app.core.words import shown
from forensics_app.gui.jobs import ThreadJob
from forensics_app.gui.judging import Judged


@dataclass(frozen=True)
class Exported:
    """The files that were written; `png` is None for an analysis without a map."""

    png: Path | None
    json: Path


def export(judged: Judged, target: Path, opacity: float) -> Iterator[Exported]:
    """Write the picture with its map and the JSON beside it, each under a temporary name first; raises `OSError`.

    Only `target` itself is ever replaced: it was agreed to. Names made from it give way to files that are there.
    """
    stem = target.name[:-4] if target.name.lower().endswith(".png") else target.name
    analysis, picture = judged.analysis, judged.picture
    png = None
    if analysis.heat is not None:
        png = target if stem != target.name else _free(target.with_name(f"{stem}.png"))
        with replacing(png) as file:
            Image.fromarray(overlay(analysis.file.pixels, analysis.heat, opacity=opacity)).save(file, "PNG")
    fields = path_fields(str(picture.source) if isinstance(picture.source, Path) else picture.name)
    heatmap = path_fields(str(png))["path"] if png else None
    content = json.dumps({**to_json(fields["path"], analysis, heatmap), **fields}, indent=2, ensure_ascii=False)
    beside = _free(target.with_name(f"{stem}.json"))
    with replacing(beside) as file:
        file.write(f"{content}\n".encode())
    yield Exported(png, beside)


def _free(path: Path) -> Path:
    """Return the path, or the first of `name-2`, `name-3`, ... that is not there yet."""
    tried, number = path, 1
    while os.path.lexists(tried):
        number += 1
        tried = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return tried


class Exporter(QObject):
    """Exports analyses one after the other in a thread; tells `done` or `failed`, each with a sentence."""

    done = Signal(str)
    failed = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._job: ThreadJob | None = None
        self._waiting: deque[tuple[Judged, Path, float]] = deque()

    def start(self, judged: Judged, target: Path, opacity: float) -> None:
        """Write an analysis, after those that are being written."""
        self._waiting.append((judged, target, opacity))
        if self._job is None:
            self._next()

    def _next(self) -> None:
        if self._job is not None:
            self._job.deleteLater()
            self._job = None
        if not self._waiting:
            return
        judged, target, opacity = self._waiting.popleft()
        self._job = ThreadJob(lambda: export(judged, target, opacity), self)
        self._job.finished.connect(self._written)
        self._job.failed.connect(self._not_written)
        self._job.start()

    def shutdown(self) -> None:
        """Wait for all that is being written."""
        while self._job is not None:
            self._job.wait()

    @Slot(object)
    def _written(self, files: Exported) -> None:
        names = f"{files.png}, {files.json.name}" if files.png else str(files.json)
        self.done.emit(self.tr("Exported to {0}").format(shown(names)))
        self._next()

    @Slot(object)
    def _not_written(self, error: Exception) -> None:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        self.failed.emit(self.tr("The analysis could not be written: {0}. Choose another folder.").format(reason))
        self._next()
