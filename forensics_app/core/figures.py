"""Measured figures as tables for the terminal: every number with its interval and its n."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

NAMES = {
    "test": "Test split, as it is",
    "test_seen": "Test split without the generators it never saw",
    "test_jpeg75": "Test split after JPEG 75 of every picture",
    "test_jpeg75_seen": "The same without the generators it never saw",
    "all": "All pictures of the folder",
}
ROWS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "auc": "ROC AUC",
    "ece": "calibration error (ECE)",
    "coverage": "coverage (not unsure)",
    "selective_accuracy": "accuracy where not unsure",
    "false_alarm": "real called generated",
    "missed": "generated called real",
}


def tables(metrics: dict[str, Any]) -> Iterator[Table | Text]:
    """Yield tables of at most 80 columns for figures as a detector's card holds them."""
    for name, found in metrics.items():
        yield Text(f"\n{NAMES.get(name, name)} (n = {found['n']})", style="bold")
        yield _overview(found)
        if name in ("test", "test_jpeg75") or not name.startswith("test"):
            yield from _details(found)


def spread(figure: dict[str, Any] | None) -> str:
    """Return a figure as `.912 [.893, .928]`, its 95 % interval in brackets."""
    if figure is None or figure["n"] == 0 or figure["value"] is None:
        return "not measured"
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def _overview(found: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("figure")
    table.add_column("value [95 % interval]", justify="right")
    table.add_column("n", justify="right")
    for key, words in ROWS.items():
        value = found.get(key)
        if isinstance(value, dict):
            table.add_row(words, spread(value), str(value["n"]))
        elif value is not None:
            table.add_row(words, f"{value:.3f}", str(found["n"]))
    return table


def _details(found: dict[str, Any]) -> Iterator[Table]:
    table = Table(box=None, pad_edge=False)
    for column in (
        "class",
        "precision",
        "recall [95 % interval]",
        "F1",
        "n",
        *(f"→ {c}" for c in found["classes"][:4]),
    ):
        table.add_column(column, justify="left" if column == "class" else "right")
    for name, counts in zip(found["classes"], found["confusion"], strict=True):
        row = found["per_class"][name]
        cells = [f"{row['precision']:.3f}", spread(row["recall"]), f"{row['f1']:.3f}", str(row["support"])]
        table.add_row(name, *cells, *(str(count) for count in counts[:4]))
    yield table
    if found.get("sources"):
        yield _sources(found["sources"])


def _sources(sources: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("source", overflow="fold", max_width=32)
    for column in ("accuracy [95 % interval]", "n", "fake", "unsure", "real"):
        table.add_column(column, justify="right")
    for name, row in sources.items():
        answers = [str(row.get(f"called_{label}", "")) for label in ("fake", "unsure", "real")]
        table.add_row(name, spread(row["accuracy"]), str(row["accuracy"]["n"]), *answers)
    return table
