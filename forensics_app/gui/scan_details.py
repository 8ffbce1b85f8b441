"""The selected file: its picture or map, the verdict with its reasons, what the file is, and a person's mark."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from forensics_app.core.verdict import Policy
from forensics_app.core.words import PHRASES
from forensics_app.gui import theme, words
from forensics_app.gui.cards import sized
from forensics_app.gui.labels import label
from forensics_app.gui.scan_model import MARKS, mark_words
from forensics_app.gui.scan_questions import Line
from forensics_app.gui.verdict_card import Scale

WIDTH_PX, PICTURE_PX, LEAST_PICTURE_PX, ICON_PX = 312, 168, 88, 22
BODY_PX, WITH_PICTURE_PX = 104, 320
KEYS = {"fake": "F", "real": "R", "unsure": "U"}


class _Picture(QWidget):
    """A small picture, whole, on a dark ground."""

    def __init__(self) -> None:
        super().__init__()
        self._image = QImage()
        self.setMinimumHeight(LEAST_PICTURE_PX)
        self.setMaximumHeight(PICTURE_PX)

    def sizeHint(self) -> QSize:
        """Return the size that it has where there is room."""
        return QSize(WIDTH_PX, PICTURE_PX)

    def show_image(self, image: QImage | None) -> None:
        """Show an image, or that there is none (yet)."""
        self._image = image or QImage()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture in the middle, never larger than its pixels twice over."""
        painter, colours = QPainter(self), theme.current()
        painter.fillRect(self.rect(), colours.canvas)
        if self._image.isNull():
            icon = theme.pixmap("picture", colours.muted, 40, self.devicePixelRatioF())
            painter.drawPixmap(self.width() // 2 - 20, self.height() // 2 - 20, icon)
            return
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        size = size.boundedTo(self._image.size() * 2)
        place = QRect(QPoint((self.width() - size.width()) // 2, (self.height() - size.height()) // 2), size)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, self._image)


class ScanDetails(QFrame):
    """The right side of the page."""

    mark_wanted = Signal(object)
    inspect_wanted = Signal()
    copy_wanted = Signal()
    map_wanted = Signal(bool)
    """Show the picture with its heat map, or without."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setFixedWidth(WIDTH_PX)
        self.line: Line | None = None
        self.picture, self.scale, self._icon = _Picture(), Scale(), QLabel()
        self.headline, self.reason, self.empty = label("headline"), label("body", selectable=True), label("muted")
        self.evidence, self.facts = QVBoxLayout(), [(label("small"), label("body", selectable=True)) for _ in range(6)]
        self.marks = QButtonGroup(self)
        self.marks.setExclusive(False)
        self.inspect, self.copy, self.map = QPushButton(self.tr("Open in Inspect")), QToolButton(), QToolButton()
        self.empty.setText(self.tr("Select a file to see why it was judged so."))
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._body = QWidget()
        self._lay_out()
        self._connect()
        self.redress()
        self.show_line(None, Policy(0.5, 0.5))

    def _lay_out(self) -> None:
        head, buttons = QHBoxLayout(), QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._icon)
        head.addWidget(self.headline, 1)
        head.addWidget(self.map)
        buttons.setSpacing(8)
        buttons.addWidget(self.inspect, 1)
        buttons.addWidget(self.copy)
        self.evidence.setSpacing(8)
        facts = QGridLayout()
        facts.setHorizontalSpacing(12)
        facts.setVerticalSpacing(4)
        facts.setColumnStretch(1, 1)
        for number, (caption, told) in enumerate(self.facts):
            caption.setWordWrap(False)
            facts.addWidget(caption, number, 0, Qt.AlignmentFlag.AlignTop)
            facts.addWidget(told, number, 1)
        column = QVBoxLayout(self._body)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(12)
        column.addLayout(head)
        for widget in (self.scale, self.reason):
            column.addWidget(widget)
        column.addLayout(self.evidence)
        column.addLayout(facts)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(self._body)
        scroll.setWidgetResizable(True)
        scroll.setProperty("role", "card-body")
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setMinimumHeight(BODY_PX)
        self._scroll, foot = scroll, QVBoxLayout()
        foot.setContentsMargins(16, 8, 16, 16)
        foot.setSpacing(8)
        foot.addLayout(self._mark_row())
        foot.addLayout(buttons)
        self._foot = QWidget()
        self._foot.setLayout(foot)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(1, 1, 1, 1)
        whole.setSpacing(0)
        for part in (self.picture, self.empty, scroll, self._foot):
            whole.addWidget(part, 1 if part in (self.empty, scroll) else 0)

    def _mark_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        for name in MARKS:
            button = QToolButton()
            button.setCheckable(True)
            button.setProperty("role", "mark")
            button.setProperty("mark", name)
            button.setText(f"{mark_words(name)} ({KEYS[name]})")
            button.setAccessibleName(self.tr("Mark as: {0}").format(mark_words(name)))
            button.setToolTip(self.tr("Mark as: {0} ({1})").format(mark_words(name), KEYS[name]))
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            self.marks.addButton(button)
            row.addWidget(button)
        return row

    def _connect(self) -> None:
        self.inspect.clicked.connect(self.inspect_wanted)
        self.copy.clicked.connect(self.copy_wanted)
        self.copy.setToolTip(self.tr("Copy the path (Ctrl+C)"))
        self.copy.setAccessibleName(self.tr("Copy the path"))
        self.map.setCheckable(True)
        self.map.setToolTip(self.tr("Show the heat map"))
        self.map.setAccessibleName(self.map.toolTip())
        self.map.toggled.connect(self.map_wanted)
        self.marks.buttonClicked.connect(
            lambda button: self.mark_wanted.emit(button.property("mark") if button.isChecked() else None)
        )

    # -- what is shown

    def show_line(self, line: Line | None, policy: Policy) -> None:
        """Show a row, or that none is selected."""
        other = line is None or self.line is None or line.id != self.line.id
        self.line = line
        for part in (self._scroll, self._foot):
            part.setVisible(line is not None)
        self._make_room()
        self.empty.setVisible(line is None)
        if other:
            self.picture.show_image(None)
            self.map.setChecked(False)
        if line is None:
            return
        self._show_verdict(line, policy)
        self._show_evidence(line)
        self._show_facts(line)
        for button in self.marks.buttons():
            button.setChecked(button.property("mark") == line.mark)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let the picture give way where there is little room."""
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        self.picture.setVisible(self.line is not None and self.height() >= WITH_PICTURE_PX)

    def _show_verdict(self, line: Line, policy: Policy) -> None:
        self._show_sign(line.label)
        self.headline.setText(self.tr(PHRASES[line.label]))
        self.headline.setProperty("verdict", line.label)
        self.headline.style().unpolish(self.headline)
        self.headline.style().polish(self.headline)
        self.scale.setVisible(line.p_fake is not None)
        if line.p_fake is not None:
            self.scale.set(policy, line.p_fake)
        self.reason.setText(words.legible(line.reason))
        self.map.setVisible(bool(line.stored.row.get("heatmap")))

    def _show_sign(self, name: str) -> None:
        colour, ratio = getattr(theme.current(), name), self.devicePixelRatioF()
        self._icon.setPixmap(theme.pixmap(name, colour, ICON_PX, ratio))

    def _show_evidence(self, line: Line) -> None:
        _empty(self.evidence)
        if line.label == "error":
            advice = label("small")
            advice.setText(words.advice(line.stored.row["error"]["kind"]))
            self.evidence.addWidget(advice)
        for one in line.stored.row.get("evidence", ()):
            if one["finding"] != "nothing":
                told = label("hint" if one["finding"] == "synthetic" else "body", selectable=True)
                weight = self.tr("Proof: ") if one["strength"] == "proof" else self.tr("Hint: ")
                told.setText(weight + words.legible(one["summary"]))
                self.evidence.addWidget(told)

    def _show_facts(self, line: Line) -> None:
        row, tr = line.stored.row, self.tr
        pixels = f"{row['width']:,} × {row['height']:,}" if row.get("width") and row.get("height") else ""
        facts = (
            (tr("Name"), words.legible(line.name)), (tr("Folder"), words.legible(line.folder)),
            (tr("Format"), row.get("format") or ""), (tr("Pixels"), pixels),
            (tr("Size"), sized(line.size) if line.size >= 0 else ""),
            (tr("Judged"), line.judged + (tr(" (the file is gone)") if line.gone else "")),
        )  # fmt: skip
        for (caption, told), (name, value) in zip(self.facts, facts, strict=True):
            caption.setText(name)
            told.setText(value)
            told.setAccessibleName(name)
            for one in (caption, told):
                one.setVisible(bool(value))

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        self.copy.setIcon(theme.icon("copy"))
        self.map.setIcon(theme.icon("map"))
        for button in (self.copy, self.map):
            button.setIconSize(QSize(20, 20))
        if self.line is not None:
            self._show_sign(self.line.label)


def _empty(layout: QVBoxLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
