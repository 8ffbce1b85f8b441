"""All malformed files of the shared pictures in one scan, through the real command: each a row, no crash, no hang."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

MOST_BYTES = 1.5e9
MOST_SECONDS = 60
KINDS = {"empty", "too_large", "too_many_pixels", "unknown_format", "damaged", "too_small"}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measures memory in /proc")


@dataclass(frozen=True)
class Ran:
    """What the command did; `peak_bytes` sums the highest resident sets of all processes alive at one time."""

    code: int
    stdout: str
    stderr: str
    seconds: float
    peak_bytes: int
    rows: list[dict[str, Any]]


def tree(pid: int) -> list[int]:
    below: list[int] = []
    with suppress(OSError):
        below = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [pid, *(one for child in below for one in tree(child))]


def highest_resident(pid: int) -> int:
    """Bytes; the kernel keeps the highest mark, so that no short peak is missed. Shared pages count in each process."""
    with suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) * 1024 if found else 0
    return 0


@pytest.fixture(scope="module")
def ran(shared_data: Path, bundled: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("malformed")
    command = [
        sys.executable,
        "-m",
        "forensics_app",
        "scan",
        str(shared_data / "malformed"),
        "--out",
        str(folder / "out"),
    ]
    command += ["--workers", str(min(4, os.cpu_count() or 1)), "--out", str(folder / "out")]
    begun, peak = time.monotonic(), 0
    with (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(command, cwd=ROOT, stdout=stdout, stderr=stderr)
        while process.poll() is None:
            peak = max(peak, sum(map(highest_resident, tree(process.pid))))
            if time.monotonic() - begun > 3 * MOST_SECONDS:
                process.kill()
            time.sleep(0.02)
    seconds = time.monotonic() - begun
    results = (folder / "out" / "results.jsonl").read_text().splitlines()
    texts = [(folder / name).read_text() for name in ("stdout", "stderr")]
    found = Ran(process.returncode, texts[0], texts[1], seconds, peak, [json.loads(line) for line in results])
    kinds = Counter(row.get("error", {}).get("kind", "judged") for row in found.rows)
    print(f"{len(found.rows)} rows {dict(kinds)} in {seconds:.1f} s, at most {peak / 1e6:.0f} MB")  # noqa: T201
    return found


def test_every_file_is_one_row(ran: Ran, shared_data: Path) -> None:
    names = sorted(path.name for path in (shared_data / "malformed").iterdir())
    assert len(names) == 450
    assert sorted(Path(row["path"]).name for row in ran.rows) == names


def test_nothing_crashed_or_hung_and_nobody_complains(ran: Ran) -> None:
    assert ran.code == 1  # finished, with files that failed
    assert "Traceback" not in ran.stdout + ran.stderr
    assert not re.search(r"warning|libpng|TIFF\w+:", ran.stderr, re.IGNORECASE)
    assert {row["error"]["kind"] for row in ran.rows if "error" in row} <= KINDS


def test_every_row_is_a_verdict_or_one_clear_sentence(ran: Ran) -> None:
    for row in ran.rows:
        if "error" in row:
            assert re.fullmatch(r"[A-Z][^\n]{10,240}\.", row["error"]["message"]), row
            assert row["thumbnail"] is None
        else:
            assert row["verdict"]["label"] in ("fake", "real", "unsure")
            assert 0 <= row["verdict"]["p_fake"] <= 1
            assert row["thumbnail"]
    assert sum("error" not in row for row in ran.rows) > 100


def test_memory_and_time_are_bounded(ran: Ran) -> None:
    assert ran.peak_bytes < MOST_BYTES
    assert ran.seconds < MOST_SECONDS
