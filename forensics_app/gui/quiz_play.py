"""One picture at a time, without its name: generated, from a camera, or unsure?"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from forensics_app.core.verdict import Label
from forensics_app.gui.image_view import ImageView
from forensics_app.gui.labels import label
from forensics_app.gui.pictures import Painted

BUTTON_PX = 44


class PlayView(QWidget):
    """Shows a picture as large as there is room and takes the answer."""

    answered = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.view, self.told, self.bar = ImageView(), label("muted"), QProgressBar()
        self.view.setAccessibleName(self.tr("The picture to guess"))
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName(self.tr("Pictures guessed"))
        self.generated = self._button(self.tr("Generated (G)"), "fake")
        self.unsure = self._button(self.tr("Unsure (U)"), "unsure")
        self.camera = self._button(self.tr("From a camera (C)"), "real")
        self.stop = QPushButton(self.tr("Stop"))
        self.stop.setMinimumHeight(BUTTON_PX)
        head = QHBoxLayout()
        head.setSpacing(16)
        self.told.setWordWrap(False)
        head.addWidget(self.told)
        head.addWidget(self.bar, 1)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addStretch(1)
        for button in (self.generated, self.unsure, self.camera):
            foot.addWidget(button)
        foot.addStretch(1)
        foot.addWidget(self.stop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(head)
        column.addWidget(self.view, 1)
        column.addLayout(foot)

    def _button(self, text: str, answer: Label) -> QPushButton:
        button = QPushButton(text)
        button.setMinimumSize(152, BUTTON_PX)
        button.clicked.connect(self._answer(answer))
        return button

    def _answer(self, answer: Label) -> Callable[[], None]:
        return lambda: self.answer(answer)

    def answer(self, answer: Label) -> None:
        """Answer for the picture that is shown; without one nothing happens."""
        if self.view.painted is not None:
            self.answered.emit(answer)

    def show_picture(self, place: int, total: int, painted: Painted | None) -> None:
        """Show a picture, or that it is being read."""
        self.told.setText(self.tr("Picture {0} of {1}. How was it made?").format(place + 1, total))
        self.bar.setRange(0, max(total, 1))
        self.bar.setValue(place)
        self.view.show_picture(painted, "waiting")
        for button in (self.generated, self.unsure, self.camera):
            button.setEnabled(painted is not None)
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)
