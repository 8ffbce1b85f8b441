"""A comparison as CSV and as Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from classifier.compare import ALPHA
from classifier.metrics import Figure
from forensics_app.core.compare_rows import Row, ranked
from forensics_app.core.compare_words import context, counted, details, headline, p_words, signed
from forensics_app.core.comparison import Compared
from forensics_app.core.run_tables import told
from forensics_app.core.words import shown

FORMULA = ("=", "+", "-", "@", "\t", "\r")
FIGURES = ("train", "accuracy", "balanced_accuracy", "auc", "log_loss")
DIFFERENCES = ("accuracy", "balanced_accuracy", "auc", "log_loss")
COLUMNS = (
    "model", "train accuracy", "test accuracy", "balanced accuracy", "parameters", "MB", "s an epoch",
    "ms an image", "the document: train / test", "training", "remarks",
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """A comparison for people: sentences, the table of the detectors, and that of every two, all safe to show."""

    headline: str
    details: str
    notes: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    pair_columns: tuple[str, ...]
    pairs: tuple[tuple[str, ...], ...]


def told_of(found: Compared) -> Told:
    """Return a comparison as its page and its Markdown tell it."""
    names = [shown(row.name) for row in found.rows]
    pairs = tuple(
        (
            names[pair.first], names[pair.second], f"{pair.found.only_first:,}", f"{pair.found.only_second:,}",
            p_words(pair.p_holm).removeprefix("p = ").removeprefix("p "), signed(pair.found.accuracy),
            signed(pair.found.balanced_accuracy), signed(pair.found.log_loss),
        )
        for pair in found.pairs
    )  # fmt: skip
    return Told(
        headline(found), " ".join([*details(found), context(found), "Intervals are 95 %."]),
        " ".join(shown(note) for note in found.notes), COLUMNS,
        tuple(_cells(found.rows[place]) for place in in_order(found.rows)),
        ("first", "second", "only the first right", "only the second right", "p (Holm)", "difference of accuracy",
         "of balanced accuracy", "of log loss"), pairs,
    )  # fmt: skip


def from_json(found: Mapping[str, Any]) -> Compared:
    """Return a comparison from its public JSON form; raises `ValueError` for anything else."""
    fields = {key: value for key, value in found.items() if key != "event"}
    return TypeAdapter(Compared).validate_python(fields)


def in_order(rows: Sequence[Row]) -> list[int]:
    """Return the places of all rows, the most accurate first, those without figures last."""
    figures = ranked(rows)
    return [*figures, *(place for place in range(len(rows)) if place not in figures)]


def rows_csv(found: Compared) -> str:
    """Return a line for each detector; a figure is four cells: value, interval and n."""
    return _csv([_record(found.rows[place]) for place in in_order(found.rows)])


def pairs_csv(found: Compared) -> str:
    """Return a line for each two detectors: counts, p-values and differences, the first less the second."""
    return _csv(
        [
            {
                "first": found.rows[pair.first].name,
                "second": found.rows[pair.second].name,
                "n": pair.found.n,
                "both_right": pair.found.both_right,
                "only_first_right": pair.found.only_first,
                "only_second_right": pair.found.only_second,
                "both_wrong": pair.found.both_wrong,
                "p_mcnemar": pair.found.p,
                "p_holm": pair.p_holm,
                **_figures({name: getattr(pair.found, name) for name in DIFFERENCES}, "_difference"),
            }
            for pair in found.pairs
        ]
    )


def _record(row: Row) -> dict[str, Any]:
    claim = row.claim
    return {
        "name": row.name,
        "arch": row.arch,
        "training": row.training,
        **_figures({name: getattr(row, name) for name in FIGURES}),
        "parameters": row.parameters,
        "megabytes": row.megabytes,
        "seconds_an_epoch": row.epoch_s,
        "ms_an_image": row.image_ms,
        "document_id": claim.id if claim else None,
        "document_train_percent": claim.train if claim else None,
        "document_test_percent": claim.test if claim else None,
        "document_parameters": claim.parameters if claim else None,
        "failure": row.failure,
        "remarks": "; ".join(row.remarks),
        "folder": str(row.folder),
    }


def _figures(figures: dict[str, Figure | None], suffix: str = "") -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for name, one in figures.items():
        for part, key in (("value", ""), ("low", "_low"), ("high", "_high"), ("n", "_n")):
            cells[f"{name}{suffix}{key}"] = getattr(one, part) if one else None
    return cells


def _csv(records: Sequence[dict[str, Any]]) -> str:
    out = io.StringIO(newline="")
    table = csv.DictWriter(out, list(records[0]) if records else [])
    table.writeheader()
    table.writerows({name: _cell(value) for name, value in record.items()} for record in records)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if value - value != 0 else round(value, 6)
    if not isinstance(value, str):
        return "" if value is None else value
    return shown("'" + value if value.startswith(FORMULA) else value)  # no cell may run as a formula


def markdown(found: Compared) -> str:
    """Return the finding, the table and the tests of every two."""
    return "\n".join(_markdown(found)) + "\n"


def _markdown(found: Compared) -> Iterator[str]:
    yield f"# {_plain(headline(found))}"
    yield from ("", _plain(" ".join([*details(found), context(found), "Intervals are 95 %."])))
    for note in found.notes:
        yield from ("", f"> {_plain(shown(note))}")
    yield from ("", f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}")
    for place in in_order(found.rows):
        yield f"| {' | '.join(_plain(cell) for cell in _cells(found.rows[place]))} |"
    if len(found.pairs) > 1:
        yield from ("", f"Differences that can be seen (Holm's correction for {len(found.pairs)} pairs):", "")
        seen = [f"- {_plain(counted(pair, found.rows))}" for pair in found.pairs if pair.p_holm < ALPHA]
        yield from seen or ["- none"]


def _cells(row: Row) -> tuple[str, ...]:
    return (
        shown(row.name),
        told(row.train),
        told(row.accuracy),
        told(row.balanced_accuracy),
        *costs(row),
        document(row),
        row.training,
        shown(row.failure) if row.failure else "; ".join(row.remarks),
    )


def costs(row: Row) -> tuple[str, str, str, str]:
    """Return parameters, megabytes, seconds an epoch and milliseconds an image as they are shown."""
    return (
        "–" if row.parameters is None else f"{row.parameters / 1e6:.1f} M",
        "–" if row.megabytes is None else f"{row.megabytes:.0f}" if row.megabytes >= 10 else f"{row.megabytes:.1f}",
        "–" if row.epoch_s is None else f"{row.epoch_s:.1f}",
        "–" if row.image_ms is None else f"{row.image_ms:.0f}" if row.image_ms >= 10 else f"{row.image_ms:.1f}",
    )


def document(row: Row) -> str:
    """Return what a document says of the same thing, in its own per cent, with the figure's ID."""
    claim = row.claim
    if claim is None:
        return "–"
    figures = f"{claim.train} / {claim.test} %" if claim.train else f"{claim.test} %"
    parts = [figures, *([f"{claim.parameters} parameters"] if claim.parameters else [])]
    told_beside = f"{', '.join(parts)} ({claim.id})"
    return f"{told_beside}: {claim.remark}" if claim.remark else told_beside


def _plain(text: str) -> str:
    """Return text in which Markdown sees no markup of its own."""
    for char in "\\|<`*_[]":
        text = text.replace(char, f"\\{char}")
    return " ".join(text.split())
