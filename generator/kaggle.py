"""Pictures from Kaggle, fetched by kagglehub in a process of its own, which can be stopped and watched."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from classifier.atomic import replacing
from generator.connection import TICK_S, BadSource, Unreachable
from generator.downloads import Fetching
from generator.entries import Limits
from generator.picture_sets import KaggleSet

PROGRAM = """
import sys, kagglehub
fetch = kagglehub.dataset_download if sys.argv[1] == "dataset" else kagglehub.competition_download
print(fetch(sys.argv[2]))
"""
DENIED = ("UnauthenticatedError", "CredentialError", "401 Client", "403 Client", "consent")
OFFLINE = ("ConnectionError", "NameResolutionError", "Timeout")
LIMITS = Limits()


def fetch(row: KaggleSet, cache: Path) -> Iterator[Fetching | Path]:
    """Fetch a set of Kaggle into the cache; the last event is its folder, whose files are as hostile as any.

    Raises `BadSource` with what to do where kagglehub is not installed or Kaggle wants to know who asks.
    """
    if (kept := fetched(row, cache)) is not None:
        yield kept
        return
    if importlib.util.find_spec("kagglehub") is None:
        raise BadSource(
            f"{row.name} needs kagglehub, which is in the extra 'kaggle': pip install '.[kaggle]' in the project's "
            f"folder. Or download {row.page} by hand, and give the file with {row.option}."
        )
    folder = cache / "kaggle"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile() as said, _running(row, folder, said.fileno()) as child:
        while child.poll() is None:
            size = _size(folder)
            if size > LIMITS.max_total:
                raise BadSource(f"{row.what} takes more than {LIMITS.max_total:,} bytes: stopped.")
            yield Fetching(size, None, f"Downloading {row.what} from Kaggle")
            _wait(child)
        said.seek(0)
        lines = said.read()[-100_000:].decode("utf-8", "replace").strip().splitlines() or [""]
    if child.returncode:
        raise _failed(row, "\n".join(lines[-40:]), lines[-1])
    found = Path(lines[-1])
    if not found.is_dir():
        raise BadSource(f"kagglehub has not said where it put {row.what}: download {row.page} by hand.")
    with replacing(folder / f"{row.name}.json") as file:
        file.write(json.dumps({"folder": str(found)}).encode())
    yield found


def fetched(row: KaggleSet, cache: Path) -> Path | None:
    """Return the folder that a set was fetched to before: kagglehub itself asks Kaggle each time."""
    try:
        folder = Path(str(json.loads((cache / "kaggle" / f"{row.name}.json").read_bytes())["folder"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return folder if folder.is_dir() else None


@contextmanager
def _running(row: KaggleSet, folder: Path, output: int) -> Iterator[subprocess.Popen[bytes]]:
    """Start the program that downloads; it ends with the block, however that ends."""
    environment = {**os.environ, "KAGGLEHUB_CACHE": str(folder), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", PROGRAM, row.kind, row.handle]
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment
    )  # fmt: skip
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()


def _wait(child: subprocess.Popen[bytes]) -> None:
    due = time.monotonic() + TICK_S
    while child.poll() is None and time.monotonic() < due:
        time.sleep(0.02)


def _size(folder: Path) -> int:
    size = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            try:
                size += (Path(parent) / name).lstat().st_size
            except OSError:  # renamed meanwhile
                continue
    return size


def _failed(row: KaggleSet, said: str, last: str) -> BadSource:
    if any(word in said for word in OFFLINE):
        return Unreachable(
            f"Kaggle cannot be reached for {row.what}: check the network, or give a file with {row.option}."
        )
    if any(word in said for word in DENIED):
        return BadSource(
            f"Kaggle gives out {row.what} to known users only: accept its rules at {row.page}, make a token at "
            "https://www.kaggle.com/settings, and save it as ~/.kaggle/kaggle.json or set KAGGLE_USERNAME and "
            f"KAGGLE_KEY. Or download it by hand, and give the file with {row.option}."
        )
    return BadSource(f"kagglehub could not fetch {row.what} ({ascii(last)[1:160]}): download {row.page} by hand.")
