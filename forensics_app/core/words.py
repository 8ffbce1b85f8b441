"""The words, icons and colours that every face of the application shares, and text that is safe to show."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from classifier.detector import Card

ANSWERS = ("fake", "unsure", "real", "error")
"""Everything that can be said of a file, in the order in which it is shown."""

PHRASES = {
    "fake": "Likely generated",
    "unsure": "Can't tell",
    "real": "No sign of generation",
    "error": "Could not be judged",
}
ICONS = {"fake": "◆", "unsure": "?", "real": "○", "error": "!"}
COLOURS = {
    "light": {"fake": "#b23a0e", "unsure": "#4a5868", "real": "#00695f", "error": "#855300"},
    "dark": {"fake": "#ff8a5c", "unsure": "#aab6c4", "real": "#46c8b5", "error": "#f0b43c"},
}
"""Vermilion, slate, teal and amber, at least 4.5:1 on each theme's grounds; icon and word always stand beside them."""

FIGURES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "auc": "ROC AUC",
    "ece": "calibration error (ECE)",
    "coverage": "answers given (not unsure)",
    "selective_accuracy": "right when it answers",
    "false_alarm": "real called generated",
    "missed": "generated called real",
}
"""What is measured of a detector, in words, in the order in which it is shown."""

HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def shown(text: str) -> str:
    """Return text that can be shown: control, bidirectional and undecodable characters are written as escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(char) if unicodedata.category(char) in HIDDEN else char for char in text)


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def answer(row: Mapping[str, Any]) -> str:
    """Return which of `ANSWERS` a picture's public JSON form gives."""
    return "error" if "error" in row else str(row["verdict"]["label"])


def about(card: Card) -> str:
    """Return one line on what a detector knows: its name, what it was trained on, its errors on pictures never seen."""
    counts = card.training.get("pictures")
    train = counts.get("train") if isinstance(counts, dict) else None
    parts = [card.name]
    if isinstance(train, dict) and all(isinstance(count, int) for count in train.values()):
        parts.append(f"trained on {sum(train.values()):,} pictures from {len(train)} sources")
    return ", ".join(parts) + "; " + measured(card)


def measured(card: Card) -> str:
    """Return the figures of the pictures set aside in words, with their 95 % intervals, or that there are none."""
    test = set_aside(card)
    if not isinstance(test, dict):
        return "no error rates are on its card"
    named = {
        "balanced_accuracy": "balanced accuracy",
        "false_alarm": "real called generated",
        "missed": "generated called real",
        "coverage": "answers given",
    }
    figures = [f"{words} {text}" for key, words in named.items() if (text := figure(test.get(key)))]
    return f"on {test.get('n', 0):,} pictures it had never seen: " + ", ".join(figures or ["nothing measured"])


def set_aside(card: Card) -> object:
    """Return the figures on pictures that a detector had never seen: of the test split, or of val where that is it."""
    return card.metrics.get("test", card.metrics.get("val"))


def figure(value: object) -> str | None:
    """Return a measured figure as `0.83 (0.80-0.86)`, or None for anything else: cards come from outside."""
    if not isinstance(value, dict):
        return None
    numbers = [number for key in ("value", "low", "high") if isinstance(number := value.get(key), float | int)]
    return "{:.2f} ({:.2f}–{:.2f})".format(*numbers) if len(numbers) == 3 else None
