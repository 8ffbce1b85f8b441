"""Sentences of the window, and text from outside made fit to show in it."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from forensics_app.core.words import shown

if TYPE_CHECKING:  # the window opens before what judges is imported
    from forensics_app.core.verdict import Label, Policy, Verdict

LONGEST_WORD = 24
BREAKS = re.compile(rf"/|[^/]{{{LONGEST_WORD}}}")

ADVICE = {
    "missing": "It may have been moved or renamed. Drop it again from where it is now.",
    "no_permission": "Change its permissions, or copy it to a folder of yours, and drop it again.",
    "not_regular": "Drop a picture file, or a folder that contains pictures.",
    "unreadable": "The disk or the network could not give it. Check the connection, and drop it again.",
    "empty": "The copy or download was probably cut short. Get the file again.",
    "too_large": "Save a smaller copy and drop that; mind that saving anew weakens the traces.",
    "too_many_pixels": "Cut a part out of it, in its own resolution, and drop that.",
    "unknown_format": "Convert it to PNG, which loses nothing, or drop another file.",
    "damaged": "Get the file again from where it came from.",
    "too_small": "Look for a larger version of it; too few pixels carry no traces.",
    "detector": "“forensics doctor” shows what is installed and where; “forensics models” lists the detectors.",
    "failed": "Drop another picture. If this one opens elsewhere, please report it with its file.",
}
OPEN_QUESTIONS: dict[Label, str] = {
    "fake": "It can't tell which generator made it, nor whether only a part was. Heavy editing, upscaling and filters "
    "leave traces like a generator's.",
    "real": "It can't tell that a camera made it. Generators it has never seen, and pictures that were resized or "
    "saved again, can pass without a sign.",
    "unsure": "It can't tell either way, and guessing would be wrong too often. The original file, not a copy from a "
    "chat or a web page, gives it more to look at.",
}
CONTRADICTION = (
    "The pixels and what is written in the file contradict each other. Anyone can write that, and a generator the "
    "detector has never seen can pass: ask where the picture comes from."
)


def tr(text: str) -> str:
    """Return the translation of one of this module's sentences."""
    return QCoreApplication.translate("words", text)


def counted(one: str, several: str, count: int) -> str:
    """Return the sentence for one or for another number, which stands at its {count}; both are translated already."""
    return (one if count == 1 else several).replace("{count}", f"{count:,}")


def legible(text: str) -> str:
    """Return text from outside for a label: one paragraph without control characters, in which long words may break."""
    line = " ".join(shown(text).split())
    return re.sub(rf"\S{{{LONGEST_WORD + 1},}}", lambda word: BREAKS.sub("\\g<0>\u200b", word[0]), line)


def tip(*lines: str) -> str:
    """Return text from outside for a tooltip, which would read it as markup otherwise."""
    return f"<qt>{'<br>'.join(html.escape(shown(line)) for line in lines)}</qt>"


def advice(kind: str) -> str:
    """Return what to do about a file that cannot be judged."""
    return tr(ADVICE.get(kind, ADVICE["failed"]))


def open_question(verdict: Verdict, policy: Policy, side_px: int) -> str:
    """Return what a verdict leaves open, by the cause of one that can't tell; `side_px` is the shorter side."""
    if verdict.label == "unsure" and side_px < policy.min_side_px:
        return tr(ADVICE["too_small"])
    if verdict.label == "unsure" and verdict.p_fake <= policy.low and verdict.p_fake < policy.high:
        return tr(CONTRADICTION)
    return tr(OPEN_QUESTIONS[verdict.label])
