"""Telling that a verdict is wrong: the picture is kept here as a labelled example, which Train can use."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from forensics_app.core import examples
from forensics_app.core.examples import BadExample, Truth
from forensics_app.gui.judging import Judged
from forensics_app.gui.labels import label
from forensics_app.gui.latest import Latest
from forensics_app.gui.session import Session


class WrongBar(QWidget):
    """Asks what a picture is, says that it was kept, and takes it back."""

    failed = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session, self._asking = session, False
        self._judged: Judged | None = None
        self._work = Latest(self)
        self._work.finished.connect(self._show)
        self._work.failed.connect(self._not_done)
        self.told = label("small")
        self.ask = self._button(self.tr("Wrong? Keep it as an example…"), self._ask, role="inline-link")
        self.camera = self._button(self.tr("A camera made it"), lambda: self._keep("real"))
        self.generated = self._button(self.tr("Generated"), lambda: self._keep("fake"))
        self.back = self._button(self.tr("Back"), self._back)
        self.undo = self._button(self.tr("Undo"), self._undo)
        self.train = self._button(self.tr("Train with them"), self._train)
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self.camera, self.generated, self.back, self.undo, self.train):
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.ask, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.told)
        column.addLayout(row)

    def _button(self, text: str, slot: Callable[[], object], role: str = "compact") -> QPushButton:
        button = QPushButton(text)
        button.setProperty("role", role)
        button.clicked.connect(slot)
        return button

    def show_picture(self, judged: Judged | None) -> None:
        """Begin with another picture; without a verdict there is nothing to say of it."""
        self._judged, self._asking = judged, False
        self.setVisible(judged is not None)
        self._show()

    @Slot(object)
    def _show(self, _done: object = None) -> None:
        truth = examples.truth_of(self._judged.analysis.file) if self._judged else None
        self.ask.setVisible(truth is None and not self._asking)
        for button in (self.camera, self.generated, self.back):
            button.setVisible(truth is None and self._asking)
        for button in (self.undo, self.train):
            button.setVisible(truth is not None)
        self.train.setVisible(truth is not None and self._has_train())
        self.told.setVisible(truth is not None or self._asking)
        if truth is not None:
            self.told.setText(self._kept(truth))
        elif self._asking:
            self.told.setText(self.tr("What do you know it to be? A copy stays on this computer, for training."))

    @staticmethod
    def _has_train() -> bool:
        from forensics_app.gui.pages import PAGES

        return any(page.key == "train" for page in PAGES)

    def _kept(self, truth: Truth) -> str:
        counts, what = examples.counts(), {"real": self.tr("a camera's picture"), "fake": self.tr("generated")}
        return self.tr("Kept as an example: {0}. So far {1} from cameras and {2} generated, in {3}.").format(
            what[truth], counts["real"], counts["fake"], "\u200b/".join(str(examples.folder()).split("/"))
        )

    @Slot()
    def _ask(self) -> None:
        self._asking = True
        self._show()
        self.camera.setFocus()

    @Slot()
    def _back(self) -> None:
        self._asking = False
        self._show()

    def _keep(self, truth: Truth) -> None:
        if (judged := self._judged) is not None:
            self._asking = False
            self._do(lambda: examples.keep(judged.analysis, truth, judged.picture.name))

    @Slot()
    def _undo(self) -> None:
        if (judged := self._judged) is not None:
            self._do(lambda: examples.forget(judged.analysis.file.sha256))

    def _do(self, work: Callable[[], object]) -> None:
        def once() -> Iterator[object]:
            yield work()

        self._work.ask(once)

    @Slot(object)
    def _not_done(self, error: Exception) -> None:
        why = str(error) if isinstance(error, BadExample) else getattr(error, "strerror", None) or type(error).__name__
        self.failed.emit(self.tr("The example could not be kept or removed: {0}").format(why))
        self._show()

    @Slot()
    def _train(self) -> None:
        self._session.go("train", examples.folder())

    def shutdown(self) -> None:
        """Wait for what is being written."""
        self._work.shutdown()
