"""Lines of text in the style sheet's roles."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLabel, QMenu

BREAK = "\u200b"
"""Where `forensics_app.gui.words.legible` lets a long word break: no part of the text."""


class Line(QLabel):
    """A label whose text is copied as it was, without the places where it may break."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy on Ctrl+C."""
        if self.hasSelectedText() and event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer to copy what is selected, or else all."""
        if not self.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse:
            super().contextMenuEvent(event)
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Copy"), self.copy)
        menu.popup(event.globalPos())

    @Slot()
    def copy(self) -> None:
        """Copy what is selected, or else all."""
        text = self.selectedText() if self.hasSelectedText() else self.text()
        QGuiApplication.clipboard().setText(text.replace(BREAK, ""))


def label(role: str, *, selectable: bool = False) -> QLabel:
    """Return an empty label in one of the style sheet's roles, which wraps and never reads its text as markup."""
    made = Line()
    made.setProperty("role", role)
    made.setWordWrap(True)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if selectable:
        made.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
    return made
