"""The sentences of the window that depend: what a detector knows, what a verdict leaves open, what to do."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QCoreApplication

from classifier.detector import Card
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


def knowledge(card: Card) -> str:
    """Return one line on a detector: what it was trained on and how often it errs on pictures it had never seen."""
    return f"{_training(card.training)} {_errors(card.metrics.get('test'))}"


def _training(training: dict[str, Any]) -> str:
    counts = _mapping(_mapping(training.get("pictures")).get("train"))
    real, fake = (
        sum(number for name, number in counts.items() if name.startswith(f"{cls}:") and isinstance(number, int))
        for cls in ("real", "fake")
    )
    if not real + fake:
        return tr("Its card does not say what it was trained on.")
    sources = sum(name.startswith("fake:") for name in counts)
    return tr("Trained on {0:,} photographs and {1:,} generated pictures of {2} kinds.").format(real, fake, sources)


def _errors(measured: object) -> str:
    figures = _mapping(measured)
    alarm, missed = (_mapping(figures.get(name)) for name in ("false_alarm", "missed"))
    values = (alarm.get("value"), alarm.get("n"), missed.get("value"), missed.get("n"))
    if not all(isinstance(value, (int, float)) for value in values):
        return tr("Its error rates were not measured.")
    return tr(
        "On pictures it had never seen, it called {0:.0f} in 100 of {1:,} real ones generated and {2:.0f} in 100 of "
        "{3:,} generated ones real."
    ).format(100 * values[0], values[1], 100 * values[2], values[3])  # type: ignore[operator]


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
