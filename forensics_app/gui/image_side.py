"""The column beside the picture: the verdict, the map with its controls, and what is known of the file."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from forensics_app.core.analysis_page import ShownMap
from forensics_app.core.overlay import COLOUR_MAP
from forensics_app.gui.cards import EvidenceCard, FileCard
from forensics_app.gui.compare_card import CompareCard
from forensics_app.gui.filmstrip import Row
from forensics_app.gui.image_maps import Found, MapDesk, wanted
from forensics_app.gui.image_view import ImageView
from forensics_app.gui.judging import Judged
from forensics_app.gui.map_card import MapCard
from forensics_app.gui.metadata_card import MetadataCard
from forensics_app.gui.pictures import map_image
from forensics_app.gui.session import Session
from forensics_app.gui.verdict_card import VerdictCard
from forensics_app.gui.wrong_bar import WrongBar

SIDE_PX = 368
COLOURS, DIVIDE_STEP = "map/colours", 0.05


class SidePanel(QScrollArea):
    """Shows what is known of one picture, and lays the map that is chosen here on the view."""

    failed = Signal(str)

    def __init__(self, session: Session, view: ImageView) -> None:
        super().__init__()
        self._session, self._view = session, view
        self._judged: Judged | None = None
        self._failed_at: object = None
        self.verdict, self.map, self.compare = VerdictCard(), MapCard(), CompareCard()
        self.evidence, self.file, self.metadata = EvidenceCard(), FileCard(), MetadataCard()
        self.wrong, self.maps = WrongBar(session), MapDesk(session, self)
        self.verdict.append(self.wrong)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        cards = QWidget()
        column = QVBoxLayout(cards)
        column.setContentsMargins(0, 0, 4, 16)
        column.setSpacing(12)
        for card in (self.verdict, self.map, self.evidence, self.file, self.metadata, self.compare):
            column.addWidget(card)
        column.addStretch(1)
        self.setWidget(cards)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedWidth(SIDE_PX)
        self.setAccessibleName(self.tr("Verdict and facts"))

    def _connect(self) -> None:
        self.map.toggled.connect(self._view.set_map)
        self.map.opacity_changed.connect(self._view.set_opacity)
        self.map.divided.connect(self._divide)
        self.map.colours_changed.connect(self._colour)
        self.map.wanted.connect(self._want)
        self.map.trust.measure_wanted.connect(lambda: self._want(measure=True))
        self.maps.changed.connect(self._refresh)
        self.maps.failed.connect(self._map_failed)
        self.wrong.failed.connect(self.failed)
        self._session.detectors_changed.connect(self.compare.look)
        self.map.choose_colours(self._session.settings.text(COLOURS))

    # -- a picture

    def show_row(self, row: Row, judged: Judged | None) -> None:
        """Show a picture, judged or not."""
        another = judged is not self._judged
        self._judged = judged
        for card in (self.map, self.evidence, self.file, self.metadata, self.compare):
            card.setVisible(judged is not None)
        if judged is None:
            self.verdict.show_state(row)
        elif another:
            self.verdict.show_verdict(judged)
            self.map.begin(judged)
            self.evidence.show_analysis(judged.analysis)
            self.file.show_analysis(row.picture.name, judged.analysis)
            self.metadata.show_rows(judged.rows)
        self.wrong.show_picture(judged)
        self.compare.show_picture(judged)
        self._refresh()

    def shown_map(self) -> ShownMap | None:
        """Return the map that lies on the picture, as it is shown."""
        found = self._found()
        if found is None or found.heat is None:
            return None
        view, card = self._view, self.map
        return ShownMap(found.heat, card.cls, card.stage, view.opacity, self._colours(), found.trust)

    # -- its map

    def _found(self) -> Found | None:
        judged = self._judged
        return self.maps.find(judged, wanted(judged, self.map.cls, self.map.stage)) if judged else None

    def _colours(self) -> str:
        return str(self.map.colours.currentData())

    @Slot()
    def _want(self, *, measure: bool = False) -> None:
        if (judged := self._judged) is not None:
            self._failed_at = None
            self.maps.draw(judged, wanted(judged, self.map.cls, self.map.stage), measure=measure)
            self._refresh()

    @Slot()
    def _refresh(self) -> None:
        """Lay what is wanted and at hand on the picture."""
        if (judged := self._judged) is None:
            return
        what, found = wanted(judged, self.map.cls, self.map.stage), self._found()
        self.map.show_map(judged, found, busy=self.maps.at == what, failed=self._failed_at == what)
        heat = found.heat if found else None
        if heat is None:
            self._view.show_heat(None, ())
        elif heat is judged.analysis.heat and self._colours() == COLOUR_MAP:
            self._view.show_heat(judged.painted.heat, heat.boxes)
        else:
            pixels = judged.analysis.file.pixels
            self._view.show_heat(map_image(heat, (pixels.shape[0], pixels.shape[1]), self._colours()), heat.boxes)

    @Slot(str)
    def _map_failed(self, sentence: str) -> None:
        self._failed_at = self.maps.at
        self.failed.emit(sentence)

    @Slot(str)
    def _colour(self, name: str) -> None:
        self._session.settings.put(COLOURS, name)
        self._refresh()

    @Slot(bool)
    def _divide(self, on: bool) -> None:
        self._view.set_split(0.5 if on else None)

    def move_divider(self, steps: int) -> None:
        """Move the line between original and map."""
        if self._view.split is not None:
            self._view.set_split(self._view.split + steps * DIVIDE_STEP)

    # -- the rest

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        for card in (self.verdict, self.file, self.compare):
            card.redress()
        self._refresh()

    def shutdown(self) -> None:
        """Stop all work and wait for it."""
        for worker in (self.maps, self.compare, self.wrong):
            worker.shutdown()
