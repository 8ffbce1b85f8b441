"""Which store is meant by a folder, and which rows of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from classifier.detector import find, open_folder
from classifier.places import home
from forensics_app.core.results import STORE
from forensics_app.core.store import BadStore, Query, ScanStore, StoredDetector
from forensics_app.core.store_query import Sort
from forensics_app.core.words import ANSWERS, shown

FROM_THE_TOP = ("p", "size", "judged")


@dataclass(frozen=True)
class Filters:
    """What a person asks for of a store's rows; None and empty leave out nothing. Bounds of p are inclusive."""

    labels: frozenset[str] | None = None
    above: float | None = None
    below: float | None = None
    formats: Sequence[str] | None = None
    evidence: bool | None = None
    name: str = ""
    marks: frozenset[str] | None = None
    gone: bool = False


@dataclass(frozen=True)
class LookedUp:
    """A store that is open to read, the folder in it that was asked for (b"": all) and the detector."""

    store: ScanStore
    under: bytes
    detector: StoredDetector

    @property
    def title(self) -> str:
        """What its report is called."""
        folder = self.under or os.fsencode(self.store.path.absolute().parent)
        return f"Pictures in {shown(os.fsdecode(os.path.basename(folder) or folder))}"  # noqa: PTH119 - bytes

    def query(self, filters: Filters = Filters(), sort: str = "path", *, turned: bool = False) -> Query:
        """Return the question for filters and an order; p, size and judged begin with the highest unless turned."""
        order: Sort = "p_fake" if sort == "p" else sort  # type: ignore[assignment]
        return Query(
            self.detector.number, self.under,
            labels=frozenset(ANSWERS) if filters.labels is None else filters.labels,
            formats=frozenset(name.upper() for name in filters.formats) if filters.formats else None,
            p_low=filters.above, p_high=filters.below, with_evidence=filters.evidence, text=filters.name,
            marks=filters.marks, include_gone=filters.gone, sort=order, descending=(sort in FROM_THE_TOP) != turned,
        )  # fmt: skip


def of_user() -> Path:
    """Return the store among the program's own files, which scans without a report's folder are kept in."""
    return home() / "scans.db"


@contextmanager
def looked_up(folder: str, store: Path | None, detector: str = "") -> Iterator[LookedUp]:
    """Open the store that is meant by a folder (one of a report, or one that was scanned) and by a detector's name.

    Raises `BadStore` where there is no such store, or none of the folder or of the detector in it.
    """
    path, under = _place(folder, store)
    if store is None and not path.exists():
        what = f"'{shown(folder)}' holds no {STORE} of a report, and " if folder else ""
        raise BadStore(f"{what}nothing is kept in '{shown(str(path))}'; give a report's folder, or scan without --out.")
    with ScanStore.open(path, readonly=True) as opened:
        found = LookedUp(opened, under, _detector(opened, detector))
        if under and not opened.count(Query(found.detector.number, under, include_gone=True)):
            raise BadStore(f"Nothing of '{shown(folder)}' is in the store '{shown(str(path))}'; scan it first.")
        yield found


def _place(folder: str, store: Path | None) -> tuple[Path, bytes]:
    """Return the store's file and the folder in it."""
    if folder and store is None and ((here := file_of(Path(folder))) != Path(folder) or here.suffix == ".db"):
        return here, b""
    under = os.fsencode(os.path.abspath(folder)) if folder else b""  # noqa: PTH100 - resolves no links
    return file_of(store) if store else of_user(), under


def file_of(place: Path) -> Path:
    """Return the file of a store that is given by itself or as the folder of its report."""
    return place / STORE if (place / STORE).is_file() else place


def readable(stores: Iterable[Path]) -> None:
    """Raise `BadStore` for the first of some stores that cannot be read, before any is used."""
    for path in stores:
        ScanStore.open(path, readonly=True).close()


def _detector(store: ScanStore, wanted: str) -> StoredDetector:
    kept = store.detectors()
    found = [one for one in kept if not wanted or wanted in (one.name, one.id)]
    if not found and os.path.isdir(wanted):
        folder_id = open_folder(find(wanted)).id
        found = [one for one in kept if one.id.partition("-")[0] == folder_id]
    if not kept:
        raise BadStore(f"The store '{shown(str(store.path))}' holds no rows; scan a folder first.")
    if not found:
        names = ", ".join(dict.fromkeys(f"{one.name} ({one.id})" for one in kept))
        raise BadStore(f"The store holds no rows of a detector '{shown(wanted)}', only of: {shown(names)}.")
    return found[0]
