"""From a folder of pictures to a detector that judges, through the real commands, and ways to ask for it wrongly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from tests.classifier.pictures import write_folder

ROOT = Path(__file__).parents[2]
RECIPE: dict[str, Any] = {
    "name": "tiny",
    "arch": "resnet18_npr",
    "phases": [{"epochs": 2, "lr": 0.01}],
    "preprocess": {"kind": "tiles", "size": 32},
    "augment": {"crop": "native"},
    "batch_size": 8,
    "data": {"val": 0.2, "cal": 0.2, "test": 0.2},
}


def forensics(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "forensics_app", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def write_recipe(path: Path, **changes: Any) -> Path:
    path.write_text(yaml.safe_dump({**RECIPE, **changes}))
    return path


def assert_refused(answer: subprocess.CompletedProcess[str], *words: str) -> None:
    assert answer.returncode == 2, answer.stderr
    assert "Traceback" not in answer.stderr
    told = [line for line in answer.stderr.strip().splitlines() if line != "Reading the pictures …"]
    assert len(told) == 1, answer.stderr
    for word in words:
        assert word in told[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "data", n=15)


def test_trained_detector_is_measured_and_judges(tmp_path: Path, folder: Path) -> None:
    recipe = write_recipe(tmp_path / "tiny.yaml")
    answer = forensics("train", "--recipe", recipe, "--data", folder, "--out", tmp_path / "run")
    assert answer.returncode == 0, answer.stderr
    assert "balanced accuracy" in answer.stdout
    assert str(tmp_path / "run/detector") in answer.stdout.replace("\n", "")
    measured = forensics(
        "evaluate", "--data", folder, "--detector", tmp_path / "run/detector", "--split", "test", "--json"
    )
    last = json.loads(measured.stdout.splitlines()[-1])
    assert last["event"] == "metrics"
    card = json.loads((tmp_path / "run/detector/detector.json").read_text())
    assert last["accuracy"]["n"] == card["metrics"]["test"]["n"] == 6
    judged = forensics("analyze", folder / "real/000.png", "--detector", tmp_path / "run/detector", "--json")
    assert json.loads(judged.stdout)["detector"]["name"] == "tiny"
    again = forensics("train", "--recipe", recipe, "--data", folder, "--out", tmp_path / "run")
    assert_refused(again, "--resume")


def test_ctrl_c_is_130_and_resume_finishes_with_the_same_weights(tmp_path: Path, folder: Path) -> None:
    recipe = write_recipe(tmp_path / "tiny.yaml", phases=[{"epochs": 6, "lr": 0.01}])
    words = ["train", "--recipe", str(recipe), "--data", str(folder), "--json"]
    command = [sys.executable, "-m", "forensics_app", *words, "--out", str(tmp_path / "cut")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if json.loads(line)["event"] == "epoch":
                process.send_signal(signal.SIGINT)
                break
        process.stdout.read()
        said = process.stderr.read()
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert forensics(*words, "--out", tmp_path / "cut", "--resume").returncode == 0
    assert forensics(*words, "--out", tmp_path / "whole").returncode == 0
    cards = [json.loads((tmp_path / name / "detector/detector.json").read_text()) for name in ("cut", "whole")]
    assert cards[0]["files"] == cards[1]["files"]


def test_a_recipe_with_an_unknown_key(tmp_path: Path, folder: Path) -> None:
    recipe = write_recipe(tmp_path / "odd.yaml", batchsize=3)
    answer = forensics("train", "--recipe", recipe, "--data", folder, "--out", tmp_path / "run")
    assert_refused(answer, "odd.yaml", "batchsize", "batch_size")
    assert not (tmp_path / "run").exists()


def test_an_unknown_recipe(tmp_path: Path, folder: Path) -> None:
    assert_refused(forensics("train", "--recipe", "defualt", "--data", folder, "--out", tmp_path / "run"), "default")


def test_a_device_that_is_not_there_leaves_nothing_in_the_way(tmp_path: Path, folder: Path) -> None:
    words = ["train", "--recipe", write_recipe(tmp_path / "tiny.yaml"), "--data", folder, "--out", tmp_path / "run"]
    answer = forensics(*words, "--device", "nonsense")
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr
    assert "nonsense" in answer.stderr.splitlines()[-1]
    assert not (tmp_path / "run").exists()
    assert forensics(*words, "--device", "cpu").returncode == 0


def test_an_empty_class_and_one_class_only(tmp_path: Path, folder: Path) -> None:
    recipe = write_recipe(tmp_path / "tiny.yaml")
    for picture in (folder / "fake").iterdir():
        picture.unlink()
    assert_refused(forensics("train", "--recipe", recipe, "--data", folder, "--out", tmp_path / "run"), "fake")
    (folder / "fake").rmdir()
    assert_refused(forensics("train", "--recipe", recipe, "--data", folder, "--out", tmp_path / "run"), "real")
    assert_refused(forensics("train", "--recipe", recipe, "--data", tmp_path / "no", "--out", tmp_path / "run"), "no")
    assert not (tmp_path / "run/recipe.json").exists()


def test_a_damaged_picture_is_left_out_and_the_training_goes_on(tmp_path: Path, folder: Path) -> None:
    (folder / "real/broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a picture")
    recipe = write_recipe(tmp_path / "tiny.yaml", phases=[{"epochs": 1, "lr": 0.01}])
    answer = forensics("train", "--recipe", recipe, "--data", folder, "--out", tmp_path / "run")
    assert answer.returncode == 0, answer.stderr
    assert "1 file" in answer.stderr
    assert "real/broken.jpg" in answer.stderr


def test_classes_that_are_not_the_detectors(tmp_path: Path, folder: Path, detector_folder: Path) -> None:
    (folder / "fake").rename(folder / "ants")
    assert_refused(forensics("evaluate", "--data", folder, "--detector", detector_folder), "ants", "fake")
    assert_refused(forensics("evaluate", "--data", folder, "--detector", "nothing-such"), "nothing-such")
    assert_refused(forensics("evaluate", "--data", folder, "--detector", detector_folder, "--degrade", "fog"), "fog")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to mount a tiny disk")
def test_a_full_disk_ends_training_with_a_sentence(tmp_path: Path, folder: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a tiny disk: {mounted.stderr.decode().strip()}")
    try:
        answer = forensics(
            "train", "--recipe", write_recipe(tmp_path / "t.yaml"), "--data", folder, "--out", disk / "run"
        )
        assert_refused_last_line(answer)
        assert not list(disk.rglob("*.safetensors"))
        Image.open(next((folder / "real").iterdir())).verify()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def assert_refused_last_line(answer: subprocess.CompletedProcess[str]) -> None:
    assert answer.returncode == 2, answer.stderr
    assert "Traceback" not in answer.stderr
    assert "disk is full" in answer.stderr.splitlines()[-1]
