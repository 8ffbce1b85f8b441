"""The verdict in words, with the probability on a small scale and what the detector knows."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from forensics_app.core.verdict import Policy, policy_of
from forensics_app.core.words import PHRASES, about
from forensics_app.gui import theme, words
from forensics_app.gui.filmstrip import Row
from forensics_app.gui.judging import Judged
from forensics_app.gui.labels import label

ICON_PX = 26
TRACK_PX = 10
GAP_PX = 12


class Scale(QWidget):
    """The probability of `fake` on a line from 0 to 1, with the stretches in which the detector says what."""

    def __init__(self) -> None:
        super().__init__()
        self._policy, self._p_fake = Policy(0.5, 0.5), 0.5
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return room for the number, the line and the words below it."""
        return QSize(280, 64)

    def set(self, policy: Policy, p_fake: float) -> None:
        """Show a probability and the band around it."""
        self._policy, self._p_fake = policy, p_fake
        self.setAccessibleName(self.tr("Probability of being generated"))
        self.setAccessibleDescription(
            self.tr("{0:.2f}; unsure between {1:.2f} and {2:.2f}").format(p_fake, policy.low, policy.high)
        )
        self.setToolTip(self.accessibleDescription())
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the three stretches, the point with its number above, and the words below."""
        painter, colours = QPainter(self), theme.current()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(6, 24, self.width() - 12, TRACK_PX)
        ends = (0.0, self._policy.low, self._policy.high, 1.0)
        stretches = (("real", colours.real_soft), ("unsure", colours.unsure_soft), ("fake", colours.fake_soft))
        for (name, soft), start, end in zip(stretches, ends, ends[1:], strict=False):
            if end > start:
                part = QRectF(track.x() + start * track.width(), track.y(), (end - start) * track.width(), TRACK_PX)
                painter.setPen(QPen(QColor(getattr(colours, name)), 1))
                painter.setBrush(QColor(soft))
                painter.drawRoundedRect(part.adjusted(1, 0.5, -1, -0.5), 3, 3)
        self._point(painter, track, colours)
        self._words(painter, track, colours)

    def _point(self, painter: QPainter, track: QRectF, colours: theme.Colours) -> None:
        x = track.x() + self._p_fake * track.width()
        painter.setPen(QPen(QColor(colours.surface), 2))
        painter.setBrush(QColor(colours.text))
        painter.drawEllipse(QRectF(x - 8, track.center().y() - 8, 16, 16))
        font = painter.font()
        font.setPixelSize(14)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor(colours.text))
        place = QRectF(min(max(x - 24, 0), self.width() - 48), 0, 48, 16)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, f"{self._p_fake:.2f}")

    def _words(self, painter: QPainter, track: QRectF, colours: theme.Colours) -> None:
        font = painter.font()
        font.setPixelSize(12)
        font.setBold(False)
        painter.setFont(font)
        painter.setPen(QColor(colours.muted))
        line = QRectF(track.x(), track.bottom() + 8, track.width(), 18)
        low, high, between = self.tr("0  no sign"), self.tr("generated  1"), self.tr("can't tell")
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, low)
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, high)
        first, last, width = (painter.fontMetrics().horizontalAdvance(text) + GAP_PX for text in (low, high, between))
        middle = track.x() + (self._policy.low + self._policy.high) / 2 * track.width()
        left = min(max(middle - width / 2, track.x() + first), track.right() - last - width)
        if self._policy.high > self._policy.low and left >= track.x() + first:  # else there is no room for it
            painter.drawText(QRectF(left, line.y(), width, 18), Qt.AlignmentFlag.AlignHCenter, between)


class VerdictCard(QFrame):
    """Headline, scale, sentence, what it can't tell, what the detector knows; or what is wrong with a file."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._icon, self.headline = QLabel(), label("headline")
        self._icon.setFixedSize(ICON_PX, ICON_PX)
        self._state = "waiting"
        self._head = QFrame()
        row = QHBoxLayout(self._head)
        row.setContentsMargins(16, 12, 16, 12)
        row.setSpacing(12)
        row.addWidget(self._icon)
        row.addWidget(self.headline, 1)
        self.scale = Scale()
        self.reason, self.hint = label("body", selectable=True), label("hint", selectable=True)
        self.limits, self.knowledge = label("small", selectable=True), label("small", selectable=True)
        body = self._body = QVBoxLayout()
        body.setContentsMargins(16, 12, 16, 16)
        body.setSpacing(12)
        for widget in (self.scale, self.reason, self.hint, self.limits, self.knowledge):
            body.addWidget(widget)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(1, 1, 1, 1)
        whole.setSpacing(0)
        whole.addWidget(self._head)
        whole.addLayout(body)

    def append(self, widget: QWidget) -> None:
        """Put something below what is said."""
        self._body.addWidget(widget)

    def show_verdict(self, judged: Judged) -> None:
        """Show what the detector says of a picture."""
        verdict, card, file = judged.analysis.verdict, judged.card, judged.analysis.file
        self._dress(verdict.label, self.tr(verdict.headline))
        self.scale.set(policy_of(card), verdict.p_fake)
        self.scale.show()
        self._say(self.reason, verdict.reason)
        hints = [one.summary for one in judged.analysis.evidence if one.finding == "synthetic"]
        hinted = verdict.label != "fake" and any(summary not in verdict.reason for summary in hints)
        self._say(self.hint, self.tr("But the file itself hints at a generator: see the evidence.") if hinted else "")
        self._say(self.limits, words.open_question(verdict, policy_of(card), min(file.width, file.height)))
        self._say(self.knowledge, self.tr("Detector: {0}.").format(about(card)))
        self.knowledge.setToolTip(words.tip(*card.limits))

    def show_state(self, row: Row) -> None:
        """Show a picture without a verdict: waiting, not judged, or what is wrong and what to do."""
        self.scale.hide()
        for line in (self.hint, self.knowledge):
            self._say(line, "")
        if row.state == "error":
            self._dress("error", self.tr("No detector") if row.kind == "detector" else self.tr(PHRASES["error"]))
            self._say(self.reason, row.message)
            self._say(self.limits, words.advice(row.kind))
        elif row.state == "stopped":
            self._dress("waiting", self.tr("Not judged"))
            self._say(self.reason, self.tr("Judging was cancelled. Select the picture again to judge it."))
            self._say(self.limits, "")
        else:
            self._dress("waiting", self.tr("Judging…"))
            self._say(self.reason, row.picture.name)
            self._say(self.limits, "")

    def redress(self) -> None:
        """Take on the colours of a theme that changed."""
        self._dress(self._state, self.headline.text())

    def _dress(self, state: str, headline: str) -> None:
        self._state = state
        colours = theme.current()
        colour = colours.muted if state == "waiting" else getattr(colours, state)
        self._icon.setPixmap(theme.pixmap(state, colour, ICON_PX, self.devicePixelRatioF()))
        self.headline.setText(headline)
        for widget in (self._head, self.headline):
            widget.setProperty("verdict", state)
            widget.style().unpolish(widget)
            widget.style().polish(widget)
        self.setAccessibleName(headline)

    @staticmethod
    def _say(widget: QLabel, text: str) -> None:
        widget.setText(words.legible(text))
        widget.setVisible(bool(text))
