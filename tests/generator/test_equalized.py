"""A folder of which every picture went through `equalize`: whole or not there, and nothing of it was enlarged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from classifier.data import BadData
from classifier.images import load
from generator import equalized
from generator.equalize import Equalize
from tests.conftest import write_picture
from tests.generator.sets import as_jpeg, as_png, write_set


def written(root: Path, out: Path, spec: Equalize) -> equalized.Equalized:
    *_, end = equalized.write(root, out, spec)
    assert isinstance(end, equalized.Equalized)
    return end


def test_splits_and_classes_stay_and_nothing_else(tmp_path: Path) -> None:
    for split in ("train", "val"):
        write_set(tmp_path / "set" / split, as_png, as_jpeg, count=3)
    end = written(tmp_path / "set", tmp_path / "out", Equalize(64))
    assert end.classes == {"fake": 6, "real": 6}
    files = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*"))
    assert files[0] == "equalized.json"
    expected = [
        f"{split}/{kind}/{n:05}.jpg" for split in ("train", "val") for kind in ("fake", "real") for n in range(3)
    ]
    assert files[1:] == [str(Path(name)) for name in expected]
    assert {load(tmp_path / "out" / name).width for name in expected} == {64}
    assert json.loads((tmp_path / "out/equalized.json").read_text())["settings"]["quality"] == 90


def test_the_same_pictures_give_the_same_bytes(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set", as_png, as_jpeg, count=4)
    for name in ("one", "two"):
        written(root, tmp_path / name, Equalize(80, match_quality=True))
    files = list((tmp_path / "one").rglob("*.jpg"))
    assert len(files) == 8
    for path in files:
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


def test_small_and_unreadable_pictures_are_left_out(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set", as_png, as_jpeg, count=3)
    (root / "real/broken.jpg").write_bytes(b"no picture")
    write_picture(root / "real/small.jpg", 90, 40)
    end = written(root, tmp_path / "out", Equalize(64))
    assert end.classes == {"fake": 3, "real": 3}
    assert [Path(name).name for name, _ in end.left_out] == ["broken.jpg", "small.jpg"]
    assert "smaller than 64 px" in end.left_out[1][1]


def test_refused_and_stopped_leave_nothing(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set", as_png, as_jpeg, count=3)
    (tmp_path / "used").mkdir()
    (tmp_path / "used/file").touch()
    for out in (tmp_path / "used", tmp_path / "used/file"):
        with pytest.raises(BadData, match="there already"):
            written(root, out, Equalize(64))
    with pytest.raises(BadData, match=r"'fake'.*smaller than 512 px"):
        written(root, tmp_path / "out", Equalize(512))
    job = equalized.write(root, tmp_path / "out", Equalize(64))
    next(job)
    job.close()  # type: ignore[attr-defined]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set", "used"]
