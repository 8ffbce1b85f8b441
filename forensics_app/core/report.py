"""report.html: one file that needs nothing else, in which nothing from outside can run or hide.

Text is escaped by Jinja2, control and bidirectional characters are written out, pictures are embedded, and the page's
own content security policy allows exactly one script and one style sheet, both by their SHA-256.
"""

from __future__ import annotations

import heapq
import io
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from forensics_app.core.html import data_uri, page
from forensics_app.core.words import ANSWERS, ICONS, PHRASES, about, answer, shown

if TYPE_CHECKING:
    from classifier.detector import Installed

Row = Mapping[str, Any]
"""The public JSON form of a picture, with `thumbnail` and `heatmap` as paths inside the report's folder, or None."""

MAX_ROWS = 20_000
MAX_WITH_PICTURES = 2_000
MAX_EMBEDDED_BYTES = 60 * 2**20
MAX_SIDE_PX = 480
SMALL_BYTES = 48 * 2**10
BINS = 20


@dataclass(frozen=True)
class Made:
    """What the report says of its making: a title, the detector, when, and whether the job came to its end."""

    title: str
    detector: Installed
    whole: bool = True
    when: datetime = field(default_factory=datetime.now)


@dataclass(frozen=True)
class Line:
    """A picture's row as it is shown; every text is safe to show."""

    answer: str
    name: str
    folder: str
    p: float | None
    reason: str
    evidence: tuple[str, ...]
    format: str
    width: int
    height: int
    sha256: str
    thumbnail: str | None
    heatmap: str | None

    @property
    def icon(self) -> str:
        """The verdict's sign."""
        return ICONS[self.answer]

    @property
    def phrase(self) -> str:
        """The verdict in words."""
        return PHRASES[self.answer]

    def inside(self, root: str) -> Line:
        """Return the row with its folder as seen from the folder that all have in common."""
        return replace(self, folder=self.folder[len(root) :].lstrip(os.sep)) if root else self

    @property
    def area(self) -> int:
        """Number of pixels; 0 for a file that could not be judged."""
        return self.width * self.height


class Tally:
    """Counts of answers and of p, taken while rows go by."""

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        self.bins: Counter[tuple[int, str]] = Counter()

    def passing(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Count rows and pass them on."""
        for row in rows:
            said = answer(row)
            self.answers[said] += 1
            if said != "error":
                self.bins[min(int(row["verdict"]["p_fake"] * BINS), BINS - 1), said] += 1
            yield row


class Album:
    """Pictures as data URIs until the budget of rows and bytes is spent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._rows, self._bytes = 0, 0

    @property
    def full(self) -> bool:
        """True once rows go without their pictures."""
        return self._rows >= MAX_WITH_PICTURES or self._bytes >= MAX_EMBEDDED_BYTES

    def pair(self, row: Row) -> tuple[str | None, str | None]:
        """Return a row's thumbnail and heat map as data URIs, None where there is none."""
        if self.full or not row.get("thumbnail"):
            return None, None
        self._rows += 1
        return self._uri(row["thumbnail"]), self._uri(row["heatmap"]) if row.get("heatmap") else None

    def _uri(self, relative: str) -> str | None:
        path = (self._folder / relative).resolve()
        if not path.is_relative_to(self._folder) or not path.is_file():
            return None
        try:
            data = _small(path.read_bytes())
        except OSError:  # also what Pillow says of a picture that is none
            return None
        self._bytes += len(data)
        kind = "png" if data.startswith(b"\x89PNG") else "jpeg"
        return data_uri(f"image/{kind}", data)


def _small(data: bytes) -> bytes:
    """Return our own JPEG or PNG as it is, or smaller where it would fill the report."""
    if len(data) <= SMALL_BYTES and data.startswith((b"\x89PNG", b"\xff\xd8")):
        return data
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as image:
        image.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX))
        out = io.BytesIO()
        image.convert("RGB").save(out, "JPEG", quality=82)
    return out.getvalue()


