"""One recipe with several architectures and two runs with each other, through the real command, and asked wrongly."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from forensics_app.cli import app
from tests.classifier.pictures import write_folder
from tests.program import forensics, records

RECIPE: dict[str, Any] = {
    "name": "tiny",
    "arch": "mini_resnet",
    "phases": [{"epochs": 1, "lr": 0.01}],
    "preprocess": {"size": 40, "resize": 40},
    "augment": {"crop": "center"},
    "batch_size": 8,
    "data": {"val": 0.2, "cal": 0.2, "test": 0.25},
}
MODELS = "mini_resnet,scratch_cnn_s2,vit_b_16"
"""Two small networks, and one that takes no pictures of 40 px."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `pictures`, `tiny.yaml` and `out`, in which the recipe was compared with three models."""
    folder = tmp_path_factory.mktemp("compare")
    write_folder(folder / "pictures", n=20)
    (folder / "tiny.yaml").write_text(yaml.safe_dump(RECIPE))
    done = forensics("compare", *words_of(folder), "--json")
    assert done.returncode == 1, done.stderr  # one model could not be finished
    (folder / "events.jsonl").write_text(done.stdout)
    return folder


def words_of(folder: Path) -> list[str | Path]:
    return [folder / "tiny.yaml", "--models", MODELS, "--data", folder / "pictures", "--out", folder / "out",
            "--allow-shortcuts"]  # fmt: skip


def assert_refused(words: Sequence[str | Path], *said: str) -> None:
    """Ask within this process, which has torch already."""
    done = CliRunner().invoke(app, ["compare", *map(str, words), "--quiet"])
    assert done.exit_code == 2, done.output
    assert len(done.stderr.strip().splitlines()) == 1
    for part in said:
        assert part in done.stderr


def test_a_recipe_is_trained_with_each_model_and_one_that_fails_is_a_row(place: Path) -> None:
    events = records((place / "events.jsonl").read_text())
    steps = [(event["done"], event["total"]) for event in events if event["event"] == "inside" and event["total"]]
    assert steps == sorted(steps)
    assert steps[-1][0] == steps[-1][1]
    end = events[-1]
    assert end["event"] == "compared"
    rows = {row["name"]: row for row in end["rows"]}
    assert set(rows) == set(MODELS.split(","))
    assert "40" in rows["vit_b_16"]["failure"]
    for name in ("mini_resnet", "scratch_cnn_s2"):
        assert rows[name]["failure"] is None
        card = json.loads((place / "out" / name / "detector/detector.json").read_text())
        assert card["metrics"]["test"]["accuracy"] == rows[name]["accuracy"]  # the same path, the same figures
        assert rows[name]["train"]["n"] == sum(card["training"]["pictures"]["train"].values())
        assert rows[name]["image_ms"] > 0
        assert (place / "out" / name / "report.html").is_file()
    assert len(end["pairs"]) == 1
    assert end["pairs"][0]["found"]["n"] == rows["mini_resnet"]["accuracy"]["n"]


def test_the_page_and_the_tables_are_there_and_lead_to_the_runs(place: Path) -> None:
    page = (place / "out/compare.html").read_text()
    assert 'href="mini_resnet/report.html"' in page
    assert "Map of scratch_cnn_s2 on" in page
    rows = list(csv.DictReader(io.StringIO((place / "out/compare.csv").read_text())))
    assert [row["name"] for row in rows if row["failure"]] == ["vit_b_16"]
    assert "| vit\\_b\\_16 | – |" in (place / "out/compare.md").read_text()


def test_a_second_call_trains_nothing_and_finds_the_same(place: Path) -> None:
    weights = place / "out/mini_resnet/detector/weights.safetensors"
    before, first = weights.stat().st_mtime_ns, records((place / "events.jsonl").read_text())[-1]
    done = forensics("compare", *words_of(place), "--json")
    events = records(done.stdout)
    assert done.returncode == 1
    assert not [event for event in events if event["event"] in ("began", "inside")]
    assert [event["model"] for event in events if event["event"] == "ready" and event["reused"]] == [
        "mini_resnet", "scratch_cnn_s2",
    ]  # fmt: skip
    assert weights.stat().st_mtime_ns == before
    assert events[-1]["pairs"] == first["pairs"]


def test_two_runs_are_compared_in_words(place: Path) -> None:
    done = forensics("compare", place / "out/mini_resnet", place / "out/scratch_cnn_s2")
    assert done.returncode == 0, done.stderr
    assert "McNemar" in done.stdout or "on the same pictures" in done.stdout
    assert "log loss" in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


def test_pictures_that_a_detector_was_made_from_are_left_out(place: Path) -> None:
    two = (place / "out/mini_resnet/detector", place / "out/scratch_cnn_s2/detector")
    done = forensics("compare", *two, "--data", place / "pictures", "--json")
    end = records(done.stdout)[-1]
    card = json.loads((two[0] / "detector.json").read_text())
    assert sum(end["counts"].values()) == card["metrics"]["test"]["n"]
    assert any("had a part in making one" in note for note in end["notes"])
    alone = place / "seen"
    if not alone.exists():
        kept = json.loads((place / "out/mini_resnet/pictures.json").read_text())["splits"]["train"]
        for one in kept:
            (alone / one["class"]).mkdir(parents=True, exist_ok=True)
            shutil.copy(one["path"], alone / one["class"])
    assert_refused([*two, "--data", alone], "had a part in making", "have not seen")


def test_another_recipe_and_other_pictures_in_the_way_are_refused(place: Path) -> None:
    assert_refused([*words_of(place), "--set", "phases.0.lr=0.5"], "another recipe", "phases")
    (place / "out/mini_resnet/pictures.json").rename(place / "kept.json")
    kept = json.loads((place / "kept.json").read_text())
    kept["splits"]["test"][0]["sha256"] = "0" * 64
    (place / "out/mini_resnet/pictures.json").write_text(json.dumps(kept))
    try:
        assert_refused(words_of(place), "other pictures", "mini_resnet")
    finally:
        (place / "kept.json").replace(place / "out/mini_resnet/pictures.json")


@pytest.mark.parametrize(("words", "said"), [
    (("nothing-such", "default"), ("no run or detector 'nothing-such'",)),
    (("defualt", "default"), ("Did you mean 'default'?",)),
    (("default",), ("nothing to compare default with",)),
    (("cats",), ("one recipe", "--models all")),
    (("cats", "default", "--models", "all"), ("--models takes one recipe",)),
    (("catz", "--models", "all"), ("Did you mean 'cats'?",)),
    (("cats", "--models", "resnet18,swin_z"), ("swin_z", "swin_t")),
    (("cats", "--models", "resnet18"), ("nothing to compare 'resnet18' with",)),
    (("cats", "--models", "all", "--data", "nowhere"), ("no data folder nowhere",)),
    (("default", "default", "--set", "epochs=1"), ("--set", "--models")),
])  # fmt: skip
def test_asked_wrongly(words: tuple[str, ...], said: tuple[str, ...]) -> None:
    assert_refused(words, *said)
