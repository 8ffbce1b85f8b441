"""Quiz: you against the detector, on up to twenty pictures of which it is known how they were made."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from classifier.data import BadData
from classifier.detector import BadDetector
from forensics_app.core.analysis import CannotJudge
from forensics_app.core.quiz import MOST, Dealt, Guess, deal
from forensics_app.core.verdict import Label
from forensics_app.gui import theme
from forensics_app.gui.empty_state import Notice
from forensics_app.gui.intake import Intake
from forensics_app.gui.judging import LazyDetector
from forensics_app.gui.labels import label
from forensics_app.gui.latest import Latest
from forensics_app.gui.page import Action, PageWidget
from forensics_app.gui.path_field import PathField
from forensics_app.gui.pictures import Painted, paintable
from forensics_app.gui.quiz_play import PlayView
from forensics_app.gui.quiz_result import ResultView
from forensics_app.gui.session import Session

SHOWN_PX, START_PX, ICON_PX, THUMB_PX = 1600, 560, 72, (256, 192)


@dataclass(frozen=True, eq=False)
class Hand:
    """A picture that was dealt, ready to paint until it was answered, and small for the end."""

    dealt: Dealt
    painted: Painted | None
    thumb: QImage


class QuizPage(PageWidget):
    """The Quiz page."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._detector = session, LazyDetector()
        self.notice, self.start = Notice(), QFrame()
        self.field = PathField(
            self.tr("A folder with real and fake in it"), placeholder=self.tr("folder with real and fake")
        )
        self.go, self.samples = QPushButton(self.tr("Play")), QPushButton(self.tr("Play with the samples"))
        self.play, self.result, self.stack = PlayView(), ResultView(), QStackedWidget()
        self._icon = QLabel()
        self._folder: Path | None = None
        self._hands: list[Hand] = []
        self._guesses: list[Guess] = []
        self._total = 0
        self.seed = random.randrange(2**31)  # noqa: S311 - a game
        self._dealing = Latest(self)
        self._lay_out_start()
        self._lay_out()
        self._connect()

    def _lay_out_start(self) -> None:
        self.start.setProperty("role", "empty")
        title, hint, few = label("hero"), label("muted"), label("small")
        title.setText(self.tr("You against the detector"))
        hint.setText(
            self.tr("Up to {0} pictures: was each generated, or made by a camera? At the end, who was right.").format(
                MOST
            )
        )
        few.setText(
            self.tr("The samples are only five, and three of them were drawn with a simulated camera or generator.")
        )
        self.go.setProperty("role", "primary")
        self.samples.setProperty("role", "link")
        self.field.setFixedWidth(START_PX)
        column = QVBoxLayout(self.start)
        column.setSpacing(12)
        column.addStretch(2)
        for text in (self._icon, title, hint):
            text.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(text)
        column.addSpacing(8)
        for widget in (self.field, self.go, self.samples):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        few.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(few)
        column.addStretch(3)
        self.redress()

    def _lay_out(self) -> None:
        title = label("headline")
        title.setText(self.tr("Quiz"))
        head = QHBoxLayout()
        head.addWidget(title, 1)
        for widget in (self.start, self.play, self.result):
            self.stack.addWidget(widget)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 12, 12, 8)
        whole.setSpacing(12)
        whole.addLayout(head)
        whole.addWidget(self.notice)
        whole.addWidget(self.stack, 1)
        self.notice.hide()

    def _connect(self) -> None:
        self.go.clicked.connect(self._play_folder)
        self.field.line.returnPressed.connect(self._play_folder)
        self.samples.clicked.connect(lambda: self.begin(None))
        self.play.answered.connect(self._answered)
        self.play.stop.clicked.connect(self._stop)
        self.result.again.connect(lambda: self.begin(self._folder))
        self.result.other.connect(lambda: self.stack.setCurrentWidget(self.start))
        self.result.inspect.connect(lambda path: self._session.go("inspect", [path]))
        self._dealing.happened.connect(self._take)
        self._dealing.finished.connect(self._all_dealt)
        self._dealing.failed.connect(self._failed)
        self._session.detectors_changed.connect(self._another_detector)

    def actions_now(self) -> tuple[Action, ...]:
        """Return what the page offers; the keys act while a picture is shown."""
        playing = self.stack.currentWidget() is self.play and self.play.view.painted is not None
        return (
            Action(self.tr("The picture is generated"), lambda: self._key("fake"), "G", playing),
            Action(self.tr("The picture is from a camera"), lambda: self._key("real"), "C", playing),
            Action(self.tr("Unsure"), lambda: self._key("unsure"), "U", playing),
            Action(self.tr("Play the quiz with the samples"), lambda: self.begin(None)),
        )

    def _key(self, answer: Label) -> None:
        if self.stack.currentWidget() is self.play:
            self.play.answer(answer)

    # -- a game

    @Slot()
    def _play_folder(self) -> None:
        folder = self.field.path()
        if folder is None:
            self.notice.tell(
                self.tr("Choose a folder that has one folder real and one folder fake, such as a data set.")
            )
        else:
            self.begin(folder)

    def begin(self, folder: Path | None) -> None:
        """Begin a game with a folder, or with the samples; each has an order of its own."""
        self.notice.hide()
        self._folder, self._hands, self._guesses, self._total = folder, [], [], 0
        self.seed += 1
        seed, detector = self.seed, self._detector
        self.stack.setCurrentWidget(self.play)
        self.play.show_picture(0, MOST, None)
        self._dealing.ask(lambda: _hands(folder, seed, detector))

    @Slot(object)
    def _take(self, hand: object) -> None:
        if isinstance(hand, Hand):
            self._hands.append(hand)
            self._total = hand.dealt.total
            if len(self._hands) == len(self._guesses) + 1:
                self._present()

    @Slot(object)
    def _all_dealt(self, _last: object) -> None:
        self._total = len(self._hands)
        if len(self._guesses) == self._total:
            self._finish()
        else:
            self._present()

    def _present(self) -> None:
        place = len(self._guesses)
        painted = self._hands[place].painted if place < len(self._hands) else None
        if self.play.view.painted is not painted or painted is None:
            self.play.show_picture(place, self._total, painted)

    @Slot(str)
    def _answered(self, answer: Label) -> None:
        place = len(self._guesses)
        dealt = self._hands[place].dealt
        self._hands[place] = replace(self._hands[place], painted=None)
        self._guesses.append(Guess(dealt.card, answer, dealt.verdict.label, dealt.verdict.p_fake))
        if len(self._guesses) == self._total:
            self._finish()
        else:
            self._present()

    @Slot()
    def _stop(self) -> None:
        if self._guesses:
            self._finish()
        else:
            self._dealing.forget()
            self.stack.setCurrentWidget(self.start)

    def _finish(self) -> None:
        self._dealing.forget()  # the thread may not have ended yet
        thumbs = {hand.dealt.card.path: hand.thumb for hand in self._hands}
        self.result.show_result(self._guesses, thumbs)
        self._hands = []
        self.stack.setCurrentWidget(self.result)

    @Slot(object)
    def _failed(self, error: Exception) -> None:
        own = isinstance(error, (BadData, BadDetector, CannotJudge))
        self.notice.tell(str(error) if own else self.tr("The quiz stopped ({0}).").format(type(error).__name__))
        self.stack.setCurrentWidget(self.start)

    @Slot()
    def _another_detector(self) -> None:
        self._detector = LazyDetector()

    # -- the rest

    def take(self, intake: Intake) -> bool:
        """Play with a folder that was dropped."""
        folders = [source for source in intake.sources if isinstance(source, Path) and source.is_dir()]
        if folders:
            self.open_with(folders[0])
        else:
            self.notice.tell(self.tr("Drop a folder here that has one folder real and one folder fake."))
        return True

    def open_with(self, what: object) -> None:
        """Play with the folder that another page sends."""
        if isinstance(what, Path):
            self.field.set_path(what)
            self.begin(what)

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        self._icon.setPixmap(theme.pixmap("quiz", theme.current().accent, ICON_PX, self.devicePixelRatioF()))
        self.notice.redress()

    def shutdown(self) -> None:
        """Stop reading pictures and wait for it."""
        self._dealing.shutdown()


def _hands(folder: Path | None, seed: int, detector: LazyDetector) -> Iterator[Hand]:
    for dealt in deal(folder, seed, detector.get()):
        pixels = dealt.pixels
        if max(pixels.shape[:2]) > SHOWN_PX:
            image = Image.fromarray(pixels)
            image.thumbnail((SHOWN_PX, SHOWN_PX), reducing_gap=2.0)
            pixels = np.ascontiguousarray(image)
        painted = paintable(pixels, None)
        thumb = painted.levels[-1].scaled(*THUMB_PX, Qt.AspectRatioMode.KeepAspectRatio)
        yield Hand(replace(dealt, pixels=pixels[:1, :1].copy()), painted, thumb)
