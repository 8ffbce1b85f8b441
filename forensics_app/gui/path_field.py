"""A line for a file or folder, with a button to choose it; what is dropped on it is taken as well."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget

from forensics_app.core.words import shown
from forensics_app.gui.file_dialog import ask
from forensics_app.gui.intake import sources_in

Kind = Literal["folder", "file", "new"]


class PathField(QWidget):
    """`kind` is an existing folder, an existing file, or a name for something new."""

    changed = Signal()

    def __init__(self, caption: str, kind: Kind = "folder", placeholder: str = "") -> None:
        super().__init__()
        self._caption, self._kind, self._given = caption, kind, Path()
        self.line = QLineEdit()
        self.line.setPlaceholderText(placeholder)
        self.line.setAccessibleName(caption)
        self.line.setClearButtonEnabled(True)
        self.line.editingFinished.connect(self.changed)
        self.line.setAcceptDrops(False)
        self.setAcceptDrops(True)
        self.choose = QPushButton(self.tr("Choose…"))
        self.choose.setAccessibleName(self.tr("Choose: {0}").format(caption))
        self.choose.clicked.connect(self.ask)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.line, 1)
        row.addWidget(self.choose)
        self.setFocusProxy(self.line)

    def path(self) -> Path | None:
        """Return what is chosen, or None if nothing."""
        text = self.line.text().strip()
        if text and text == shown(str(self._given)):
            return self._given  # a name that is not UTF-8 cannot stand in the line
        return Path(text).expanduser() if text else None

    def set_path(self, path: Path | None) -> None:
        """Choose something, or nothing."""
        self._given = path or Path()
        self.line.setText("" if path is None else shown(str(path)))
        self.changed.emit()

    @Slot()
    def ask(self) -> None:
        """Ask with the system's dialog."""
        dialog = QFileDialog(self, self._caption, str(self.path() or ""))
        mode = QFileDialog.FileMode
        modes = {"folder": mode.Directory, "file": mode.ExistingFile, "new": mode.AnyFile}
        dialog.setFileMode(modes[self._kind])
        if self._kind == "new":
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        ask(dialog, lambda paths: self.set_path(paths[0]))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders."""
        if event.mimeData().hasUrls():
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        """Choose what was dropped."""
        for source in sources_in(event.mimeData()).sources:
            if isinstance(source, Path):
                event.setDropAction(Qt.DropAction.CopyAction)
                event.accept()
                self.set_path(source)
                return
