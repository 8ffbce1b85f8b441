"""Fields that a turn of the mouse wheel cannot change by accident: it scrolls the page unless one is in the field."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QComboBox, QSlider, QSpinBox, QWidget


class _Wheel(QObject):
    """Takes the wheel from a field that has not the focus; ignored, it goes on to the page."""

    def __init__(self, field: QWidget) -> None:
        super().__init__(field)
        self._field = field
        field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        field.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep a turn of the wheel from the field."""
        if event.type() != QEvent.Type.Wheel or self._field.hasFocus():
            return False
        event.ignore()
        return True


class ComboBox(QComboBox):
    """A list to choose from; the wheel chooses only while it has the focus."""

    def __init__(self) -> None:
        super().__init__()
        _Wheel(self)


class SpinBox(QSpinBox):
    """A number; the wheel changes it only while it has the focus."""

    def __init__(self) -> None:
        super().__init__()
        _Wheel(self)


class Slider(QSlider):
    """A slider; the wheel moves it only while it has the focus."""

    def __init__(self, orientation: Qt.Orientation) -> None:
        super().__init__(orientation)
        _Wheel(self)
