"""An analysis written to disk: as a page, as a PDF, as JSON, or as the picture with its map and the JSON beside it."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from PySide6.QtCore import QObject, Signal, Slot

from classifier.atomic import replacing
from forensics_app.core.analysis import to_json
from forensics_app.core.analysis_page import ShownMap, Told, render
from forensics_app.core.overlay import overlay
from forensics_app.core.verdict import policy_of
from forensics_app.core.walk import path_fields
from forensics_app.core.words import shown
from forensics_app.gui import words
from forensics_app.gui.jobs import ThreadJob
from forensics_app.gui.judging import Judged
from forensics_app.gui.report_pdf import pdf_of


@dataclass(frozen=True)
class Exported:
    """The files that were written."""

    files: tuple[Path, ...]


def export(judged: Judged, target: Path, seen: ShownMap | None) -> Iterator[Exported]:
    """Write an analysis, as the suffix says: .html, .pdf, .json, or the picture with its map and the JSON beside it.

    Each is written under a temporary name first; raises `OSError`. Only `target` itself is ever replaced: it was agreed
    to. Names made from it give way to files that are there.
    """
    write = WRITERS.get(target.suffix.lower())
    if write is None:
        yield Exported(_write_picture(judged, target, seen))
    else:
        content = write(judged, seen)
        with replacing(target) as file:
            file.write(content)
        yield Exported((target,))


def told_of(judged: Judged, seen: ShownMap | None) -> Told:
    """Return what reports say of a picture that the window has judged."""
    file, verdict = judged.analysis.file, judged.analysis.verdict
    question = words.open_question(verdict, policy_of(judged.card), min(file.width, file.height))
    return Told(judged.picture.name, judged.analysis, judged.card, seen, judged.rows, question)


def _json(judged: Judged, seen: ShownMap | None, heatmap: Path | None = None) -> bytes:
    source = judged.picture.source
    fields = path_fields(str(source) if isinstance(source, Path) else judged.picture.name)
    drawn = path_fields(str(heatmap))["path"] if heatmap else None
    content = {**to_json(fields["path"], judged.analysis, drawn), **fields, "map": _map(seen)}
    return f"{json.dumps(content, indent=2, ensure_ascii=False)}\n".encode()


def _map(seen: ShownMap | None) -> dict[str, Any] | None:
    if seen is None:
        return None
    trust = asdict(seen.trust) if seen.trust else None
    return {"class": seen.cls, "stage": seen.stage, "colours": seen.colour_map, "trust": trust}


WRITERS: dict[str, Callable[[Judged, ShownMap | None], bytes]] = {
    ".html": lambda judged, seen: render(told_of(judged, seen)).encode(),
    ".pdf": lambda judged, seen: pdf_of(told_of(judged, seen)),
    ".json": _json,
}


def _write_picture(judged: Judged, target: Path, seen: ShownMap | None) -> tuple[Path, ...]:
    stem = target.name[:-4] if target.name.lower().endswith(".png") else target.name
    png = None
    if seen is not None:
        png = target if stem != target.name else _free(target.with_name(f"{stem}.png"))
        laid = overlay(judged.analysis.file.pixels, seen.heat, opacity=seen.opacity, colour_map=seen.colour_map)
        with replacing(png) as file:
            Image.fromarray(laid).save(file, "PNG")
    beside = _free(target.with_name(f"{stem}.json"))
    with replacing(beside) as file:
        file.write(_json(judged, seen, png))
    return (png, beside) if png else (beside,)


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
        self._waiting: deque[tuple[Judged, Path, ShownMap | None]] = deque()

    def start(self, judged: Judged, target: Path, seen: ShownMap | None) -> None:
        """Write an analysis, after those that are being written."""
        self._waiting.append((judged, target, seen))
        if self._job is None:
            self._next()

    def _next(self) -> None:
        if self._job is not None:
            self._job.deleteLater()
            self._job = None
        if not self._waiting:
            return
        judged, target, seen = self._waiting.popleft()
        self._job = ThreadJob(lambda: export(judged, target, seen), self)
        self._job.finished.connect(self._written)
        self._job.failed.connect(self._not_written)
        self._job.start()

    def shutdown(self) -> None:
        """Wait for all that is being written."""
        while self._job is not None:
            self._job.wait()

    @Slot(object)
    def _written(self, made: Exported) -> None:
        first, *others = made.files
        names = ", ".join((str(first), *(path.name for path in others)))
        self.done.emit(self.tr("Exported to {0}").format(shown(names)))
        self._next()

    @Slot(object)
    def _not_written(self, error: Exception) -> None:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        self.failed.emit(self.tr("The analysis could not be written: {0}. Choose another folder.").format(reason))
        self._next()
