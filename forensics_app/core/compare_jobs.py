"""The job of a comparison: what is there is measured, tested and, if wanted, written as a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from forensics_app.core import compare_report
from forensics_app.core.compare_judging import Looked, Part
from forensics_app.core.compare_rows import Row
from forensics_app.core.comparison import Compared, measure
from forensics_app.core.contenders import Contender


def compare_detectors(
    those: Sequence[Contender | Row],
    title: str,
    *,
    data: Path | None = None,
    out: Path | None = None,
    train: bool = False,
) -> Iterator[Part | Looked | Compared]:
    """Compare runs and detectors and, with `out`, write the page there; the last event is what was found.

    `data` and `train` are as `comparison.measure` takes them. Raises `NotComparable` and `BadData`.
    """
    measured = yield from measure(those, title, data=data, train=train)
    found = measured.compared
    if out is not None:
        yield Part("Drawing the maps and writing the page")
        found = replace(found, page=(yield from compare_report.write(measured, out)))
    yield found
