"""Which files of a folder are found."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from forensics_app.core.walk import Selection, find_files, walk
from tests.core.scans import posix


def test_which_files_are_found(tmp_path: Path) -> None:
    judged = ["a.JPG", "b.webp", "c", "d.unknown", "e.bin", "f.tga", "g.heic", "h.svg", "sub/i.png"]
    other = ["j.txt", "k.mp4", "l.pdf", "m.zip", "n.json", "o.xmp", ".hidden.png", ".hidden/p.png", "Thumbs.db"]
    for name in judged + other:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    below = {os.path.relpath(found.path, tmp_path) for found in find_files(str(tmp_path))}
    assert below == {os.path.normpath(name) for name in judged}
    every = {os.path.relpath(found.path, tmp_path) for found in find_files(str(tmp_path), every_file=True)}
    assert every == {os.path.normpath(name) for name in judged + other}


@posix
def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "in"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "a.png").write_bytes(b"x")
    (root / "sub" / "up").symlink_to(root, target_is_directory=True)
    (root / "sub" / "up.png").symlink_to(root, target_is_directory=True)
    os.mkfifo(root / "pipe")
    assert [os.path.relpath(found.path, root) for found in find_files(str(root))] == ["sub/a.png", "sub/up.png"]


def found(root: Path, **options: object) -> set[str]:
    listing = walk(str(root), Selection(**options))  # type: ignore[arg-type]
    return {Path(os.path.relpath(one.path, root)).as_posix() for one in listing if one}


def test_patterns_choose_names_and_paths(tmp_path: Path) -> None:
    for name in ("a.jpg", "B.JPG", "2024/c.jpg", "2024/may/d.png", "old/2024/e.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert found(tmp_path, include=("*.jpg",)) == {"a.jpg", "B.JPG", "2024/c.jpg", "old/2024/e.jpg"}
    assert found(tmp_path, include=("2024/*",)) == {"2024/c.jpg", "2024/may/d.png"}
    assert found(tmp_path, exclude=("2024",)) == {"a.jpg", "B.JPG"}
    assert found(tmp_path, exclude=("old/*", "b.*")) == {"a.jpg", "2024/c.jpg", "2024/may/d.png"}


@posix
def test_links_are_followed_when_asked_and_never_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_bytes(b"x")
    (tmp_path / "in" / "sub" / "circle").symlink_to(tmp_path / "in", target_is_directory=True)
    (tmp_path / "in" / "other").symlink_to(tmp_path / "out", target_is_directory=True)
    assert found(tmp_path / "in") == set()
    assert found(tmp_path / "in", links=True) == {"other/a.png"}


def test_a_large_folder_comes_in_portions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forensics_app.core.walk.SORTED_AT_ONCE", 7)
    names = {f"{number:02}.png" for number in range(40)}
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    listing = list(walk(str(tmp_path), Selection()))
    assert {Path(one.path).name for one in listing if one} == names
    assert listing.count(None) == 6 and listing[7] is None


@posix
def test_other_disks_are_left_out_when_asked(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "shm").symlink_to("/dev/shm", target_is_directory=True)  # a disk of its own on Linux
    here = tmp_path.stat().st_dev
    if not Path("/dev/shm").is_dir() or Path("/dev/shm").stat().st_dev == here:
        pytest.skip("needs a second disk")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        Path(other, "far.png").write_bytes(b"x")
        assert any("far.png" in path for path in found(tmp_path, links=True))
        assert found(tmp_path, links=True, one_disk=True) == {"a.png"}
