"""Copies and sources that cross splits or classes are found, and nothing else is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from generator import shortcuts
from tests.generator.sets import as_jpeg, audited, write_set


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer trees: the model is not what is tested here."""
    monkeypatch.setattr(shortcuts, "TREES", 5)
    monkeypatch.setattr(shortcuts, "REPEATS", 1)


def _in_splits(root: Path) -> Path:
    for number, split in enumerate(("train", "val")):
        write_set(root / split, as_jpeg, as_jpeg, count=20, first=100 * number)
    return root


def test_copies_across_splits_and_classes(tmp_path: Path) -> None:
    root = _in_splits(tmp_path / "set")
    assert audited(root).verdict == "pass"
    assert audited(root).splits == {"train": 40, "val": 40}
    shutil.copy(root / "train/real/00001.jpg", root / "val/real/copy.jpg")
    found = audited(root)
    assert found.verdict == "fail"
    assert found.leaks.same_bytes == ((str(Path("train/real/00001.jpg")), str(Path("val/real/copy.jpg"))),)
    (root / "val/real/copy.jpg").rename(root / "train/fake/copy.jpg")
    assert audited(root).verdict == "fail"
    (root / "train/fake/copy.jpg").rename(root / "train/real/copy.jpg")  # a copy in its own split and class is no leak
    assert audited(root).leaks.same_bytes == ()


def test_near_copies_warn_and_many_fail(tmp_path: Path) -> None:
    root = _in_splits(tmp_path / "set")
    for count, verdict in ((1, "warn"), (6, "fail")):
        for index in range(count):
            with Image.open(root / f"train/real/{2 * index + 1:05}.jpg") as image:
                image.save(root / f"val/real/near{index}.jpg", quality=89)
        found = audited(root)
        assert len(found.leaks.near) == count
        assert found.verdict == verdict
    assert found.mend == "Keep one of each in one split, and remove the other copies."


@pytest.mark.parametrize(("record", "sources"), [
    ({"files": [{"group": "a cat", "split": "train"}, {"group": "a cat", "split": "val"}]}, ("a cat",)),
    ({"files": [{"group": "a cat", "split": "train"}, {"group": 7, "split": []}, "nothing"]}, ()),
    (["no record"], ()), ("[" * 100_000, ()), ('{"files": 3}', ()), (b"\xff\xfe", ()),
])  # fmt: skip
def test_sources_in_two_splits(tmp_path: Path, record: object, sources: tuple[str, ...]) -> None:
    root = write_set(tmp_path / "set", as_jpeg, as_jpeg)
    data = record if isinstance(record, bytes) else (record if isinstance(record, str) else json.dumps(record)).encode()
    (root / "dataset.json").write_bytes(data)
    found = audited(root)
    assert found.leaks.sources == sources
    assert found.verdict == ("warn" if sources else "pass")
