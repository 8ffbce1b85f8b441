"""What the Scan page asks of a store, and the answers as it shows them. Nothing here touches a widget."""

from __future__ import annotations

import math
import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from classifier.detector import Card
from forensics_app.core.store import Query, ScanStore, Stored, StoredDetector
from forensics_app.core.store_lookup import Filters
from forensics_app.core.store_query import Sort
from forensics_app.core.verdict import Policy, policy_of
from forensics_app.core.words import ANSWERS, answer, shown

SPREAD_BINS = 100
FIRST_ROWS = 60
NO_FILTERS = Filters()
NOTHING = dict.fromkeys(ANSWERS, 0)


@dataclass(frozen=True)
class View:
    """What is shown: a scanned folder or archive (b"": the whole store), what is left out of it, and the order.

    `under` is the folder below `root` that the filter names, `detector` an id, "" for the last one used there.
    """

    root: bytes
    under: bytes | None = None
    detector: str = ""
    filters: Filters = NO_FILTERS
    sort: Sort = "p_fake"
    descending: bool = True

    @property
    def is_filtered(self) -> bool:
        """Whether anything may be left out."""
        return self.filters != NO_FILTERS or self.under is not None

    def query(self, number: int, filters: Filters | None = None) -> Query:
        """Return the question to a store, with these filters or with others."""
        said = self.filters if filters is None else filters
        return Query(
            number, self.root if self.under is None else self.under,
            labels=frozenset(ANSWERS) if said.labels is None else said.labels,
            formats=frozenset(said.formats) if said.formats else None, p_low=said.above, p_high=said.below,
            with_evidence=said.evidence, text=said.name, marks=said.marks, include_gone=said.gone,
            sort=self.sort, descending=self.descending,
        )  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A row of the table, with text that is safe to show; `path` is the file's own, `judged` a local time."""

    id: int
    path: str
    name: str
    folder: str
    label: str
    p_fake: float | None
    mark: str | None
    size: int
    judged: str
    reason: str
    gone: bool
    stored: Stored


@dataclass(frozen=True, eq=False)
class Found:
    """The answer that comes at once: how many there are of what, and the first rows.

    `counts` leave the filter of answers out, `formats` that of formats, `spread` answers and the bounds of p: each says
    what its own filter would give. `whole` is without any filter.
    """

    view: View
    detector: StoredDetector
    others: tuple[StoredDetector, ...]
    policy: Policy
    whole: dict[str, int]
    counts: dict[str, int]
    formats: dict[str, int]
    spread: dict[str, list[int]]
    total: int
    first: tuple[Line, ...]


@dataclass(frozen=True, eq=False)
class Ordered:
    """The ids of all rows of a view, in its order."""

    view: View
    ids: array[int]


def look(store: ScanStore, view: View) -> Iterator[Found | Ordered | None]:
    """Answer a view in two steps; None where nothing of it is in the store."""
    detectors = tuple(one for one in store.detectors() if _any(store, one.number, view.root))
    if not detectors:
        yield None
        return
    chosen = next((one for one in detectors if one.id == view.detector), detectors[0])
    number, said = chosen.number, view.filters
    counts = store.counts(view.query(number, replace(said, labels=None)))
    total = sum(rows for label, rows in counts.items() if said.labels is None or label in said.labels)
    page = store.page(view.query(number), limit=FIRST_ROWS)
    yield Found(
        view, chosen, detectors, policy_of(Card.model_validate_json(chosen.card)),
        store.counts(Query(number, view.root)), counts,
        store.formats(view.query(number, replace(said, formats=None))),
        store.spread(view.query(number, replace(said, labels=None, above=None, below=None)), SPREAD_BINS),
        total, tuple(line_of(one) for one in page.rows),
    )  # fmt: skip
    yield Ordered(view, store.order(view.query(number)))


def _any(store: ScanStore, number: int, root: bytes) -> bool:
    return any(store.counts(Query(number, root, include_gone=True)).values())


def lines(store: ScanStore, ids: tuple[int, ...]) -> list[Line]:
    """Return some rows; those that are not there any more are left out."""
    found = []
    for id_ in ids:
        try:
            found.append(line_of(store.stored(id_)))
        except KeyError:
            continue
    return found


def line_of(stored: Stored) -> Line:
    """Return a row as the table shows it."""
    row = stored.row
    path = os.fsdecode(bytes.fromhex(row["path_bytes"])) if "path_bytes" in row else str(row["path"])
    folder, name = os.path.split(path)
    label, verdict = answer(row), row.get("verdict", {})
    p = verdict.get("p_fake")
    return Line(
        stored.id, path, shown(name), shown(folder), label, None if p is None or math.isnan(p) else p,
        stored.mark, stored.size, _when(stored.judged_ns),
        shown(row["error"]["message"] if label == "error" else verdict.get("reason", "")), stored.gone, stored,
    )  # fmt: skip


def _when(judged_ns: int) -> str:
    return datetime.fromtimestamp(judged_ns / 1e9).astimezone().strftime("%Y-%m-%d %H:%M")
