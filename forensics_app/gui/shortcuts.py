"""The sheet that shows the keys."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QVBoxLayout, QWidget

from forensics_app.gui.verdict_card import label

KEYS = (
    ("Ctrl+O", QT_TRANSLATE_NOOP("shortcuts", "Open pictures")),
    ("Ctrl+Shift+O", QT_TRANSLATE_NOOP("shortcuts", "Open a folder")),
    ("Ctrl+V", QT_TRANSLATE_NOOP("shortcuts", "Paste a picture or files")),
    ("Ctrl+E", QT_TRANSLATE_NOOP("shortcuts", "Export picture, map and JSON")),
    ("Space", QT_TRANSLATE_NOOP("shortcuts", "Heat map on or off")),
    ("← →", QT_TRANSLATE_NOOP("shortcuts", "Picture before, next picture")),
    ("0", QT_TRANSLATE_NOOP("shortcuts", "Fit the picture to the window")),
    ("1", QT_TRANSLATE_NOOP("shortcuts", "One picture pixel per screen pixel")),
    ("+ −", QT_TRANSLATE_NOOP("shortcuts", "Zoom in, zoom out (or turn the wheel)")),
    ("Shift+arrows", QT_TRANSLATE_NOOP("shortcuts", "Move the picture (or drag it)")),
    ("Esc", QT_TRANSLATE_NOOP("shortcuts", "Cancel judging")),
    ("Ctrl+Q", QT_TRANSLATE_NOOP("shortcuts", "Quit")),
    ("?", QT_TRANSLATE_NOOP("shortcuts", "This list")),
)


class ShortcutSheet(QDialog):
    """A list of the keys; Esc closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keys"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(8)
        for line, (keys, what) in enumerate(KEYS):
            cap, text = label("key"), label("body")
            for one, said in ((cap, keys), (text, QCoreApplication.translate("shortcuts", str(what)))):
                one.setWordWrap(False)
                one.setText(said)
            grid.addWidget(cap, line, 0, Qt.AlignmentFlag.AlignLeft)
            grid.addWidget(text, line, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        for button in buttons.buttons():
            button.setIcon(QIcon())  # the style's own does not go with ours
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(16)
        column.addLayout(grid)
        column.addWidget(buttons)
