"""The pictures of a data set at a glance: thumbnails of the classes in turn, read through a guarded door."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from classifier.data import RECORD, SPLITS, BadData, find_pictures, picture_files
from classifier.images import BadImage, load
from classifier.recipes import Data
from forensics_app.gui import theme, words
from forensics_app.gui.latest import Latest
from forensics_app.gui.pictures import image_over

SHOWN = 240
THUMB_PX = 96
CELL = QSize(112, 124)
SIDE_ROLE = Qt.ItemDataRole.UserRole + 1
Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()
TITLES = {"fake": "generated", "real": "real"}


@dataclass(frozen=True)
class Entry:
    """A picture of a data set: its file, its split and its class."""

    path: Path
    split: str
    kind: str


@dataclass(frozen=True)
class Listing:
    """A data set as it is found: pictures by split and class, and some of each class, evenly over all, taking turns."""

    folder: Path
    counts: dict[str, dict[str, int]]
    shown: tuple[Entry, ...]


@dataclass(frozen=True, eq=False)
class Thumb:
    """A thumbnail of the picture at a place of the listing; None if it cannot be read, for the reason."""

    place: int
    image: QImage | None
    problem: str = ""


def look(folder: Path) -> Iterator[Listing | Thumb]:
    """Find the pictures of a data set, then read the shown ones; raises `BadData`."""
    found = _found(folder)
    kinds = sorted({kind for classes in found.values() for kind in classes}, reverse=True)  # real before fake
    counts: dict[str, dict[str, int]] = {
        split: {kind: len(files) for kind, files in classes.items()} for split, classes in found.items()
    }
    of_kinds: list[list[Entry]] = []
    for kind in kinds:
        all_of = [Entry(path, split, kind) for split in found for path in found[split].get(kind, ())]
        most = max(SHOWN // len(kinds), 1)
        step = max(len(all_of) / most, 1.0)
        of_kinds.append([all_of[int(number * step)] for number in range(min(most, len(all_of)))])
    shown = [entry for row in zip_longest(*of_kinds) for entry in row if entry is not None]
    yield Listing(folder, counts, tuple(shown))
    for place, entry in enumerate(shown):
        yield _thumb(place, entry.path)


def _found(folder: Path) -> dict[str, dict[str, list[Path]]]:
    """Return picture files by split and class; a data set that was made without real pictures has one class only."""
    try:
        both = find_pictures(folder, Data())
    except BadData:
        alone = {split: folder / split / "fake" for split in SPLITS if (folder / split / "fake").is_dir()}
        if not alone or not (folder / RECORD).is_file():
            raise
        return {split: {"fake": list(picture_files(inside))} for split, inside in alone.items()}
    return {split: {kind: [path for path, _ in files] for kind, files in of.items()} for split, of in both.items()}


def _thumb(place: int, path: Path) -> Thumb:
    try:
        image = Image.fromarray(load(path).pixels)
    except BadImage as error:
        return Thumb(place, None, str(error))
    image.thumbnail((2 * THUMB_PX, 2 * THUMB_PX), reducing_gap=2.0)
    pixels = np.ascontiguousarray(image)
    return Thumb(place, image_over(pixels).copy())


class SheetModel(QAbstractListModel):
    """The shown pictures of a data set and what has been read of them."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: tuple[Entry, ...] = ()
        self._thumbs: dict[int, Thumb] = {}

    def begin(self, entries: tuple[Entry, ...]) -> None:
        """Show other pictures, none of them read."""
        self.beginResetModel()
        self.entries, self._thumbs = entries, {}
        self.endResetModel()

    def put(self, thumb: Thumb) -> None:
        """Show a picture that was read."""
        self._thumbs[thumb.place] = thumb
        where = self.index(thumb.place)
        self.dataChanged.emit(where, where)

    def rowCount(self, parent: Index = ROOT) -> int:
        """Return the number of pictures."""
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a picture's class, thumbnail, or what is told of it."""
        entry, thumb = self.entries[index.row()], self._thumbs.get(index.row())
        if role == Qt.ItemDataRole.DisplayRole:
            return TITLES.get(entry.kind, words.legible(entry.kind))
        if role == Qt.ItemDataRole.DecorationRole:
            return thumb.image if thumb else None
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            lines = (
                entry.path.name,
                f"{entry.split}, {entry.kind}",
                *((thumb.problem,) if thumb and thumb.problem else ()),
            )
            return words.tip(*lines) if role == Qt.ItemDataRole.ToolTipRole else "; ".join(lines)
        return None


class _Cell(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the size of a cell, the same for all."""
        return CELL

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint the thumbnail in the middle of its square, and its class below."""
        colours, image = theme.current(), index.data(Qt.ItemDataRole.DecorationRole)
        area = QRectF(option.rect)
        frame = QRectF(area.center().x() - THUMB_PX / 2, area.y() + 4, THUMB_PX, THUMB_PX)
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        path = QPainterPath()
        path.addRoundedRect(frame, 6, 6)
        painter.fillPath(path, QColor(colours.canvas))
        painter.setClipPath(path)
        if isinstance(image, QImage):
            scale = min(THUMB_PX / image.width(), THUMB_PX / image.height())
            width, height = image.width() * scale, image.height() * scale
            painter.drawImage(
                QRectF(frame.center().x() - width / 2, frame.center().y() - height / 2, width, height), image
            )
        painter.setClipping(False)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(QColor(colours.accent))
            painter.drawRoundedRect(frame, 6, 6)
        font = painter.font()
        font.setPixelSize(12)
        painter.setFont(font)
        painter.setPen(QColor(colours.muted))
        text = painter.fontMetrics().elidedText(index.data(), Qt.TextElideMode.ElideRight, int(area.width()) - 8)
        painter.drawText(area.adjusted(0, THUMB_PX + 6, 0, 0), Qt.AlignmentFlag.AlignHCenter, text)
        painter.restore()


class ContactSheet(QListView):
    """Shows a folder's pictures; `listed` tells what was found, `failed` why nothing can be shown."""

    listed = Signal(object)
    failed = Signal(str)
    chosen = Signal(Path)

    def __init__(self) -> None:
        super().__init__()
        self.sheet = SheetModel()
        self.setModel(self.sheet)
        self.setItemDelegate(_Cell(self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setAccessibleName(self.tr("Contact sheet"))
        self._reading = Latest(self)
        self._reading.happened.connect(self._take)
        self._reading.failed.connect(self._not_read)
        self.activated.connect(lambda index: self.chosen.emit(self.sheet.entries[index.row()].path))

    @property
    def reading(self) -> bool:
        """True while pictures are being read."""
        return self._reading.busy

    def open(self, folder: Path) -> None:
        """Show the pictures of a data set."""
        self.sheet.begin(())
        self._reading.ask(lambda: look(folder))

    def _take(self, event: object) -> None:
        if isinstance(event, Listing):
            self.sheet.begin(event.shown)
            self.listed.emit(event)
        elif isinstance(event, Thumb):
            self.sheet.put(event)

    def _not_read(self, error: Exception) -> None:
        own = isinstance(error, BadData)
        why = getattr(error, "strerror", None) or type(error).__name__
        self.failed.emit(str(error) if own else self.tr("The folder cannot be read: {0}.").format(why))

    def shutdown(self) -> None:
        """Stop reading and wait for it."""
        self._reading.shutdown()
