"""The four answers as one bar and as chips that filter; and the chips of the other filters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from forensics_app.core.store import StoredDetector
from forensics_app.core.store_lookup import Filters
from forensics_app.core.words import ANSWERS, PHRASES
from forensics_app.gui import theme, words
from forensics_app.gui.scan_model import MARKS, mark_words
from forensics_app.gui.scan_questions import NOTHING

TYPING_MS = 100
BAR_PX, CHIP_PX = 16, 128


class StackedBar(QWidget):
    """How many files got which answer, as parts of one bar."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: Mapping[str, int] = NOTHING
        self.setFixedHeight(BAR_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Answers"))

    def show_counts(self, counts: Mapping[str, int]) -> None:
        """Show other counts."""
        self._counts = counts
        self.setAccessibleDescription(", ".join(f"{self.tr(PHRASES[name])}: {counts[name]:,}" for name in ANSWERS))
        self.setToolTip(self.accessibleDescription())
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the parts from left to right; any file at all is two pixels."""
        painter, colours = QPainter(self), theme.current()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        path = QPainterPath()
        path.addRoundedRect(QRectF(self.rect()), 4, 4)
        painter.setClipPath(path)
        painter.fillRect(self.rect(), QColor(colours.border))
        there = {name: self._counts[name] for name in ANSWERS if self._counts[name]}
        room, left = self.width() - 2.0 * (len(there) - 1), 0.0
        least = {name: max(2.0, rows / sum(there.values()) * room) for name, rows in there.items()}
        for name, width in least.items():
            width *= room / sum(least.values())  # noqa: PLW2901
            painter.fillRect(QRectF(left, 0, width, BAR_PX), QColor(getattr(colours, name)))
            left += width + 2


class AnswerChips(QWidget):
    """The bar, and a chip for each answer with its number; chips that are pressed are what is shown."""

    chosen = Signal(object)
    """A frozenset of answers, None for all."""

    def __init__(self) -> None:
        super().__init__()
        self.bar = StackedBar()
        self.chips: dict[str, QToolButton] = {}
        self._counts: Mapping[str, int] = NOTHING
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(8)
        for number, name in enumerate(ANSWERS):
            chip = self.chips[name] = QToolButton()
            chip.setCheckable(True)
            chip.setProperty("role", "chip")
            chip.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            chip.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            chip.clicked.connect(self._choose)
            grid.addWidget(chip, number // 2, number % 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.bar)
        column.addLayout(grid)
        self.redress()
        self.show_counts(NOTHING)

    def show_counts(self, counts: Mapping[str, int]) -> None:
        """Show how many files each answer would give."""
        self._counts = counts
        self.bar.show_counts(counts)
        for name, chip in self.chips.items():
            chip.setText(f" {self.tr(PHRASES[name])}  {counts[name]:,}")
            chip.setAccessibleName(self.tr("Only: {0}, {1:,} files").format(self.tr(PHRASES[name]), counts[name]))
            chip.setToolTip(chip.accessibleName())

    def show_chosen(self, labels: frozenset[str] | None) -> None:
        """Press the chips of a filter."""
        for name, chip in self.chips.items():
            chip.setChecked(labels is not None and name in labels)

    def _choose(self) -> None:
        self.chosen.emit(frozenset(name for name, chip in self.chips.items() if chip.isChecked()) or None)

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        colours = theme.current()
        for name, chip in self.chips.items():
            sign = QIcon()  # in its own colour, pressed or not
            for ratio in (1.0, 2.0):
                sign.addPixmap(theme.pixmap(name, getattr(colours, name), 16, ratio))
            chip.setIcon(sign)
            chip.setIconSize(QSize(16, 16))
        self.bar.update()


class FilterChips(QWidget):
    """What else is left out, a chip each: by name, format, folder, evidence, mark and p."""

    changed = Signal(object)
    """The new `Filters`."""
    folders_wanted = Signal()
    folder_chosen = Signal(object)
    """A folder as bytes, None for all."""
    detector_chosen = Signal(str)
    """The id of a detector."""
    cleared = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.filters, self._threshold = Filters(), 0.5
        self.name = QLineEdit()
        self.name.setPlaceholderText(self.tr("Name contains…"))
        self.name.setAccessibleName(self.tr("Only files whose name contains"))
        self.name.setClearButtonEnabled(True)
        self.name.setMinimumWidth(112)
        self.name.setMaximumWidth(176)
        self._typing = QTimer(self, interval=TYPING_MS, singleShot=True)
        self._typing.timeout.connect(self._typed)
        self.name.textEdited.connect(lambda _text: self._typing.start())
        self.name.textChanged.connect(self._emptied)
        self.format, self.folder, self.evidence, self.mark, self.judge = (self._menu_chip() for _ in range(5))
        self.bound, self.clear = QToolButton(), QToolButton()
        self.bound.setAccessibleName(self.tr("Only p from the threshold on"))
        self.judge.setAccessibleName(self.tr("Detector"))
        self.bound.setProperty("role", "chip")
        self.bound.setCheckable(True)
        self.bound.clicked.connect(lambda on: self._change(above=self._threshold if on else None, below=None))
        self.clear.setText(self.tr("Clear"))
        self.clear.setToolTip(self.tr("Clear all filters"))
        self.clear.setAccessibleName(self.clear.toolTip())
        self.clear.clicked.connect(self.cleared)
        self.folder.menu().aboutToShow.connect(self.folders_wanted)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.name, 1)
        chips = (self.format, self.folder, self.evidence, self.mark, self.judge, self.bound, self.clear)
        for widget in chips:
            row.addWidget(widget)
        row.addStretch(2)
        self.judge.hide()
        self._fill_fixed()
        self.show_filters(self.filters, "")

    def rolled(self) -> QScrollArea:
        """Return the row in a frame that moves it where it is too long, instead of making the window wider."""
        area, off = QScrollArea(), Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        area.setWidget(self)
        area.setWidgetResizable(True)
        area.setFixedHeight(self.sizeHint().height())
        area.setHorizontalScrollBarPolicy(off)
        area.setVerticalScrollBarPolicy(off)
        return area

    def _menu_chip(self) -> QToolButton:
        chip = QToolButton()
        chip.setProperty("role", "chip")
        chip.setCheckable(True)
        chip.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        chip.setMenu(QMenu(chip))
        return chip

    def _fill_fixed(self) -> None:
        tr = self.tr
        for text, value in ((tr("Any"), None), (tr("With evidence"), True), (tr("Without evidence"), False)):
            self.evidence.menu().addAction(text, partial(self._change, evidence=value))
        menu = self.mark.menu()
        menu.addAction(tr("Any"), partial(self._change, marks=None))
        menu.addAction(tr("Not marked yet"), partial(self._change, marks=frozenset({""})))
        menu.addAction(tr("Marked"), partial(self._change, marks=frozenset(MARKS)))
        for name in MARKS:
            menu.addAction(mark_words(name), partial(self._change, marks=frozenset({name})))

    # -- what is shown

    def show_formats(self, formats: Mapping[str, int]) -> None:
        """Offer the formats that there are."""
        menu, chosen = self.format.menu(), frozenset(self.filters.formats or ())
        menu.clear()
        menu.addAction(self.tr("Any"), partial(self._change, formats=None))
        for name in sorted({*formats, *chosen}, key=lambda one: -formats.get(one, 0)):
            action = menu.addAction(f"{name}  {formats.get(name, 0):,}", partial(self._turn_format, name))
            action.setCheckable(True)
            action.setChecked(name in chosen)

    def show_detectors(self, detectors: Sequence[StoredDetector], chosen: StoredDetector) -> None:
        """Offer the detectors that judged these files, if they are several."""
        menu, named = self.judge.menu(), {one.id: f"{one.name} ({one.id[:6]}{one.id[16:]})" for one in detectors}
        menu.clear()
        for id_, text in named.items():
            menu.addAction(words.legible(text).replace("&", "&&"), partial(self.detector_chosen.emit, id_))
        self._say(self.judge, self.tr("Detector"), named.get(chosen.id))
        self.judge.setVisible(len(detectors) > 1)

    def show_folders(self, folders: Iterable[tuple[bytes, str]]) -> None:
        """Offer folders: each as it is kept and as it is shown."""
        menu = self.folder.menu()
        menu.clear()
        menu.addAction(self.tr("All folders"), partial(self.folder_chosen.emit, None))
        for path, text in folders:
            menu.addAction(text.replace("&", "&&"), partial(self.folder_chosen.emit, path))

    def show_filters(self, filters: Filters, folder: str) -> None:
        """Show what is left out."""
        self.filters, tr = filters, self.tr
        if not self._typing.isActive() and self.name.text() != filters.name:
            self.name.setText(filters.name)
        found = {None: "", True: tr("with"), False: tr("without")}[filters.evidence]
        marked = ", ".join(mark_words(one) for one in MARKS if one in (filters.marks or ()))
        marked = tr("not yet") if filters.marks == frozenset({""}) else marked
        self._say(self.format, tr("Format"), ", ".join(filters.formats or ()))
        self._say(self.folder, tr("Folder"), folder)
        self._say(self.evidence, tr("Evidence"), found)
        self._say(self.mark, tr("Mark"), marked)
        self._say_bound()
        self.clear.setVisible(filters != Filters() or bool(folder))

    def _say(self, chip: QToolButton, title: str, value: str | None) -> None:
        chip.setChecked(bool(value))
        text = f"{title}: {value}" if value else title
        chip.setText(chip.fontMetrics().elidedText(words.legible(text), Qt.TextElideMode.ElideRight, CHIP_PX))
        chip.setAccessibleName(self.tr("Filter: {0}").format(text))
        chip.setToolTip(words.tip(text))

    def show_threshold(self, threshold: float) -> None:
        """Offer the files from a threshold on; one that filters stays until it is let go."""
        self._threshold = threshold
        self._say_bound()

    def _say_bound(self) -> None:
        shown = self._threshold if self.filters.above is None else self.filters.above
        self.bound.setChecked(self.filters.above is not None)
        self.bound.setText(self.tr("p from {0:.2f}").format(shown))
        self.bound.setAccessibleName(self.tr("Only files with p of at least {0:.2f}").format(shown))
        self.bound.setToolTip(self.bound.accessibleName())

    # -- what is chosen

    def _change(self, **changes: object) -> None:
        self.changed.emit(replace(self.filters, **changes))  # type: ignore[arg-type]

    def _turn_format(self, name: str) -> None:
        chosen = frozenset(self.filters.formats or ()) ^ {name}
        self._change(formats=tuple(sorted(chosen)) or None)

    def _typed(self) -> None:
        self._change(name=self.name.text())

    def _emptied(self, text: str) -> None:
        if not text and self.filters.name:
            self._change(name="")
