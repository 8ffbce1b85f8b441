"""The cards below the verdict: the map's controls, the evidence, the file's facts."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from forensics_app.core.analysis import Analysis
from forensics_app.core.overlay import COLOUR_MAP, OPACITY
from forensics_app.gui import theme, words
from forensics_app.gui.pictures import image_over
from forensics_app.gui.verdict_card import label

CAPTION_DROP_PX = 2  # 12 px captions stand on the line of 14 px values


class _Card(QFrame):
    def __init__(self, title: str) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(16, 12, 16, 16)
        self.body.setSpacing(8)
        heading = label("title")
        heading.setText(title)
        self.body.addWidget(heading)
        self.setAccessibleName(title)


class Legend(QWidget):
    """The map's colours from weak to strong."""

    def __init__(self) -> None:
        super().__init__()
        from matplotlib import colormaps

        ramp = np.asarray(colormaps[COLOUR_MAP](np.linspace(0, 1, 256), bytes=True))[None, :, :3]
        self._ramp = np.ascontiguousarray(ramp)
        self._image = image_over(self._ramp)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Legend of the map: dark is weak, bright is strong"))

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


class MapCard(_Card):
    """Turns the map on and off and sets its opacity."""

    toggled = Signal(bool)
    opacity_changed = Signal(float)

    def __init__(self) -> None:
        super().__init__(self.tr("Heat map"))
        self.switch = QCheckBox(self.tr("Show on the picture"))
        self.switch.setChecked(True)
        self.switch.setToolTip(self.tr("Space"))
        self.switch.toggled.connect(self.toggled)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 100)
        self.slider.setValue(round(100 * OPACITY))
        self.slider.setAccessibleName(self.tr("Opacity of the map in per cent"))
        self._percent = label("number")
        self._percent.setWordWrap(False)
        self._percent.setMinimumWidth(44)
        self._percent.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._note = label("small")
        self._controls = QWidget()
        self._lay_out()
        self.slider.valueChanged.connect(self._slid)
        self._slid(self.slider.value())

    def _lay_out(self) -> None:
        grid = QGridLayout(self._controls)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(8)
        grid.addWidget(self.switch, 0, 0, 1, 3)
        for line, (name, widget) in enumerate(((self.tr("Opacity"), self.slider), (self.tr("Weak"), Legend())), 1):
            caption = label("small")
            caption.setWordWrap(False)
            caption.setText(name)
            grid.addWidget(caption, line, 0)
            grid.addWidget(widget, line, 1)
        strong = label("small")
        strong.setWordWrap(False)
        strong.setText(self.tr("Strong"))
        strong.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(self._percent, 1, 2)
        grid.addWidget(strong, 2, 2)
        grid.setColumnStretch(1, 1)
        self.body.addWidget(self._controls)
        self.body.addWidget(self._note)

    def show_analysis(self, analysis: Analysis) -> None:
        """Say what the map of this picture covers."""
        self._controls.setVisible(analysis.heat is not None)
        if analysis.heat is None:
            self._note.setText(self.tr("This detector can't draw maps in the window; use “forensics analyze”."))
        else:
            self._note.setText(
                self.tr(
                    "Bright spots spoke most for “generated”, measured against this picture's strongest spot. "
                    "The detector looked inside the frames; outside them the map says nothing."
                )
            )

    def _slid(self, percent: int) -> None:
        self._percent.setText(f"{percent} %")
        self.opacity_changed.emit(percent / 100)


class EvidenceCard(_Card):
    """What the file itself says, one line a probe."""

    def __init__(self) -> None:
        super().__init__(self.tr("Evidence in the file"))
        self._lines: list[QLabel] = []

    def show_analysis(self, analysis: Analysis) -> None:
        """List the evidence."""
        for line in self._lines:
            self.body.removeWidget(line)
            line.deleteLater()
        self._lines = [
            label("hint" if one.finding == "synthetic" else "body", selectable=True) for one in analysis.evidence
        ]
        for line, one in zip(self._lines, analysis.evidence, strict=True):
            weight = self.tr("Proof: ") if one.strength == "proof" else self.tr("Hint: ")
            line.setText((weight if one.finding in ("synthetic", "camera") else "") + words.legible(one.summary))
            self.body.addWidget(line)
        self.setVisible(bool(self._lines))


class FileCard(_Card):
    """Name, size, format, dimensions, hash."""

    def __init__(self) -> None:
        super().__init__(self.tr("File"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        self.body.addLayout(grid)
        self.facts: dict[str, QLabel] = {}
        names = (
            self.tr("Name"),
            self.tr("Format"),
            self.tr("Pixels"),
            self.tr("Size"),
            "SHA-256",
            self.tr("Judged in"),
        )
        for line, name in enumerate(names):
            caption, value = label("small"), label("body", selectable=True)
            caption.setText(name)
            caption.setWordWrap(False)
            caption.setContentsMargins(0, CAPTION_DROP_PX, 0, 0)
            value.setAccessibleName(name)
            self.facts[name] = value
            grid.addWidget(caption, line, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, line, 1)
        self.copy = QToolButton()
        self.copy.setProperty("role", "inline")
        self.copy.setToolTip(self.tr("Copy the SHA-256"))
        self.copy.setAccessibleName(self.tr("Copy the SHA-256"))
        self.copy.clicked.connect(self._copy)
        grid.addWidget(self.copy, names.index("SHA-256"), 2, Qt.AlignmentFlag.AlignTop)
        self._sha256 = ""
        self.redress()

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        self.copy.setIcon(theme.icon("copy"))

    def show_analysis(self, name: str, analysis: Analysis) -> None:
        """Show a judged file's facts."""
        file = analysis.file
        self._sha256 = file.sha256
        frames = self.tr(", first of {0} pictures").format(file.frames) if file.frames > 1 else ""
        values = (
            # Zero-width spaces let a long name break; nothing is lost by copying the hash with the button.
            "\u200b".join(name),
            f"{file.format} ({file.mode}){frames}",
            f"{file.width:,} × {file.height:,}",
            sized(len(file.data)),
            f"{file.sha256[:16]}…{file.sha256[-8:]}",
            f"{analysis.ms:,.0f} ms",
        )
        for value, text in zip(self.facts.values(), values, strict=True):
            value.setText(text)
        self.facts["SHA-256"].setToolTip(file.sha256)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._sha256)


def sized(count: int) -> str:
    """Return a number of bytes for people, in decimal units."""
    for unit, factor in (("MB", 1_000_000), ("kB", 1000)):
        if count >= factor:
            return f"{count / factor:,.1f} {unit}"
    return f"{count} bytes"
