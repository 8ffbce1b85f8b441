"""Maps of the picture on the page that judging did not draw, and how far any of them can be trusted.

The last stage comes out of the graph in a thread. Other stages, and detectors without a graph for maps, need torch,
which the window never loads: `forensics explain` draws and tests those in a child process.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PySide6.QtCore import QObject, Signal, Slot

from classifier.runtime import Heat
from classifier.trust import Trust, trust
from forensics_app.core.maps import Maps, NoMap, has_torch
from forensics_app.gui.jobs import ThreadJob
from forensics_app.gui.judging import Judged
from forensics_app.gui.process_job import ProcessJob
from forensics_app.gui.session import Session

LAST = "last"
STAGES = ("first", "second", "third", LAST)
KEPT = 24
LANE = "explain"


@dataclass(frozen=True)
class Wanted:
    """A map that is asked for: of which picture by which detector, of which class, at which stage."""

    sha256: str
    detector_id: str
    cls: str = "fake"
    stage: str = LAST


@dataclass(frozen=True, eq=False)
class Found:
    """A map, None where only its trust is asked for, and how far it can be trusted, None while not measured."""

    heat: Heat | None
    trust: Trust | None = None


def wanted(judged: Judged, cls: str = "fake", stage: str = LAST) -> Wanted:
    """Return what names a map of a judged picture."""
    return Wanted(judged.analysis.file.sha256, judged.analysis.detector_id, cls, stage)


def in_graph(judged: Judged, stage: str) -> bool:
    """Return whether the detector's own graph draws a stage."""
    return stage == LAST and judged.card.closed_form_cam


def in_torch(judged: Judged) -> bool:
    """Return whether torch could draw the detector's maps: it is installed, and there is one network to open."""
    return has_torch() and not judged.card.members and judged.card.precision != "int8"


class MapDesk(QObject):
    """Draws and measures one map at a time and keeps the latest; the latest wish is the next one done."""

    changed = Signal()
    """Something was drawn or measured, begun or given up."""
    failed = Signal(str)

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._found: OrderedDict[Wanted, Found] = OrderedDict()
        self._thread: ThreadJob | None = None
        self._child: ProcessJob | None = None
        self._at: Wanted | None = None
        self._next: tuple[Judged, Wanted, bool] | None = None
        self._folder: Path | None = None

    @property
    def at(self) -> Wanted | None:
        """The map that is being drawn or measured."""
        return self._at

    def find(self, judged: Judged, what: Wanted) -> Found | None:
        """Return a map if it is at hand; that of judging always is where there is one."""
        if (found := self._found.get(what)) is not None:
            return found
        first = what == wanted(judged)
        return Found(judged.analysis.heat) if first and judged.analysis.heat is not None else None

    def draw(self, judged: Judged, what: Wanted, *, measure: bool = False) -> None:
        """Have a map drawn and, if asked, measured; `changed` tells."""
        found = self.find(judged, what)
        if what == self._at or (found and found.heat and (found.trust or not measure)):
            return
        self._next = (judged, what, measure)
        if self._at is None:
            self._go()
        elif self._child is not None:
            self._child.cancel()

    def _go(self) -> None:
        if self._next is None:
            self.changed.emit()
            return
        (judged, what, measure), self._next = self._next, None
        self._at = what
        if in_graph(judged, what.stage):
            found = self.find(judged, what)
            self._thread = ThreadJob(lambda: _drawn(judged, what, found, measure), self)
            self._thread.finished.connect(self._take)
            self._thread.failed.connect(self._not_drawn)
            self._thread.cancelled.connect(self._end)
            self._thread.start()
        else:
            self._ask_child(judged, what)
        self.changed.emit()

    def _ask_child(self, judged: Judged, what: Wanted) -> None:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="forensics-maps-"))
        picture = self._folder / what.sha256  # the very bytes that were judged, wherever they came from
        picture.write_bytes(judged.analysis.file.data)
        folder, name = str(judged.detector.folder), str(self._folder / "maps")
        options = ("--detector", folder, "--class", what.cls, "--stage", what.stage, "--maps", name)
        job = ProcessJob(
            self.tr("Drawing a heat map at the {0} stage").format(what.stage), ("explain", str(picture), *options),
            page="inspect",
        )  # fmt: skip
        job.finished.connect(self._explained)
        job.failed.connect(self._child_failed)
        job.cancelled.connect(self._end)
        self._child = job
        self._session.jobs.add(job, LANE)

    @Slot(object)
    def _take(self, found: object) -> None:
        if isinstance(found, Found) and self._at is not None:
            self._keep(self._at, found)
        self._end()

    @Slot(dict)
    def _explained(self, told: dict[str, Any]) -> None:
        try:
            found = _read(told)
        except (OSError, ValueError, KeyError, IndexError, TypeError):
            self.failed.emit(self.tr("The map that was drawn could not be read. Try it again."))
        else:
            if self._at is not None:
                self._keep(self._at, found)
        self._end()

    def _keep(self, what: Wanted, found: Found) -> None:
        self._found[what] = found
        while len(self._found) > KEPT:
            self._found.popitem(last=False)

    @Slot(object)
    def _not_drawn(self, error: Exception) -> None:
        own = isinstance(error, NoMap)
        self.failed.emit(
            str(error) if own else self.tr("The map could not be drawn ({0}).").format(type(error).__name__)
        )
        self._end()

    @Slot(str)
    def _child_failed(self, sentence: str) -> None:
        self.failed.emit(sentence)
        self._end()

    @Slot()
    def _end(self) -> None:
        if self._thread is not None:
            self._thread.deleteLater()
        self._thread, self._child, self._at = None, None, None
        self._go()

    def shutdown(self) -> None:
        """Stop and wait."""
        self._next = None
        if self._child is not None:
            self._child.cancel()
            self._child.wait()
        if self._thread is not None:
            self._thread.cancel()
            self._thread.wait()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _drawn(judged: Judged, what: Wanted, found: Found | None, measure: bool) -> Iterator[Found]:
    """Draw a map with the graph unless it is at hand, and measure it if asked."""
    pixels = judged.analysis.file.pixels
    heat = found.heat if found else None
    if heat is None:
        heat = Maps(judged.detector).draw(pixels, what.cls).heat
    made = Found(heat, found.trust if found else None)
    if measure and made.trust is None:
        made = replace(made, trust=trust(judged.detector, pixels, heat, what.cls))
    yield made


def _read(told: dict[str, Any]) -> Found:
    """Return the map that `forensics explain --maps --json` tells of."""
    one = told["maps"][0]
    with Image.open(one["alone"], formats=("PNG",)) as image:
        values = np.asarray(image.convert("L"), np.float32) / np.float32(255)
    boxes = tuple((int(left), int(top), int(right), int(bottom)) for left, top, right, bottom in one["boxes"])
    return Found(Heat(values, boxes), Trust(**one["trust"]))
