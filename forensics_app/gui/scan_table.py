"""The table of scanned files: it paints what is at hand, and asks for the rows and pictures that are in sight."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QItemSelectionModel, QRect, QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from forensics_app.gui import theme
from forensics_app.gui.scan_model import COLUMNS, Index, ScanModel
from forensics_app.gui.scan_previews import SMALL
from forensics_app.gui.scan_questions import Line

ROW_PX, PAD_PX, ICON_PX = 48, 8, 16
FETCH_MS, LOOK_MS = 12, 90
NUMBERS = {column.key: number for number, column in enumerate(COLUMNS)}
STRETCHED = NUMBERS["name"]


class _Cell(QStyledItemDelegate):
    """Paints a cell straight from the model's row: one call a cell, where Qt's own way asks for eight roles."""

    def __init__(self, model: ScanModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self._icons: dict[tuple[str, str, float], QPixmap] = {}

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint the ground, then what the column shows."""
        colours, column, area = theme.current(), COLUMNS[index.column()], option.rect
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.fillRect(area, QColor(colours.hover if selected else colours.surface))
        painter.fillRect(QRect(area.left(), area.bottom(), area.width(), 1), QColor(colours.border))
        if selected and index.column() == 0:
            painter.fillRect(QRect(area.left(), area.top(), 3, area.height()), QColor(colours.accent))
        line = self._model.line(index.row())
        if line is None:
            painter.fillRect(area.adjusted(PAD_PX, 20, -PAD_PX - area.width() // 3, -20), QColor(colours.hover))
        elif column.key == "picture":
            self._picture(painter, area, line, colours)
        elif column.key in ("answer", "mark"):
            self._with_icon(painter, area, line, column.key, colours)
        else:
            self._text(painter, area, line, column.key, colours)

    def _picture(self, painter: QPainter, area: QRect, line: Line, colours: theme.Colours) -> None:
        frame = QRect(area.left() + PAD_PX, area.top() + 4, SMALL.width(), SMALL.height())
        painter.fillRect(frame, QColor(colours.canvas))
        thumb = self._model.thumb(line.id)
        if thumb is not None and not thumb.isNull():
            painter.drawImage(frame, thumb)
        elif thumb is not None:
            icon = self._icon("picture", colours.muted, painter.device().devicePixelRatio())
            painter.drawPixmap(frame.center().x() - ICON_PX // 2, frame.center().y() - ICON_PX // 2, icon)

    def _with_icon(self, painter: QPainter, area: QRect, line: Line, key: str, colours: theme.Colours) -> None:
        name = line.label if key == "answer" else line.mark
        if not name:
            return
        colour = getattr(colours, name)
        place = QRectF(area.left() + PAD_PX, area.center().y() - ICON_PX / 2 + 0.5, ICON_PX, ICON_PX)
        painter.drawPixmap(place.topLeft(), self._icon(name, colour, painter.device().devicePixelRatio()))
        self._draw(painter, area.adjusted(PAD_PX + ICON_PX, 0, 0, 0), self._model.text(line, key), colour)

    def _icon(self, name: str, colour: str, ratio: float) -> QPixmap:
        key = name, colour, ratio
        if key not in self._icons:
            self._icons[key] = theme.pixmap(name, colour, ICON_PX, ratio)
        return self._icons[key]

    def _text(self, painter: QPainter, area: QRect, line: Line, key: str, colours: theme.Colours) -> None:
        right, middle = COLUMNS[NUMBERS[key]].right, Qt.TextElideMode.ElideMiddle
        colour = colours.text if key in ("name", "p") else colours.muted
        mode = Qt.TextElideMode.ElideRight if key == "reason" else middle
        self._draw(painter, area, self._model.text(line, key), colour, right=right, mode=mode)

    @staticmethod
    def _draw(
        painter: QPainter,
        area: QRect,
        text: str,
        colour: str,
        *,
        right: bool = False,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        inside = area.adjusted(PAD_PX, 0, -PAD_PX, 0)
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        painter.setPen(QPen(QColor(colour)))
        shown = painter.fontMetrics().elidedText(text, mode, inside.width())
        painter.drawText(inside, side | Qt.AlignmentFlag.AlignVCenter, shown)


class ScanTable(QTableView):
    """Tells which rows and which pictures it could show if it had them."""

    rows_wanted = Signal(tuple)
    """The ids of rows that are in sight, or nearly, and not at hand."""
    pictures_wanted = Signal(tuple)
    """The ids of the rows in sight, once the table rests."""
    sort_wanted = Signal(str, bool)
    opened = Signal()
    """Enter, or a double click on a row."""

    def __init__(self, model: ScanModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = model
        self._sort, self._falling, self.nothing = "p_fake", True, ""
        self.setModel(model)
        self.setItemDelegate(_Cell(model, self))
        self.setAccessibleName(self.tr("Scanned files"))
        self._dress()
        self._fetch = self._timer(FETCH_MS, self._want_rows)
        self._rest = self._timer(LOOK_MS, self._want_pictures)
        for signal in (self.verticalScrollBar().valueChanged, model.modelReset, model.arrived):
            signal.connect(self._moved)
        for signal in (model.arrived, model.painted):
            signal.connect(self.viewport().update)
        self.horizontalHeader().sectionClicked.connect(self._header_clicked)
        self.doubleClicked.connect(lambda _index: self.opened.emit())

    def _dress(self) -> None:
        vertical, horizontal, mode = self.verticalHeader(), self.horizontalHeader(), QHeaderView.ResizeMode
        vertical.hide()
        vertical.setSectionResizeMode(mode.Fixed)
        vertical.setDefaultSectionSize(ROW_PX)
        horizontal.setHighlightSections(False)
        horizontal.setSectionsClickable(True)
        horizontal.setSortIndicatorShown(True)
        horizontal.setResizeContentsPrecision(0)
        horizontal.setFixedHeight(36)
        for number, column in enumerate(COLUMNS):
            self.setColumnWidth(number, column.width_px)
        horizontal.setSectionResizeMode(0, mode.Fixed)
        horizontal.setSectionResizeMode(STRETCHED, mode.Stretch)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.verticalScrollBar().setSingleStep(ROW_PX)

    def _timer(self, pause_ms: int, then: Callable[[], None]) -> QTimer:
        timer = QTimer(self, interval=pause_ms, singleShot=True)
        timer.timeout.connect(then)
        return timer

    # -- what is in sight

    def in_sight(self) -> range:
        """Return the rows that can be seen."""
        first = self.rowAt(0)
        if first < 0:
            return range(0)
        last = self.rowAt(self.viewport().height() - 1)
        return range(first, (last if last >= 0 else self.rows.rowCount() - 1) + 1)

    @Slot()
    def _moved(self) -> None:
        if not self._fetch.isActive():
            self._fetch.start()
        self._rest.start()

    def _want_rows(self) -> None:
        seen = self.in_sight()
        if missing := self.rows.missing(seen.start - len(seen), seen.stop + len(seen)) if seen else ():
            self.rows_wanted.emit(missing)

    def _want_pictures(self) -> None:
        wanted = tuple(id_ for row in self.in_sight() if (id_ := self.rows.id_at(row)) is not None)
        self.pictures_wanted.emit(wanted)

    # -- rows by id

    def current_id(self) -> int | None:
        """Return the id of the row with the focus."""
        return self.rows.id_at(self.currentIndex().row())

    def selected_rows(self) -> list[int]:
        """Return the numbers of the selected rows, in order."""
        ranges = self.selectionModel().selection()
        return sorted({row for one in ranges.toList() for row in range(one.top(), one.bottom() + 1)})

    def go_to(self, row: int) -> None:
        """Select a row and bring it in sight."""
        if 0 <= row < self.rows.rowCount():
            flags = QItemSelectionModel.SelectionFlag
            index = self.rows.index(row, NUMBERS["name"])
            self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
            self.scrollTo(index)

    def held(self, change: Callable[[], bool]) -> None:
        """Change the model and keep in place what is seen: the selected row, or else the first in sight."""
        bar, seen, chosen = self.verticalScrollBar(), self.in_sight(), self.current_id()
        anchor = chosen if self.currentIndex().row() in seen else self.rows.id_at(seen.start) if seen else None
        row = self.currentIndex().row() if anchor is not None and anchor == chosen else seen.start
        at_top, offset = bar.value() == 0, row * ROW_PX - bar.value()
        if not change():
            return
        if chosen is not None and (now := self.rows.row_of(chosen)) is not None:
            flags = QItemSelectionModel.SelectionFlag
            index = self.rows.index(now, NUMBERS["name"])
            self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        now = None if anchor is None or at_top else self.rows.row_of(anchor)
        bar.setValue(0 if now is None else now * ROW_PX - offset)

    # -- what Qt calls

    @Slot(int)
    def _header_clicked(self, section: int) -> None:
        sort = COLUMNS[section].sort
        if sort is None:
            self.show_sort(self._sort, descending=self._falling)
            return
        self.sort_wanted.emit(sort, not self._falling if sort == self._sort else sort != "path")

    def show_sort(self, sort: str, *, descending: bool) -> None:
        """Show the arrow in the header of the column that is sorted by; it points down where the highest is first."""
        self._sort, self._falling = sort, descending
        header, order = self.horizontalHeader(), Qt.SortOrder
        shown = header.sortIndicatorSection()
        fits = 0 <= shown < len(COLUMNS) and COLUMNS[shown].sort == sort
        section = shown if fits else next(number for number, one in enumerate(COLUMNS) if one.sort == sort)
        header.setSortIndicator(section, order.AscendingOrder if descending else order.DescendingOrder)

    def keyboardSearch(self, search: str) -> None:
        """Look for nothing: it would go through all rows."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open on Enter."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let columns give way in a narrow table, and ask for the rows that came in sight."""
        super().resizeEvent(event)
        for number, column in enumerate(COLUMNS):
            self.setColumnHidden(number, self.viewport().width() < column.needs_px)
        self._moved()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint under one hold of Python's lock; each cell would wait for the reading thread otherwise."""
        super().paintEvent(event)
        if not self.rows.rowCount() and self.nothing:
            painter = QPainter(self.viewport())
            painter.setPen(QColor(theme.current().muted))
            inside = self.viewport().rect().adjusted(24, 24, -24, -24)
            painter.drawText(inside, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.nothing)

    def say_nothing(self, text: str) -> None:
        """Say this where there are no rows."""
        self.nothing = text
        self.viewport().update()
