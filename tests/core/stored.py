"""Random rows for the tests of the store, and the same questions answered by looking at every row."""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from classifier.detector import Band, Card, Installed
from forensics_app.core.store import Entry, Query, ScanStore, Stored
from forensics_app.core.words import ANSWERS

FOLDERS = (
    b"/pictures", b"/pictures/a", b"/pictures/a/b", b"/pictures/a-b", b"/pictures/a/b\xff\xfe", b"/pictures/a/b/c",
    b"/pictures/old.zip!", b"/pictures/old.zip!/inside", "/pictures/Größe 中".encode(), b"/",
)  # fmt: skip
FORMATS = ("JPEG", "PNG", "WEBP")
KINDS = ("damaged", "missing", "timeout")


def installed(name: str = "default", id_: str = "c983d1cff4b352dd") -> Installed:
    card = Card(name=name, arch="resnet18", classes=("fake", "real"), band=Band(low=0.24, high=0.7, n=10))
    return Installed(Path(name), card, id_)


def row(rng: random.Random) -> dict[str, Any]:
    """Return the public JSON form of a random picture."""
    if rng.random() < 0.15:
        return {"path": "", "error": {"kind": rng.choice(KINDS), "message": "The file ends early."}, "thumbnail": None}
    p = rng.choice((rng.random(), rng.random(), 0.0, 1.0, 0.05, 0.15, 0.5, 0.7))
    label = "fake" if p >= 0.7 else "real" if p <= 0.24 else "unsure"
    sha256 = f"{rng.getrandbits(256):064x}"
    camera = {"probe": "metadata", "finding": "camera", "strength": "hint", "summary": "A camera.", "details": {}}
    nothing = camera | {"finding": "nothing", "summary": "Says nothing.", "details": {"Software": "é \x01 \u202e"}}
    return {
        "path": "", "sha256": sha256, "format": rng.choice(FORMATS), "width": rng.randint(1, 9_000), "height": 480,
        "verdict": {"label": label, "p_fake": p, "reason": f"{round(100 * p)} in 100"},
        "evidence": rng.choice(([], [nothing], [camera, nothing])),
        "heatmap": rng.choice((None, f"heatmaps/{sha256}.jpg")),
        "ms": 12.5, "thumbnail": f"thumbnails/{sha256}.jpg",
    }  # fmt: skip


def name(rng: random.Random) -> bytes:
    """Return a random file name, one in five no UTF-8."""
    stem = rng.choice((b"IMG_", b"img-", b"", "Größe".encode(), b"..", b"=1+1", b"'")) + b"%d" % rng.randint(0, 9_999)
    return stem + (bytes([rng.randint(0x80, 0xFF), rng.randint(1, 0x2E)]) if rng.random() < 0.2 else b".jpg")


def entry(rng: random.Random) -> Entry:
    path = os.path.join(rng.choice(FOLDERS), name(rng))  # noqa: PTH118 - bytes
    return Entry(path, rng.choice((0, 5, rng.randint(0, 2**40))), rng.randint(0, 2**62), row(rng))


@dataclass
class Model:
    """What a store should hold, kept as a plain dictionary of one detector's rows."""

    store: ScanStore
    detector: int
    rows: dict[bytes, tuple[int, Entry, bool]] = field(default_factory=dict)
    marks: dict[int, str] = field(default_factory=dict)

    def put(self, entries: list[Entry]) -> None:
        ids = self.store.put(self.detector, entries)
        self.rows |= {one.path: (id_, one, False) for id_, one in zip(ids, entries, strict=True)}

    def finish(self, root: bytes, seen: set[int]) -> None:
        below = {
            path for path in self.rows if path == root or path.startswith((root.rstrip(b"/") + b"/", root + b"!/"))
        }
        went = sum(id_ not in seen and not gone for path, (id_, _, gone) in self.rows.items() if path in below)
        assert self.store.finish(self.detector, root, seen.__contains__) == went
        self.rows |= {path: (id_, one, id_ not in seen) for path, (id_, one, _) in self.rows.items() if path in below}

    def mark(self, rng: random.Random) -> None:
        """Mark some rows as a person would."""
        for id_, _, _ in self.rows.values():
            if rng.random() < 0.3:
                self.marks[id_] = rng.choice(ANSWERS[:3])
                self.store.mark(id_, self.marks[id_])

    def matching(self, query: Query) -> list[tuple[int, Entry]]:
        return [
            (id_, one) for id_, one, gone in self.rows.values() if _matches(query, one, gone, self.marks.get(id_, ""))
        ]

    def asked(self, query: Query) -> list[int]:
        """Return the ids of a query's rows in its order."""
        found = self.matching(query)
        down, sort = query.descending, query.sort
        if sort == "path":
            found.sort(key=lambda pair: os.path.split(pair[1].path), reverse=down)
        else:
            judged = {id_: self.store.stored(id_).judged_ns for id_, _ in found} if sort == "judged" else {}
            values = {id_: _value(sort, one, judged.get(id_)) for id_, one in found}
            found.sort(key=lambda pair: (values[pair[0]] or 0, pair[0]), reverse=down)
            found.sort(key=lambda pair: values[pair[0]] is None)
        return [id_ for id_, _ in found]

    def counts(self, query: Query) -> dict[str, int]:
        found = Counter(_label(one) for _, one in self.matching(query))
        return {label: found[label] for label in ANSWERS}


