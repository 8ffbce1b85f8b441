"""What a person says of files, one after the other: marks that are kept in the store, and undone again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from forensics_app.gui.scan_reader import Access, StoreReader

MOST_UNDONE = 1_000


@dataclass(frozen=True)
class Mark:
    """A row's mark, and what it was before."""

    id: int
    label: str | None
    before: str | None


def keep(access: Access, marks: tuple[Mark, ...]) -> Iterator[tuple[Mark, ...]]:
    """Keep marks in the store; waits while a scan is writing."""
    for one in marks:
        access.mark(one.id, one.label)
    yield marks


class Triage(QObject):
    """Remembers what was marked, so that it can be undone step by step."""

    marked = Signal(int, object)
    """A row's id and its mark now, None for none: to be shown before it is kept."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._done: list[tuple[Mark, ...]] = []

    def mark(self, reader: StoreReader, rows: list[tuple[int, str | None]], label: str | None) -> None:
        """Mark rows, each given with the mark that it has."""
        marks = tuple(Mark(id_, label, before) for id_, before in rows if before != label)
        if marks:
            self._done = [*self._done, marks][-MOST_UNDONE:]
            self._tell(reader, marks)

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._done)

    def undo(self, reader: StoreReader) -> int | None:
        """Take the last step back; returns the row that it was about."""
        if not self._done:
            return None
        marks = tuple(Mark(one.id, one.before, one.label) for one in self._done.pop())
        self._tell(reader, marks)
        return marks[0].id

    def _tell(self, reader: StoreReader, marks: tuple[Mark, ...]) -> None:
        for one in marks:
            self.marked.emit(one.id, one.label)
        reader.ask("mark", lambda access: keep(access, marks))

    def forget(self) -> None:
        """Forget the steps: other rows are shown."""
        self._done.clear()
