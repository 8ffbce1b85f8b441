"""models and doctor on their terminal: a broken detector is a row, a card is readable, JSON is whole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from classifier.zoo import ARCHS
from forensics_app.cli import app


@pytest.fixture
def installed(detector_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a sound detector and three broken ones, and no bundled ones; returns its folder of detectors."""
    monkeypatch.setattr("classifier.detector.roots", lambda: (tmp_path,))
    shutil.copytree(detector_folder, tmp_path / "tiny")
    for name, card in (("json", "{"), ("key", '{"name": "key", "colour": 1}'), ("\x1b[31m", "[]")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "detector.json").write_text(card)
    return tmp_path


def test_list_has_a_row_for_each(installed: Path) -> None:
    for arguments in (["models"], ["models", "list"]):
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0
        assert max(map(len, done.stdout.splitlines())) <= 80
        assert "resnet18" in done.stdout
        assert "invalid" in done.stdout
        assert "\x1b" not in done.stdout


def test_list_in_json(installed: Path) -> None:
    rows = [json.loads(line) for line in CliRunner().invoke(app, ["models", "--json"]).stdout.splitlines()]
    assert {row["name"] for row in rows} == {"tiny", "json", "key", "\x1b[31m"}
    assert {row["name"] for row in rows if row["problem"] is None} == {"tiny"}
    assert next(row for row in rows if row["name"] == "tiny")["bytes"] > 0


def test_card_for_people(installed: Path) -> None:
    done = CliRunner().invoke(app, ["models", "show", "tiny"])
    assert done.exit_code == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    for words in ("2 × 2 tiles of 64 px", "real up to p 0.40", "Nothing was measured", "Limits"):
        assert words in done.stdout


def measured(folder: Path, metrics: object) -> None:
    card = json.loads((folder / "detector.json").read_text())
    (folder / "detector.json").write_text(json.dumps({**card, "metrics": metrics}))


def test_card_with_figures(installed: Path) -> None:
    figure = {"value": 0.9, "low": 0.85, "high": 0.94, "n": 200}
    report = {"precision": 0.9, "recall": figure, "f1": 0.9, "support": 100}
    measured(installed / "tiny", {"test": {
        "n": 200, "classes": ["fake", "real"], "balanced_accuracy": figure, "ece": 0.03,
        "confusion": [[90, 10], [10, 90]],
        "per_class": {"fake": report, "real": report}, "sources": {"a source": {"accuracy": figure}},
    }})  # fmt: skip
    done = CliRunner().invoke(app, ["models", "show", "tiny"])
    assert done.exit_code == 0, done.exception
    assert "0.90 (0.85–0.94)  200" in done.stdout
    assert "a source" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "0.90 (0.85–0.94)" in CliRunner().invoke(app, ["models"]).stdout


def test_sources_that_are_the_classes_are_not_told_twice(installed: Path) -> None:
    accuracy = {"accuracy": {"value": 0.9, "low": 0.85, "high": 0.94, "n": 200}}
    for sources in (("fake", "real"), ("fake", "real", "phone")):
        named = dict.fromkeys(sources, accuracy)
        measured(installed / "tiny", {"test": {"n": 200, "classes": ["fake", "real"], "sources": named}})
        said = CliRunner().invoke(app, ["models", "show", "tiny"]).stdout
        assert said.count("0.90 (0.85–0.94)") == (3 if "phone" in sources else 0)
        assert "unsure" not in said


ODD: list[dict[str, object]] = [
    {"test": []},
    {"test": {"n": 1}},
    {"test": {"n": 1, "auc": {"n": 2}}},
    {"x": None},
    {"test": {"classes": 3, "confusion": "x", "per_class": [], "sources": [1]}},
    {"test": {"classes": ["fake", "real"], "confusion": [1, 2], "per_class": {}, "sources": {"a": 1, "b": {}}}},
]


@pytest.mark.parametrize("odd", ODD)
def test_odd_figures_do_not_hide_the_rest_of_the_card(installed: Path, odd: dict[str, object]) -> None:
    measured(installed / "tiny", odd)
    done = CliRunner().invoke(app, ["models", "show", "tiny"])
    assert done.exit_code == 0, done.exception
    assert "Limits" in done.stdout
    assert CliRunner().invoke(app, ["models"]).exit_code == 0


