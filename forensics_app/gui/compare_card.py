"""Two detectors on the picture that is shown: the window's own, and another one that is installed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout

from classifier.detector import CARD, FAST, BadDetector
from classifier.runtime import Detector
from forensics_app.core.analysis import Analysis, CannotJudge, analyze
from forensics_app.core.detectors import listed
from forensics_app.gui import theme, words
from forensics_app.gui.cards import TitledCard
from forensics_app.gui.choice_fields import ComboBox
from forensics_app.gui.judging import Judged
from forensics_app.gui.labels import label
from forensics_app.gui.latest import Latest
from forensics_app.gui.toolbar import Elided

ICON_PX = 18


@dataclass(frozen=True)
class Choice:
    """A detector to compare with: the folder that it is in, and whether its twin in 8-bit integers is meant."""

    name: str
    folder: Path
    fast: bool = False


@dataclass(frozen=True, eq=False)
class Second:
    """What another detector says of a picture."""

    choice: Choice
    analysis: Analysis


class Line(QFrame):
    """One detector's verdict, in a column: its name, icon and word, and p."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "line")
        self.name, self._icon, self.word, self.p = Elided(), QLabel(), label("title"), label("number")
        self.name.setProperty("role", "small")
        self._icon.setFixedSize(ICON_PX, ICON_PX)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.word, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(4)
        column.addWidget(self.name)
        column.addLayout(row)
        column.addWidget(self.p)
        column.addStretch(1)

    def tell(self, name: str, analysis: Analysis) -> None:
        """Show what a detector says."""
        verdict = analysis.verdict
        self.name.tell(name)
        self.word.setText(self.tr(verdict.headline))
        self.p.setText(f"p {verdict.p_fake:.2f}")
        colour = getattr(theme.current(), verdict.label)
        self._icon.setPixmap(theme.pixmap(verdict.label, colour, ICON_PX, self.devicePixelRatioF()))
        for widget in (self, self.word):
            widget.setProperty("verdict", verdict.label)
            widget.style().unpolish(widget)
            widget.style().polish(widget)
        self.setAccessibleName(f"{name}: {verdict.headline}, p {verdict.p_fake:.2f}")


class CompareCard(TitledCard):
    """Lets another detector judge the same picture, and the next ones, until none is chosen."""

    def __init__(self) -> None:
        super().__init__(self.tr("Compare detectors"))
        self.choice, self.first, self.second = ComboBox(), Line(), Line()
        self.choice.setAccessibleName(self.tr("Detector to compare with"))
        self.choice.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.note = label("small")
        self._pair = QFrame()
        grid = QGridLayout(self._pair)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        for column, line in enumerate((self.first, self.second)):
            grid.addWidget(line, 0, column)
            grid.setColumnStretch(column, 1)
        for widget in (self.choice, self._pair, self.note):
            self.body.addWidget(widget)
        self._pair.hide()
        self.note.hide()
        self._judged: Judged | None = None
        self._second: Second | None = None
        self._opened: tuple[Choice, Detector] | None = None
        self._choices: tuple[Choice, ...] = ()
        self._listing, self._judging = Latest(self), Latest(self)
        self._listing.finished.connect(self._listed)
        self._listing.failed.connect(self._not_judged)
        self._judging.finished.connect(self._told)
        self._judging.failed.connect(self._not_judged)
        self.choice.currentIndexChanged.connect(self._ask)
        self._fill(())

    def look(self) -> None:
        """Find out which detectors are installed."""
        self._opened = None
        self._listing.ask(_judges)

    def show_picture(self, judged: Judged | None) -> None:
        """Show another picture, judged by the window's detector."""
        known, self._judged = self._judged, judged
        if judged is not None and not self._choices and not self._listing.busy:
            self.look()
        if judged is not known:
            self._ask()

    @Slot(object)
    def _listed(self, found: object) -> None:
        self._fill(found if isinstance(found, tuple) else ())

    def _fill(self, choices: tuple[Choice, ...]) -> None:
        chosen = self._chosen()
        self._choices = choices
        self.choice.blockSignals(True)
        self.choice.clear()
        self.choice.addItem(self.tr("With no other"))
        for one in choices:
            self.choice.addItem(words.legible(self.tr("{0}, fast twin").format(one.name) if one.fast else one.name))
        self.choice.setCurrentIndex(choices.index(chosen) + 1 if chosen in choices else 0)
        self.choice.blockSignals(False)
        self._ask()

    def _chosen(self) -> Choice | None:
        number = self.choice.currentIndex() - 1
        return self._choices[number] if 0 <= number < len(self._choices) else None

    @Slot()
    def _ask(self, _number: int = 0) -> None:
        judged, chosen = self._judged, self._chosen()
        self._pair.hide()
        self.note.setVisible(chosen is not None)
        self.note.setText(self.tr("Judging…"))
        if judged is None or chosen is None:
            self._judging.forget()
            return
        opened = self._opened[1] if self._opened and self._opened[0] == chosen else None
        self._judging.ask(lambda: _judge(judged, chosen, opened))

    @Slot(object)
    def _told(self, told: object) -> None:
        if not isinstance(told, tuple) or self._judged is None:
            return
        self._second, detector = told
        self._opened = (self._second.choice, detector)
        self.redress()
        self._pair.show()
        ours, theirs = self._judged.analysis.verdict, self._second.analysis.verdict
        apart = abs(ours.p_fake - theirs.p_fake)
        said = self.tr("They agree") if ours.label == theirs.label else self.tr("They differ")
        self.note.setText(self.tr("{0}; their p lie {1:.2f} apart.").format(said, apart))

    @Slot(object)
    def _not_judged(self, error: Exception) -> None:
        own = isinstance(error, (BadDetector, CannotJudge))
        bug = self.tr("It could not judge this picture ({0}).").format(type(error).__name__)
        self.note.setText(words.legible(str(error)) if own else bug)
        self.note.show()

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        if self._judged is not None and self._second is not None:
            self.first.tell(self._judged.analysis.detector_name, self._judged.analysis)
            self.second.tell(self._named(self._second.choice), self._second.analysis)

    def _named(self, choice: Choice) -> str:
        return self.tr("{0}, fast twin").format(choice.name) if choice.fast else choice.name

    def shutdown(self) -> None:
        """Wait for the threads."""
        self._listing.shutdown()
        self._judging.shutdown()


def _judges() -> Iterator[tuple[Choice, ...]]:
    """Find the detectors of fake and real, each followed by its fast twin where it has one."""
    found: list[Choice] = []
    for one in listed():
        if one.problem is None and set(one.classes) == {"fake", "real"}:
            found.append(Choice(one.name, one.folder))
            if (one.folder / FAST / CARD).is_file():
                found.append(Choice(one.name, one.folder, fast=True))
    yield tuple(found)


def _judge(judged: Judged, choice: Choice, opened: Detector | None) -> Iterator[tuple[Second, Detector]]:
    detector = opened or Detector(choice.folder, fast=choice.fast)
    analysis = analyze(judged.analysis.file.data, detector, heatmap=False)
    yield Second(choice, analysis), detector
