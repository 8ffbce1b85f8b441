"""The command palette: type a few letters of what is wanted, Enter does it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, Qt, Slot
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from forensics_app.gui import theme, words
from forensics_app.gui.page import Action

WIDTH_PX, HEIGHT_PX = 520, 400
KEYS = Qt.ItemDataRole.UserRole + 1


def rank(wanted: str, text: str) -> int | None:
    """Return how well a text matches what is typed, less is better, or None: a start, then a word, then letters."""
    wanted, text = wanted.casefold().strip(), text.casefold()
    if not wanted or text.startswith(wanted):
        return 0
    if any(word.startswith(wanted) for word in text.split()):
        return 1
    if wanted in text:
        return 2
    letters = iter(text)
    return 3 if all(letter in letters for letter in wanted if not letter.isspace()) else None


Index = QModelIndex | QPersistentModelIndex


class _WithKeys(QStyledItemDelegate):
    """An action's text, and its keys at the right end of the line."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint the item, then the keys."""
        super().paint(painter, option, index)
        painter.setPen(QColor(theme.current().muted))
        where = option.rect.adjusted(0, 0, -12, 0)
        painter.drawText(where, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, index.data(KEYS) or "")


class Palette(QDialog):
    """All that can be done now; Esc closes it."""

    def __init__(self, actions: Sequence[Action], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Find an action"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(WIDTH_PX, HEIGHT_PX)
        self._actions = tuple(action for action in actions if action.ready)
        self.line, self.list = QLineEdit(), QListWidget()
        self.line.setPlaceholderText(self.tr("Type what you want to do"))
        self.line.setAccessibleName(self.tr("Find an action"))
        self.list.setAccessibleName(self.tr("Actions"))
        self.list.setProperty("role", "actions")
        self.list.setItemDelegate(_WithKeys(self.list))
        self.line.textChanged.connect(self._fill)
        self.line.installEventFilter(self)
        self.line.returnPressed.connect(self._go)
        self.list.itemActivated.connect(self._go)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addWidget(self.line)
        column.addWidget(self.list, 1)
        self._fill("")

    @Slot(str)
    def _fill(self, wanted: str) -> None:
        ranked = [(rank(wanted, action.text), number) for number, action in enumerate(self._actions)]
        self.list.clear()
        for _, number in sorted((place, number) for place, number in ranked if place is not None):
            action = self._actions[number]
            item = QListWidgetItem(words.legible(action.text))
            item.setData(Qt.ItemDataRole.UserRole, number)
            item.setData(KEYS, action.keys)
            self.list.addItem(item)
        if not self.list.count():
            nothing = QListWidgetItem(self.tr("Nothing is called that."))
            nothing.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(nothing)
        self.list.setCurrentRow(0)

    @Slot()
    def _go(self) -> None:
        item = self.list.currentItem()
        if item is None or (number := item.data(Qt.ItemDataRole.UserRole)) is None:
            return
        self.accept()
        self._actions[number].run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrows move in the list while one types."""
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}
        pressed = watched is self.line and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress
        step = steps.get(Qt.Key(event.key()), 0) if pressed and isinstance(event, QKeyEvent) else 0
        if step:
            self.list.setCurrentRow(min(max(self.list.currentRow() + step, 0), self.list.count() - 1))
        return bool(step) or super().eventFilter(watched, event)
