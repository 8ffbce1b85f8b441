"""About: what this is, its version and licence, and those of what it is built on."""

from __future__ import annotations

import importlib.metadata
import platform
from contextlib import suppress
from importlib.metadata import PackageMetadata

from PySide6.QtCore import Qt, qVersion
from PySide6.QtWidgets import QFrame, QGridLayout, QVBoxLayout, QWidget

from classifier.places import home
from forensics_app import __version__
from forensics_app.gui.cards import CAPTION_DROP_PX
from forensics_app.gui.labels import label
from forensics_app.gui.page import PageWidget
from forensics_app.gui.session import Session
from forensics_app.gui.titled_card import column_of

PACKAGES = (
    "PySide6-Essentials", "onnxruntime", "numpy", "pillow", "matplotlib", "torch", "torchvision", "diffusers",
    "accelerate", "scikit-learn",
)  # fmt: skip
"""What is told of where it is installed: the window that only judges needs the first five."""
WIDTH_PX = 660


def _packages() -> list[tuple[str, str]]:
    found = []
    for name in PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            told = importlib.metadata.metadata(name)
            found.append((name, " · ".join(filter(None, (told["Version"], licence_of(told))))))
    return found


def licence_of(told: PackageMetadata) -> str:
    """Return what a package says of its licence, "" for nothing: newer ones an expression, older ones words."""
    classified = [one for one in told.get_all("Classifier") or () if one.startswith("License ::")]
    expressions, words = told.get_all("License-Expression") or [], told.get_all("License") or []
    kinds = (*expressions, *(one.rpartition(" :: ")[2] for one in classified), *words)
    return next((kind.strip().partition("\n")[0] for kind in kinds if kind.strip()), "")


class AboutPage(PageWidget):
    """Static text."""

    def __init__(self, _session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        card = QFrame()
        card.setProperty("role", "card")
        column = QVBoxLayout(card)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(12)
        for role, text in (
            ("hero", self.tr("Forensics")),
            ("body", self.tr("Was this picture made by a camera or a generator? A careful answer, and its reasons.")),
            ("body", self.tr("A verdict is no proof. Pictures are judged on this computer and sent nowhere.")),
        ):  # fmt: skip
            line = label(role)
            line.setText(text)
            column.addWidget(line)
        column.addSpacing(8)
        column.addLayout(self._facts())
        page = QVBoxLayout(self)
        page.setContentsMargins(16, 16, 16, 16)
        area = column_of(card)
        area.setMaximumWidth(WIDTH_PX)
        page.addWidget(area)

    def _facts(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        rows = (
            (self.tr("Version"), __version__),
            (self.tr("Licence"), self.tr("MIT. Qt and PySide6 are used under the LGPL, version 3.")),
            ("Python", platform.python_version()),
            ("Qt", qVersion()),
            *_packages(),
            (self.tr("Your files"), str(home())),
        )
        for line, (name, value) in enumerate(rows):
            caption, fact = label("small"), label("body", selectable=True)
            caption.setWordWrap(False)
            caption.setContentsMargins(0, CAPTION_DROP_PX, 0, 0)
            caption.setText(name)
            fact.setText(value)
            fact.setAccessibleName(name)
            grid.addWidget(caption, line, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(fact, line, 1)
        return grid
