"""Whether anything but the picture tells a data set's classes apart: the verdict, what gives it away, the mend."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from forensics_app.gui import theme, words
from forensics_app.gui.cards import TitledCard
from forensics_app.gui.labels import label
from generator.audit_verdict import GROUPS, HEADLINES

MARKS = {"pass": "real", "warn": "error", "fail": "fake"}
ICON_PX = 22
BUTTON_PX = 40
SHOWN_CLASSES, SHOWN_WORDS = 6, 2


class AuditCard(TitledCard):
    """Shows the last event of `forensics audit --json`; asks for one, and for its mend."""

    audit_wanted = Signal()
    mend_wanted = Signal(list)
    report_wanted = Signal()

    def __init__(self) -> None:
        super().__init__(self.tr("Audit"))
        self.intro, self.headline, self._icon = label("muted"), label("title"), QLabel()
        self.intro.setText(
            self.tr("Can anything but the picture tell the classes apart? A detector would learn that instead.")
        )
        self.reasons, self.worst_words = label("body", selectable=True), label("body", selectable=True)
        self.worst, self.before = label("title"), label("small")
        self.audit, self.mend = QPushButton(self.tr("Audit")), QPushButton(self.tr("Mend it: write all alike"))
        self.report = QPushButton(self.tr("Save the report…"))
        self.mend.setProperty("role", "primary")
        self._level, self._mending = "", list[str]()
        self._figures = QWidget()
        self.table = QGridLayout(self._figures)
        self._lay_out()
        self.audit.clicked.connect(self.audit_wanted)
        self.mend.clicked.connect(lambda: self.mend_wanted.emit(self._mending))
        self.report.clicked.connect(self.report_wanted)
        self.clear()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        self._icon.setFixedSize(ICON_PX, ICON_PX)
        head.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self.headline, 1)
        self.table.setContentsMargins(0, 4, 0, 4)
        self.table.setHorizontalSpacing(16)
        self.table.setVerticalSpacing(4)
        self.table.setColumnStretch(0, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.audit, self.mend, self.report):
            button.setMinimumHeight(BUTTON_PX)
            buttons.addWidget(button)
        buttons.addStretch(1)
        worst = QVBoxLayout()
        worst.setSpacing(4)
        worst.addWidget(self.worst)
        worst.addWidget(self.worst_words)
        self.body.addWidget(self.intro)
        self.body.addLayout(head)
        self.body.addWidget(self.before)
        self.body.addWidget(self.reasons)
        self.body.addLayout(worst)
        self.body.addWidget(self._figures)
        self.body.addLayout(buttons)

    def clear(self, before: str = "") -> None:
        """Show that nothing was audited yet; `before` says what the data set was mended from."""
        self._level = ""
        self.before.setText(before)
        self.before.setVisible(bool(before))
        for widget in (self.headline, self._icon, self.reasons, self.worst, self.worst_words, self._figures, self.mend,
                       self.report):  # fmt: skip
            widget.hide()
        self.intro.show()
        self.audit.show()
        self.audit.setText(self.tr("Audit"))
        self.wait(on=False)

    def wait(self, *, on: bool) -> None:
        """Say that the audit is under way, or not."""
        self.audit.setEnabled(not on)
        self.audit.setText(self.tr("Auditing…") if on else self.tr("Audit again") if self._level else self.tr("Audit"))

    def show_audit(self, found: Mapping[str, Any]) -> None:
        """Show what an audit found."""
        self._level = str(found.get("verdict", ""))
        self.intro.hide()
        self.headline.setText(HEADLINES.get(self._level, self._level))  # type: ignore[call-overload]
        self.reasons.setText("\n".join(words.legible(str(one["text"])) for one in found.get("reasons", ())))
        self._show_worst(found.get("worst"))
        self._show_figures(found.get("findings") or {})
        self._show_mend(found.get("mend"))
        for widget in (self.headline, self._icon, self.report):
            widget.show()
        self.reasons.setVisible(bool(self.reasons.text()))
        self.redress()
        self.wait(on=False)

    def _show_worst(self, worst: Mapping[str, Any] | None) -> None:
        self.worst.setVisible(worst is not None)
        self.worst_words.setVisible(worst is not None)
        if worst is None:
            return
        name = words.legible(str(worst["name"]))
        self.worst.setText(self.tr("What gives it away: the {0} (AUC {1:.2f})").format(name, float(worst["auc"])))
        self.worst_words.setText("\n".join(_values(worst)[:SHOWN_CLASSES]))

    def _show_figures(self, findings: Mapping[str, Any]) -> None:
        while (item := self.table.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        titles = (self.tr("told apart by"), self.tr("AUC"), self.tr("95 % interval"), self.tr("pictures"))
        for column, title in enumerate(titles):
            self._cell(0, column, title, "small")
        for line, (group, one) in enumerate(findings.items(), 1):
            auc = one["auc"]
            interval = f"{auc['low']:.2f}–{auc['high']:.2f}" if one["varying"] else self.tr("all alike")
            texts = (GROUPS.get(group, group), f"{auc['value']:.2f}", interval, f"{auc['n']:,}")
            for column, text in enumerate(texts):
                self._cell(line, column, text, "body")
        self._figures.setVisible(bool(findings))

    def _cell(self, line: int, column: int, text: str, role: str) -> None:
        cell = label(role)
        cell.setWordWrap(False)
        cell.setText(text)
        align = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
        self.table.addWidget(cell, line, column, align | Qt.AlignmentFlag.AlignVCenter)

    def _show_mend(self, mend: object) -> None:
        text = str(mend or "")
        parts = shlex.split(text) if text.startswith("forensics equalize ") else []
        self._mending = parts[1:]
        self.mend.setVisible(bool(parts))
        if text and not parts:
            self.reasons.setText(f"{self.reasons.text()}\n{words.legible(text)}".strip())

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        mark = MARKS.get(self._level)
        if mark is not None:
            colour = getattr(theme.current(), mark)
            self._icon.setPixmap(theme.pixmap(mark, colour, ICON_PX, self.devicePixelRatioF()))
            self.headline.setProperty("verdict", mark)
            self.headline.style().unpolish(self.headline)
            self.headline.style().polish(self.headline)


def _values(fact: Mapping[str, Any]) -> list[str]:
    """Return what each class has of a fact, a line each."""
    if spoken := fact.get("words"):
        return [
            f"{words.legible(kind)}: "
            + ", ".join(f"{words.legible(str(level))} {100 * share:.0f} %" for level, share in levels[:SHOWN_WORDS])
            for kind, levels in spoken.items()
        ]
    return [
        f"{words.legible(kind)}: {middle:.4g} ({low:.4g} to {high:.4g})"
        for kind, (low, middle, high) in (fact.get("numbers") or {}).items()
    ]
