"""A detector's figures: the finding above, below it the views, of which one is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from forensics_app.core.run_gallery import pictures_of_cell
from forensics_app.core.run_list import REPORT
from forensics_app.gui import words
from forensics_app.gui.evaluate_compare import CompareView
from forensics_app.gui.evaluate_overview import Overview
from forensics_app.gui.evaluate_pictures import PicturesView
from forensics_app.gui.evaluate_robustness import RobustnessView
from forensics_app.gui.evaluate_threshold import ThresholdView
from forensics_app.gui.evaluate_training import TrainingView
from forensics_app.gui.labels import label
from forensics_app.gui.session import Session
from forensics_app.gui.train_start import runs_folder

if TYPE_CHECKING:
    from forensics_app.core.dashboard import Dashboard


class Board(QWidget):
    """Shows one dashboard after the other; `bar`, its name and what can be done with it, goes beside a title."""

    use_wanted = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.bar, self.name, self.headline = QWidget(), label("muted"), label("headline", selectable=True)
        self.context, self.notes = label("small", selectable=True), label("hint", selectable=True)
        self.open, self.report = QPushButton(self.tr("Open…")), QPushButton(self.tr("Report"))
        self.use, self.others = QPushButton(self.tr("Use this detector")), QPushButton(self.tr("All runs"))
        self.overview, self.threshold, self.pictures = Overview(), ThresholdView(), PicturesView()
        self.robustness, self.training, self.compare = RobustnessView(session), TrainingView(), CompareView(session)
        self.views, self.tabs = QStackedWidget(), QButtonGroup(self)
        self.shown: Dashboard | None = None
        self._stale: set[QWidget] = set()
        self._lay_out()
        self.tabs.idClicked.connect(self._turn)
        self.report.clicked.connect(self._open_report)
        self.use.clicked.connect(self.use_wanted)
        self.overview.cell_wanted.connect(self.show_cell)
        self.pictures.all_wanted.connect(self.show_wrong)
        self.pictures.opened.connect(lambda path: session.go("inspect", [path]))

    def _lay_out(self) -> None:
        head = QHBoxLayout(self.bar)
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(8)
        head.addWidget(self.name, 1)
        for button in (self.use, self.report, self.others, self.open):
            head.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        said = QVBoxLayout()
        said.setContentsMargins(0, 0, 8, 0)
        said.setSpacing(8)
        for widget in (self.headline, self.context, self.notes):
            said.addWidget(widget)
        column.addLayout(said)
        column.addLayout(self._tab_bar())
        column.addWidget(self.views, 1)

    def _tab_bar(self) -> QHBoxLayout:
        bar = QHBoxLayout()
        bar.setSpacing(4)
        for number, (text, view) in enumerate((
            (self.tr("Overview"), self.overview), (self.tr("Threshold"), self.threshold),
            (self.tr("Pictures"), self.pictures), (self.tr("Robustness"), self.robustness),
            (self.tr("Training"), self.training), (self.tr("Compare"), self.compare),
        )):  # fmt: skip
            tab = QToolButton()
            tab.setText(text)
            tab.setAccessibleName(text)
            tab.setCheckable(True)
            tab.setProperty("role", "view")
            tab.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.tabs.addButton(tab, number)
            self.views.addWidget(view)
            bar.addWidget(tab)
        bar.addStretch(1)
        return bar

    @Slot(int)
    def _turn(self, number: int) -> None:
        if (view := self.views.widget(number)) is not None:
            self.turn_to(view)

    def turn_to(self, view: QWidget) -> None:
        """Show one of the views, with what there is to see by now."""
        if view in self._stale:
            self._stale.remove(view)
            self._fill(view)
        self.views.setCurrentWidget(view)
        self.tabs.button(self.views.currentIndex()).setChecked(True)

    def _fill(self, view: QWidget) -> None:
        if (shown := self.shown) is None:
            return
        if view is self.threshold:
            self.threshold.show_run(shown.run)
        elif view is self.pictures:
            self._list_wrong()
        elif view is self.robustness:
            self.robustness.show_run(shown.run, runs_folder(self._session.settings))
        else:
            self.training.show_dashboard(shown)

    def show_dashboard(self, shown: Dashboard) -> None:
        """Show figures, the overview first."""
        self.shown, run = shown, shown.run
        self.name.setText(words.legible(shown.name))
        self.headline.setText(words.legible(shown.headline))
        self.context.setText(words.legible(shown.context))
        self.notes.setText(words.legible(" ".join(shown.notes)))
        self.notes.setVisible(bool(shown.notes))
        self.report.setVisible((run.folder / REPORT).is_file())
        self.overview.show_dashboard(shown)
        self._stale = {self.threshold, self.pictures, self.robustness, self.training}
        self.tabs.button(self.views.indexOf(self.training)).setVisible(bool(run.history))
        self.turn_to(self.overview)

    @Slot(int, int)
    def show_cell(self, truth: int, taken: int) -> None:
        """Show the pictures of a cell of the confusion matrix."""
        if self.shown is None:
            return
        run, predictions = self.shown.run, self.shown.run.predictions
        places = pictures_of_cell(predictions, truth, taken) if predictions else []
        names = run.measured.classes if run.measured else run.card.classes
        title = self.tr("{0} taken for {1}: {2:,} pictures").format(names[truth], names[taken], len(places))
        self._stale.discard(self.pictures)
        self.pictures.show_places(run, places, title, cell=True)
        self.turn_to(self.pictures)

    @Slot()
    def show_wrong(self) -> None:
        """Show the most wrong pictures."""
        self._stale.add(self.pictures)
        self.turn_to(self.pictures)

    def _list_wrong(self) -> None:
        if self.shown is None:
            return
        predictions = self.shown.run.predictions
        places, n = (pictures_of_cell(predictions), len(predictions.pictures)) if predictions else ([], 0)
        title = self.tr("Most wrong: {0:,} of {1:,} pictures").format(len(places), n)
        self.pictures.show_places(self.shown.run, places, title, cell=False)

    @Slot()
    def _open_report(self) -> None:
        if self.shown is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.shown.run.folder / REPORT)))

    def shutdown(self) -> None:
        """Wait for the views' threads."""
        for view in (self.pictures, self.robustness, self.compare):
            view.shutdown()
