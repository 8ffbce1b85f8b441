"""One data set: what is in it, its pictures at a glance, and its audit."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from forensics_app.gui import words
from forensics_app.gui.cards import TitledCard
from forensics_app.gui.dataset_audit import AuditCard
from forensics_app.gui.dataset_sheet import ContactSheet, Listing
from forensics_app.gui.labels import label
from forensics_app.gui.toolbar import Elided

SHEET_PX = 280


class PreviewCard(TitledCard):
    """The pictures on their way from noise, as large as there is room for."""

    def __init__(self) -> None:
        super().__init__(self.tr("On their way from noise"))
        self.view, self.stage = _Picture(), label("small")
        self.body.addWidget(self.view, 1)
        self.body.addWidget(self.stage)

    def show_file(self, path: Path) -> None:
        """Show the newest grid, which our own child process wrote."""
        image = QImage(str(path))
        if not image.isNull():
            self.view.put(image)


class _Picture(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.image: QImage | None = None
        self.setMinimumHeight(200)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("Preview of the denoising"))

    def put(self, image: QImage | None) -> None:
        """Show another picture."""
        self.image = image
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint it as large as it fits, pixel by pixel, because it is small."""
        if self.image is None:
            return
        scale = min(self.width() / self.image.width(), self.height() / self.image.height())
        width, height = round(self.image.width() * scale), round(self.image.height() * scale)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        left, top = (self.width() - width) // 2, (self.height() - height) // 2
        painter.drawImage(self.rect().adjusted(left, top, -left, -top), self.image)


class DatasetView(QScrollArea):
    """A data set's folder with its sheet and its audit."""

    train_wanted = Signal(Path)
    failed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.folder: Path | None = None
        self.name, self.counts, self.note = Elided(), label("muted"), label("small")
        self.name.setProperty("role", "headline")
        self.train = QPushButton(self.tr("Train with it"))
        self.sheet, self.audit = ContactSheet(), AuditCard()
        self._lay_out()
        self.sheet.listed.connect(self._listed)
        self.sheet.failed.connect(self.failed)
        self.train.clicked.connect(self._train)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.name, 1)
        head.addWidget(self.train)
        card = QFrame()
        card.setProperty("role", "card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(16, 12, 16, 16)
        inside.setSpacing(8)
        inside.addLayout(head)
        for widget in (self.counts, self.note):
            inside.addWidget(widget)
        self.sheet.setMinimumHeight(SHEET_PX)
        inside.addWidget(self.sheet, 1)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(12)
        column.addWidget(card, 1)
        column.addWidget(self.audit)
        self.setWidget(whole)
        self.setWidgetResizable(True)
        self.setAccessibleName(self.tr("The data set"))

    def open(self, folder: Path, *, note: str = "", before: str = "") -> None:
        """Show a data set; `note` is what has to be known of it."""
        self.folder = folder
        self.name.tell(str(folder))
        self.counts.setText(self.tr("Looking for pictures…"))
        self.note.setText(words.legible(note))
        self.note.setVisible(bool(note))
        self.audit.clear(before)
        self.sheet.open(folder)

    def _listed(self, listing: Listing) -> None:
        parts = [
            f"{split}: " + " + ".join(f"{count:,} {words.legible(kind)}" for kind, count in kinds.items())
            for split, kinds in listing.counts.items()
        ]
        total = sum(sum(kinds.values()) for kinds in listing.counts.values())
        text = self.tr("{0:,} pictures. {1}").format(total, "; ".join(parts))
        if len(listing.shown) < total:
            text += self.tr(". Shown are {0:,}, evenly over all.").format(len(listing.shown))
        self.counts.setText(text)

    def _train(self) -> None:
        if self.folder is not None:
            self.train_wanted.emit(self.folder)

    def shutdown(self) -> None:
        """Stop reading pictures."""
        self.sheet.shutdown()
