from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from forensics_app.core import store_pages, store_query
from forensics_app.core.store import Entry, Query, ScanStore
from tests.core.stored import FOLDERS, Model, entry, installed, paged, queries, recount, row


@pytest.fixture
def store(tmp_path: Path) -> ScanStore:
    opened = ScanStore.open(tmp_path / "scan.db")
    yield opened
    opened.close()


@pytest.fixture(params=["walked", "gathered"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to a page: as for a common answer, and as for a rare one."""
    monkeypatch.setattr(store_pages, "LOOKUP", 10**9 if request.param == "walked" else 0)
    monkeypatch.setattr(store_query, "FEW_FOLDERS", 0 if request.param == "walked" else 100)
    monkeypatch.setattr(store_query, "MOST_NAMED", 0 if request.param == "walked" else 4_000)


def filled(store: ScanStore, seed: int, puts: int = 60) -> Model:
    """Return a store after random puts, replacements and walks in which files were missing."""
    rng = random.Random(seed)
    model = Model(store, store.detector(installed()))
    for _ in range(puts):
        model.put([*{one.path: one for one in (entry(rng) for _ in range(rng.randint(1, 12)))}.values()])
        if rng.random() < 0.1:
            there = {id_ for id_, _, _ in model.rows.values() if rng.random() < 0.7}
            model.finish(rng.choice((*FOLDERS[1:], b"/", next(iter(model.rows)))), there)
    model.mark(rng)
    return model


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("seed", range(2))
def test_pages_equal_a_full_sort(store: ScanStore, seed: int) -> None:
    model, rng = filled(store, seed), random.Random(seed)
    found = 0
    for _ in range(150):
        query = queries(rng, model.detector)
        expected = model.asked(query)
        stored = paged(store, query, rng.choice((1, 7, 50))) if len(expected) < 200 else paged(store, query, 50)
        assert [one.id for one in stored] == expected, query
        assert list(store.order(query)) == expected, query
        assert store.counts(query) == model.counts(query), query
        assert store.count(query) == len(expected)
        found += len(expected)
    assert found > 500


@pytest.mark.parametrize("sort", ["path", "p_fake", "size", "judged"])
@pytest.mark.parametrize("descending", [False, True])
def test_every_sort(store: ScanStore, sort: str, descending: bool) -> None:
    model = filled(store, 7, puts=25)
    query = Query(model.detector, sort=sort, descending=descending, include_gone=True)
    assert [one.id for one in paged(store, query, 13)] == model.asked(query) == list(store.order(query))
    assert len(model.rows) == len(list(store.rows(query)))


def test_counts_equal_a_recount(store: ScanStore, tmp_path: Path) -> None:
    for seed in range(3):
        with ScanStore.open(tmp_path / f"{seed}.db") as other:
            filled(other, seed)
            recount(other)
        assert list(store.merge(tmp_path / f"{seed}.db"))
        recount(store)


def test_histogram_and_folders_equal_a_recount(store: ScanStore) -> None:
    model, rng = filled(store, 11), random.Random(11)
    for _ in range(25):
        query = queries(rng, model.detector)
        rows = list(store.rows(query))
        for bins in (20, 5):
            found = store.histogram(query, bins)
            for label in ("fake", "unsure", "real"):
                places = [min(int(row["verdict"]["p_fake"] * 20), 19) * bins // 20 for row in rows
                          if row.get("verdict", {}).get("label") == label]  # fmt: skip
                assert found[label] == [places.count(place) for place in range(bins)]
        assert store.spread(query, 20) == store.histogram(query)
        assert [sum(store.spread(query)[label]) for label in ("fake", "real")] == [
            sum(row.get("verdict", {}).get("label") == label for row in rows) for label in ("fake", "real")
        ]
        assert store.formats(query) == Counter(row["format"] for row in rows if "format" in row)
        folders = store.folders(query)
        assert sum(sum(one.counts.values()) for one in folders) == len(rows)
        assert [one.counts["fake"] for one in folders] == sorted((one.counts["fake"] for one in folders), reverse=True)
        for one in folders:
            assert one.folder in FOLDERS
            assert 0 <= one.fake_share <= 1
    with pytest.raises(ValueError, match="bins"):
        store.histogram(query, 7)


def test_a_row_comes_back_as_it_was(store: ScanStore) -> None:
    model = filled(store, 3, puts=20)
    for id_, one, gone in model.rows.values():
        stored, want = store.stored(id_), dict(one.row)
        del want["path"]
        if "error" not in want:
            want["detector"] = {"name": "default", "id": "c983d1cff4b352dd"}
        got = {key: value for key, value in stored.row.items() if key not in ("path", "path_bytes")}
        assert got == want
        true = stored.row.get("path_bytes")
        assert (bytes.fromhex(true) if true else os.fsencode(stored.row["path"])) == one.path
        assert (stored.size, stored.mtime_ns, stored.gone) == (one.size, one.mtime_ns, gone)
        known = store.known(model.detector, one.path)
        assert known is not None
        assert (known.id, known.size, known.mtime_ns) == (id_, one.size, one.mtime_ns)
        assert known.error == one.row.get("error", {}).get("kind")


def test_a_probability_that_is_no_number_stays_one(store: ScanStore) -> None:
    rng, detector = random.Random(1), store.detector(installed())
    given = next(found for found in (row(rng) for _ in range(99)) if "verdict" in found)
    given["verdict"] = {"label": "unsure", "p_fake": float("nan"), "reason": "The detector gave no probability."}
    (id_,) = store.put(detector, [Entry(b"/a/b.jpg", 1, 1, given)])
    assert store.row(id_)["verdict"]["p_fake"] != store.row(id_)["verdict"]["p_fake"]
    assert store.counts(Query(detector)) == {"fake": 0, "unsure": 1, "real": 0, "error": 0}
    assert store.count(Query(detector, p_low=0.0)) == 0


@pytest.mark.parametrize("path", [b"", b"/", b"/a\0b.jpg", b"/a/"])
def test_a_path_that_no_file_has_is_refused(store: ScanStore, path: bytes) -> None:
    detector, rng = store.detector(installed()), random.Random(1)
    with pytest.raises(ValueError, match="path"):
        store.put(detector, [entry(rng), Entry(path, 1, 1, row(rng))])
    assert store.count(Query(detector)) == 0, "a chunk is written whole or not at all"
    recount(store)


def test_detectors_are_kept_apart(store: ScanStore) -> None:
    rng = random.Random(5)
    first, second = store.detector(installed()), store.detector(installed("other", "b" * 16))
    one = next(found for found in (entry(rng) for _ in range(99)) if "sha256" in found.row)
    store.put(first, [one])
    assert store.known(second, one.path) is None
    assert store.judged(second, one.row["sha256"]) is None
    found = store.judged(first, one.row["sha256"])
    assert found is not None
    assert found["verdict"] == one.row["verdict"]
    assert store.count(Query(second)) == 0
    assert store.detector(installed()) == first
    assert [found.number for found in store.detectors()] == [first, second], "the last used comes first"
    assert '"arch":"resnet18"' in store.detectors()[0].card


def test_what_is_gone_comes_back(store: ScanStore) -> None:
    model = filled(store, 9, puts=5)
    total = store.count(Query(model.detector, include_gone=True))
    model.finish(b"/", set())
    assert store.count(Query(model.detector)) == 0
    assert store.count(Query(model.detector, include_gone=True)) == total
    model.finish(b"/", {id_ for id_, _, _ in model.rows.values()})
    assert store.count(Query(model.detector)) == total
    recount(store)


def test_a_mark_stays_with_its_content(store: ScanStore) -> None:
    rng, detector = random.Random(2), store.detector(installed())
    one = next(found for found in (entry(rng) for _ in range(99)) if "sha256" in found.row)
    (id_,) = store.put(detector, [one])
    store.mark(id_, "real")
    store.put(detector, [one])
    assert store.stored(id_).mark == "real"
    store.put(detector, [Entry(one.path, 1, 1, {**one.row, "sha256": "0" * 64})])
    assert store.stored(id_).mark is None
    with pytest.raises(ValueError, match="mark"):
        store.mark(id_, "error")
    with pytest.raises(KeyError):
        store.row(id_ + 1)


def test_what_was_scanned_is_remembered_the_latest_first(store: ScanStore) -> None:
    detector = store.detector(installed())
    for root in (b"/a", b"/b.zip", b"/a"):
        store.begin(detector, root)
    found = store.scans()
    assert [(one.path, one.detector) for one in found] == [(b"/a", detector), (b"/b.zip", detector)]
    assert found[0].begun_ns > found[1].begun_ns
