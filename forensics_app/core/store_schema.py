"""The file that a scan is kept in: SQLite in WAL mode, its tables as a list of migrations that only grows.

A file from outside is not trusted: one that is foreign, newer, damaged, or whose tables are not those of its version
is refused in a sentence, and stays as it was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forensics_app.core.words import shown

APPLICATION_ID = 0x464F5253
BUSY_SECONDS = 10.0
CACHE_KIB = 16 * 1024
CHECKPOINT_PAGES = 8_000
"""Indexes are written all over; a page that changes often goes from the log into the file once in about 32 MB."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE detectors(
            id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, card TEXT NOT NULL,
            used INTEGER NOT NULL)""",
        "CREATE TABLE folders(id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE)",
        "INSERT INTO folders VALUES (0, x'')",
        """CREATE TABLE cells(
            id INTEGER PRIMARY KEY, detector INTEGER NOT NULL, label TEXT NOT NULL, format TEXT NOT NULL,
            evidence INTEGER NOT NULL, kind TEXT NOT NULL, bin INTEGER NOT NULL, gone INTEGER NOT NULL,
            UNIQUE (detector, label, format, evidence, kind, bin, gone),
            CHECK (label IN ('fake', 'unsure', 'real', 'error')), CHECK (bin BETWEEN -1 AND 19))""",
        """CREATE TABLE rows(
            id INTEGER PRIMARY KEY, detector INTEGER NOT NULL, folder INTEGER NOT NULL, name BLOB NOT NULL,
            cell INTEGER NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, sha256 BLOB, p REAL,
            judged INTEGER NOT NULL, mark TEXT, rest BLOB NOT NULL)""",
        "CREATE UNIQUE INDEX rows_place ON rows(detector, folder, name)",
        "CREATE INDEX rows_content ON rows(substr(sha256, 1, 8)) WHERE sha256 IS NOT NULL",
        "CREATE INDEX rows_name ON rows(folder, cell, name)",
        "CREATE INDEX rows_p ON rows(cell, p, id, folder)",
        "CREATE INDEX rows_size ON rows(cell, size, id, p, folder)",
        "CREATE INDEX rows_judged ON rows(cell, judged, id, p, folder)",
        """CREATE TABLE tally(
            folder INTEGER NOT NULL, cell INTEGER NOT NULL, below INTEGER NOT NULL, own INTEGER NOT NULL,
            PRIMARY KEY (folder, cell)) WITHOUT ROWID""",
        """CREATE TABLE archives(
            detector INTEGER NOT NULL, path BLOB NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
            judged INTEGER NOT NULL, PRIMARY KEY (detector, path)) WITHOUT ROWID""",
    ),
    (
        "CREATE VIRTUAL TABLE names USING fts5(name, content='', detail=none, columnsize=0, tokenize='trigram')",
        "INSERT INTO names(rowid, name) SELECT id, CAST(name AS TEXT) FROM rows",
        "DROP INDEX rows_name",
        "CREATE INDEX rows_name ON rows(folder, cell, name, p)",
    ),
    ("ALTER TABLE tally ADD COLUMN first INTEGER", "ALTER TABLE tally ADD COLUMN last INTEGER"),
    (
        "CREATE INDEX rows_mark ON rows(mark) WHERE mark IS NOT NULL",
        """CREATE TABLE scans(
            path BLOB PRIMARY KEY, detector INTEGER NOT NULL, begun INTEGER NOT NULL) WITHOUT ROWID""",
    ),
    # A scan looks through an archive each time: which of its members have gone is not known otherwise.
    ("DROP TABLE archives",),
)
"""Every row lies in a cell: what can be filtered by, with p in twentieths (-1: no p). `tally` counts the rows of each
cell in each folder and below it, so that no count walks over rows; all were judged from `first` to `last`."""


class BadStore(Exception):
    """A scan's file that cannot be used, read or written; `str()` is one sentence that says which and why."""


def connect(path: Path, *, readonly: bool) -> sqlite3.Connection:
    """Open a store's file, made or brought up to date unless `readonly`; raises `BadStore`."""
    _check_file(path, readonly)
    with told(path):
        db = _connect(path, readonly)
        try:
            _prepare(db, path, readonly)
        except BaseException:
            db.close()
            raise
    return db


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite says of a file during the block into a `BadStore`."""
    try:
        yield
    except sqlite3.Error as error:
        raise BadStore(_sentence(path, str(error))) from None


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Write everything in the block, durable when it ends, or nothing of it."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(db: sqlite3.Connection) -> Iterator[None]:
    """Let everything that is read in the block be of one moment."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("ROLLBACK")


