"""Settings: what the window looks like and how it starts. Everything takes effect at once and is kept."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from classifier.places import home
from forensics_app.core.overlay import OPACITY
from forensics_app.gui.choice_fields import ComboBox, Slider
from forensics_app.gui.labels import label
from forensics_app.gui.page import PageWidget
from forensics_app.gui.session import Session

WIDTH_PX = 640


class SettingsPage(PageWidget):
    """A card for each subject."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = session.settings
        self.theme = ComboBox()
        for key, text in (("system", self.tr("As the system")), ("light", self.tr("Light")), ("dark", self.tr("Dark"))):
            self.theme.addItem(text, key)
        self.opacity = Slider(Qt.Orientation.Horizontal)
        self.opacity.setRange(5, 100)
        self._percent = label("number")
        self.forget = QPushButton(self.tr("Forget recent files"))
        self.folder = QPushButton(self.tr("Open the folder"))
        self._show()
        self._lay_out()
        self._connect()

    def _show(self) -> None:
        self.theme.setCurrentIndex(self.theme.findData(self._settings.theme))
        self.opacity.setValue(round(100 * self._settings.number("opacity", OPACITY, 0.05, 1.0)))
        self._percent.setText(f"{self.opacity.value()} %")
        self.forget.setEnabled(bool(self._settings.recent))

    def _lay_out(self) -> None:
        cards = QWidget()
        column = QVBoxLayout(cards)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(12)
        title = label("headline")
        title.setText(self.tr("Settings"))
        column.addWidget(title)
        slider = QWidget()
        row = QHBoxLayout(slider)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.opacity, 1)
        row.addWidget(self._percent)
        self._percent.setFixedWidth(48)
        self._percent.setWordWrap(False)
        self._percent.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        column.addWidget(self._card(self.tr("Appearance"), ((self.tr("Colours"), self.theme, ""),)))
        column.addWidget(self._card(
            self.tr("Heat map"),
            ((self.tr("Opacity at the start"), slider, self.tr("The slider beside a picture changes it for now.")),),
        ))  # fmt: skip
        column.addWidget(self._card(
            self.tr("Your files"),
            (
                (self.tr("Recent files"), self.forget, self.tr("Their names are kept on this computer only.")),
                (self.tr("Detectors, scans and settings"), self.folder, str(home())),
            ),
        ))  # fmt: skip
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(cards)
        scroll.setWidgetResizable(True)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)

    def _card(self, title: str, rows: tuple[tuple[str, QWidget, str], ...]) -> QFrame:
        card = QFrame()
        card.setProperty("role", "card")
        card.setMaximumWidth(WIDTH_PX)
        card.setAccessibleName(title)
        grid = QGridLayout(card)
        grid.setContentsMargins(16, 12, 16, 16)
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(8)
        grid.setColumnMinimumWidth(0, 200)
        grid.setColumnStretch(1, 1)
        heading = label("title")
        heading.setText(title)
        grid.addWidget(heading, 0, 0, 1, 2)
        for line, (caption, control, hint) in enumerate(rows):
            name, below = label("body"), label("small", selectable=True)
            name.setText(caption)
            control.setAccessibleName(caption)
            below.setText(hint)
            grid.addWidget(name, 2 * line + 1, 0)
            grid.addWidget(control, 2 * line + 1, 1)
            if hint:
                grid.addWidget(below, 2 * line + 2, 1)
        return card

    def _connect(self) -> None:
        self.opacity.setAccessibleName(self.tr("Opacity at the start"))
        self.theme.currentIndexChanged.connect(lambda: self._settings.put("theme", str(self.theme.currentData())))
        self.opacity.valueChanged.connect(self._set_opacity)
        self.forget.clicked.connect(self._settings.forget_recent)
        self.folder.clicked.connect(self._open_folder)
        self._settings.changed.connect(self._changed)

    @Slot(int)
    def _set_opacity(self, percent: int) -> None:
        self._percent.setText(f"{percent} %")
        self._settings.put("opacity", percent / 100)

    @Slot(str)
    def _changed(self, name: str) -> None:
        if name == "recent":
            self.forget.setEnabled(bool(self._settings.recent))

    @Slot()
    def _open_folder(self) -> None:
        home().mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(home())))
