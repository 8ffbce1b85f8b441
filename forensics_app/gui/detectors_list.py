"""The installed detectors as a list: name, how often each is right, which one is the default, and what is broken."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from forensics_app.core.detectors import Listed
from forensics_app.gui import theme, words

ROW_PX, ICON_PX = 64, 20
PILL = QSize(68, 20)
Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()


@dataclass(frozen=True)
class Row:
    """A detector in the list; `mine` ones can be removed."""

    listed: Listed
    default: bool
    mine: bool

    @property
    def judges(self) -> bool:
        """True if it can give verdicts."""
        return self.listed.problem is None and set(self.listed.classes) == {"fake", "real"}


class Detectors(QAbstractListModel):
    """The rows."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[Row, ...] = ()

    def put(self, rows: tuple[Row, ...]) -> None:
        """Show other detectors."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def place_of(self, name: str) -> int:
        """Return the row of a name, or -1."""
        return next((number for number, row in enumerate(self.rows) if row.listed.name == name), -1)

    def rowCount(self, parent: Index = ROOT) -> int:
        """Return the number of detectors."""
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a detector's name, or what is told of it."""
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return words.legible(row.listed.name)
        if role == Qt.ItemDataRole.ToolTipRole:
            return words.tip(str(row.listed.folder), *((row.listed.problem,) if row.listed.problem else ()))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{row.listed.name}: {self.second(row)}" + (self.tr("; the default") if row.default else "")
        return None

    def second(self, row: Row) -> str:
        """Return the line below a name."""
        one = row.listed
        if one.problem is not None:
            return words.legible(one.problem)
        if row.judges:
            right = self.tr("right {0}").format(one.headline) if one.headline else self.tr("not measured")
            return f"{words.legible(one.arch)} · {right}"
        return self.tr("{0} · tells {1} apart").format(
            words.legible(one.arch), words.legible(", ".join(one.classes[:3]))
        )


class _Line(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the size of a row."""
        return QSize(200, ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint an icon, the name with a mark for the default, and the second line."""
        colours, model = theme.current(), index.model()
        row = model.rows[index.row()]  # type: ignore[attr-defined]
        area = QRectF(option.rect).adjusted(4, 2, -4, -2)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours.hover))
            painter.drawRoundedRect(area, 8, 8)
        icon, colour = (
            ("error", colours.error)
            if row.listed.problem
            else ("detectors", colours.accent if row.default else colours.muted)
        )
        ratio = painter.device().devicePixelRatio()
        painter.drawPixmap(
            int(area.x() + 12), int(area.center().y() - ICON_PX / 2), theme.pixmap(icon, colour, ICON_PX, ratio)
        )
        inner = area.adjusted(44, 9, -12, -9)
        font = painter.font()
        font.setPixelSize(14)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor(colours.text))
        tag = model.tr("default") if row.default else ""
        pill = QRectF(inner.right() - PILL.width(), inner.y() - 3, PILL.width(), PILL.height())
        room = int(inner.width()) - (PILL.width() + 8 if tag else 0)
        painter.drawText(
            inner,
            Qt.AlignmentFlag.AlignTop,
            painter.fontMetrics().elidedText(index.data(), Qt.TextElideMode.ElideRight, room),
        )
        font.setPixelSize(12)
        font.setBold(False)
        painter.setFont(font)
        if tag:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours.accent))
            painter.drawRoundedRect(pill, PILL.height() / 2, PILL.height() / 2)
            painter.setPen(QColor(colours.on_accent))
            painter.drawText(
                pill, Qt.AlignmentFlag.AlignCenter, painter.fontMetrics().elidedText(
                    tag, Qt.TextElideMode.ElideRight, PILL.width() - 8)
            )  # fmt: skip
        painter.setPen(QColor(colours.muted))
        text = model.second(row)  # type: ignore[attr-defined]
        painter.drawText(
            inner,
            Qt.AlignmentFlag.AlignBottom,
            painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(inner.width())),
        )
        painter.restore()


class DetectorList(QListView):
    """The list; the arrow keys move through it."""

    def __init__(self, model: Detectors) -> None:
        super().__init__()
        self.setModel(model)
        self.setItemDelegate(_Line(self))
        self.setUniformItemSizes(True)
        self.setAccessibleName(self.tr("Installed detectors"))
