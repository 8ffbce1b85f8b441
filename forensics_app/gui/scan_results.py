"""What a scan has found: the summary, the filters, the table and the selected file, all read while it still writes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from forensics_app.core.store import Query
from forensics_app.core.store_lookup import Filters
from forensics_app.core.store_query import Sort
from forensics_app.core.verdict import Policy
from forensics_app.core.words import shown
from forensics_app.gui.scan_chips import FilterChips
from forensics_app.gui.scan_details import ScanDetails
from forensics_app.gui.scan_model import ScanModel
from forensics_app.gui.scan_previews import Previews, Wish
from forensics_app.gui.scan_questions import Found, Line, Ordered, View, lines, look
from forensics_app.gui.scan_reader import Access, StoreReader
from forensics_app.gui.scan_setup import pictures_folder
from forensics_app.gui.scan_strip import ScanStrip
from forensics_app.gui.scan_table import ScanTable
from forensics_app.gui.scan_triage import Triage

KEPT_LARGE, FOLDERS, MOST_SELECTED = 24, 40, 5_000


class ScanResults(QWidget):
    """Shows a view of a store, and asks for another as filters and order change."""

    shown = Signal(object)
    """A `Found` that was asked for, or None where the store has nothing of the folder."""
    failed = Signal(str)
    inspect_wanted = Signal()
    copy_wanted = Signal()

    def __init__(self, store: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view: View | None = None
        self.found: Found | None = None
        self._begun: View | None = None
        self._asked = self.cost_s = 0.0
        self._then: Callable[[list[Line]], object] = lambda _found: None
        self._larges: OrderedDict[tuple[int, bool], QImage] = OrderedDict()
        self.model, self.strip, self.chips = ScanModel(self), ScanStrip(), FilterChips()
        self.table, self.details = ScanTable(self.model), ScanDetails()
        self.export = QToolButton()
        self.triage, self.reader = Triage(self), StoreReader(store, self)
        self.previews = Previews(self, ratio=self.devicePixelRatioF())
        self._lay_out()
        self._connect()
        self._listen()

    def _lay_out(self) -> None:
        self.export.setText(self.tr("Export"))
        self.export.setAccessibleName(self.tr("Export what is shown"))
        self.export.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.export.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        filters, below, column = QHBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        filters.setSpacing(8)
        filters.addWidget(self.chips.rolled(), 1)
        filters.addWidget(self.export)
        below.setSpacing(12)
        below.addWidget(self.table, 1)
        below.addWidget(self.details)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.strip)
        column.addLayout(filters)
        column.addLayout(below, 1)

    def _connect(self) -> None:
        self.table.rows_wanted.connect(self._fetch)
        self.table.pictures_wanted.connect(self._wish)
        self.table.sort_wanted.connect(self._sort)
        self.table.opened.connect(self.inspect_wanted)
        self.table.selectionModel().currentRowChanged.connect(self._show_current)
        self.model.arrived.connect(self._show_current)
        self.strip.answers.chosen.connect(lambda labels: self._filter(labels=labels))
        self.strip.histogram.moved.connect(self.chips.show_threshold)
        self.chips.changed.connect(lambda filters: self._ask(filters=filters))
        self.chips.folder_chosen.connect(lambda folder: self._ask(under=folder))
        self.chips.folders_wanted.connect(self._ask_folders)
        self.chips.detector_chosen.connect(lambda id_: self._ask(detector=id_))
        self.chips.cleared.connect(lambda: self._ask(filters=Filters(), under=None))
        self.details.mark_wanted.connect(lambda mark: self.mark(mark, then_next=False))
        self.details.inspect_wanted.connect(self.inspect_wanted)
        self.details.copy_wanted.connect(self.copy_wanted)
        self.details.map_wanted.connect(self._show_current)
        self.triage.marked.connect(self._show_mark)
        self.previews.made.connect(self._show_preview)

    # -- which store, which view

    def use(self, store: Path) -> None:
        """Read another store."""
        self.reader.shutdown()
        self.reader.deleteLater()
        self.reader = StoreReader(store, self)
        self._listen()

    def _listen(self) -> None:
        self.reader.told.connect(self._hear)
        self.reader.failed.connect(lambda _kind, sentence: self.failed.emit(sentence))

    def open(self, root: bytes) -> None:
        """Show a folder or an archive, without a filter."""
        self.view, self.found, self._begun = View(root), None, None
        self.triage.forget()
        self.strip.histogram.forget()
        self.strip.show_found(None)
        self.model.begin(0, (), "")
        self.details.show_line(None, Policy(0.5, 0.5))
        self._ask()

    def refresh(self) -> None:
        """Look again: a scan has written."""
        if self.view is not None:
            self._ask()

    def _filter(self, **changes: object) -> None:
        if self.view is not None:
            self._ask(filters=replace(self.view.filters, **changes))  # type: ignore[arg-type]

    @Slot(str, bool)
    def _sort(self, sort: Sort, descending: bool) -> None:
        self._ask(sort=sort, descending=descending)

    def _ask(self, **changes: object) -> None:
        if self.view is None:
            return
        view = self.view = replace(self.view, **changes)  # type: ignore[arg-type]
        folder = "" if view.under is None else shown(view.under.decode(errors="surrogateescape")).rsplit("/", 1)[-1]
        self.chips.show_filters(view.filters, folder)
        self.table.show_sort(view.sort, descending=view.descending)
        self._asked = time.monotonic()
        self.reader.ask("view", lambda access: look(access.store, view))

    def _ask_folders(self) -> None:
        if (found := self.found) is not None and (view := self.view) is not None:
            query = replace(view, under=None).query(found.detector.number)
            self.reader.ask("folders", lambda access: _folders(access, query, view.root))

    # -- what the reader says

    @Slot(str, object)
    def _hear(self, kind: str, step: object) -> None:
        if kind == "rows" and isinstance(step, list):
            self.model.take(step)
        elif kind == "selected" and isinstance(step, list):
            self._then(step)
        elif kind == "folders" and isinstance(step, list):
            self.chips.show_folders(step)
        elif kind == "view" and step is None:
            self.found = None
            self.strip.show_found(None)
            self.shown.emit(None)
        elif isinstance(step, Found) and step.view == self.view:
            self._show_found(step)
        elif isinstance(step, Ordered) and step.view == self.view:
            self._arrange(step)

    def _show_found(self, found: Found) -> None:
        self.found = found
        self.strip.show_found(found)
        self.chips.show_formats(found.formats)
        self.chips.show_detectors(found.others, found.detector)
        if self._begun != found.view:
            self._begun = found.view
            self.model.begin(found.total, found.first, found.view.root.decode(errors="surrogateescape"))
            self.table.scrollToTop()
            self.table.go_to(0)
            self._show_current()
        self.shown.emit(found)

    def _arrange(self, step: Ordered) -> None:
        self.cost_s = time.monotonic() - self._asked
        first = self.found.first if self.found is not None else ()
        self.table.held(lambda: self.model.arrange(step.ids, first))

    @Slot(tuple)
    def _fetch(self, ids: tuple[int, ...]) -> None:
        self.reader.ask("rows", lambda access: iter((lines(access.store, ids),)))

    # -- the selected row

    def current(self) -> Line | None:
        """Return the selected row, if it is at hand."""
        return self.model.line(self.table.currentIndex().row())

    @Slot()
    def _show_current(self) -> None:
        line = self.current()
        if line is None and self.table.currentIndex().isValid():
            return  # it is on its way
        self.details.show_line(line, self.found.policy if self.found is not None else Policy(0.5, 0.5))
        if line is not None:
            key = line.id, self.details.map.isChecked()
            self.details.picture.show_image(self._larges.get(key))
            if key not in self._larges:
                self._wish(())

    @Slot(tuple)
    def _wish(self, ids: tuple[int, ...]) -> None:
        """Wish for the selected row's picture, then for those of rows in sight."""
        wishes = []
        if (line := self.current()) is not None and (line.id, self.details.map.isChecked()) not in self._larges:
            wishes.append(self._wish_of(line, map_=self.details.map.isChecked()))
        seen = ids or tuple(id_ for row in self.table.in_sight() if (id_ := self.model.id_at(row)) is not None)
        for line in filter(None, map(self.model.line_of, seen)):
            if self.model.thumb(line.id) is None:
                wishes.append(self._wish_of(line))
        self.previews.wish([wish for wish in wishes if wish is not None])

    def _wish_of(self, line: Line, *, map_: bool = False) -> Wish | None:
        row = line.stored.row
        if line.label == "error" and row["error"]["kind"] != "too_small":
            self.model.take_thumb(line.id, QImage())
            return None
        beside = (pictures_folder(), self.reader.path.parent)
        name = row.get("heatmap" if map_ else "thumbnail")
        made = tuple(str(folder / name) for folder in beside) if name else ()
        return Wish(line.id, made if map_ else (line.path, *made), map_)

    @Slot(object, QImage, QImage)
    def _show_preview(self, wish: Wish, large: QImage, small: QImage) -> None:
        if not wish.map:
            self.model.take_thumb(wish.id, small)
        self._larges[wish.id, wish.map] = large
        while len(self._larges) > KEPT_LARGE:
            self._larges.popitem(last=False)
        line = self.current()
        if line is not None and (line.id, self.details.map.isChecked()) == (wish.id, wish.map):
            self.details.picture.show_image(large)

    # -- triage

    def selected(self, then: Callable[[list[Line]], object]) -> None:
        """Call with the selected rows: at once where all are at hand, else when they have been read."""
        ids = [id_ for row in self.table.selected_rows() if (id_ := self.model.id_at(row)) is not None]
        if len(ids) > MOST_SELECTED:
            self.failed.emit(self.tr("More than {0:,} files are selected. Select fewer of them.").format(MOST_SELECTED))
            return
        there = [line for id_ in ids if (line := self.model.line_of(id_)) is not None]
        if len(there) == len(ids):
            then(there)
            return
        self._then = then
        self.reader.ask("selected", lambda access: iter((lines(access.store, tuple(ids)),)))

    def mark(self, label: str | None, *, then_next: bool = True) -> None:
        """Keep what a person says of the selected rows, and go on to the next one."""
        self.selected(lambda found: self._mark(found, label, then_next=then_next))

    def _mark(self, found: list[Line], label: str | None, *, then_next: bool) -> None:
        self.triage.mark(self.reader, [(line.id, line.mark) for line in found], label)
        if then_next and found:
            self.next()

    def next(self) -> None:
        """Go to the next row."""
        self.table.go_to(self.table.currentIndex().row() + 1)

    def undo(self) -> None:
        """Take the last mark back and go to its row."""
        id_ = self.triage.undo(self.reader)
        if id_ is not None and (row := self.model.row_of(id_)) is not None:
            self.table.go_to(row)

    @Slot(int, object)
    def _show_mark(self, id_: int, label: str | None) -> None:
        self.model.mark(id_, label)
        self._show_current()

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        self.strip.redress()
        self.details.redress()
        self.table.viewport().update()

    def shutdown(self) -> None:
        """End both threads; marks are kept first."""
        self.reader.shutdown()
        self.previews.shutdown()


def _folders(access: Access, query: Query, root: bytes) -> Iterator[list[tuple[bytes, str]]]:
    summaries = access.store.folders(query, FOLDERS)
    below = len(root.rstrip(b"/")) + 1
    yield [(one.folder, shown(one.folder[below:].decode(errors="surrogateescape")) or ".") for one in summaries]