def _sentence(path: Path, problem: str) -> str:
    name = f"'{shown(str(path))}'"
    for part, words in PROBLEMS:
        if part in problem:
            return words.format(name=name)
    return f"The store {name} cannot be used: {shown(problem)}."


PROBLEMS = (
    ("no such", "This Python's SQLite is too old for {name}; 3.34 with FTS5 or newer is needed."),
    ("full", "The disk is full: {name} could not be written further; what was stored before is kept."),
    ("locked", "Another program is writing to the store {name}; wait until it is done, or give another file."),
    ("not a database", "{name} is not a store of scans; give another file."),
    ("malformed", "The store {name} is damaged; scan again into another file."),
    ("readonly", "The store {name} may only be read here; give another file to write to."),
    ("unable to open", "The store {name} cannot be opened: the file or its folder may not be read or written."),
    ("disk I/O", "The store {name} could not be read or written: its disk is full, failing or gone."),
)


def _check_file(path: Path, readonly: bool) -> None:
    try:
        if path.exists() and not path.is_file():
            raise BadStore(f"'{shown(str(path))}' is not a file; give the file of a store.")
        if readonly and not path.exists():
            raise BadStore(f"There is no store '{shown(str(path))}'; 'forensics scan' makes one.")
        if not readonly:
            path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadStore(f"The store '{shown(str(path))}' cannot be opened: {error.strerror}.") from None


def _connect(path: Path, readonly: bool) -> sqlite3.Connection:
    address = path.absolute().as_uri()
    if not readonly:
        return _open(f"{address}?mode=rwc")
    try:
        return _open(f"{address}?mode=rw")  # mode=ro would leave its -shm and -wal behind; `query_only` follows
    except sqlite3.OperationalError as error:
        log = path.with_name(path.name + "-wal")
        unwritable = "unable to open" in str(error) or "readonly" in str(error)
        if not unwritable or (log.exists() and log.stat().st_size):
            raise
        return _open(f"{address}?mode=ro&immutable=1")  # a folder that may not be written, and nobody writes there


def _open(address: str) -> sqlite3.Connection:
    db = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        for pragma in ("trusted_schema=OFF", "cell_size_check=ON", f"cache_size=-{CACHE_KIB}", "temp_store=MEMORY"):
            db.execute(f"PRAGMA {pragma}")
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, path: Path, readonly: bool) -> None:
    version = _version(db, path)
    if readonly:
        if version < len(MIGRATIONS):
            raise BadStore(f"The store '{shown(str(path))}' is of an older version; scan into it once to renew it.")
        db.execute("PRAGMA query_only=ON")
        return
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    if version < len(MIGRATIONS):
        with transaction(db):
            _migrate(db, _version(db, path))


def _version(db: sqlite3.Connection, path: Path) -> int:
    """Return how many migrations a file has seen, 0 for a new one; raises `BadStore` for one not ours."""
    (mark,), (version,) = (db.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version"))
    tables = _tables(db)
    if not tables and not mark and not version:
        return 0
    if mark != APPLICATION_ID:
        raise BadStore(f"'{shown(str(path))}' is not a store of scans; give another file.")
    if version > len(MIGRATIONS):
        raise BadStore(f"The store '{shown(str(path))}' was made by a newer version of forensics; update forensics.")
    if version < 1 or tables != _expected(version):
        raise BadStore(f"The store '{shown(str(path))}' was changed by another program; scan again into another file.")
    return int(version)


def _tables(db: sqlite3.Connection) -> set[tuple[str, str, str]]:
    return set(db.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master"))


def _expected(version: int) -> set[tuple[str, str, str]]:
    fresh = sqlite3.connect(":memory:", isolation_level=None)
    try:
        for statements in MIGRATIONS[:version]:
            for statement in statements:
                fresh.execute(statement)
        return _tables(fresh)
    finally:
        fresh.close()


def _migrate(db: sqlite3.Connection, version: int) -> None:
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            db.execute(statement)
    db.execute(f"PRAGMA application_id={APPLICATION_ID}")
    db.execute(f"PRAGMA user_version={len(MIGRATIONS)}")
