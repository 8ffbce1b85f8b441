"""The cards below the verdict: the evidence and the file's facts."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QToolButton, QVBoxLayout

from forensics_app.core.analysis import Analysis
from forensics_app.gui import theme, words
from forensics_app.gui.labels import label

CAPTION_DROP_PX = 2  # 12 px captions stand on the line of 14 px values


class TitledCard(QFrame):
    """A card with a heading; what it holds goes into `body`."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(16, 12, 16, 16)
        self.body.setSpacing(8)
        heading = label("title")
        heading.setText(title)
        self.body.addWidget(heading)
        self.setAccessibleName(title)


class EvidenceCard(TitledCard):
    """What the file itself says, one line a probe."""

    def __init__(self) -> None:
        super().__init__(self.tr("Evidence in the file"))
        self._lines: list[QLabel] = []

    def show_analysis(self, analysis: Analysis) -> None:
        """List the evidence."""
        for line in self._lines:
            self.body.removeWidget(line)
            line.deleteLater()
        self._lines = [
            label("hint" if one.finding == "synthetic" else "body", selectable=True) for one in analysis.evidence
        ]
        for line, one in zip(self._lines, analysis.evidence, strict=True):
            weight = self.tr("Proof: ") if one.strength == "proof" else self.tr("Hint: ")
            line.setText((weight if one.finding in ("synthetic", "camera") else "") + words.legible(one.summary))
            self.body.addWidget(line)
        self.setVisible(bool(self._lines))


class FileCard(TitledCard):
    """Name, size, format, dimensions, hash."""

    def __init__(self) -> None:
        super().__init__(self.tr("File"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        self.body.addLayout(grid)
        self.facts: dict[str, QLabel] = {}
        names = (
            self.tr("Name"),
            self.tr("Format"),
            self.tr("Pixels"),
            self.tr("Size"),
            "SHA-256",
            self.tr("Judged in"),
        )
        for line, name in enumerate(names):
            caption, value = label("small"), label("body", selectable=True)
            caption.setText(name)
            caption.setWordWrap(False)
            caption.setContentsMargins(0, CAPTION_DROP_PX, 0, 0)
            value.setAccessibleName(name)
            self.facts[name] = value
            grid.addWidget(caption, line, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, line, 1)
        self.copy = QToolButton()
        self.copy.setProperty("role", "inline")
        self.copy.setToolTip(self.tr("Copy the SHA-256"))
        self.copy.setAccessibleName(self.tr("Copy the SHA-256"))
        self.copy.clicked.connect(self._copy)
        grid.addWidget(self.copy, names.index("SHA-256"), 2, Qt.AlignmentFlag.AlignTop)
        self._sha256 = ""
        self.redress()

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        self.copy.setIcon(theme.icon("copy"))

    def show_analysis(self, name: str, analysis: Analysis) -> None:
        """Show a judged file's facts."""
        file = analysis.file
        self._sha256 = file.sha256
        frames = self.tr(", first of {0} pictures").format(file.frames) if file.frames > 1 else ""
        values = (
            # Zero-width spaces let a long name break; nothing is lost by copying the hash with the button.
            "\u200b".join(name),
            f"{file.format} ({file.mode}){frames}",
            f"{file.width:,} × {file.height:,}",
            sized(len(file.data)),
            f"{file.sha256[:16]}…{file.sha256[-8:]}",
            f"{analysis.ms:,.0f} ms",
        )
        for value, text in zip(self.facts.values(), values, strict=True):
            value.setText(text)
        self.facts["SHA-256"].setToolTip(file.sha256)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._sha256)


def sized(count: int) -> str:
    """Return a number of bytes for people, in decimal units."""
    for unit, factor in (("MB", 1_000_000), ("kB", 1000)):
        if count >= factor:
            return f"{count / factor:,.1f} {unit}"
    return f"{count} bytes"