def _value(sort: str, one: Entry, judged: int | None) -> float | None:
    return {"size": one.size, "p_fake": one.row.get("verdict", {}).get("p_fake"), "judged": judged}[sort]


def _label(one: Entry) -> str:
    return "error" if "error" in one.row else str(one.row["verdict"]["label"])


def _matches(query: Query, one: Entry, gone: bool, mark: str) -> bool:
    folder, file = os.path.split(one.path)
    p = one.row.get("verdict", {}).get("p_fake")
    under, bounded = query.under, query.p_low is not None or query.p_high is not None
    found = any(finding["finding"] != "nothing" for finding in one.row.get("evidence", ()))
    return all((
        _label(one) in query.labels,
        query.include_gone or not gone,
        not under or folder in (under, under + b"!") or folder.startswith((under.rstrip(b"/") + b"/", under + b"!/")),
        query.formats is None or one.row.get("format") in query.formats,
        query.error_kinds is None or one.row.get("error", {}).get("kind") in query.error_kinds,
        query.with_evidence is None or query.with_evidence == found,
        not bounded or (p is not None and query.low <= p <= query.high),
        os.fsencode(query.text).lower() in file.lower(),
        query.marks is None or mark in query.marks,
    ))  # fmt: skip


def paged(store: ScanStore, query: Query, limit: int) -> list[Stored]:
    """Return all rows of a query, page by page."""
    found, after = list[Stored](), None
    while True:
        page = store.page(query, after=after, limit=limit)
        assert len(page.rows) == limit or page.next is None
        found += page.rows
        after = page.next
        if after is None:
            return found


def queries(rng: random.Random, detector: int) -> Query:
    """Return a random question."""
    maybe = lambda *choices: rng.choice((None, None, None, *choices))  # noqa: E731
    return Query(
        detector,
        under=rng.choice((b"", b"", b"/pictures", b"/pictures/a", b"/pictures/old.zip", b"/", b"/none", FOLDERS[4])),
        labels=frozenset(rng.choice((ANSWERS, ("fake",), ("error", "real"), ("unsure", "fake"), ()))),
        formats=maybe(frozenset({"JPEG"}), frozenset({"PNG", "WEBP"})),
        marks=maybe(frozenset({"fake"}), frozenset({"real", "unsure"}), frozenset({""})),
        p_low=maybe(0.0, 0.05, 0.15, 0.3, 0.333, 0.7), p_high=maybe(0.05, 0.15, 0.4, 0.7, 0.701, 1.0),
        error_kinds=maybe(frozenset({"damaged"}), frozenset({"missing", "timeout"})),
        with_evidence=maybe(True, False), text=maybe("img", "1", "IMG_1", "größe", ".jpg", "%", "\udcff") or "",
        include_gone=rng.random() < 0.3, sort=rng.choice(("path", "p_fake", "size", "judged")),
        descending=rng.random() < 0.5,
    )  # fmt: skip


def recount(store: ScanStore) -> None:
    """Compare the tally with every row."""
    late = "SELECT count(*) FROM rows r JOIN tally t ON t.folder = r.folder AND t.cell = r.cell WHERE r.judged {} t.{}"
    assert not store._db.execute(late.format("<", "first")).fetchone()[0]
    assert not store._db.execute(late.format(">", "last")).fetchone()[0]
    assert not store._db.execute("SELECT count(*) FROM tally WHERE first IS NULL OR last IS NULL").fetchone()[0]
    db = store._db
    own = set(db.execute("SELECT folder, cell, count(*) FROM rows GROUP BY folder, cell"))
    assert set(db.execute("SELECT folder, cell, own FROM tally WHERE own <> 0")) == own
    paths = dict(db.execute("SELECT id, path FROM folders"))
    below: dict[tuple[int, int], int] = {}
    for folder, cell, rows in own:
        for above, path in paths.items():
            if not path or paths[folder] == path or paths[folder].startswith(path.rstrip(b"/") + b"/"):
                below[above, cell] = below.get((above, cell), 0) + rows
    assert {(*place,): n for *place, n in db.execute("SELECT folder, cell, below FROM tally WHERE below <> 0")} == below
