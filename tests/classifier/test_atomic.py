"""What is written down survives: also names that are no UTF-8, and figures that are no number."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from classifier import atomic
from classifier.atomic import write_json


def test_names_stay_readable_and_those_that_are_no_utf_8_survive(tmp_path: Path) -> None:
    path = tmp_path / "names.json"
    for name in ("Käse 猫.png", os.fsdecode(b"bad\xff.png")):
        write_json(path, {"path": name})
        assert json.loads(path.read_bytes()) == {"path": name}
    write_json(path, "猫")
    assert "猫" in path.read_text(encoding="utf-8")
    assert [one.name for one in tmp_path.iterdir()] == ["names.json"]


def test_what_is_no_number_is_written_as_null(tmp_path: Path) -> None:
    write_json(tmp_path / "figures.json", [{"val_loss": float("nan"), "best": (float("-inf"), 0.5)}])
    text = (tmp_path / "figures.json").read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=str) == [{"val_loss": None, "best": [None, 0.5]}]


def test_errors_of_writing_name_the_place_that_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    missing = tmp_path / "none" / "x.zip"
    for write in (atomic.replacing, check):
        with pytest.raises(FileNotFoundError) as missed, write(missing):
            pytest.fail("there is nothing to write to")
        assert missed.value.filename == str(missing)
        with pytest.raises(IsADirectoryError) as taken, write(tmp_path / "folder"):
            pytest.fail("there is a folder")
        assert taken.value.filename == str(tmp_path / "folder")
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


@contextmanager
def check(path: Path) -> Iterator[None]:
    atomic.check_file(path)
    yield


def test_a_file_that_can_be_written_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"old")
    for name in ("x.png", "new.png"):
        atomic.check_file(tmp_path / name)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"x.png": b"old"}


def test_a_new_folder_that_cannot_be_made_is_named_as_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def refused(self: Path, *_modes: object, **_options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    for asked, at_fault in (("a/b", "a"), ("b", None)):
        with monkeypatch.context() as patch, pytest.raises(PermissionError) as error:
            patch.setattr(Path, "mkdir", lambda self, **_: refused(tmp_path / at_fault if at_fault else self))  # noqa: B023
            with atomic.new_folder(Path(asked)):
                pytest.fail("it cannot be made")
        assert error.value.filename == asked
    with pytest.raises(PermissionError) as error, atomic.new_folder(Path("c")) as part:
        refused(part / "inside")
    assert error.value.filename == str(Path("c/inside"))
    assert not list(tmp_path.iterdir())
