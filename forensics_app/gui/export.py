"""An analysis written to disk: the picture with its map as PNG, and the JSON form beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QObject, Signal, Slot

from forensics_app.core.analysis import to_json
from forensics_app.core.atomic import replacing
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
    """Write `target` (.png) and the JSON beside it, each under a temporary name first; raises `OSError`."""
    analysis, picture = judged.analysis, judged.picture
    png = None
    if analysis.heat is not None:
        png = target.with_suffix(".png")
        with replacing(png) as file:
            Image.fromarray(overlay(analysis.file.pixels, analysis.heat, opacity=opacity)).save(file, "PNG")
    fields = path_fields(str(picture.source) if isinstance(picture.source, Path) else picture.name)
    heatmap = path_fields(str(png))["path"] if png else None
    content = json.dumps({**to_json(fields["path"], analysis, heatmap), **fields}, indent=2, ensure_ascii=False)
    with replacing(target.with_suffix(".json")) as file:
        file.write(f"{content}\n".encode())
    yield Exported(png, target.with_suffix(".json"))


class Exporter(QObject):
    """Exports one analysis at a time in a thread; tells `done` or `failed`, each with a sentence."""

    done = Signal(str)
    failed = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._job: ThreadJob | None = None

    def start(self, judged: Judged, target: Path, opacity: float) -> None:
        """Write an analysis; ignored while another one is being written."""
        if self._job is not None:
            return
        self._job = ThreadJob(lambda: export(judged, target, opacity), self)
        self._job.finished.connect(self._written)
        self._job.failed.connect(self._not_written)
        self._job.start()

    def shutdown(self) -> None:
        """Wait for what is being written."""
        if self._job is not None:
            self._job.wait()

    @Slot(object)
    def _written(self, files: Exported) -> None:
        self._job = None
        self.done.emit(self.tr("Exported to {0}").format(shown(str(files.png or files.json))))

    @Slot(object)
    def _not_written(self, error: Exception) -> None:
        self._job = None
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        self.failed.emit(self.tr("The analysis could not be written: {0}. Choose another folder.").format(reason))
