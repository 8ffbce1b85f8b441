"""The journey of one picture through the real command: verdict, map, JSON, and everything that may be wrong with it."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.conftest import export_tiny, write_picture
from tests.program import COMMAND, environment, forensics, records

KEYS = {"path", "sha256", "format", "width", "height", "verdict", "evidence", "detector", "heatmap", "ms"}


@pytest.fixture
def judge(detector_folder: Path) -> Any:
    return lambda *arguments, **changes: forensics("analyze", *arguments, "--detector", detector_folder, **changes)


def test_words_for_people(tmp_path: Path, judge: Any) -> None:
    done = judge(write_picture(tmp_path / "a.jpg"))
    assert done.returncode == 0
    assert done.stderr == ""
    head, *rest = done.stdout.splitlines()
    assert any(words in head for words in ("Likely generated", "Can't tell", "No sign of generation"))
    assert " p 0." in head
    assert "in 100 pictures" in rest[0]
    assert rest[-1].startswith("Detector: tiny")
    assert max(map(len, rest)) <= 80
    assert "\x1b" not in done.stdout


def test_json_is_the_contract(tmp_path: Path, judge: Any) -> None:
    path = write_picture(tmp_path / "a.png", 100, 90)
    done = judge(path, "--json", "--heatmap", tmp_path / "maps")
    assert (done.returncode, done.stderr) == (0, "")
    (row,) = records(done.stdout)
    assert set(row) == KEYS
    assert row["path"] == str(path)
    assert row["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (row["format"], row["width"], row["height"]) == ("PNG", 100, 90)
    assert set(row["verdict"]) == {"label", "p_fake", "reason"}
    assert row["verdict"]["label"] in ("real", "fake", "unsure")
    assert 0 <= row["verdict"]["p_fake"] <= 1
    assert set(row["detector"]) == {"name", "id"}
    with Image.open(row["heatmap"]) as overlay:
        assert overlay.size == (100, 90)


def test_quiet_is_one_line_a_picture(tmp_path: Path, judge: Any) -> None:
    done = judge(write_picture(tmp_path / "a.png"), write_picture(tmp_path / "b.png"), "-q")
    assert len(done.stdout.splitlines()) == 2


def test_bad_files_are_sentences_and_the_others_go_on(tmp_path: Path, judge: Any) -> None:
    good, text = write_picture(tmp_path / "good.png"), tmp_path / "text.jpg"
    text.write_text("no picture")
    done = judge(text, tmp_path / "none.png", good)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 2
    assert "no such file" in done.stderr
    assert str(good) in done.stdout


def test_bad_files_in_json(tmp_path: Path, judge: Any) -> None:
    (tmp_path / "empty.jpg").touch()
    done = judge(tmp_path / "empty.jpg", write_picture(tmp_path / "good.png"), "--json")
    bad, good = records(done.stdout)
    assert done.returncode == 1
    assert set(bad) == {"path", "error"}
    assert bad["error"]["kind"] == "empty"
    assert set(good) == KEYS


@pytest.mark.parametrize("arguments", [
    ("none.jpg",), (".",), (), ("good.png", "--detector", "no-such-detector"), ("good.png", "--heatmap", "good.png"),
    ("good.png", "--no-such-option"),
], ids=str)  # fmt: skip
def test_bad_use(tmp_path: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, bundled: Path) -> None:
    write_picture(tmp_path / "good.png")
    monkeypatch.chdir(tmp_path)
    done = forensics("analyze", *arguments)
    assert done.returncode == 2
    assert done.stderr
    assert done.stdout == ""


def test_a_changed_detector_is_refused(tmp_path: Path, detector_folder: Path) -> None:
    broken = shutil.copytree(detector_folder, tmp_path / "broken")
    with (broken / "weights.safetensors").open("ab") as file:
        file.write(b"x")
    done = forensics("analyze", write_picture(tmp_path / "a.png"), "--detector", broken)
    assert done.returncode == 2
    assert "SHA-256" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_detector_of_other_things_gives_no_verdict(tmp_path: Path) -> None:
    cats = export_tiny(tmp_path / "cats", classes=("cat", "dog"))
    done = forensics("analyze", write_picture(tmp_path / "a.png"), "--detector", cats)
    assert (done.returncode, done.stdout) == (2, "")
    assert "cat, dog" in done.stderr


def test_maps_never_meet(tmp_path: Path, judge: Any) -> None:
    """Two pictures of one stem, and one that is called as a map would be."""
    first = write_picture(tmp_path / "one" / "a.png", seed=1)
    second = write_picture(tmp_path / "two" / "a.jpg", seed=2)
    third = write_picture(tmp_path / "maps" / "a.heatmap.png", seed=3)
    before = third.read_bytes()
    done = judge(first, second, third, "--json", "--heatmap", tmp_path / "maps")
    assert done.returncode == 0
    maps = [row["heatmap"] for row in records(done.stdout)]
    assert len(set(maps)) == 3
    assert third.read_bytes() == before
    assert {path.name for path in (tmp_path / "maps").iterdir()} == {"a.heatmap.png", *(Path(one).name for one in maps)}


def test_hostile_names(tmp_path: Path, judge: Any) -> None:
    names = [b"\xff\xfe.png", "\u202egnp.png".encode(), b"\x1b[31mred\x07.png", b"[bold]x[bold].png", b"new\nline.png"]
    paths = [tmp_path / os.fsdecode(name) for name in names]
    for path in paths:
        write_picture(tmp_path / "a.png").replace(path)
    done = judge(*paths, "-q")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == len(names)
    assert not set(done.stdout) & {"\x1b", "\u202e", "\x07"}
    for shown in ("\\xff\\xfe.png", "\\u202egnp.png", "[bold]x[bold].png", "new\\x0aline.png"):
        assert shown in done.stdout


def test_the_same_score_with_and_without_a_map(tmp_path: Path, judge: Any) -> None:
    path = write_picture(tmp_path / "a.png", 300, 200)
    plain, mapped = (records(judge(path, "--json", *more).stdout)[0] for more in ((), ("--heatmap", tmp_path)))
    np.testing.assert_allclose(plain["verdict"]["p_fake"], mapped["verdict"]["p_fake"], atol=1e-6)
    assert plain["heatmap"] is None


def test_no_reader_is_no_crash(tmp_path: Path, detector_folder: Path) -> None:
    """`forensics analyze … | head -1` ends quietly."""
    words = [
        *COMMAND,
        "analyze",
        *[str(write_picture(tmp_path / "a.png"))] * 20,
        "--json",
        "--detector",
        str(detector_folder),
    ]
    line = f"{shlex.join(words)} | head -1"
    done = subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, env=environment(), check=False, timeout=120
    )
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="needs a user who may not read all files")
def test_an_unreadable_picture_costs_only_itself(tmp_path: Path, judge: Any) -> None:
    good, closed = write_picture(tmp_path / "good.png"), write_picture(tmp_path / "closed.png")
    closed.chmod(0)
    done = judge(good, closed, "--json")
    assert done.returncode == 1
    found = records(done.stdout)
    assert "verdict" in found[0]
    assert found[1]["error"]["kind"] == "no_permission"


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("analyze x.jpg >&-", 2, "Standard output is closed"),
        ("models list --json >&-", 2, "Standard output is closed"),
        ("--help > /dev/full", 2, "The disk is full"),
        ("doctor --help > /dev/full", 2, "The disk is full"),
        ("--help | true", 141, ""),
        ("models list | true", 141, ""),
        ("models list --json | true", 141, ""),
    ],
)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_stdout_that_takes_nothing(line: str, code: int, told: str) -> None:
    start = f"set -o pipefail; {shlex.join(COMMAND)} {line}"
    done = subprocess.run(["bash", "-c", start], env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == bool(told)
