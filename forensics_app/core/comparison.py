"""Comparing detectors: judged on the same pictures, a row for each, every two of them tested; a page if wanted."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from classifier.compare import Pair, pairs
from classifier.images import BadImage, load
from classifier.metrics import Figure
from classifier.pace import image_ms
from classifier.pairing import NotComparable, Shared
from forensics_app.core.claims import departures
from forensics_app.core.compare_judging import Looked, Part, judged_anew, kept_judgements
from forensics_app.core.compare_rows import GUESSING, Row, row_of
from forensics_app.core.contenders import Contender
from forensics_app.core.train_accuracy import train_accuracy

SHOWN = 8
TRIES = 5
"""How many of the pictures are tried, until one can be read, to take the time on."""


@dataclass(frozen=True)
class Compared:
    """The end: a row for each detector, each two of them with places in `rows`, and what is to be known beside.

    `counts` are the pictures of each class on which all figures rest. `page` is where it was written, if it was.
    """

    title: str
    counts: dict[str, int]
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]
    page: Path | None = None

    @property
    def n(self) -> int:
        """On how many pictures the figures rest."""
        return sum(self.counts.values())


@dataclass(frozen=True, eq=False)
class Measured:
    """What a page is made of: the detectors, the pictures that all judged, and what came out."""

    those: tuple[Contender, ...]
    judged: Shared
    compared: Compared


def measure(
    entries: Sequence[Contender | Row], title: str, *, data: Path | None = None, train: bool = False
) -> Generator[Part | Looked, None, Measured]:
    """Compare detectors and return what came out. A `Row` among the entries is one that could not be made.

    They are compared on the pictures that their runs were measured on alike, or with `data` on those of a folder that
    had no part in making any of them. `train` measures the accuracy on the training pictures too, where it was not.
    Raises `NotComparable` and `BadData`.
    """
    those = tuple(one for one in entries if isinstance(one, Contender))
    if not those:
        raise NotComparable(_all_failed([one for one in entries if isinstance(one, Row)]))
    yield Part("Pairing the pictures")
    judged, notes = (yield from judged_anew(those, data)) if data else kept_judgements(those)
    rows: list[Row] = []
    for entry in entries:
        if isinstance(entry, Row):
            rows.append(entry)
        else:
            rows.append((yield from _row(entry, judged, those.index(entry), train)))
    tested = yield from _tested(judged, [place for place, entry in enumerate(entries) if isinstance(entry, Contender)])
    counts = {name: int((judged.labels == label).sum()) for label, name in enumerate(judged.classes)}
    compared = Compared(title, counts, tuple(rows), tuple(tested), (*notes, *_chance(rows), *_departures(those)))
    return Measured(those, judged, compared)


def _all_failed(rows: Sequence[Row]) -> str:
    reasons = list(dict.fromkeys(row.failure or "" for row in rows))
    told = reasons[0] if len(reasons) == 1 else f"{rows[0].name}: {reasons[0]}"
    return f"No model could be trained. {told}"


def _row(one: Contender, judged: Shared, place: int, train: bool) -> Generator[Part | Looked, None, Row]:
    """Measure one contender: its costs, and its accuracy on its training pictures if that is known or wanted."""
    yield Part(f"Measuring {one.name}")
    learned = None
    for event in train_accuracy(one, measure=train):
        if isinstance(event, Figure):
            learned = event
        else:
            yield Looked(event.done, event.total)
    return row_of(one, judged, place, train=learned, image_ms=_pace(one, judged))


def _pace(one: Contender, judged: Shared) -> float | None:
    for path in judged.paths[:TRIES]:
        with suppress(BadImage):
            return image_ms(one.installed.folder, load(path).pixels)
    return None


def _tested(judged: Shared, places: Sequence[int]) -> Generator[Part | Looked, None, list[Pair]]:
    """Test every two, and say where in the table they are."""
    if len(places) < 2:
        return []
    yield Part("Testing every two of them")
    found: list[Pair] = []
    for pair in pairs(judged.p, judged.labels):
        found.append(replace(pair, first=places[pair.first], second=places[pair.second]))
        yield Looked(len(found), len(places) * (len(places) - 1) // 2)
    return found


def _departures(those: Sequence[Contender]) -> Iterator[str]:
    """Say how the runs differ from the bundled recipes whose names they have: what several do alike is said once."""
    found = {one.name: departures(one.run.recipe) for one in those if one.run}
    alike = [one for one in next(iter(found.values()), ()) if all(one in told for told in found.values())]
    if len(found) < len(those) or len({one.run.recipe.name for one in those if one.run}) > 1:
        alike = []
    if alike:
        yield f"The recipe is not the bundled one. {_listed(alike)}."
    rest: dict[tuple[str, ...], list[str]] = {}
    for name, told in found.items():
        rest.setdefault(tuple(one for one in told if one not in alike), []).append(name)
    for told, names in rest.items():
        if told:
            *most, last = names
            whose = f"{', '.join(most)} and {last}" if most else last
            yield f"The recipe of {whose} is not the bundled one. {_listed(told)}."


def _listed(told: Sequence[str]) -> str:
    more = f"; and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    return "; ".join(told[:SHOWN]) + more


def _chance(rows: Sequence[Row]) -> Iterator[str]:
    figures = [row for row in rows if row.accuracy]
    if len(figures) > 1 and all(GUESSING in row.remarks for row in figures):
        yield "None of them can be told from guessing: their order means nothing."
