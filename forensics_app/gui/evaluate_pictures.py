"""Measured pictures: the most wrong, or those of a cell of the confusion matrix, each under its map if wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from classifier.images import BadImage, Pixels, load
from forensics_app.core.run_folder import Predictions, Run
from forensics_app.gui import words
from forensics_app.gui.jobs import ThreadJob
from forensics_app.gui.labels import label

if TYPE_CHECKING:
    from forensics_app.core.maps import Maps

SIDE_PX, PAGE = 176, 24
PLACE = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class Tile:
    """A measured picture as it is shown, plain and under its map; `image` is None for one that cannot be read."""

    place: int
    image: QImage | None
    mapped: QImage | None


def tiles(run: Run, predictions: Predictions, places: Sequence[int], *, maps: bool) -> Iterator[Tile]:
    """Yield pictures by their places among the predictions; maps come from the graph alone, never from torch."""
    maker = _maps(run) if maps else None
    for place in places:
        one = predictions.pictures[place]
        try:
            pixels = load(Path(one.path)).pixels
        except BadImage:
            yield Tile(place, None, None)
            continue
        name = predictions.classes[int(np.argmax(one.p))]
        yield Tile(place, _small(pixels), _mapped(maker, pixels, name) if maker else None)


def _maps(run: Run) -> Maps | None:
    if not run.card.closed_form_cam or run.card.members:
        return None
    from classifier.runtime import Detector
    from forensics_app.core.maps import Maps

    return Maps(Detector(run.installed.folder), 0)


def _mapped(maker: Maps, pixels: Pixels, name: str) -> QImage:
    from forensics_app.core.overlay import overlay

    return _small(overlay(pixels, maker.draw(pixels, name).heat))


def _small(pixels: Pixels) -> QImage:
    """Return a picture of (H, W, 3) bytes in the middle of a clear square of twice `SIDE_PX`, for dense screens."""
    image = Image.fromarray(pixels)
    if (times := SIDE_PX // max(image.size)) > 1:  # a tiny picture is shown pixel by pixel
        image = image.resize((times * image.width, times * image.height), Image.Resampling.NEAREST)
    image.thumbnail((2 * SIDE_PX, 2 * SIDE_PX))
    square = Image.new("RGBA", (2 * SIDE_PX, 2 * SIDE_PX))
    square.paste(image, ((square.width - image.width) // 2, (square.height - image.height) // 2))
    data = square.tobytes()
    return QImage(data, square.width, square.height, 4 * square.width, QImage.Format.Format_RGBA8888).copy()


class PicturesView(QWidget):
    """A grid of pictures; `opened` brings the file of one that is to be inspected, `all_wanted` asks for all wrong."""

    opened = Signal(object)
    all_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.title, self.note = label("headline"), label("small")
        self.maps = QCheckBox(self.tr("Show where it looked"))
        self.back = QPushButton(self.tr("All that are wrong"))
        self.more = QPushButton(self.tr("Show more"))
        self.list = QListWidget()
        self.list.setViewMode(QListWidget.ViewMode.IconMode)
        self.list.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.list.setMovement(QListWidget.Movement.Static)
        self.list.setIconSize(QSize(SIDE_PX, SIDE_PX))
        self.list.setGridSize(QSize(SIDE_PX + 24, SIDE_PX + 64))
        self.list.setWordWrap(True)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setAccessibleName(self.tr("Pictures"))
        self._lay_out()
        self._run: Run | None = None
        self._places: list[int] = []
        self._tiles: dict[int, Tile] = {}
        self._job: ThreadJob | None = None
        self._left: list[int] = []
        self.maps.toggled.connect(self._restart)
        self.more.clicked.connect(self._show_more)
        self.back.clicked.connect(self.all_wanted)
        self.list.itemActivated.connect(self._open)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self.title, 1)
        head.addWidget(self.maps)
        head.addWidget(self.back)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 8, 8)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.note)
        column.addWidget(self.list, 1)
        column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignHCenter)

    def show_places(self, run: Run, places: Sequence[int], title: str, *, cell: bool) -> None:
        """Show measured pictures by their places among the predictions."""
        self._run, self._places = run, list(places)
        self.title.setText(words.legible(title))
        self.back.setVisible(cell)
        able = run.card.closed_form_cam and not run.card.members
        self.maps.setEnabled(able)
        self.maps.setToolTip("" if able else self.tr("The maps of this network need torch: its report has them."))
        if not able:
            self.maps.setChecked(False)
        if run.predictions is None:
            self.note.setText(self.tr("What it said of each picture was not kept."))
        elif places:
            self.note.setText(self.tr("Those least like their own class first. Enter or a double click inspects one."))
        else:
            self.note.setText(self.tr("There are none."))
        self._restart()

    @Slot()
    def _restart(self) -> None:
        self.list.clear()
        self._tiles.clear()
        self._left = list(self._places)
        self._show_more()

    @Slot()
    def _show_more(self) -> None:
        now, self._left = self._left[:PAGE], self._left[PAGE:]
        self.more.setVisible(bool(self._left))
        self.more.setText(self.tr("Show more ({0:,} left)").format(len(self._left)))
        run, predictions = self._run, self._run.predictions if self._run else None
        if run is None or predictions is None or not now:
            self._stop()
            return
        for place in now:
            item = QListWidgetItem(self._caption(predictions, place))
            item.setData(PLACE, place)
            item.setToolTip(words.tip(predictions.pictures[place].path))
            item.setSizeHint(QSize(SIDE_PX + 16, SIDE_PX + 56))
            self.list.addItem(item)
        maps, wanted = self.maps.isChecked(), [*(place for place in self._shown() if place not in self._tiles)]
        self._stop()
        self._job = ThreadJob(lambda: tiles(run, predictions, wanted, maps=maps), self)
        self._job.happened.connect(self._take)
        self._job.start()

    def _shown(self) -> list[int]:
        return [int(self.list.item(line).data(PLACE)) for line in range(self.list.count())]

    def _caption(self, predictions: Predictions, place: int) -> str:
        one = predictions.pictures[place]
        guess = int(np.argmax(one.p))
        own = one.p[predictions.classes.index(one.cls)]
        said = words.legible(predictions.classes[guess])
        if predictions.classes[guess] == one.cls:
            return self.tr("{0}, p {1:.2f}").format(said, own)
        return self.tr("{0} taken for {1}\np of its own class {2:.2f}").format(words.legible(one.cls), said, own)

    @Slot(object)
    def _take(self, tile: Tile) -> None:
        self._tiles[tile.place] = tile
        for line in range(self.list.count()):
            item = self.list.item(line)
            if item.data(PLACE) == tile.place:
                image = tile.mapped or tile.image
                if image is None:
                    item.setText(self.tr("gone or unreadable\n{0}").format(item.text().splitlines()[0]))
                else:
                    item.setIcon(QIcon(QPixmap.fromImage(image)))

    @Slot(QListWidgetItem)
    def _open(self, item: QListWidgetItem) -> None:
        if self._run is not None and self._run.predictions is not None:
            self.opened.emit(Path(self._run.predictions.pictures[int(item.data(PLACE))].path))

    def _stop(self) -> None:
        if self._job is not None:
            self._job.happened.disconnect(self._take)
            self._job.cancel()
            self._job = None

    def shutdown(self) -> None:
        """Wait for the pictures that are being read."""
        for job in self.findChildren(ThreadJob):
            job.cancel()
            job.wait()
