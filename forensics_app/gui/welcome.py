"""What is seen for the moment in which the window is there and what judges is still being imported."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from classifier.places import resources
from forensics_app.gui.empty_state import EmptyState

MARGINS_PX = (16, 12, 12, 8)


class Welcome(QWidget):
    """Inspect without a picture, pixel for pixel; a click on it reaches Inspect, which then stands in its place."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(*MARGINS_PX)
        column.addWidget(EmptyState(has_samples=(resources() / "samples").is_dir()))
