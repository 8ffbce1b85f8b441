"""What the Scan page shows before a folder is chosen: one button, and what was scanned before."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from forensics_app.core.store import Query
from forensics_app.core.words import shown
from forensics_app.gui import theme, words
from forensics_app.gui.labels import label
from forensics_app.gui.scan_chips import StackedBar
from forensics_app.gui.scan_reader import Access
from forensics_app.gui.toolbar import Elided

MOST, WIDTH_PX, ICON_PX = 12, 720, 56


@dataclass(frozen=True)
class Earlier:
    """A scanned folder or archive of the store, and what its files came to."""

    root: bytes
    begun: str
    counts: Mapping[str, int]

    @property
    def name(self) -> str:
        """The last part of its path."""
        return shown(os.fsdecode(os.path.basename(self.root) or self.root))  # noqa: PTH119 - bytes


def earlier(access: Access) -> Iterator[list[Earlier]]:
    """Answer with the latest scans of a store that have rows."""
    if not access.path.is_file():
        yield []
        return
    store, found = access.store, list[Earlier]()
    for scan in store.scans():
        counts = store.counts(Query(scan.detector, scan.path))
        if sum(counts.values()):
            begun = datetime.fromtimestamp(scan.begun_ns / 1e9).astimezone().strftime("%Y-%m-%d %H:%M")
            found.append(Earlier(scan.path, begun, counts))
        if len(found) == MOST:
            break
    yield found


class _Card(QFrame):
    """A scanned folder, to click."""

    chosen = Signal()

    def __init__(self, one: Earlier) -> None:
        super().__init__()
        self.setProperty("role", "choice")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        total = sum(one.counts.values())
        name, path, when, count = label("title"), Elided(), label("small"), label("body")
        path.setProperty("role", "small")
        name.setText(words.legible(one.name))
        path.tell(shown(os.fsdecode(one.root)))
        when.setText(one.begun)
        count.setText(self.tr("{0:,} files").format(total))
        self.setAccessibleName(self.tr("{0}, {1:,} files, scanned {2}").format(one.name, total, one.begun))
        bar = StackedBar()
        bar.show_counts(one.counts)
        left, right = QVBoxLayout(), QVBoxLayout()
        for column, parts in ((left, (name, path)), (right, (count, when))):
            column.setSpacing(4)
            for part in parts:
                column.addWidget(part)
        for part in (count, when):
            part.setAlignment(Qt.AlignmentFlag.AlignRight)
            part.setWordWrap(False)
        bar.setFixedWidth(160)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 16, 8)
        row.setSpacing(24)
        row.addLayout(left, 1)
        row.addWidget(bar, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addLayout(right)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Choose it."""
        if self.rect().contains(event.position().toPoint()):
            self.chosen.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose it with Enter or Space."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit()
        else:
            super().keyPressEvent(event)


class ScanStart(QScrollArea):
    """The empty state."""

    chosen = Signal(object)
    """A scanned root as bytes."""

    def __init__(self) -> None:
        super().__init__()
        self._icon, self.cards = QLabel(), list[_Card]()
        title, hint, self._before = label("hero"), label("muted"), label("title")
        title.setText(self.tr("Which pictures in a folder were generated?"))
        hint.setText(self.tr("Drop a folder or an archive here, or choose one. Files are read, never changed."))
        self._before.setText(self.tr("Scanned before"))
        self.choose = QPushButton(self.tr("Choose a folder…"))
        self.choose.setProperty("role", "primary")
        self._list = QVBoxLayout()
        self._list.setSpacing(8)
        inside = QWidget()
        inside.setMaximumWidth(WIDTH_PX)
        column = QVBoxLayout(inside)
        column.setContentsMargins(16, 48, 16, 16)
        column.setSpacing(12)
        for part in (self._icon, title, hint):
            part.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(part)
        column.addSpacing(4)
        column.addWidget(self.choose, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(28)
        column.addWidget(self._before)
        column.addLayout(self._list)
        column.addStretch(1)
        around = QWidget()
        row = QHBoxLayout(around)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(inside, 100)
        row.addStretch(1)
        self.setWidget(around)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.redress()
        self.show_earlier([])

    def show_earlier(self, found: Sequence[Earlier]) -> None:
        """List what was scanned before."""
        for card in self.cards:
            card.hide()
            card.deleteLater()
        self.cards = [_Card(one) for one in found]
        for card, one in zip(self.cards, found, strict=True):
            card.chosen.connect(partial(self.chosen.emit, one.root))
            self._list.addWidget(card)
        self._before.setVisible(bool(found))

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        self._icon.setPixmap(theme.pixmap("scan", theme.current().accent, ICON_PX, self.devicePixelRatioF()))
