"""The sidebar: a button for every page, with a dot where a job runs or has ended unseen."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QCoreApplication, QPointF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFocusEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QFrame, QSizePolicy, QToolButton, QVBoxLayout

from forensics_app.gui import theme
from forensics_app.gui.pages import PAGES

Mark = Literal["", "running", "done", "failed"]
HEIGHT_PX, NARROW_PX, WIDEST_PX, ICON_PX = 40, 40, 240, 22
DOT_PX = 4.0


class SideButton(QToolButton):
    """An icon and a word; in a narrow window the icon alone, with the word as its tooltip."""

    focused = Signal()

    def __init__(self, text: str, icon: str) -> None:
        super().__init__()
        self.icon_name, self.mark = icon, ""
        self.setText(f" {text}")
        self.setAccessibleName(text)
        self.setIconSize(QSize(ICON_PX, ICON_PX))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedHeight(HEIGHT_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.narrow(False)
        self.redress()

    def narrow(self, narrow: bool) -> None:
        """Leave the word out, or show it."""
        style = Qt.ToolButtonStyle
        self.setToolButtonStyle(style.ToolButtonIconOnly if narrow else style.ToolButtonTextBesideIcon)
        self.setToolTip(self.accessibleName() if narrow else "")
        self.setProperty("role", "icon-tab" if narrow else "tab")
        self.style().unpolish(self)
        self.style().polish(self)

    def show_mark(self, mark: Mark) -> None:
        """Show a dot, or none; it is told in words as well."""
        self.mark = mark
        told = {"running": self.tr("A job is running"), "done": self.tr("A job is done"),
                "failed": self.tr("A job has failed")}  # fmt: skip
        self.setAccessibleDescription(told.get(mark, ""))
        self.update()

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        self.setIcon(theme.icon(self.icon_name, size_px=ICON_PX))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell of it: Qt makes whatever button of a group has the focus the one that Tab stops at."""
        super().focusInEvent(event)
        self.focused.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the button and its dot."""
        super().paintEvent(event)
        if not self.mark:
            return
        colours, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        named = {"running": colours.accent, "done": colours.real, "failed": colours.error}
        painter.setPen(QPen(QColor(colours.surface), 1.5))
        painter.setBrush(QColor(named[self.mark]))
        painter.drawEllipse(QPointF(self.width() - 12.0, self.height() / 2), DOT_PX, DOT_PX)


class Sidebar(QFrame):
    """Tells which page is wanted."""

    chosen = Signal(int)
    keys_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "sidebar")
        self.tabs = QButtonGroup(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 12, 8, 8)
        column.setSpacing(4)
        self.keys = SideButton(self.tr("Keys"), "keys")
        self._column, self._stretched = column, False
        for number, page in enumerate(PAGES):
            if page.low and not self._stretched:
                column.addStretch(1)
                self._stretched = True
                column.addWidget(self.keys)
            button = SideButton(QCoreApplication.translate("pages", page.title), page.icon)
            button.setCheckable(True)
            self.tabs.addButton(button, number)
            button.focused.connect(self._put_stops)
            column.addWidget(button)
        self.tabs.buttonToggled.connect(self._turned)
        self.button(0).setChecked(True)
        self.keys.clicked.connect(self.keys_wanted)
        self.tabs.idClicked.connect(self.chosen)

    @Slot(QAbstractButton, bool)
    def _turned(self, button: QAbstractButton, shown: bool) -> None:
        if shown and any(one.hasFocus() for one in self.tabs.buttons()):
            button.setFocus()  # so that the arrows go on from there
        self._put_stops()

    @Slot()
    def _put_stops(self) -> None:
        """Let Tab stop at the page that is shown alone; the arrows turn to others, as in any row of tabs."""
        for one in self.tabs.buttons():
            one.setFocusPolicy(Qt.FocusPolicy.StrongFocus if one.isChecked() else Qt.FocusPolicy.ClickFocus)

    @property
    def buttons(self) -> tuple[SideButton, ...]:
        """All buttons, those of the pages first."""
        return (*(one for one in self.tabs.buttons() if isinstance(one, SideButton)), self.keys)

    def button(self, number: int) -> SideButton:
        """Return a page's button."""
        return self.buttons[number]

    def narrow(self, narrow: bool) -> None:
        """Show icons alone, or words beside them."""
        for button in self.buttons:
            button.narrow(narrow)
        self.setMaximumWidth(NARROW_PX + 16 if narrow else WIDEST_PX)

    def minimumSizeHint(self) -> QSize:
        """Return the size with icons alone: the window may be made narrow enough for it."""
        return QSize(NARROW_PX + 16, super().minimumSizeHint().height())

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        for button in self.buttons:
            button.redress()
