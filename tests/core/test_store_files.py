from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from forensics_app.core import store_schema
from forensics_app.core.store import BadStore, Entry, Query, ScanStore
from forensics_app.core.store_rows import pack
from tests.core.stored import Model, entry, installed, paged
from tests.program import environment


def filled(path: Path, rows: int = 40, seed: int = 1) -> Path:
    rng = random.Random(seed)
    with ScanStore.open(path) as store:
        detector = store.detector(installed())
        store.put(detector, [*{one.path: one for one in (entry(rng) for _ in range(rows))}.values()])
    return path


def refusal(path: Path, *, readonly: bool = True) -> str:
    """Open a file that must be refused, and return the sentence; the file stays as it was."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(BadStore) as refused:
        ScanStore.open(path, readonly=readonly)
    assert before is None or path.read_bytes() == before
    told = str(refused.value)
    assert told.endswith(".")
    assert "\n" not in told
    assert "Traceback" not in told
    return told


def test_an_older_store_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, latest = tmp_path / "scan.db", store_schema.MIGRATIONS
    monkeypatch.setattr(store_schema, "MIGRATIONS", latest[:1])
    with store_schema.connect(path, readonly=False) as db:
        db.execute("INSERT INTO detectors VALUES (1, 'c983d1cff4b352dd', 'default', '{}', 1)")
        db.execute("INSERT INTO folders VALUES (1, X'2F61')")
        db.execute("INSERT INTO cells VALUES (1, 1, 'real', 'JPEG', 0, '', 2, 0)")
        rest = pack({"width": 3, "reason": "It looks so."}, "")
        db.execute("INSERT INTO rows VALUES (1, 1, 1, X'62FF2E6A7067', 1, 5, 6, X'00', 0.1, 7, NULL, ?)", (rest,))
        db.executemany("INSERT INTO tally VALUES (?, 1, 1, ?)", [(0, 0), (1, 1)])
    db.close()
    monkeypatch.setattr(store_schema, "MIGRATIONS", latest)
    assert "older" in refusal(path)
    with ScanStore.open(path) as store:
        assert store.counts(Query(1, text="b")) == {"fake": 0, "unsure": 0, "real": 1, "error": 0}
        store.put(1, [Entry(b"/c.jpg", 1, 1, {"error": {"kind": "damaged", "message": "It ends early."}})])
        assert len(store.page(Query(1, under=b"/a", sort="judged")).rows) == 1
        found = store.known(1, b"/a/b\xff.jpg")
        assert found is not None
        assert found.size == 5
    with ScanStore.open(path, readonly=True) as store:
        assert store.count(Query(1, text=".jpg")) == 2


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path / "scan.db")
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=999")
    db.close()
    for readonly in (True, False):
        assert "newer version" in refusal(path, readonly=readonly)


@pytest.mark.parametrize("readonly", [True, False])
def test_what_is_no_store_is_refused(tmp_path: Path, readonly: bool) -> None:
    (tmp_path / "text.db").write_text("not a database " * 100)
    (tmp_path / "short.db").write_bytes(b"SQLite format 3\0")
    with sqlite3.connect(tmp_path / "other.db") as db:
        db.execute("CREATE TABLE rows(id)")
    db.close()
    (tmp_path / "folder.db").mkdir()
    for name in ("text.db", "other.db", "folder.db", "short.db"):
        assert "give" in refusal(tmp_path / name, readonly=readonly) or name == "short.db"


def test_a_store_with_other_tables_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path / "scan.db")
    with sqlite3.connect(path) as db:
        db.execute("CREATE TRIGGER harm AFTER INSERT ON rows BEGIN DELETE FROM rows; END")
    db.close()
    for readonly in (True, False):
        assert "changed by another program" in refusal(path, readonly=readonly)


def test_a_missing_store_is_only_made_to_write(tmp_path: Path) -> None:
    assert "There is no store" in refusal(tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()
    with ScanStore.open(tmp_path / "new" / "scan.db") as store:
        assert store.detectors() == ()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes that have a name")
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "scan.db")
    assert "not a file" in refusal(tmp_path / "scan.db")


def test_damage_is_a_sentence(tmp_path: Path) -> None:
    path = filled(tmp_path / "scan.db", rows=3_000)
    data = bytearray(path.read_bytes())
    for page in range(12, len(data) // 4096):
        data[page * 4096 : page * 4096 + 64] = b"\xa5" * 64
    path.write_bytes(data)
    with ScanStore.open(path, readonly=True) as store, pytest.raises(BadStore, match="damaged"):
        list(store.rows(Query(1)))


def test_a_locked_store_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_schema, "BUSY_SECONDS", 0.05)
    path = filled(tmp_path / "scan.db")
    other = sqlite3.connect(path, isolation_level=None)
    with ScanStore.open(path) as store:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BadStore, match="Another program is writing"):
            store.detector(installed("other", "b" * 16))
        other.execute("ROLLBACK")
        assert store.detector(installed("other", "b" * 16)) == 2
    other.close()


def test_a_reader_sees_what_a_writer_has_written(tmp_path: Path) -> None:
    path, rng = filled(tmp_path / "scan.db"), random.Random(8)
    with ScanStore.open(path) as store, ScanStore.open(path, readonly=True) as reader:
        before = reader.count(Query(1))
        model = Model(store, store.detector(installed()))
        model.put([entry(random.Random(99))])
        assert reader.count(Query(1)) == before + 1
        with pytest.raises(BadStore, match="may only be read"):
            reader.put(1, [entry(rng)])


READ = """
import os, sys
from pathlib import Path
from forensics_app.core.store import Query, ScanStore
if len(sys.argv) > 2:
    os.seteuid(int(sys.argv[2]))
