"""Sentences of the window: what a verdict leaves open, and what to do about a file that has none."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from forensics_app.core.verdict import Label

ADVICE = {
    "missing": "It may have been moved or renamed. Drop it again from where it is now.",
    "no_permission": "Change its permissions, or copy it to a folder of yours, and drop it again.",
    "not_regular": "Drop a picture file, or a folder that contains pictures.",
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


def tr(text: str) -> str:
    """Return the translation of one of this module's sentences."""
    return QCoreApplication.translate("words", text)


def advice(kind: str) -> str:
    """Return what to do about a file that cannot be judged."""
    return tr(ADVICE.get(kind, ADVICE["failed"]))


def open_question(label: Label) -> str:
    """Return what a verdict leaves open."""
    return tr(OPEN_QUESTIONS[label])
