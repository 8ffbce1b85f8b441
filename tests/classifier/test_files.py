"""Reading from outside: whatever lies under a name, reading it ends, and in one sentence."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import socket
import tempfile
from pathlib import Path

import pytest

from classifier import images
from classifier.images import BadImage, load
from tests.classifier.encoded import encoded, kind_of
from tests.conftest import write_picture


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").mkdir()
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nothing.jpg")
    assert kind_of(tmp_path / "x.jpg") == "not_regular"
    assert kind_of(tmp_path / "empty.jpg") == "empty"
    assert kind_of(b"") == "empty"
    assert kind_of(tmp_path / "loop.jpg") == "missing"
    assert kind_of(tmp_path / "dangling.jpg") == "missing"
    assert kind_of(tmp_path / "file" / "x.jpg") == "missing"
    assert kind_of(tmp_path / ("x" * 300 + ".jpg")) == "missing"
    assert kind_of(Path("nul\0byte.jpg")) == "missing"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_a_socket_and_a_device_never_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert kind_of(tmp_path / "pipe.jpg") == "not_regular"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s.jpg"))
        assert kind_of(tmp_path / "s.jpg") == "not_regular"
    for device in ("/dev/zero", "/dev/null", "/dev/tty"):
        if Path(device).exists():
            assert kind_of(Path(device)) == "not_regular"


def _unprivileged(path: Path, answer: multiprocessing.connection.Connection) -> None:
    if os.geteuid() == 0:
        os.seteuid(65534)
    try:
        load(path)
        answer.send("opened")
    except BadImage as error:
        answer.send(error.kind)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs POSIX permissions")
def test_no_permission() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders may not be entered by others
        Path(name).chmod(0o755)
        path = write_picture(Path(name) / "secret.png")
        path.chmod(0)
        ours, theirs = multiprocessing.Pipe()
        child = multiprocessing.get_context("spawn").Process(target=_unprivileged, args=(path, theirs))
        child.start()
        assert ours.poll(30)
        kind = ours.recv()
        child.join()
    assert kind == "no_permission"


def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9\xff.png"
    try:
        Path(os.fsdecode(name)).write_bytes(encoded("PNG"))
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert load(Path(os.fsdecode(name))).width == 96


def test_too_large_before_and_while_reading(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png")
    assert kind_of(path, max_bytes=1000) == "too_large"
    assert kind_of(path.read_bytes(), max_bytes=1000) == "too_large"
    with (tmp_path / "sparse.jpg").open("wb") as file:
        file.truncate(images.MAX_BYTES + 1)
    assert kind_of(tmp_path / "sparse.jpg") == "too_large"
    stat = Path("/proc/self/status")  # says 0 bytes and has some: as a file that grows while it is read
    if stat.exists():
        assert kind_of(stat) == "unknown_format"
        assert kind_of(stat, max_bytes=100) == "too_large"