with ScanStore.open(Path(sys.argv[1]), readonly=True) as store:
    print(store.counts(Query(1)))
"""


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="needs root to become another user")
def test_a_folder_that_may_not_be_written_can_be_read(tmp_path: Path) -> None:
    """As a person without rights: from a CD, or from another's folder."""
    path = filled(tmp_path / "scan.db")
    with ScanStore.open(path, readonly=True) as store:
        expected = store.counts(Query(1))
    assert [*tmp_path.iterdir()] == [path], "readers leave nothing behind"
    parents = [folder for folder in (tmp_path, *tmp_path.parents) if not folder.stat().st_mode & 0o001]
    for folder in parents:
        folder.chmod(folder.stat().st_mode | 0o055)
    path.chmod(0o444)
    command = [sys.executable, "-c", READ, path, "65534"]
    found = subprocess.run(command, env=environment(), capture_output=True, check=False)
    for folder in parents:
        folder.chmod(folder.stat().st_mode & ~0o055)
    assert found.stdout.decode() == f"{expected}\n", found.stderr
    assert [*tmp_path.iterdir()] == [path]


def refused_when_full(store: ScanStore, model: Model) -> None:
    """Put rows until the disk is full: one sentence, and what was acknowledged is there."""
    rng, refused = random.Random(4), None
    for _ in range(500):
        chunk = [*{one.path: one for one in (entry(rng) for _ in range(64))}.values()]
        try:
            model.put(chunk)
        except BadStore as error:
            refused = str(error)
            break
    assert refused is not None
    assert "disk is full" in refused
    assert sorted(row.id for row in paged(store, Query(1, include_gone=True), 500)) == sorted(
        id_ for id_, _, _ in model.rows.values()
    )
    assert store.count(Query(1)) == len(model.rows) > 0


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    with ScanStore.open(tmp_path / "scan.db") as store:
        model = Model(store, store.detector(installed()))
        (pages,) = store._db.execute("PRAGMA page_count").fetchone()
        store._db.execute(f"PRAGMA max_page_count={pages + 60}")
        refused_when_full(store, model)
        store._db.execute("PRAGMA max_page_count=1000000")
        model.put([entry(random.Random(77))])
        assert store.count(Query(1)) == len(model.rows)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs root to mount a small disk")
def test_a_disk_that_is_full_indeed(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", tmp_path]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no disk may be mounted here")
    try:
        with ScanStore.open(tmp_path / "scan.db") as store:
            model = Model(store, store.detector(installed()))
            refused_when_full(store, model)
        with ScanStore.open(tmp_path / "scan.db", readonly=True) as store:
            assert store.count(Query(1)) == len(model.rows)
            assert store._db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        subprocess.run(["umount", tmp_path], check=True)
