from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from forensics_app.core import store_merge
from forensics_app.core.store import BadStore, Entry, Merged, Query, ScanStore
from tests.core.stored import entry, installed, recount

SHARDS = 4


@pytest.fixture
def shards(tmp_path: Path) -> list[tuple[Path, dict[bytes, Entry]]]:
    """Four stores that scanned a part each, side by side, of which some saw the same files."""
    made = []
    threads = [threading.Thread(target=lambda at=at: made.append(_shard(tmp_path, at))) for at in range(SHARDS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return made


def _shard(folder: Path, at: int) -> tuple[Path, dict[bytes, Entry]]:
    rng, path = random.Random(at), folder / f"{at}.db"
    entries = {one.path: one for one in (entry(rng) for _ in range(300))}
    with ScanStore.open(path) as store:
        for _ in range(at):
            store.detector(installed("other", f"{at:016x}"))  # numbers differ from store to store
        detector = store.detector(installed())
        store.put(detector, [*entries.values()])
    return path, entries


def content(store: ScanStore) -> dict[str, str]:
    """Return every row by its path, as text."""
    number = next(one.number for one in store.detectors() if one.name == "default")
    return {row.get("path_bytes", row["path"]): repr(row) for row in store.rows(Query(number))}


def everything(shards: list[tuple[Path, dict[bytes, Entry]]]) -> int:
    return len({path for _, entries in shards for path in entries})


def test_four_shards_become_one(tmp_path: Path, shards: list[tuple[Path, dict[bytes, Entry]]]) -> None:
    with ScanStore.open(tmp_path / "all.db") as store, ScanStore.open(tmp_path / "back.db") as back:
        for path, entries in shards:
            *_, last = store.merge(path)
            assert last.done == last.total == len(entries)
        for path, _ in reversed(shards):
            assert list(back.merge(path))
        assert content(store) == content(back), "the order does not matter"
        assert len(content(store)) == everything(shards)
        recount(store)
        before = content(store)
        for path, _ in shards:
            assert [*store.merge(path)][-1].taken == 0
        assert content(store) == before


def test_the_row_judged_later_stays(tmp_path: Path) -> None:
    rng = random.Random(1)
    early, late = entry(rng), entry(rng)
    late = Entry(early.path, late.size, late.mtime_ns, late.row)
    for name, one in (("early", early), ("late", late)):
        with ScanStore.open(tmp_path / f"{name}.db") as store:
            store.put(store.detector(installed()), [one])
    for order in (("early", "late"), ("late", "early")):
        with ScanStore.open(tmp_path / f"{order[0]}-first.db") as store:
            for name in order:
                assert list(store.merge(tmp_path / f"{name}.db"))
            known = store.known(1, early.path)
            assert known is not None
            assert known.mtime_ns == late.mtime_ns
            recount(store)


def test_a_merge_can_be_closed_and_begun_again(
    tmp_path: Path, shards: list[tuple[Path, dict[bytes, Entry]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_merge, "CHUNK", 16)
    rng = random.Random(3)
    with ScanStore.open(tmp_path / "once.db") as store:
        for path, _ in shards:
            assert list(store.merge(path))
        expected = content(store)
    with ScanStore.open(tmp_path / "all.db") as store:
        for path, _ in shards:
            for _ in range(3):
                _stopped(store.merge(path), rng.randint(1, 12))
                recount(store)
            assert list(store.merge(path))
        assert content(store) == expected


def _stopped(events: Iterator[Merged], after: int) -> None:
    for _, _ in zip(range(after), events, strict=False):
        pass
    events.close()  # type: ignore[attr-defined]


def test_what_cannot_be_merged_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no store " * 99)
    (tmp_path / "same.db").symlink_to(tmp_path / "all.db")
    with ScanStore.open(tmp_path / "all.db") as store:
        for name, words in (("none.db", "no store"), ("text.db", "not a store"), ("same.db", "itself")):
            with pytest.raises(BadStore, match=words):
                list(store.merge(tmp_path / name))


def test_marks_are_merged(tmp_path: Path) -> None:
    one = next(found for found in (entry(random.Random(at)) for at in range(99)) if "sha256" in found.row)
    with ScanStore.open(tmp_path / "a.db") as store, ScanStore.open(tmp_path / "all.db") as every:
        (id_,) = store.put(store.detector(installed()), [one])
        store.mark(id_, "fake")
        assert list(every.merge(tmp_path / "a.db"))
        assert every.stored(1).mark == "fake"
