"""What is asked of a detector before it judges, and how what cannot be judged is told; light to import.

`forensics_app.core.analysis` offers the same names beside the judging itself.
"""

from __future__ import annotations

from typing import Any

from classifier.detector import Card


class CannotJudge(Exception):
    """The detector gives no verdicts: its classes are not fake and real."""


def require_judge(card: Card) -> None:
    """Raise `CannotJudge` for a detector whose classes are not fake and real."""
    if set(card.classes) != {"fake", "real"}:
        raise CannotJudge(f"The detector '{card.name}' tells {', '.join(card.classes[:4])} apart, not fake from real.")


def error_json(path: str, kind: str, message: str) -> dict[str, Any]:
    """Return the public JSON form of a file that could not be judged."""
    return {"path": path, "error": {"kind": kind, "message": message}}
