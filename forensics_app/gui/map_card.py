"""The map's controls: on or off, beside the original, how strong, in which colours, of which class and stage."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QCheckBox, QGridLayout, QPushButton, QSizePolicy, QWidget

from forensics_app.core.colour_maps import COLOUR_MAPS, table
from forensics_app.core.map_words import STAGES
from forensics_app.core.maps import NEEDS_TORCH
from forensics_app.core.overlay import COLOUR_MAP, OPACITY
from forensics_app.gui import image_maps
from forensics_app.gui.cards import TitledCard
from forensics_app.gui.choice_fields import ComboBox, Slider
from forensics_app.gui.image_maps import LAST, Found
from forensics_app.gui.judging import Judged
from forensics_app.gui.labels import label
from forensics_app.gui.pictures import image_over
from forensics_app.gui.trust_badge import TrustBadge


class Legend(QWidget):
    """The map's colours from weak to strong."""

    def __init__(self) -> None:
        super().__init__()
        self.set_colours(COLOUR_MAP)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Legend of the map: dark is weak, bright is strong"))

    def set_colours(self, name: str) -> None:
        """Show another colour map."""
        self._ramp = table(name)[None]
        self._image = image_over(self._ramp)
        self.update()

    def sizeHint(self) -> QSize:
        """Return the height of a thin bar."""
        return QSize(120, 10)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the bar."""
        painter, path = QPainter(self), QPainterPath()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        path.addRoundedRect(QRectF(self.rect()), 3, 3)
        painter.setClipPath(path)
        painter.drawImage(self.rect(), self._image)


class MapCard(TitledCard):
    """Says which map is wanted and how it is shown; the page has it drawn."""

    toggled = Signal(bool)
    divided = Signal(bool)
    opacity_changed = Signal(float)
    colours_changed = Signal(str)
    wanted = Signal()
    """Another class or stage was chosen, or a map that has to be drawn was asked for."""

    def __init__(self) -> None:
        super().__init__(self.tr("Heat map"))
        self.switch = self._check(self.tr("Show on the picture"), self.tr("Space"))
        self.switch.setChecked(True)
        self.divide = self._check(
            self.tr("Original left, map right"), self.tr("S; drag the line, or move it with [ and ]")
        )
        self.slider = Slider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 100)
        self.slider.setAccessibleName(self.tr("Opacity of the map in per cent"))
        self._percent, self._note, self.legend = label("number"), label("small"), Legend()
        self._percent.setWordWrap(False)
        self._percent.setMinimumWidth(44)
        self._percent.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.colours, self.classes, self.stages = (ComboBox() for _ in range(3))
        self.draw = QPushButton(self.tr("Draw the map"))
        self.trust = TrustBadge()
        self._how, self._which = QWidget(), QWidget()
        self._fill()
        self._lay_out()
        self._connect()

    def _check(self, text: str, tip: str) -> QCheckBox:
        box = QCheckBox(text)
        box.setToolTip(tip)
        return box

    def _fill(self) -> None:
        for name in COLOUR_MAPS:
            self.colours.addItem(name.capitalize(), name)
        self.classes.addItem(self.tr("generated"), "fake")
        self.classes.addItem(self.tr("no sign of generation"), "real")
        titles = (self.tr("First: edges"), self.tr("Second: textures"), self.tr("Third: patterns"),
                  self.tr("Last: the answer"))  # fmt: skip
        for title, name in zip(titles, image_maps.STAGES, strict=True):
            self.stages.addItem(title, name)
            self.stages.setItemData(self.stages.count() - 1, STAGES[name], Qt.ItemDataRole.ToolTipRole)
        for box, name in (
            (self.colours, self.tr("Colours of the map")),
            (self.classes, self.tr("What the map speaks for")),
            (self.stages, self.tr("Stage of the network")),
        ):
            box.setAccessibleName(name)
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def _lay_out(self) -> None:
        how, which = (self._grid(widget) for widget in (self._how, self._which))
        how.addWidget(self.switch, 0, 0, 1, 3)
        how.addWidget(self.divide, 1, 0, 1, 3)
        rows = (
            (self.tr("Opacity"), self.slider, self._percent),
            (self.tr("Weak"), self.legend, self._small(self.tr("Strong"), Qt.AlignmentFlag.AlignRight)),
        )
        for line, (name, widget, end) in enumerate(rows, 2):
            how.addWidget(self._small(name), line, 0)
            how.addWidget(widget, line, 1)
            how.addWidget(end, line, 2)
        how.addWidget(self._small(self.tr("Colours")), 4, 0)
        how.addWidget(self.colours, 4, 1, 1, 2)
        for line, (name, box) in enumerate(((self.tr("Speaks for"), self.classes), (self.tr("Stage"), self.stages))):
            which.addWidget(self._small(name), line, 0)
            which.addWidget(box, line, 1)
        for widget in (self._how, self._which, self._note, self.draw, self.trust):
            self.body.addWidget(widget)

    @staticmethod
    def _grid(widget: QWidget) -> QGridLayout:
        grid = QGridLayout(widget)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(8)
        grid.setColumnMinimumWidth(0, 72)
        grid.setColumnStretch(1, 1)
        return grid

    @staticmethod
    def _small(text: str, align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft) -> QWidget:
        caption = label("small")
        caption.setWordWrap(False)
        caption.setText(text)
        caption.setAlignment(align | Qt.AlignmentFlag.AlignVCenter)
        return caption

    def _connect(self) -> None:
        self.switch.toggled.connect(self.toggled)
        self.divide.toggled.connect(self.divided)
        self.slider.valueChanged.connect(self._slid)
        self.slider.setValue(round(100 * OPACITY))
        self.colours.currentIndexChanged.connect(self._coloured)
        self.classes.currentIndexChanged.connect(lambda _number: self.wanted.emit())
        self.stages.currentIndexChanged.connect(lambda _number: self.wanted.emit())
        self.draw.clicked.connect(self.wanted)

    @property
    def cls(self) -> str:
        """The class that the map is to speak for."""
        return str(self.classes.currentData())

    @property
    def stage(self) -> str:
        """The stage that the map is to be of."""
        return str(self.stages.currentData())

    def choose_colours(self, name: str) -> None:
        """Choose a colour map by its name; one that is not there changes nothing."""
        self.colours.setCurrentIndex(max(self.colours.findData(name), 0))

    def begin(self, judged: Judged) -> None:
        """Begin with a picture: the map of `generated` at the last stage, and what else its detector can draw."""
        for box, index in ((self.classes, 0), (self.stages, self.stages.count() - 1)):
            box.blockSignals(True)
            box.setCurrentIndex(index)
            box.blockSignals(False)
        torch = image_maps.in_torch(judged)
        self.stages.setEnabled(torch)
        self.stages.setToolTip("" if torch else self.tr(NEEDS_TORCH))
        self._which.setVisible(image_maps.in_graph(judged, LAST) or torch)

    def show_map(self, judged: Judged, found: Found | None, *, busy: bool, failed: bool = False) -> None:
        """Say what the map covers and how far it can be trusted, or that there is none yet."""
        drawn = found is not None and found.heat is not None
        can = image_maps.in_graph(judged, self.stage) or image_maps.in_torch(judged)
        self._how.setVisible(drawn or can)
        self.draw.setVisible(can and not drawn and not busy)
        self.trust.setVisible(drawn)
        self.trust.show_trust(found.trust if found else None, busy=busy and drawn)
        if busy and not drawn:
            self._note.setText(self.tr("Drawing the map… Another stage takes some seconds, because torch is loaded."))
        elif drawn:
            self._note.setText(self._covers())
        elif can:
            slow = self.tr("This detector's maps take some seconds each, because torch is loaded.")
            self._note.setText(self.tr("The map could not be drawn.") if failed else slow)
        else:
            self._note.setText(self.tr("This detector draws no maps here. {0}").format(self.tr(NEEDS_TORCH)))

    def _covers(self) -> str:
        if self.stage != LAST:
            return self.tr("This stage sees {0}. Read the last one, and this to see how it came about.").format(
                self.tr(STAGES[self.stage])
            )
        return self.tr(
            "Bright spots spoke most for “{0}”, measured against this picture's strongest spot. "
            "The detector looked inside the frames; outside them the map says nothing."
        ).format(self.classes.currentText())

    @Slot(int)
    def _coloured(self, _number: int) -> None:
        name = str(self.colours.currentData())
        self.legend.set_colours(name)
        self.colours_changed.emit(name)

    @Slot(int)
    def _slid(self, percent: int) -> None:
        self._percent.setText(f"{percent} %")
        self.opacity_changed.emit(percent / 100)
