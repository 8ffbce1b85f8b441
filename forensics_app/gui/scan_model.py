"""The rows of a view as a table: all ids at hand, the rows themselves fetched as they are looked at."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import (
    QT_TRANSLATE_NOOP,
    QAbstractTableModel,
    QCoreApplication,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QImage

from forensics_app.core.store_query import Sort
from forensics_app.core.words import PHRASES
from forensics_app.gui import words
from forensics_app.gui.cards import sized
from forensics_app.gui.scan_questions import Line

KEPT_LINES, KEPT_THUMBS = 4_000, 1_500
Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()

MARKS = {
    "fake": QT_TRANSLATE_NOOP("ScanModel", "Generated"),
    "real": QT_TRANSLATE_NOOP("ScanModel", "Real"),
    "unsure": QT_TRANSLATE_NOOP("ScanModel", "Unsure"),
}
"""What a person may say of a file, in words."""


@dataclass(frozen=True)
class Column:
    """A column: how wide, what it sorts by (None: nothing), and below which width of the table it gives way."""

    key: str
    title: str
    width_px: int
    sort: Sort | None = None
    needs_px: int = 0
    right: bool = False


COLUMNS = (
    Column("picture", str(QT_TRANSLATE_NOOP("ScanModel", "Picture")), 72),
    Column("name", str(QT_TRANSLATE_NOOP("ScanModel", "Name")), 200, "path"),
    Column("answer", str(QT_TRANSLATE_NOOP("ScanModel", "Verdict")), 212, "p_fake"),
    Column("p", str(QT_TRANSLATE_NOOP("ScanModel", "p")), 56, "p_fake", right=True),
    Column("mark", str(QT_TRANSLATE_NOOP("ScanModel", "Your mark")), 104, None, 600),
    Column("folder", str(QT_TRANSLATE_NOOP("ScanModel", "Folder")), 160, "path", 720),
    Column("size", str(QT_TRANSLATE_NOOP("ScanModel", "Size")), 88, "size", 920, right=True),
    Column("judged", str(QT_TRANSLATE_NOOP("ScanModel", "Judged")), 144, "judged", 1080),
    Column("reason", str(QT_TRANSLATE_NOOP("ScanModel", "Reason")), 320, None, 1320),
)


def mark_words(mark: str | None) -> str:
    """Return a person's mark in words, "" for none."""
    return QCoreApplication.translate("ScanModel", str(MARKS[mark])) if mark in MARKS else ""


class ScanModel(QAbstractTableModel):
    """Knows how many rows there are at once, which they are a moment later, and what is in those that were seen."""

    arrived = Signal()
    """Rows that were on their way are there; where they are in the table need not be looked up for that."""
    painted = Signal()
    """A small picture or a mark is to be painted."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.ids: array[int] = array("q")
        self.below = ""
        self._total = 0
        self._lines: OrderedDict[int, Line] = OrderedDict()
        self._stale: set[int] = set()
        self._thumbs: OrderedDict[int, QImage] = OrderedDict()

    # -- what Qt asks

    def rowCount(self, parent: Index = ROOT) -> int:
        """Return the number of rows of the view."""
        return 0 if parent.isValid() else self._total

    def columnCount(self, parent: Index = ROOT) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a column's title."""
        if orientation == Qt.Orientation.Vertical:
            return None
        column = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return "" if column.key == "picture" else self.tr(column.title)
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return self.tr(column.title)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a cell's text, or what its tooltip and a screen reader say."""
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        line, key = self.line(index.row()), COLUMNS[index.column()].key
        if line is None:
            return None if role == Qt.ItemDataRole.ToolTipRole else self.tr("loading")
        if role == Qt.ItemDataRole.ToolTipRole:
            told = {"name": line.name, "folder": line.folder, "reason": line.reason, "answer": line.reason}
            return words.tip(told[key]) if key in told else None
        return self.text(line, key) or (line.name if key == "picture" else "")

    def text(self, line: Line, key: str) -> str:
        """Return what a cell says."""
        match key:
            case "answer":
                return self.tr(PHRASES[line.label])
            case "p":
                return "" if line.p_fake is None else f"{line.p_fake:.2f}"
            case "mark":
                return mark_words(line.mark)
            case "folder":
                return self._folder(line.folder)
            case "size":
                return sized(line.size) if line.size >= 0 else ""
        return str(getattr(line, key, ""))

    def _folder(self, folder: str) -> str:
        """Return a folder as seen from the one that was scanned."""
        inner = folder.removeprefix(self.below)
        return inner.lstrip("/!\\") if inner != folder else folder

    # -- what the page does

    def line(self, row: int) -> Line | None:
        """Return a row, or None while it is on its way."""
        return self._lines.get(self.ids[row]) if 0 <= row < len(self.ids) else None

    def line_of(self, id_: int) -> Line | None:
        """Return the row of an id that is at hand."""
        return self._lines.get(id_)

    def id_at(self, row: int) -> int | None:
        """Return the id of a row; None where it is not known yet."""
        return self.ids[row] if 0 <= row < len(self.ids) else None

    def row_of(self, id_: int) -> int | None:
        """Return where an id is."""
        try:
            return self.ids.index(id_)
        except ValueError:
            return None

    def missing(self, first: int, last: int) -> tuple[int, ...]:
        """Return the ids of some rows, both ends included, that are not at hand."""
        return tuple(id_ for id_ in self.ids[max(first, 0) : last + 1] if id_ not in self._lines or id_ in self._stale)

    def begin(self, total: int, first: Sequence[Line], below: str) -> None:
        """Show a new view: its number of rows and the first of them."""
        self.beginResetModel()
        self.below, self._total = below, total
        self.ids = array("q", (line.id for line in first))
        self._lines.clear()
        self._stale.clear()
        self._keep(first)
        self.endResetModel()

    def arrange(self, ids: array[int], fresh: Iterable[Line]) -> bool:
        """Take the ids of all rows; False where no row is in another place than it was.

        What is at hand is fetched again as it is looked at: some time may have gone by.
        """
        self._stale = set(self._lines)
        self._keep(fresh)
        if len(ids) == self._total and ids[: len(self.ids)] == self.ids:
            self.ids = ids
            self.arrived.emit()
            return False
        self.beginResetModel()
        self.ids, self._total = ids, len(ids)
        self.endResetModel()
        return True

    def take(self, lines: Sequence[Line]) -> None:
        """Take rows that were fetched."""
        self._keep(lines)
        self.arrived.emit()

    def _keep(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self._lines[line.id] = line
            self._lines.move_to_end(line.id)
            self._stale.discard(line.id)
        while len(self._lines) > KEPT_LINES:
            self._lines.popitem(last=False)

    def mark(self, id_: int, label: str | None) -> None:
        """Show a mark."""
        if (line := self._lines.get(id_)) is not None:
            self._lines[id_] = replace(line, mark=label)
            self.painted.emit()

    def thumb(self, id_: int) -> QImage | None:
        """Return a row's small picture, null if it has none, None if nobody has looked yet."""
        return self._thumbs.get(id_)

    def take_thumb(self, id_: int, image: QImage) -> None:
        """Take a small picture."""
        self._thumbs[id_] = image
        while len(self._thumbs) > KEPT_THUMBS:
            self._thumbs.popitem(last=False)
        self.painted.emit()
