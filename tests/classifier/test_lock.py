"""One program at a time in a folder: who is kept out, and what an error names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from classifier.lock import only_one

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such locks")

HOLD = """
import sys
from pathlib import Path
from classifier.lock import only_one
with only_one(Path(sys.argv[1]), RuntimeError("taken")):
    print("held", flush=True)
    sys.stdin.read()
"""


class Taken(Exception):
    """What the tests raise where a folder is taken."""


def test_another_program_is_kept_out_until_this_one_ends(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    other = subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(Taken), only_one(path, Taken()):
            pytest.fail("both hold it")
        other.kill()
    with only_one(path, Taken()):  # a kill -9 lifts it
        assert path.exists()
    assert not path.exists()


def test_the_lock_goes_where_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), only_one(tmp_path / "lock", Taken()):
        raise ZeroDivisionError
    assert not [*tmp_path.iterdir()]


def test_an_error_names_the_folder_and_not_the_lock_in_it(tmp_path: Path) -> None:
    gone, file = tmp_path / "gone", tmp_path / "file"
    file.write_bytes(b"")
    for folder, kind in ((gone, FileNotFoundError), (file, NotADirectoryError)):
        with pytest.raises(kind) as told, only_one(folder / "lock", Taken()):
            pytest.fail("there is nothing to lock")
        assert told.value.filename == os.fspath(folder)
