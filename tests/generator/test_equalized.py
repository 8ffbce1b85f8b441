"""A folder of which every picture went through `equalize`: whole or not there, and nothing of it was enlarged."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from classifier.data import BadData
from classifier.images import load
from generator import equalized
from generator.equalize import Equalize
from generator.workplace import LOCK
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


def test_nothing_is_written_into_what_is_read(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set", as_png, as_jpeg, count=3)
    (tmp_path / "link").symlink_to(root, target_is_directory=True)
    for out in (root / "inside", root, tmp_path / "link/inside", tmp_path / "other/../set/inside"):
        with pytest.raises(BadData, match="which is read"):
            written(root, out, Equalize(64))
    assert sorted(path.name for path in root.iterdir()) == ["fake", "real"]


@pytest.mark.parametrize("out", [".", "..", "file/inside", "dangling", "/proc/inside"])
def test_a_place_that_takes_nothing_is_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path("file").touch()
    Path("dangling").symlink_to("nowhere")
    if out == ".":
        for path in Path().iterdir():
            path.unlink()
    if out.startswith("/proc") and not Path("/proc").is_dir():
        pytest.skip("needs /proc")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BadData, match="--out"):
        written(tmp_path / "no such set", Path(out), Equalize(64))
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(sys.platform == "win32", reason="knows no such locks")
def test_two_do_not_write_one_folder_and_only_what_a_killed_one_left_is_removed(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set", as_png, as_jpeg, count=3)
    mine = [tmp_path / name for name in (".out.making", ".out.mine.part")]
    for folder in mine:
        folder.mkdir()
        os.utime(folder, (0, 0))
    killed = tmp_path / ".out.killed.part"
    killed.mkdir()
    (killed / LOCK).touch()
    first = equalized.write(root, tmp_path / "out", Equalize(64))
    next(first)
    assert not killed.exists()
    with pytest.raises(BadData, match="Another program is writing"):
        written(root, tmp_path / "out", Equalize(64))
    assert isinstance(list(first)[-1], equalized.Equalized)
    assert {path.name for path in tmp_path.iterdir()} == {"set", "out", *(folder.name for folder in mine)}


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
