"""A measurement as everything that is left of it: a page that needs nothing else, its plots, a table, its figures.

What was measured comes as plain figures from `classifier`; a module of words for each kind makes a `Measurement` of it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from classifier.atomic import replacing, write_json
from classifier.metrics import Figure
from forensics_app.core.html import page
from forensics_app.core.run_plots import Draft, drawn
from forensics_app.core.words import figure, shown

REPORT, FIGURES = "report.html", "figures"
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Table:
    """A table: its title, the names of its columns, rows of text that is safe to show, and a word on it.

    The first column names the row, the others hold figures; the most telling come first.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the page: a heading, plots, tables and a word on them; `wide` takes the page's whole width."""

    title: str
    plots: tuple[Draft, ...] = ()
    tables: tuple[Table, ...] = ()
    note: str = ""
    wide: bool = True


@dataclass(frozen=True)
class Measurement:
    """What is told of a measurement.

    `kind` names its files; `over` says what was measured of what, `headline` the finding, `context` on what it rests,
    `notes` what must not be overlooked, `limits` what it does not say. `records` are the rows of its CSV file, figures
    among their values; `value` is its JSON form, None where the job wrote that itself.
    """

    kind: str
    over: str
    headline: str
    context: str
    sections: tuple[Section, ...]
    limits: tuple[str, ...]
    records: tuple[Mapping[str, Any], ...]
    value: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


def of_split(split: str) -> str:
    """Return which pictures of a data folder were measured, in words."""
    return "all of the folder" if split == "all" else f"split {split}"


def told(value: Figure | None, *, signed: bool = False) -> str:
    """Return a figure with its interval, with a sign where it is a difference; a dash where there is none."""
    if value is None or not value.n:
        return "–"
    if signed:
        numbers = (round(one, 3) + 0.0 for one in (value.value, value.low, value.high))  # no minus before a zero
        return "{:+.3f} ({:+.3f} to {:+.3f})".format(*numbers).replace("-", "−")
    return figure(asdict(value)) or "–"


def write(found: Measurement, folder: Path) -> Path:
    """Write the page, the plots (figures/*.png), the CSV and the JSON file into a folder; return the page's path."""
    (folder / FIGURES).mkdir(parents=True, exist_ok=True)
    plots = {draft.name: drawn(draft) for section in found.sections for draft in section.plots}
    for name, plot in plots.items():
        _replace(folder / FIGURES / f"{name}.png", plot.png)
    if found.value is not None:
        write_json(folder / f"{found.kind}.json", dict(found.value))
    _replace(folder / f"{found.kind}.csv", as_csv(found).encode())
    text = page("measurement.html.j2", styles=("report.css", "run.css"), made=datetime.now(), found=found, plots=plots)
    _replace(folder / REPORT, text.encode())
    return folder / REPORT


def as_csv(found: Measurement) -> str:
    """Return the records as CSV with a header; a figure becomes four cells, and no cell can run as a formula."""
    rows = [_flat(record) for record in found.records]
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO(newline="")
    table = csv.DictWriter(out, names)
    table.writeheader()
    table.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Figure):
            flat |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high, f"{name}_n": value.n}
        else:
            flat[name] = value
    return flat


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if value - value != 0 else round(value, 6)
    if not isinstance(value, str):
        return value
    return shown("'" + value if value.startswith(FORMULA) else value)


def _replace(path: Path, data: bytes) -> None:
    with replacing(path) as file:
        file.write(data)
