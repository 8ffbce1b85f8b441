"""Measured figures as tables of at most 80 columns: every number with its interval and its n.

Cards come from outside, so that anything in them may be missing or of another kind; what cannot be read is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from forensics_app.core.words import FIGURES, figure, shown

SPLITS = {
    "test": "Test pictures: never trained or calibrated on",
    "test_seen": "Test pictures of sources that others were trained on",
    "test_jpeg75": "Test pictures after JPEG 75",
    "test_jpeg75_seen": "After JPEG 75, of sources that others were trained on",
    "val": "Validation pictures: never trained or calibrated on, and no choice was made by them",
    "val_jpeg75": "Validation pictures after JPEG 75",
    "val_chosen_by": "Validation pictures: by them the weights that were kept may have been chosen",
    "all": "All pictures of the folder",
}
DETAILED = ("test_seen", "test_jpeg75_seen")
"""Parts of another split, whose details are already in that one's."""


def tables(metrics: Mapping[str, Any]) -> Iterator[Table | Text]:
    """Yield the figures of each split: an overview, the confusion matrix with each class's figures, each source."""
    for name, found in metrics.items():
        if not isinstance(found, dict):
            continue
        yield Text(f"\n{SPLITS.get(name, shown(name))} (n = {found.get('n', '?')}), 95 % intervals", style="bold")
        yield _overview(found)
        if name not in DETAILED:
            for table in (*_classes(found), *_sources(found)):
                yield Text("")
                yield table


def _overview(found: Mapping[str, Any]) -> Table:
    table = figures_table("figure", "value", "n")
    for key, words in FIGURES.items():
        value = found.get(key)
        if (text := figure(value)) is not None and isinstance(value, dict):
            table.add_row(words, text if value.get("n") else "not measured", str(value.get("n", "?")))
        elif isinstance(value, float | int):
            table.add_row(words, f"{value:.3f}", str(found.get("n", "?")))
    return table


def _classes(found: Mapping[str, Any]) -> Iterator[Table]:
    classes, confusion, reports = found.get("classes"), found.get("confusion"), found.get("per_class")
    if not (isinstance(classes, list | tuple) and isinstance(confusion, list) and isinstance(reports, dict)):
        return
    taken = [f"→ {shown(str(name))}" for name in classes] if len(classes) <= 3 else []
    table = figures_table("class", "precision", "recall", "F1", "n", *taken)
    for name, counts in zip(classes, confusion, strict=False):
        row = reports.get(name)
        if not isinstance(row, dict) or not isinstance(counts, list):
            continue
        cells = [_number(row.get("precision")), figure(row.get("recall")) or "?", _number(row.get("f1"))]
        table.add_row(shown(str(name)), *cells, str(row.get("support", "?")), *map(str, counts[: len(taken)]))
    yield table


def _number(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float | int) else "?"


def _sources(found: Mapping[str, Any]) -> Iterator[Table]:
    """Yield each source's accuracy and verdicts; nothing where sources are the classes over again."""
    sources, classes = found.get("sources"), found.get("classes")
    if not isinstance(sources, dict) or not sources:
        return
    judged = any(isinstance(row, dict) and "called_fake" in row for row in sources.values())
    if not judged and isinstance(classes, list | tuple) and set(sources) <= set(classes):
        return
    table = figures_table("source", "accuracy", "n", *(("fake", "unsure", "real") if judged else ()))
    for name, row in sources.items():
        accuracy = row.get("accuracy") if isinstance(row, dict) else None
        if isinstance(accuracy, dict) and (text := figure(accuracy)) is not None:
            answers = [str(row.get(f"called_{label}", "")) for label in ("fake", "unsure", "real")] if judged else []
            table.add_row(shown(str(name)), text, str(accuracy.get("n", "?")), *answers)
    yield table


def figures_table(first: str, *others: str) -> Table:
    """Return an empty table: a column of names, then columns of numbers."""
    table = Table(box=None, pad_edge=False)
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table
