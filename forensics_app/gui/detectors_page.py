"""Detectors: what is installed, with its card; brought in, taken out, removed, and which one is the default."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QModelIndex, Slot
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from classifier.detector import BadDetector
from classifier.places import home
from forensics_app.core.analysis import CannotJudge
from forensics_app.core.default_detector import make_default, remove
from forensics_app.core.detector_archive import install_any, pack
from forensics_app.core.detectors import listed
from forensics_app.core.installing import CannotInstall
from forensics_app.gui.detectors_card import DetectorCards, DetectorHead, Read, read
from forensics_app.gui.detectors_list import DetectorList, Detectors, Row
from forensics_app.gui.empty_state import Notice
from forensics_app.gui.file_dialog import ask
from forensics_app.gui.intake import Intake
from forensics_app.gui.labels import label
from forensics_app.gui.latest import Latest
from forensics_app.gui.page import Action, PageWidget
from forensics_app.gui.session import Session

LIST_PX = 320


class DetectorsPage(PageWidget):
    """The Detectors page."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.rows, self.cards, self.notice = Detectors(), DetectorCards(), Notice()
        self.list, self.head = DetectorList(self.rows), DetectorHead()
        self.bring = QPushButton(self.tr("Import…"))
        self.sure, self.really = QFrame(), QPushButton(self.tr("Remove it"))
        self._wanted = ""
        self._working: Callable[[object], None] | None = None
        self._listing, self._reading, self._work = Latest(self), Latest(self), Latest(self)
        self._lay_out()
        self._connect()
        self.head.tell(None)
        self.look()

    def _lay_out(self) -> None:
        title = label("headline")
        title.setText(self.tr("Detectors"))
        head = QHBoxLayout()
        head.addWidget(title, 1)
        head.addWidget(self.bring)
        self._question()
        right = QVBoxLayout()
        right.setSpacing(12)
        right.addWidget(self.head)
        right.addWidget(self.sure)
        right.addWidget(self.cards, 1)
        self.list.setFixedWidth(LIST_PX)
        body = QHBoxLayout()
        body.setSpacing(16)
        body.addWidget(self.list)
        body.addLayout(right, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 12, 12, 8)
        whole.setSpacing(12)
        whole.addLayout(head)
        whole.addWidget(self.notice)
        whole.addLayout(body, 1)
        self.notice.hide()

    def _question(self) -> None:
        self.sure.setProperty("role", "notice")
        self._asked, keep = label("body"), QPushButton(self.tr("Keep it"))
        keep.clicked.connect(self.sure.hide)
        row = QHBoxLayout(self.sure)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(8)
        row.addWidget(self._asked, 1)
        row.addWidget(self.really)
        row.addWidget(keep)
        self.sure.hide()

    def _connect(self) -> None:
        self.bring.setProperty("role", "menu")
        menu = QMenu(self.bring)
        menu.addAction(self.tr("A zip file…"), self.choose_zip)
        menu.addAction(self.tr("A folder, or that of a run…"), self.choose_folder)
        self.bring.setMenu(menu)
        self.list.selectionModel().currentChanged.connect(self._selected)
        head = self.head
        for button, slot in ((head.choose, self.make_default), (head.evaluate, self.evaluate),
                             (head.take_out, self.choose_export), (head.drop, self._ask_remove),
                             (self.really, self._remove)):  # fmt: skip
            button.clicked.connect(slot)
        self._listing.finished.connect(self._listed)
        self._reading.finished.connect(self._read)
        self._reading.failed.connect(self._not_read)
        self._work.finished.connect(self._done)
        self._work.failed.connect(self._refused)
        self._session.detectors_changed.connect(self.look)

    def actions_now(self) -> tuple[Action, ...]:
        """Return what the page offers."""
        head = self.head
        return (
            Action(self.tr("Import a detector from a zip file"), self.choose_zip),
            Action(self.tr("Import a detector from a folder"), self.choose_folder),
            Action(self.tr("Export the detector"), self.choose_export, ready=head.take_out.isEnabled()),
            Action(self.tr("Make the detector the default"), self.make_default, ready=head.choose.isVisible()),
            Action(self.tr("Evaluate the detector"), self.evaluate, ready=head.evaluate.isEnabled()),
        )

    # -- the list and the card

    @Slot()
    def look(self) -> None:
        """Find out what is installed."""
        self._listing.ask(_installed)

    @Slot(object)
    def _listed(self, rows: object) -> None:
        wanted = self._wanted or (row.listed.name if (row := self.row()) else "")
        self._wanted = ""
        self.rows.put(rows if isinstance(rows, tuple) else ())
        place = self.rows.place_of(wanted)
        if place < 0:
            place = next((number for number, one in enumerate(self.rows.rows) if one.default), 0)
        self.list.setCurrentIndex(self.rows.index(place))

    def row(self) -> Row | None:
        """Return the detector that is selected."""
        number = self.list.currentIndex().row()
        return self.rows.rows[number] if 0 <= number < len(self.rows.rows) else None

    @Slot(QModelIndex, QModelIndex)
    def _selected(self, _now: QModelIndex, _before: QModelIndex) -> None:
        self.sure.hide()
        row = self.row()
        self.head.tell(row)
        if row is not None:
            self._reading.ask(lambda: read(row))

    @Slot(object)
    def _read(self, found: object) -> None:
        if isinstance(found, Read):
            self.cards.show_card(found)

    @Slot(object)
    def _not_read(self, error: Exception) -> None:
        self.cards.show_problem(_sentence(error))

    # -- what can be done with them

    def _do(self, work: Callable[[], object], then: Callable[[object], None]) -> None:
        """Do something in a thread, then tell it here; one thing at a time."""
        if self._work.busy:
            self.notice.tell(self.tr("Something is being copied. Wait until it is done."))
            return

        def once() -> Iterator[object]:
            yield work()

        self.notice.hide()
        self._working = then
        self._work.ask(once)

    @Slot(object)
    def _done(self, result: object) -> None:
        if (then := self._working) is not None:
            self._working = None
            then(result)

    @Slot(object)
    def _refused(self, error: Exception) -> None:
        self._working = None
        self.notice.tell(_sentence(error))

    def install(self, source: Path) -> None:
        """Install a detector from a folder, a run or a zip."""
        self._do(lambda: install_any(source).folder.name, self._installed)

    def _installed(self, name: object) -> None:
        self._wanted = str(name)
        self.notice.tell_good(self.tr("Installed as “{0}”.").format(name))
        self._session.detectors_changed.emit()

    @Slot()
    def choose_zip(self) -> None:
        """Ask for a detector as a zip file."""
        dialog = QFileDialog(self, self.tr("Import a detector"), "", self.tr("Zip files (*.zip);;All files (*)"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        ask(dialog, lambda paths: self.install(paths[0]))

    @Slot()
    def choose_folder(self) -> None:
        """Ask for the folder of a detector or of a run."""
        dialog = QFileDialog(self, self.tr("Import a detector"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        ask(dialog, lambda paths: self.install(paths[0]))

    @Slot()
    def choose_export(self) -> None:
        """Ask where the selected detector is to be written."""
        if (row := self.row()) is None or row.listed.problem is not None:
            return
        dialog = QFileDialog(self, self.tr("Export the detector"), "", self.tr("Zip file (*.zip)"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("zip")
        dialog.selectFile(f"{row.listed.name}.zip")
        ask(dialog, lambda paths: self.export_to(paths[0]))

    def export_to(self, target: Path) -> None:
        """Write the selected detector as a zip."""
        if (row := self.row()) is not None:
            folder = row.listed.folder
            told = self.tr("Exported to {0}").format(target)
            self._do(lambda: [*pack(folder, target)][-1], lambda _last: self.notice.tell_good(told))

    @Slot()
    def evaluate(self) -> None:
        """Show the selected detector's figures on the page Evaluate."""
        if (row := self.row()) is not None and row.listed.problem is None:
            self._session.go("evaluate", row.listed.folder)

    @Slot()
    def make_default(self) -> None:
        """Let the selected detector judge from now on, here and on the command line."""
        if (row := self.row()) is not None and row.judges and not row.default:
            name = row.listed.name if row.mine else "bundled"
            self._do(lambda: make_default(name), self._chosen)

    def _chosen(self, name: object) -> None:
        self.notice.tell_good(self.tr("“{0}” judges from now on, here and on the command line.").format(name))
        self._session.detectors_changed.emit()

    @Slot()
    def _ask_remove(self) -> None:
        if (row := self.row()) is not None and row.mine:
            text = self.tr("Remove “{0}” from this computer? Verdicts that it gave stay as they are.")
            self._asked.setText(text.format(row.listed.name))
            self.sure.show()
            self.really.setFocus()

    @Slot()
    def _remove(self) -> None:
        self.sure.hide()
        if (row := self.row()) is not None and row.mine:
            self._do(lambda: remove(row.listed.name), self._removed)

    def _removed(self, folder: object) -> None:
        self.notice.tell_good(self.tr("Removed: {0}").format(folder))
        self._session.detectors_changed.emit()

    # -- the rest

    def take(self, intake: Intake) -> bool:
        """Install what was dropped."""
        paths = [source for source in intake.sources if isinstance(source, Path)]
        if paths:
            self.install(paths[0])
        else:
            self.notice.tell(self.tr("Drop the folder of a detector here, or its zip file."))
        return True

    def open_with(self, what: object) -> None:
        """Show the detector of a name."""
        if isinstance(what, str):
            self._wanted = what
            self.look()

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        self.notice.redress()
        self.list.viewport().update()

    def shutdown(self) -> None:
        """Wait for what is being copied."""
        for worker in (self._listing, self._reading, self._work):
            worker.shutdown()


def _installed() -> Iterator[tuple[Row, ...]]:
    own = home() / "detectors"
    yield tuple(Row(one, default=one.default, mine=one.folder.parent == own) for one in listed())


def _sentence(error: Exception) -> str:
    if isinstance(error, (BadDetector, CannotInstall, CannotJudge)):
        return str(error)
    return getattr(error, "strerror", None) or type(error).__name__
