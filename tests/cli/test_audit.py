"""`forensics audit` and `equalize` as they are typed, and the guard in `train`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from forensics_app.cli import app
from generator import shortcuts, worked_example
from tests.conftest import write_picture
from tests.generator.sets import as_jpeg, as_png, write_set
from tests.journeys.test_training import write_recipe
from tests.program import COMMAND, environment


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer trees, and a smaller worked example: these sets are easy."""
    monkeypatch.setattr(shortcuts, "TREES", 10)
    monkeypatch.setattr(shortcuts, "REPEATS", 1)
    monkeypatch.setattr(worked_example.work_out, "__defaults__", (0, 10))


def forensics(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_pass_is_0_and_fail_is_1(tmp_path: Path) -> None:
    good = forensics("audit", write_set(tmp_path / "good", as_jpeg, as_jpeg))
    assert good.exit_code == 0, good.stderr
    assert "Pass: nothing beside the pictures tells the classes apart." in good.stdout
    assert "file and past together" in good.stdout
    bad = forensics("audit", write_set(tmp_path / "bad", as_png, as_jpeg), "--quiet")
    assert bad.exit_code == 1
    assert "most of all by the file format" in bad.stdout.replace("\n", " ").replace("  ", " ")
    assert f"forensics equalize {tmp_path / 'bad'} --out {tmp_path / 'bad-equalized'} --size 64" in bad.stdout
    assert bad.stderr == ""
    assert max(len(line) for line in bad.stdout.splitlines() if "equalize" not in line) <= 80


def test_json_ends_with_the_audit(tmp_path: Path) -> None:
    done = forensics("audit", write_set(tmp_path / "bad", as_png, as_jpeg), "--json", "--out", tmp_path / "page.html")
    assert done.exit_code == 1
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert {record["event"] for record in records[:-1]} == {"looked"}
    last = records[-1]
    assert (last["event"], last["verdict"], last["worst"]["name"]) == ("audit", "fail", "file format")
    assert last["findings"]["together"]["auc"]["value"] > 0.95
    assert last["classes"] == {"fake": 24, "real": 24}
    assert done.stderr == f"Report: {tmp_path / 'page.html'}\n"
    assert "worked out" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("out", ["", "gone/page.html"])
def test_a_place_for_the_page_is_checked_first(tmp_path: Path, out: str) -> None:
    done = forensics("audit", tmp_path / "no such folder", "--out", tmp_path / out)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--out" in done.stderr


def test_what_is_no_data_set_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "only").mkdir()
    write_picture(tmp_path / "only" / "a.png")
    new = tmp_path.with_name(f"{tmp_path.name}-new")
    for folder, word in ((tmp_path, "only"), (tmp_path / "gone", "gone"), (tmp_path / "only/a.png", "a.png")):
        for command in (("audit", folder), ("equalize", folder, "--out", new)):
            done = forensics(*command)
            assert (done.exit_code, done.stdout) == (2, ""), command
            assert word in done.stderr
            assert len(done.stderr.splitlines()) == 1
    assert not new.exists()


def test_equalize_mends_what_the_audit_failed(tmp_path: Path) -> None:
    root = write_set(tmp_path / "bad", as_png, as_jpeg)
    done = forensics("equalize", root, "--out", tmp_path / "good", "--size", "64", "--quality", "85")
    assert done.exit_code == 0, done.stderr
    assert done.stdout == f"Written: {tmp_path / 'good'} (24 fake, 24 real)\n"
    assert forensics("audit", tmp_path / "good").exit_code == 0
    again = forensics("equalize", root, "--out", tmp_path / "good")
    assert again.exit_code == 2
    assert "there already" in again.stderr


def test_what_equalize_leaves_out_is_told_also_quietly_and_is_no_failure(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set", as_png, as_jpeg, count=3)
    (root / "real/broken.jpg").write_bytes(b"no picture")
    done = forensics("equalize", root, "--out", tmp_path / "a/b/good", "--size", "64", "--quiet")
    assert (done.exit_code, done.stdout) == (0, f"Written: {tmp_path / 'a/b/good'} (3 fake, 3 real; 1 left out)\n")


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGTERM that can be answered")
def test_sigterm_is_as_ctrl_c_and_leaves_nothing(tmp_path: Path) -> None:
    for kind in ("fake", "real"):
        first = write_picture(tmp_path / f"set/{kind}/0.png", 1200, 1200)
        for number in range(1, 300):
            first.with_name(f"{number}.png").hardlink_to(first)
    words = [*COMMAND, "equalize", tmp_path / "set", "--out", tmp_path / "out", "--json"]
    with subprocess.Popen(words, stdout=-1, stderr=-1, env=environment(), text=True) as process:
        assert process.stdout is not None and process.stdout.readline()
        process.terminate()
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "Cancelled.\n")
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_train_refuses_shortcuts_and_the_card_remembers(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra 'train'")
    root = write_set(tmp_path / "bad", as_png, as_jpeg)
    recipe = write_recipe(tmp_path / "tiny.yaml", phases=[{"epochs": 1, "lr": 0.01}])
    words = ("train", "--recipe", recipe, "--data", root, "--out", tmp_path / "run", "--device", "cpu")
    refused = forensics(*words)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert len(refused.stderr.splitlines()) == 1
    for word in ("file format", "forensics equalize", "--allow-shortcuts"):
        assert word in refused.stderr
    assert not (tmp_path / "run").exists()
    done = forensics(*words, "--allow-shortcuts", "--quiet")
    assert done.exit_code == 0, done.stderr
    card = json.loads((tmp_path / "run/detector/detector.json").read_text())
    assert card["training"]["audit"]["verdict"] == "fail"
    assert "file format" in card["training"]["shortcuts"][0]
    shown = forensics("models", "show", tmp_path / "run/detector").stdout
    assert "--allow-shortcuts" in shown
    assert "file format" in shown


def test_train_on_alike_pictures_has_no_shortcuts(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra 'train'")
    root = write_set(tmp_path / "good", as_jpeg, as_jpeg)
    recipe = write_recipe(tmp_path / "tiny.yaml", phases=[{"epochs": 1, "lr": 0.01}])
    done = forensics(
        "train", "--recipe", recipe, "--data", root, "--out", tmp_path / "run", "--device", "cpu", "--json"
    )
    assert done.exit_code == 0, done.stderr
    training = json.loads((tmp_path / "run/detector/detector.json").read_text())["training"]
    assert training["audit"]["verdict"] == "pass"
    assert "shortcuts" not in training
