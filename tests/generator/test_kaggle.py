"""Pictures from Kaggle: what kagglehub brings is taken with care, what it refuses is a sentence, it can be stopped."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from generator import reals
from generator.downloads import BadSource, Fetching
from generator.reals import OFFLINE
from tests.generator.sources import find, zipped

FAKE_HUB = """
import os, pathlib
root = pathlib.Path(os.environ["KAGGLEHUB_CACHE"])
def put(kind, handle):
    folder = root / kind / handle
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "CAT_00").mkdir(exist_ok=True)
    (folder / "CAT_00" / "1.jpg").write_bytes(b"cat")
    (folder / "link.jpg").unlink(missing_ok=True)
    (folder / "link.jpg").symlink_to("/etc/passwd")
    return folder
"""


@pytest.fixture
def hub(tmp_path: Path, online: pytest.MonkeyPatch) -> Path:
    """A package kagglehub to write: Kaggle itself cannot be asked in a test."""
    folder = tmp_path / "hub"
    folder.mkdir()
    online.syspath_prepend(str(folder))
    online.setenv("PYTHONPATH", str(folder))
    return folder / "kagglehub.py"


def test_a_set_of_kaggle(hub: Path, tmp_path: Path, online: pytest.MonkeyPatch) -> None:
    hub.write_text(FAKE_HUB + "def dataset_download(handle):\n    print('noise')\n    return put('datasets', handle)\n")
    found = find("cat-dataset", tmp_path / "cache")
    assert [(one.name, one.source) for one in found.files] == [("CAT_00/1.jpg", "cat-dataset")], "links are left out"
    hub.write_text("raise SystemExit('asked again')")
    online.setenv(OFFLINE, "1")
    assert find("cat-dataset", tmp_path / "cache") == found


def test_a_competition_of_kaggle_has_its_pictures_in_an_archive(hub: Path, tmp_path: Path) -> None:
    inner = zipped(tmp_path / "train.zip", {"train/cat.1.jpg": b"cat", "train/dog.1.jpg": b"dog"})
    hub.write_text(
        FAKE_HUB + "def competition_download(handle):\n    folder = put('competitions', handle)\n"
        f"    (folder / 'train.zip').write_bytes(pathlib.Path({str(inner)!r}).read_bytes())\n    return folder\n"
    )
    assert [one.name for one in find("dogs-vs-cats", tmp_path / "cache").files] == ["train/cat.1.jpg"]


@pytest.mark.parametrize(("raised", "words"), [
    ("UnauthenticatedError", r"known users only: accept its rules at .*kaggle\.json"),
    ("ConnectionError", "Kaggle cannot be reached"),
    ("DataCorruptionError", "kagglehub could not fetch .*DataCorruptionError.*by hand"),
])  # fmt: skip
def test_what_kaggle_refuses_is_a_sentence(hub: Path, tmp_path: Path, raised: str, words: str) -> None:
    hub.write_text(f"class {raised}(Exception): ...\ndef dataset_download(handle):\n    raise {raised}('no')\n")
    with pytest.raises(BadSource, match=words):
        find("cat-dataset", tmp_path)


def test_closing_ends_the_process_that_asks_kaggle(hub: Path, tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    hub.write_text(
        f"import os, pathlib, time\npathlib.Path({str(marker)!r}).write_text(str(os.getpid()))\n"
        "def dataset_download(handle):\n    time.sleep(60)\n"
    )
    events = reals.find("cat-dataset", count=1, seed=0, cache=tmp_path)
    while not (marker.is_file() and marker.read_text()):
        assert isinstance(next(events), Fetching)
    begun = time.monotonic()
    events.close()  # type: ignore[attr-defined]
    assert time.monotonic() - begun < 2
    with pytest.raises(OSError, match="No such process"):
        os.kill(int(marker.read_text()), 0)


def test_without_kagglehub_it_says_how_to_get_it(tmp_path: Path, online: pytest.MonkeyPatch) -> None:
    online.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(BadSource, match=r"pip install '\.\[kaggle\]'"):
        find("cat-dataset", tmp_path)
