"""The system's dialogs for files and folders, which never block the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog


def ask(dialog: QFileDialog, then: Callable[[list[Path]], object]) -> None:
    """Show a dialog and return at once; `then` gets what is chosen, at least one path, and nothing if it is left."""
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.filesSelected.connect(lambda names: then([Path(name) for name in names]))
    dialog.open()