def render(rows: Iterable[Row], made: Made, *, pictures: Path) -> str:
    """Return the report's HTML for rows whose pictures lie in the folder `pictures`; the likeliest fakes come first."""
    tally, album = Tally(), Album(pictures)
    listed = heapq.nsmallest(MAX_ROWS, enumerate(tally.passing(rows)), key=lambda pair: _rank(pair[1], pair[0]))
    lines = [_line(row, album) for _, row in listed]
    root = _root(lines)
    return page(
        "report.html.j2",
        styles=("report.css",),
        script="report.js",
        lines=[line.inside(root) for line in lines],
        notes=_notes(tally, lines, album),
        root=root,
        **_head(made),
        **_figures(tally, lines),
    )


def _rank(row: Row, index: int) -> tuple[int, float, int]:
    said = answer(row)
    return ANSWERS.index(said), 0.0 if said == "error" else -row["verdict"]["p_fake"], index


def _line(row: Row, album: Album) -> Line:
    path, said = PurePath(row["path"]), answer(row)
    thumbnail, heatmap = album.pair(row)
    verdict = row.get("verdict") or {}
    return Line(
        said,
        shown(path.name),
        shown(str(path.parent)) if path.parent != PurePath() else "",
        verdict.get("p_fake"),
        shown(row["error"]["message"] if said == "error" else verdict["reason"]),
        tuple(shown(one["summary"]) for one in row.get("evidence", ()) if one["finding"] != "nothing"),
        row.get("format") or "",
        row.get("width") or 0,
        row.get("height") or 0,
        row.get("sha256") or "",
        thumbnail,
        heatmap,
    )


def _root(lines: list[Line]) -> str:
    """Return the folder that all pictures have in common, or nothing where there is none."""
    try:
        return os.path.commonpath({line.folder for line in lines})
    except ValueError:  # none at all, or some on another disk
        return ""


def _notes(tally: Tally, lines: list[Line], album: Album) -> list[str]:
    total, notes = tally.answers.total(), []
    if len(lines) < total:
        notes.append(f"The first {len(lines):,} of {total:,} rows are listed; all of them are in results.csv.")
    if album.full:
        notes.append("To keep this file small, only the first rows show their pictures.")
    return notes


def _head(made: Made) -> dict[str, Any]:
    card = made.detector.card
    return {
        "title": shown(made.title),
        "made": made.when,
        "whole": made.whole,
        "about": shown(about(card)),
        "description": shown(card.description),
        "limits": [shown(limit) for limit in card.limits],
        "detector_id": made.detector.id,
        "band": (card.band.low, card.band.high) if card.band and card.band.low < card.band.high else None,
    }


def _figures(tally: Tally, lines: list[Line]) -> dict[str, Any]:
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    listed, total, left = Counter(line.answer for line in lines), tally.answers.total(), 0.0
    answers = []
    for name in ANSWERS:
        count = tally.answers[name]
        width = 1000 * count / max(total, 1)
        answers.append({"name": name, "icon": ICONS[name], "phrase": PHRASES[name], "count": count,
                        "listed": listed[name], "left": round(left, 2), "width": round(width, 2)})  # fmt: skip
        left += width
    peak = max((sum(tally.bins[bin_, name] for name in ANSWERS) for bin_ in range(BINS)), default=0)
    return {
        "total": total,
        "judged": total - tally.answers["error"],
        "answers": answers,
        "bins": BINS,
        "peak": peak,
        "bars": list(_bars(tally, peak)),
        "mapped": any(line.heatmap for line in lines),
        "legend": [(step / 4, to_hex(colormaps["inferno"](step / 4))) for step in range(5)],
    }


def _bars(tally: Tally, peak: int) -> Iterator[dict[str, Any]]:
    width = 1000 / BINS
    for place in range(BINS):
        top = 100.0
        for name in reversed(ANSWERS):
            if count := tally.bins[place, name]:
                height = 100 * count / peak
                top -= height
                words = f"{count} × {PHRASES[name]}, p {place / BINS:.2f} to {(place + 1) / BINS:.2f}"
                yield {"name": name, "left": place * width + 3, "width": width - 6, "top": round(top, 2),
                       "height": round(height, 2), "title": words}  # fmt: skip
