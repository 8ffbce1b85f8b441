"""robustness, evaluate --tta, ensemble, quantize and prune as they are typed, and ways to ask for them wrongly."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from classifier.data import open_data
from classifier.split_record import record_of, write
from forensics_app.cli import app
from tests.classifier.pictures import write_folder
from tests.classifier.test_train import recipe_of
from tests.conftest import export_tiny
from tests.core.runs import change_card


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer resamples: what the intervals are is tested elsewhere."""
    monkeypatch.setattr("classifier.metrics.RESAMPLES", 50)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("asked") / "data", n=12, side_px=48)


def forensics(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def done(*words: str | Path) -> str:
    answer = forensics(*words)
    assert answer.exit_code == 0, answer.stderr or answer.exception
    assert max(len(line) for line in answer.stdout.splitlines() if "/" not in line) <= 80
    return answer.stdout


def test_robustness(tmp_path: Path, data: Path, detector_folder: Path) -> None:
    words = ("robustness", "--data", data, "--detector", detector_folder, "--split", "all", "--out", tmp_path / "out")
    said = done(*words, "--only", "crop", "--quiet")
    assert "untouched" in said
    assert "crop0.25" in said
    assert f"Report: {tmp_path / 'out/report.html'}" in said
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left == {"report.html", "robustness.json", "robustness.csv", "figures"}
    events = [json.loads(line) for line in forensics(*words, "--only", "crop,jpeg", "--json").stdout.splitlines()]
    assert [event["event"] for event in events].count("point") == 6  # those of crop were there
    assert events[-1]["event"] == "sweep"
    assert len(events[-1]["points"]) == 11
    assert "jpeg10" in (tmp_path / "out/robustness.csv").read_text()


def test_what_was_set_aside_is_measured_unless_told(tmp_path: Path, data: Path, detector_folder: Path) -> None:
    """A recipe that chooses nothing by its validation pictures is measured on them, and may have no test split."""
    run = tmp_path / "run"
    shutil.copytree(detector_folder, run / "detector")
    recipe = recipe_of(data={"val": 0.5, "cal": 0, "test": 0}, select="last").model_dump(mode="json")
    change_card(run, metrics={"val": {}}, training={"recipe": recipe})
    words = ("--detector", run, "--data", data, "--only", "crop", "--quiet")
    assert "12 pictures (split val)" in done("robustness", *words, "--out", tmp_path / "out")
    write(run, record_of(open_data(data, recipe_of(data={"val": 0.5, "cal": 0, "test": 0}).data, 5)))
    everything = forensics("evaluate", "--detector", run, "--data", data, "--quiet")
    assert "12 of the 24 pictures had a part in making this detector: --split val" in everything.stderr
    assert "no choice was made" in done("evaluate", "--detector", run, "--data", data, "--split", "val")
    assert "chosen" in done("evaluate", "--detector", detector_folder, "--data", data, "--split", "val")
    told = ("'test'", "there are train, val and all")
    assert_refused(forensics("robustness", *words, "--split", "test", "--out", tmp_path / "other"), *told)


def test_views_with_and_without_a_folder(tmp_path: Path, data: Path, detector_folder: Path) -> None:
    words = ("evaluate", "--data", data, "--detector", detector_folder, "--tta", "3")
    assert "mean of logits" in done(*words)
    said = done(*words, "--split", "test", "--degrade", "blur1", "--out", tmp_path / "new/out")
    assert "Report:" in said
    assert json.loads((tmp_path / "new/out/views.json").read_text())["degrade"] == "blur1"
    assert not [path for path in (tmp_path / "new").iterdir() if path.name.startswith(".")]
    last = json.loads(forensics(*words, "--json").stdout.splitlines()[-1])
    assert (last["event"], last["views"]) == ("averaged", ["as it is", "mirrored", "top left"])


def test_an_ensemble_can_be_used(tmp_path: Path, data: Path, detector_folder: Path, second_detector: Path) -> None:
    said = done("ensemble", detector_folder, second_detector, "--data", data, "--out", tmp_path / "out")
    assert f"Detector: {tmp_path / 'out/detector'}" in said
    together = tmp_path / "out/detector"
    one = next((data / "fake").iterdir())
    judged = json.loads(forensics("analyze", one, "--detector", together, "--json").stdout)
    assert judged["detector"]["name"] == "ensemble"
    assert "ensemble" in done("models", "show", together)
    assert_refused(forensics("explain", one, "--detector", together), "is an ensemble", "such as")
    measured = forensics("evaluate", "--data", data, "--detector", together, "--split", "test", "--json")
    found = json.loads((tmp_path / "out/ensemble.json").read_text())
    assert json.loads(measured.stdout.splitlines()[-1])["confusion"] == found["metrics"]["confusion"]
    scanned = forensics("scan", data / "real", "--detector", together, "--out", tmp_path / "scan", "--workers", "1")
    assert scanned.exit_code == 0, scanned.stderr
    rows = [json.loads(line) for line in (tmp_path / "scan/results.jsonl").read_text().splitlines()]
    assert {row["detector"]["id"] for row in rows} == {found["id"]}


def test_quantize_and_judge_with_it(tmp_path: Path, data: Path, second_detector: Path) -> None:
    words = ("quantize", second_detector, "--data", data, "--out", tmp_path / "fast", "--max-shift", "0")
    said = done(*words, "--force")
    assert "over its limits" in said
    one = next((data / "fake").iterdir())
    fast = tmp_path / "fast/detector"
    judged = json.loads(forensics("analyze", one, "--detector", fast, "--heatmap", tmp_path / "maps", "--json").stdout)
    assert judged["heatmap"]
    assert "8-bit integers" in done("models", "show", fast)
    assert_refused(forensics("explain", one, "--detector", fast, "--stage", "first"), "8-bit integers")
    assert_refused(forensics("quantize", fast, "--data", data, "--out", tmp_path / "again"), "already")


def test_prune_and_keep(tmp_path: Path, data: Path, second_detector: Path) -> None:
    words = ("prune", second_detector, "--data", data, "--out", tmp_path / "out", "--device", "cpu")
    said = done(*words, "--sparsity", "0.5", "--keep", "0.9", "--structured")
    assert "90%" in said.replace(" ", "")
    assert [point["sparsity"] for point in json.loads((tmp_path / "out/pruning.json").read_text())["points"]] == [
        0.0, 0.5, 0.9]  # fmt: skip
    kept = json.loads((tmp_path / "out/detector/detector.json").read_text())
    assert kept["training"]["pruning"]["kind"] == "structured"


def assert_refused(answer: Result, *words: str) -> None:
    assert answer.exit_code == 2, answer.exception
    told = [line for line in answer.stderr.splitlines() if not line.endswith(" …")]
    assert len(told) == 1, answer.stderr
    for word in words:
        assert word in told[0]


def test_wrong_use_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, data: Path, detector_folder: Path, second_detector: Path
) -> None:
    out, tiny = ("--out", tmp_path / "out"), ("--detector", detector_folder)
    ants = export_tiny(tmp_path / "made/ants", classes=("ants", "bees"))
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").write_text("mine")
    empty = write_folder(tmp_path / "few", n=1)
    for words, expected in (
        (("robustness", "--data", data, *tiny, *out, "--only", "jpeg,fog"), ("fog",)),
        (("robustness", "--data", data, "--detector", ants, *out), ("ants, bees", "fake, real")),
        (("robustness", "--data", empty, *tiny, *out), ("'test'", "no pictures")),
        (("robustness", "--data", data, *tiny, "--out", tmp_path / "full"), ("not empty",)),
        (("evaluate", "--data", data, *tiny, "--tta", "flop"), ("flop",)),
        (("evaluate", "--data", data, *tiny, "--tta", "2", "--out", tmp_path / "full"), ("not empty",)),
        (("ensemble", detector_folder, "--data", data, *out), ("at least two",)),
        (("ensemble", detector_folder, second_detector, "--data", data, *out, "--name", "a\n<b>"), ("no name",)),
        (("ensemble", detector_folder, ants, "--data", data, *out), ("ants, bees",)),
        (
            ("ensemble", detector_folder, second_detector, "--data", data, "--out", tmp_path / "full"),
            ("not empty",),
        ),
        (("ensemble", detector_folder, tmp_path / "x.safetensors", "--data", data, *out), ("no finished run",)),
        (("quantize", detector_folder, "--data", data, *out, "--split", "train"), ("set the ranges",)),
        (("quantize", "nothing-such", "--data", data, *out), ("nothing-such",)),
        (("prune", detector_folder, "--data", data, *out, "--sparsity", "0.5,1.5"), ("1.5",)),
        (("prune", detector_folder, "--data", data, *out, "--sparsity", "half"), ("half",)),
        (("prune", detector_folder, "--data", data, *out, "--finetune", "1"), ("no recipe",)),
        (("prune", detector_folder, "--data", data, *out, "--device", "abacus"), ("abacus",)),
    ):
        assert_refused(forensics(*words), *expected)
        assert not (tmp_path / "out").exists(), words
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
