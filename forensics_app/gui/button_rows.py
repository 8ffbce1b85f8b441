"""Lines of text, each with buttons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from forensics_app.gui import words
from forensics_app.gui.labels import label
from forensics_app.gui.toolbar import Elided


@dataclass(frozen=True)
class Line:
    """What a line shows, and its buttons: their words and what they do."""

    text: str
    note: str
    buttons: tuple[tuple[str, Callable[[], object]], ...]


class _Row(QWidget):
    """Shows one line after the other."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role, self._name, self._note = role, Elided(), label("small")
        self.buttons: list[QPushButton] = []
        self._acts: tuple[Callable[[], object], ...] = ()
        self._note.setWordWrap(False)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(8)
        self._row.addWidget(self._name, 1)
        self._row.addWidget(self._note)

    def tell(self, line: Line) -> None:
        self._name.tell(line.text)
        self._note.setText(words.legible(line.note))
        for number in range(len(self.buttons), len(line.buttons)):
            self._add(number)
        self._acts = tuple(act for _, act in line.buttons)
        for button in self.buttons[len(line.buttons) :]:
            button.hide()
        for button, (text, _) in zip(self.buttons, line.buttons, strict=False):
            button.setText(text)
            button.setAccessibleName(f"{text}: {line.text}")
            button.show()

    def _add(self, number: int) -> None:
        button = QPushButton(self)
        button.setProperty("role", self._role)
        button.clicked.connect(partial(self._act, number))
        self.buttons.append(button)
        self._row.addWidget(button)

    def _act(self, number: int, _checked: bool = False) -> None:
        self._acts[number]()


class ButtonRows(QWidget):
    """The lines; their widgets are used again, since making them anew would hold up the window."""

    def __init__(self, role: str = "") -> None:
        super().__init__()
        self._role = role
        self._rows: list[_Row] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show these lines and no others."""
        while len(self._rows) > len(lines):
            row = self._rows.pop()
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        while len(self._rows) < len(lines):
            row = _Row(self._role)
            self._rows.append(row)
            self._column.addWidget(row)
        for row, line in zip(self._rows, lines, strict=True):
            row.tell(line)

    def button(self, line: int, text: str) -> QPushButton:
        """Return the button with these words of the line of that number; StopIteration where there is none."""
        return next(one for one in self._rows[line].buttons if one.text() == text and not one.isHidden())
