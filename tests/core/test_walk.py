"""Which files of a folder are found."""

from __future__ import annotations

import os
from pathlib import Path

from forensics_app.core.walk import find_files
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
