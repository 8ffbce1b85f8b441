"""What the worker does: find the pictures of what was dropped and judge them, one event each."""

from __future__ import annotations

import itertools
import logging
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QImage

from classifier.detector import DEFAULT, BadDetector, Card
from classifier.images import BadImage
from classifier.runtime import Detector
from forensics_app.core.analysis import Analysis, CannotJudge, analyze
from forensics_app.core.file_metadata import Row, rows
from forensics_app.core.walk import find_files
from forensics_app.core.words import shown
from forensics_app.gui.pictures import Painted, encoded, paintable

log = logging.getLogger(__name__)
FOUND_AT_ONCE = 200
UNCOMPRESSED = 100
"""The quality by which Qt writes a PNG without compression."""

Source = Path | bytes | QImage
"""A file or a folder, the bytes of a picture, or a picture from the clipboard."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture to judge; `key` is its number in this window."""

    key: int
    source: Source
    name: str


@dataclass(frozen=True, eq=False)
class Found:
    """Pictures that were dropped or lie in a dropped folder."""

    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Noticed:
    """Something to say of a dropped folder: there is no picture in it, or a part of it cannot be listed."""

    sentence: str


@dataclass(frozen=True, eq=False)
class Judged:
    """A judged picture, with all that the page shows of it."""

    picture: Picture
    analysis: Analysis
    detector: Detector
    painted: Painted
    rows: tuple[Row, ...] = ()
    """What the file says beside its pixels."""

    @property
    def card(self) -> Card:
        """The card of the detector that judged."""
        return self.detector.card

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return len(self.analysis.file.data) + self.painted.nbytes


@dataclass(frozen=True, eq=False)
class Refused:
    """A picture that could not be judged: `kind` as in `BadImage` or `failed`, and one sentence."""

    picture: Picture
    kind: str
    message: str


class Worklist:
    """What waits to be judged, shared by the window and the worker."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._dropped: deque[Source] = deque()
        self._waiting: OrderedDict[int, Picture] = OrderedDict()
        self._keys = itertools.count()

    def add(self, sources: Iterable[Source]) -> None:
        """Put what was dropped at the end; folders are looked through by the worker."""
        with self._lock:
            self._dropped.extend(sources)

    def enter(self, sources: Iterable[Source]) -> tuple[Picture, ...]:
        """Number pictures and let them wait; returns them."""
        with self._lock:
            pictures = tuple(Picture(next(self._keys), one, name_of(one)) for one in sources)
            self._waiting.update((picture.key, picture) for picture in pictures)
        return pictures

    def prefer(self, picture: Picture, *, again: bool) -> None:
        """Let a picture be the next one if it still waits; `again` lets one wait that was taken before."""
        with self._lock:
            if again:
                self._waiting[picture.key] = picture
            if picture.key in self._waiting:
                self._waiting.move_to_end(picture.key, last=False)

    def take(self) -> Picture | Source | None:
        """Take what is next: first what was dropped, to be looked through, then pictures; None when nothing waits."""
        with self._lock:
            if self._dropped:
                return self._dropped.popleft()
            return self._waiting.popitem(last=False)[1] if self._waiting else None

    def forget_waiting(self) -> None:
        """Forget the pictures that wait, but not what was dropped since."""
        with self._lock:
            self._waiting.clear()

    def clear(self) -> None:
        """Forget everything that waits."""
        with self._lock:
            self._dropped.clear()
            self._waiting.clear()

    def __len__(self) -> int:
        with self._lock:
            return len(self._dropped) + len(self._waiting)


class LazyDetector:
    """The window's detector, opened once and by the worker, because opening it checks 20 MB of weights."""

    def __init__(self, name: str = DEFAULT) -> None:
        self._name = name
        self._detector: Detector | None = None

    def get(self) -> Detector:
        """Return the detector; raises `BadDetector`, and tries again at the next call."""
        if self._detector is None:
            self._detector = Detector.load(self._name)
        return self._detector


def name_of(source: Source) -> str:
    """Return the name under which a source is shown, with escapes for what cannot be."""
    if isinstance(source, Path):
        return shown(source.name or str(source))
    return QCoreApplication.translate("judging", "Pasted picture")


def judge(work: Worklist, detector: LazyDetector) -> Iterator[Found | Noticed | Judged | Refused]:
    """Judge all that waits; raises `BadDetector` or `CannotJudge` if no picture can be judged at all."""
    while (task := work.take()) is not None:
        if isinstance(task, Picture):
            yield _judge(task, detector.get())
        elif isinstance(task, Path) and os.path.isdir(task):
            yield from _look_through(task, work)
        else:
            yield Found(work.enter([task]))


def _look_through(folder: Path, work: Worklist) -> Iterator[Found | Noticed]:
    listing, number = find_files(str(folder)), 0
    while some := tuple(itertools.islice(listing, FOUND_AT_ONCE)):
        for one in some:
            if one.problem:
                yield Noticed(f"{shown(one.path)}: {one.problem[1]}")
        files = [Path(one.path) for one in some if not one.problem]
        number += len(files)
        yield Found(work.enter(files))
    if not number:
        nothing = QCoreApplication.translate("judging", "There is no picture in the folder “{0}”.")
        yield Noticed(nothing.format(name_of(folder)))


def _judge(picture: Picture, detector: Detector) -> Judged | Refused:
    try:
        source = picture.source
        if isinstance(source, QImage):  # from the clipboard; uncompressed, because only its pixels matter
            source = encoded(source, "PNG", UNCOMPRESSED)
        analysis = analyze(source, detector, autograd=False)
        painted = paintable(analysis.file.pixels, analysis.heat)
        return Judged(picture, analysis, detector, painted, rows(analysis.file))
    except BadImage as error:
        return Refused(picture, error.kind, str(error))
    except (BadDetector, CannotJudge):
        raise
    except Exception as error:  # one picture from outside must not end the others
        log.exception("judging %r", picture.name)
        message = QCoreApplication.translate("judging", "The picture could not be judged ({0}).")
        return Refused(picture, "failed", message.format(type(error).__name__))
