"""`forensics generate` as it is typed: what it refuses before it samples anything, and what it advises."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from forensics_app.cli import app

pytest.importorskip("torch", reason="needs the extra 'train'")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--split", "0/6"), "leaves nothing to train on"), (("--split", "0/3/3"), "leaves nothing to train on"),
        (("--eta", "0.5", "--scheduler", "unipc"), "Only the scheduler ddim takes an eta"),
        (("--out", ""), "The name in --out is empty"), (("--out", "file/inside"), "give another --out"),
        (("--out", "photos/inside", "--real", "photos"), "which is read"),
        (("--preview", "photos"), "'photos' cannot be written (Is a directory): choose another --preview."),
        (("--preview", "no/p.png", "--estimate"), "'no/p.png' cannot be written (No such file or directory)"),
    ],
)  # fmt: skip
def test_what_cannot_end_well_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("photos").mkdir()
    done = CliRunner().invoke(app, ["generate", "--n", "6", "--model", "bundled", "--device", "cpu", *words])
    assert (done.exit_code, done.stdout) == (2, ""), done.stderr
    assert told in " ".join(done.stderr.split())
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "photos"]


def test_a_job_of_hours_is_not_advised_to_take_what_it_has(tmp_path: Path) -> None:
    words = ["generate", "--n", "1000000", "--model", "bundled", "--device", "cpu", "--out", str(tmp_path / "new")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert "add --yes to do it, or ask for fewer pictures (--n) or steps (--steps)." in done.stderr
    assert "--model bundled" not in done.stderr
    assert not (tmp_path / "new").exists()


def test_an_estimate_makes_nothing(tmp_path: Path) -> None:
    words = ["generate", "--n", "4", "--steps", "3", "--model", "bundled", "--device", "cpu", "--real", "samples"]
    done = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "new"), "--estimate", "--json"])
    told = json.loads(done.stdout)
    assert told["event"] == "estimate" and told["pictures"] == 4 and told["seconds"] > 0 and told["device"] == "cpu"
    said = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "new"), "--estimate"])
    assert "Sampling 4 pictures would take about" in said.stdout and "seconds" in said.stdout
    assert not (tmp_path / "new").exists()


def test_without_real_pictures_none_are_looked_for_and_odd_names_are_escapes(tmp_path: Path) -> None:
    out = os.fsdecode(os.fsencode(tmp_path) + b"/new\xff")
    words = ["generate", "--n", "1", "--steps", "1", "--model", "bundled", "--device", "cpu", "--real", "none"]
    done = CliRunner().invoke(app, [*words, "--out", out])
    assert done.exit_code == 0, done.output
    assert f"Made {tmp_path}/new\\xff: " in done.stdout
    assert "Sampling …" in done.stderr and "Looking for real pictures" not in done.stderr
