"""A comparison on the terminal: the finding in words, and tables of at most 80 columns."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from forensics_app.cli.figures import figures_table
from forensics_app.core.compare_tables import costs, document, in_order
from forensics_app.core.compare_words import DIFFERENCES, context, details, headline, signed
from forensics_app.core.comparison import Compared
from forensics_app.core.run_tables import told
from forensics_app.core.words import shown


def paragraphs(found: Compared) -> Iterator[RenderableType]:
    """Yield a comparison for people: what was found, on what it rests, a row for each detector, the tests."""
    yield Text(headline(found), style="bold")
    for sentence in (*details(found), context(found), *(f"! {shown(note)}" for note in found.notes)):
        yield Text(sentence)
    yield Text("")
    yield _figures(found)
    for row in found.rows:
        if row.failure:
            yield Text(f"! {shown(row.name)}: not finished. {shown(row.failure)}")
    yield from _document(found)
    if len(found.pairs) == 1:
        yield from _only(found)


def _figures(found: Compared) -> Table:
    table = figures_table("model", "test accuracy", "train", "params", "MB", "s/epoch", "ms/image")
    for place in in_order(found.rows):
        row = found.rows[place]
        train = f"{row.train.value:.2f}" if row.train else "–"
        table.add_row(shown(row.name), told(row.accuracy), train, *costs(row))
    return table


def _document(found: Compared) -> Iterator[RenderableType]:
    """Yield the documents' own figures, in a table of their own."""
    rows = [found.rows[place] for place in in_order(found.rows) if found.rows[place].claim]
    if rows:
        table = figures_table("model", "the document's own: train / test")
        for row in rows:
            table.add_row(shown(row.name), document(row))
        yield from (Text(""), table)


def _only(found: Compared) -> Iterator[RenderableType]:
    pair = found.pairs[0]
    first, second = (shown(found.rows[place].name) for place in (pair.first, pair.second))
    table = figures_table(f"{first} less {second}", "difference (95 % interval)")
    for key, words in DIFFERENCES.items():
        value = getattr(pair.found, key)
        if value is not None:
            table.add_row(words, signed(value))
    yield from (Text(""), table)
