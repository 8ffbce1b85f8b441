"""Inspect: pictures come in, one is shown with its verdict, its map and the facts of its file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from classifier.images import SUFFIXES
from classifier.places import resources
from forensics_app.core.analysis_page import stem_of
from forensics_app.core.samples import sample_files
from forensics_app.gui.desk import Desk
from forensics_app.gui.empty_state import EmptyState, Notice
from forensics_app.gui.export import Exporter
from forensics_app.gui.file_dialog import ask
from forensics_app.gui.filmstrip import Filmstrip
from forensics_app.gui.image_side import SidePanel
from forensics_app.gui.image_view import STEP, ImageView
from forensics_app.gui.intake import Intake, sources_in
from forensics_app.gui.judging import Judged, Source
from forensics_app.gui.page import Action, PageWidget
from forensics_app.gui.session import Session
from forensics_app.gui.shortcuts import INSPECT, said
from forensics_app.gui.toolbar import Toolbar
from forensics_app.gui.welcome import MARGINS_PX


class ImagePage(PageWidget):
    """The Inspect page."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.desk = Desk(self)
        self.view, self.strip = ImageView(), Filmstrip(self.desk.pictures)
        self.toolbar, self.notice = Toolbar(), Notice()
        self.side = SidePanel(session, self.view)
        self.verdict, self.map = self.side.verdict, self.side.map
        self.evidence, self.file = self.side.evidence, self.side.file
        self.samples = tuple(sample_files()) if (resources() / "samples").is_dir() else ()
        self.empty = EmptyState(has_samples=bool(self.samples))
        self._exporter = Exporter(self)
        self._row = -1
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(8)
        left.addWidget(self.view, 1)
        left.addWidget(self.strip)
        inspecting = QWidget()
        row = QHBoxLayout(inspecting)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addLayout(left, 1)
        row.addWidget(self.side)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        self.stack.addWidget(inspecting)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(*MARGINS_PX)
        whole.setSpacing(12)
        for widget in (self.toolbar, self.notice):
            whole.addWidget(widget)
        whole.addWidget(self.stack, 1)

    def _connect(self) -> None:
        self.desk.added.connect(self._added)
        self.desk.changed.connect(self._changed)
        self.desk.progressed.connect(self.progressed)
        self.desk.noticed.connect(self.notice.tell)
        self._exporter.failed.connect(self.notice.tell)
        self._exporter.done.connect(self.notice.tell_good)
        self.strip.selectionModel().currentChanged.connect(self._selected)
        self.side.failed.connect(self.notice.tell)
        self._session.detectors_changed.connect(self._detectors_changed)
        self.view.zoomed.connect(self.toolbar.show_zoom)
        for button, slot in (
            (self.toolbar.open, self.choose_files), (self.empty.open, self.choose_files),
            (self.toolbar.paste, self.paste), (self.toolbar.export, self.choose_export),
            (self.toolbar.fit, self.view.fit), (self.toolbar.pixels, self._full_size),
            (self.empty.sample, self._sample),
        ):  # fmt: skip
            button.clicked.connect(slot)
        self._refresh_toolbar()
        for widget in (self.toolbar, self.strip, self.notice):
            widget.hide()

    # -- pictures come in

    def take(self, intake: Intake) -> bool:
        """Take a drop or a paste in."""
        self.notice.hide()
        if intake.remote:
            self.notice.tell(self.tr("Nothing is fetched from the web. Save the picture first, then drop the file."))
        elif not intake.sources:
            self.notice.tell(self.tr("There is no picture in it. Copy or drag a picture, or the file of one."))
        self.add(intake.sources)
        return True

    def add(self, sources: Sequence[Source]) -> None:
        """Judge files, folders or pasted pictures."""
        self.desk.add(sources)
        if paths := [source for source in sources if isinstance(source, Path) and source not in self.samples]:
            self._session.settings.opened(paths)

    def open_with(self, what: object) -> None:
        """Judge the files that another page sends."""
        if isinstance(what, (list, tuple)):
            self.add([path for path in what if isinstance(path, Path)])

    def actions_now(self) -> tuple[Action, ...]:
        """Return what can be done with a picture, ready once one is shown."""
        keys: dict[str, Callable[[], object]] = {
            "Ctrl+E": self.choose_export,
            "Space": self.map.switch.toggle,
            "0": self.view.fit,
            "1": self._full_size,
            "S": self.map.divide.toggle,
            "M": self._measure,
            "W": self._wrong,
        }
        measure, switch = self.map.trust.measure, self.map.switch.isVisible()
        offered = {"Space": switch, "S": switch, "M": measure.isVisible() and measure.isEnabled(),
                   "W": self.side.wrong.ask.isVisible()}  # fmt: skip
        judged = self.shown() is not None
        return tuple(
            Action(what, act, key, judged and offered.get(key, True))
            for key, what in said(INSPECT)
            if (act := keys.get(key)) is not None
        )

    @Slot()
    def paste(self) -> None:
        """Judge what the clipboard holds."""
        self.take(sources_in(QGuiApplication.clipboard().mimeData()))

    @Slot()
    def choose_files(self) -> None:
        """Ask for pictures."""
        kinds = " ".join(sorted(f"*{suffix}" for suffix in SUFFIXES))
        dialog = QFileDialog(self, self.tr("Open pictures"), "", self.tr("Pictures ({0});;All files (*)").format(kinds))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        ask(dialog, self._chosen)

    @Slot()
    def choose_folder(self) -> None:
        """Ask for a folder of pictures."""
        dialog = QFileDialog(self, self.tr("Open a folder"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        ask(dialog, self._chosen)

    def _chosen(self, paths: list[Path]) -> None:
        self.notice.hide()
        self.add(paths)

    @Slot()
    def _sample(self) -> None:
        self.add(self.samples)

    # -- one is shown

    @Slot(int)
    def _added(self, first: int) -> None:
        self.stack.setCurrentIndex(1)
        self.toolbar.show()
        self.strip.setVisible(len(self.desk.pictures.rows) > 1)
        if self._row < 0 or self.desk.pictures.rows[self._row].state != "waiting":
            self.strip.setCurrentIndex(self.desk.pictures.index(first))
            self.side.verticalScrollBar().setValue(0)
            self.view.setFocus()

    @Slot(QModelIndex, QModelIndex)
    def _selected(self, current: QModelIndex, _previous: QModelIndex) -> None:
        self._row = current.row()
        self.desk.want(self._row)
        self._present()

    @Slot(int)
    def _changed(self, row: int) -> None:
        if row == self._row:
            self._present()

    def shown(self) -> Judged | None:
        """Return the result that is on the page."""
        return self.desk.result(self._row)

    def _present(self) -> None:
        row, judged = self.desk.pictures.rows[self._row], self.shown()
        self.toolbar.name.tell(row.picture.name)
        self._refresh_toolbar()
        self.view.show_picture(judged.painted if judged else None, "error" if row.state == "error" else "waiting")
        self.side.show_row(row, judged)
        self.view.setAccessibleDescription(f"{row.picture.name}: {self.verdict.headline.text()}")

    @Slot()
    def _detectors_changed(self) -> None:
        """Judge anew: another detector may be the default now."""
        self.desk.start_over()
        if self._row >= 0:
            self.desk.want(self._row)
            self._present()

    @Slot()
    def _measure(self) -> None:
        if self.map.trust.isVisible():
            self.map.trust.measure.click()

    @Slot()
    def _wrong(self) -> None:
        if self.side.wrong.ask.isVisible():
            self.side.wrong.ask.click()
            self.side.ensureWidgetVisible(self.side.wrong)

    def _refresh_toolbar(self) -> None:
        for button in (self.toolbar.fit, self.toolbar.pixels, self.toolbar.export):
            button.setEnabled(self.shown() is not None)

    # -- and looked at

    @Slot()
    def _full_size(self) -> None:
        self.view.set_zoom(1.0)

    def move_on(self, step: int) -> None:
        """Show the next picture, or the one before."""
        row = min(max(self._row + step, 0), len(self.desk.pictures.rows) - 1)
        if row >= 0:
            self.strip.setCurrentIndex(self.desk.pictures.index(row))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Act on the page's keys; everything else goes on to the window."""
        actions: dict[str, Callable[[], object]] = {
            " ": self.map.switch.toggle,
            "0": self.view.fit,
            "1": self._full_size,
            "+": lambda: self.view.set_zoom(self.view.zoom * STEP),
            "-": lambda: self.view.set_zoom(self.view.zoom / STEP),
            "s": self.map.divide.toggle,
            "[": lambda: self.side.move_divider(-1),
            "]": lambda: self.side.move_divider(1),
        }
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
            event.ignore()
        elif (action := actions.get(event.text())) is not None:
            action()
        elif (step := steps.get(Qt.Key(event.key()))) is not None:
            self.move_on(step)
        else:
            event.ignore()

    # -- export

    @Slot()
    def choose_export(self) -> None:
        """Ask where the analysis on the page is to be written."""
        judged = self.shown()
        if judged is None:
            self.notice.tell(self.tr("There is nothing to export yet: open a picture first."))
            return
        kinds = (
            self.tr("Report to read (*.html)"), self.tr("Report to print (*.pdf)"), self.tr("For programs (*.json)"),
            self.tr("Picture with its map, and JSON (*.png)"),
        )  # fmt: skip
        dialog = QFileDialog(self, self.tr("Export the analysis"), "", ";;".join(kinds))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("html")
        dialog.filterSelected.connect(lambda kind: dialog.setDefaultSuffix(kind.rpartition("*.")[2].rstrip(")")))
        dialog.selectFile(f"{stem_of(judged.picture.name)}-analysis")
        ask(dialog, self._export_chosen)

    def _export_chosen(self, paths: list[Path]) -> None:
        self.export_to(paths[0])

    def export_to(self, target: Path) -> None:
        """Write the analysis on the page as `target`, in the form that its suffix names."""
        if (judged := self.shown()) is not None:
            self._exporter.start(judged, target, self.side.shown_map())

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        for widget in (self.toolbar, self.empty, self.side, self.notice):
            widget.redress()
        self.update()

    def shutdown(self) -> None:
        """Stop all work and wait for it."""
        self._exporter.shutdown()
        self.side.shutdown()
        self.desk.shutdown()