def test_card_in_json(installed: Path) -> None:
    card = json.loads(CliRunner().invoke(app, ["models", "show", "tiny", "--json"]).stdout)
    assert card["name"] == "tiny"
    assert card["id"]


@pytest.mark.parametrize("name", ["none", "json", "key"])
def test_show_refuses_what_it_cannot_open(installed: Path, name: str) -> None:
    done = CliRunner().invoke(app, ["models", "show", name])
    assert (done.exit_code, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def test_doctor(installed: Path) -> None:
    shutil.copytree(installed / "tiny", installed / "default")
    done = CliRunner().invoke(app, ["doctor"])
    assert done.exit_code == 1, done.stdout  # judging works, and three detectors are broken
    assert max(map(len, done.stdout.splitlines())) <= 80
    for words in ("works", "onnxruntime", "CPU core", "files checked", "GiB free"):
        assert words in done.stdout
    found = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)
    assert found["works"] is True
    assert {one["name"] for one in found["detectors"] if one["problem"]} == {"json", "key", "\x1b[31m"}


def test_doctor_without_a_detector(installed: Path) -> None:
    done = CliRunner().invoke(app, ["doctor"])
    assert done.exit_code == 1
    assert "does not work" in done.stdout


def test_architectures_as_a_table() -> None:
    done = CliRunner().invoke(app, ["models", "--architectures"])
    assert done.exit_code == 0, done.exception
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "resnet18           224  11.7 M  11.2 M      7 layer4 *" in done.stdout
    assert [line.split()[-1] for line in lines if line.startswith(("densenet161", "mini_resnet"))] == ["yes", "no"]
    assert "for example resnet34" in done.stdout


def test_architectures_in_json() -> None:
    done = CliRunner().invoke(app, ["models", "--architectures", "--json"])
    rows = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert set(rows) == set(ARCHS)
    assert rows["vit_b_16"]["parameters_1000"] == 86_567_656
    assert rows["efficientnet_b0"]["stages"][6:8] == ["features.6", "features.7"]
    assert rows["swin_t"]["cam_layout"] == "nhwc"
    assert rows["mini_resnet"]["weights"] is None


def test_the_list_of_architectures_is_not_one_of_detectors(installed: Path) -> None:
    done = CliRunner().invoke(app, ["models", "--architectures", "show", "tiny"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "leave out 'show'" in done.stderr


@pytest.mark.parametrize(("out", "why"), [("taken", "Is a directory"), ("no/x.zip", "No such file or directory")])
def test_an_export_that_cannot_be_written_names_what_was_typed(
    installed: Path, monkeypatch: pytest.MonkeyPatch, out: str, why: str
) -> None:
    monkeypatch.chdir(installed)
    Path("taken").mkdir()
    done = CliRunner().invoke(app, ["models", "export", "tiny", "--out", out])
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == f"'{out}' cannot be written ({why}): choose another --out."


def test_the_default_is_marked_and_told(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORENSICS_HOME", str(installed / "home"))
    (installed / "home" / "detectors").mkdir(parents=True)
    shutil.copytree(installed / "tiny", installed / "home" / "detectors" / "mine")
    monkeypatch.setattr("classifier.detector.roots", lambda: (installed / "home" / "detectors", installed))
    assert CliRunner().invoke(app, ["models", "default", "mine"]).stdout == "The default is now mine.\n"
    told = CliRunner().invoke(app, ["models", "default"])
    assert (told.exit_code, told.stdout) == (0, "The default is mine.\n")
    assert json.loads(CliRunner().invoke(app, ["models", "default", "--json"]).stdout) == {"default": "mine"}
    said = CliRunner().invoke(app, ["models", "list"]).stdout
    assert said.count("(default)") == 1
    rows = [json.loads(line) for line in CliRunner().invoke(app, ["models", "list", "--json"]).stdout.splitlines()]
    assert [row["name"] for row in rows if row["default"]] == ["mine"]
