"""What the window remembers from one time to the next, in the user's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, QSettings, Signal

from classifier.places import home

Theme = Literal["system", "light", "dark"]
THEMES: tuple[Theme, ...] = ("system", "light", "dark")
RECENT = 12


class Settings(QObject):
    """Typed values over `window.ini`; what cannot be read there is as if it had never been set."""

    changed = Signal(str)
    """The name of a setting that has a new value."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._file = QSettings(str(home() / "window.ini"), QSettings.Format.IniFormat, self)

    def text(self, name: str, default: str = "") -> str:
        """Return a setting as text."""
        value = self._file.value(name, default)
        return value if isinstance(value, str) else default

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """Return a setting as a number within its range."""
        try:
            value = float(self.text(name, str(default)))
        except ValueError:
            return default
        return value if low <= value <= high else default

    def put(self, name: str, value: str | float) -> None:
        """Keep a setting."""
        if self.text(name) != str(value):
            self._file.setValue(name, str(value))
            self.changed.emit(name)

    @property
    def theme(self) -> Theme:
        """Light, dark, or what the system says."""
        found = self.text("theme", "system")
        return found if found in THEMES else "system"

    @property
    def recent(self) -> tuple[Path, ...]:
        """The files and folders that were opened last, the latest first."""
        found = self._file.value("recent", [])
        names = [found] if isinstance(found, str) else found if isinstance(found, list) else []
        return tuple(Path(name) for name in names if isinstance(name, str) and name)[:RECENT]

    def opened(self, paths: list[Path]) -> None:
        """Remember files or folders as opened last."""
        names = [str(path.absolute()) for path in paths[:RECENT]]
        kept = [str(path) for path in self.recent if str(path) not in names]
        self._file.setValue("recent", [*names, *kept][:RECENT])
        self.changed.emit("recent")

    def forget_recent(self) -> None:
        """Forget what was opened."""
        self._file.setValue("recent", [])
        self.changed.emit("recent")

    def bytes_of(self, name: str) -> object:
        """Return what Qt kept of the window itself, such as its geometry; None if nothing."""
        return self._file.value(name)

    def write(self) -> None:
        """Write to the disk what is not written yet."""
        self._file.sync()

    def put_bytes(self, name: str, value: object) -> None:
        """Keep what Qt says of the window itself."""
        self._file.setValue(name, value)
