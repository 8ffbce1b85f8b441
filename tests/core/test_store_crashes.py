from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from forensics_app.core.store import Query, ScanStore
from tests.core.stored import entry, recount
from tests.program import environment

KILLS = 10

WRITE = """
import random, sys
from pathlib import Path
from forensics_app.core.store import ScanStore
from tests.core.stored import entry, installed
with ScanStore.open(Path(sys.argv[1])) as store:
    detector = store.detector(installed())
    for seed in range(int(sys.argv[2]), 10**9):
        entries = {one.path: one for one in (entry(random.Random(seed * 100 + at)) for at in range(40))}
        store.put(detector, [*entries.values()])
        print(seed, flush=True)
"""


def test_no_acknowledged_row_is_lost_by_kill(tmp_path: Path) -> None:
    path, rng, seed, expected = tmp_path / "scan.db", random.Random(5), 0, dict[bytes, int]()
    for _ in range(KILLS):
        command = [sys.executable, "-c", WRITE, path, str(seed)]
        with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline()
            time.sleep(rng.uniform(0, 0.3))
            writer.kill()
            said = writer.stdout.read().split()
        last = int(said[-1]) if said else seed
        for done in range(seed, last + 1):
            expected |= _written(done)
        with ScanStore.open(path) as store:
            assert store._db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            _compare(store, expected, _written(last + 1))
            recount(store)
        seed = last + 2  # the chunk after the last that was told may have been written or not
        expected |= _written(last + 1) if _is_there(path, last + 1) else {}
    assert len(expected) > 500


def _written(seed: int) -> dict[bytes, int]:
    """Return the paths of a chunk with the sizes written for them."""
    entries = (entry(random.Random(seed * 100 + at)) for at in range(40))
    return {one.path: one.size for one in entries}


def _compare(store: ScanStore, expected: dict[bytes, int], perhaps: dict[bytes, int]) -> None:
    found = {path: store.known(1, path) for path in expected}
    wrong = [path for path, known in found.items() if known is None or known.size != expected[path]]
    assert not [path for path in wrong if path not in perhaps]
    assert store.count(Query(1)) in (len(expected), len(expected | perhaps)), "a chunk is written whole or not at all"


def _is_there(path: Path, seed: int) -> bool:
    written = _written(seed)
    with ScanStore.open(path, readonly=True) as store:
        sizes = [known.size if known else None for known in (store.known(1, one) for one in written)]
    return sizes == [*written.values()]
