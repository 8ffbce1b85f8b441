"""The pictures of this window as a list: its model, and the strip of thumbnails that shows it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from forensics_app.core.words import PHRASES
from forensics_app.gui import theme, words
from forensics_app.gui.judging import Judged, Picture, Refused

State = Literal["waiting", "fake", "real", "unsure", "error", "stopped"]
KEPT_THUMBS, OPEN_THUMBS = 2000, 64
THUMB = QSize(80, 56)
CELL = QSize(96, 72)
Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()


@dataclass(frozen=True, eq=False)
class Row:
    """One picture and how far it has come; `kind` and `message` say what is wrong with it in the state `error`."""

    picture: Picture
    state: State = "waiting"
    kind: str = ""
    message: str = ""


class Pictures(QAbstractListModel):
    """The pictures in the order in which they were found; thumbnails of the latest 2,000 are kept."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[Row] = []
        self._thumbs: OrderedDict[int, bytes] = OrderedDict()

    def rowCount(self, parent: Index = ROOT) -> int:
        """Return the number of pictures."""
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a picture's name, thumbnail, or what a screen reader says of it."""
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row.picture.name
        if role == Qt.ItemDataRole.DecorationRole:
            return _opened(self._thumbs[row.picture.key]) if row.picture.key in self._thumbs else None
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            text = f"{row.picture.name}: {self._word(row)}"
            return words.tip(text) if role == Qt.ItemDataRole.ToolTipRole else text
        return None

    def _word(self, row: Row) -> str:
        if row.state in ("waiting", "stopped"):
            return self.tr("waiting") if row.state == "waiting" else self.tr("not judged")
        return row.message if row.state == "error" else PHRASES[row.state]

    def append(self, pictures: Sequence[Picture]) -> None:
        """Add pictures that wait to be judged."""
        self.beginInsertRows(ROOT, len(self.rows), len(self.rows) + len(pictures) - 1)
        self.rows.extend(Row(picture) for picture in pictures)
        self.endInsertRows()

    def settle(self, event: Judged | Refused) -> None:
        """Note how a picture came out."""
        key = event.picture.key
        if isinstance(event, Judged):
            self.change(key, state=event.analysis.verdict.label, kind="", message="")
            self._thumbs[key] = event.painted.thumb
            while len(self._thumbs) > KEPT_THUMBS:
                self._thumbs.popitem(last=False)
        else:
            self.change(key, state="error", kind=event.kind, message=event.message)

    def change(self, key: int, **changes: object) -> None:
        """Change what is known of a picture; keys are rows, because pictures are numbered as they come in."""
        self.rows[key] = replace(self.rows[key], **changes)  # type: ignore[arg-type]
        self.dataChanged.emit(self.index(key), self.index(key))


@lru_cache(OPEN_THUMBS)
def _opened(thumb: bytes) -> QImage:
    return QImage.fromData(thumb)


class _Thumbnail(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the size of a cell, the same for all."""
        return CELL

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint the thumbnail with a badge for the verdict, and a frame if it is the shown one."""
        colours, row = theme.current(), index.model().rows[index.row()]  # type: ignore[attr-defined]
        area = QRectF(option.rect)
        frame = QRectF(area.center().x() - THUMB.width() / 2, area.center().y() - THUMB.height() / 2, 80, 56)
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        path = QPainterPath()
        path.addRoundedRect(frame, 6, 6)
        painter.fillPath(path, QColor(colours.canvas))
        painter.setClipPath(path)
        if (thumb := index.data(Qt.ItemDataRole.DecorationRole)) is not None:
            painter.drawImage(frame, thumb)
        painter.setClipping(False)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(QColor(colours.accent), 2.5))
            painter.drawRoundedRect(frame.adjusted(-2.5, -2.5, 2.5, 2.5), 8, 8)
        _badge(painter, frame, row.state, colours)
        painter.restore()


def _badge(painter: QPainter, frame: QRectF, state: State, colours: theme.Colours) -> None:
    waits = state in ("waiting", "stopped")
    disc = QRectF(frame.right() - 21, frame.bottom() - 21, 18, 18)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colours.surface))
    painter.drawEllipse(disc)
    colour = colours.muted if waits else getattr(colours, state)
    ratio = painter.device().devicePixelRatio()
    painter.drawPixmap(
        disc.adjusted(2, 2, -2, -2).topLeft(), theme.pixmap("waiting" if waits else state, colour, 14, ratio)
    )


class Filmstrip(QListView):
    """A row of thumbnails; left and right move through it."""

    def __init__(self, model: Pictures, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setItemDelegate(_Thumbnail(self))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setUniformItemSizes(True)
        self.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedHeight(CELL.height() + 20)
        self.setAccessibleName(self.tr("Dropped pictures"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move with the arrow keys; leave all other keys to the window, whose shortcuts they are."""
        moves = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp)
        if event.key() in (*moves, Qt.Key.Key_PageDown):
            super().keyPressEvent(event)
        else:
            event.ignore()
