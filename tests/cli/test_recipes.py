"""`forensics recipes`, and what `train` makes of --set, --weights, --tensorboard and --resume."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from classifier.recipes import recipe_files
from forensics_app.cli import app
from forensics_app.cli.recipes import _ranges
from generator import shortcuts
from tests.classifier.pictures import write_folder
from tests.journeys.test_training import write_recipe

TINY: dict[str, Any] = {"arch": "scratch_cnn_s2", "phases": [{"epochs": 3, "lr": 0.01}]}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer trees in the audit: it is not what is tested here."""
    monkeypatch.setattr(shortcuts, "TREES", 5)
    monkeypatch.setattr(shortcuts, "REPEATS", 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "data", n=10)


def forensics(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def refusal(done: Result) -> str:
    assert done.exit_code == 2, (done.exception, done.stderr)
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_all_recipes_are_listed_within_80_columns() -> None:
    done = forensics("recipes")
    assert done.exit_code == 0
    assert [name for name in recipe_files() if not re.search(rf"^{name} ", done.stdout, re.M)] == []
    assert max(map(len, done.stdout.splitlines())) <= 80
    records = [json.loads(line) for line in forensics("recipes", "--json").stdout.splitlines()]
    assert [record["name"] for record in records] == list(recipe_files())
    vehicles = next(record for record in records if record["name"] == "vehicles")
    assert vehicles["covers"][:3] == ["S1.1", "S1.2", "S1.3"]
    assert vehicles["optimizer"]["name"] == "adam"
    assert "Adam at 0.05 is a mistake" in vehicles["header"]


def test_one_recipe_is_shown_as_it_is_written() -> None:
    done = forensics("recipes", "vehicles")
    assert done.stdout.strip() == recipe_files()["vehicles"].read_text(encoding="utf-8").strip()
    assert "Did you mean 'vehicles'?" in refusal(forensics("recipes", "vehicle"))


def test_ranges() -> None:
    assert _ranges(("S2.1", "S2.3", "S2.2", "S2.10", "S3.4")) == "S2.1-3, S2.10, S3.4"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--set", "phases.0.lrr=1"], "phases.0.lrr: unknown key (did you mean 'lr'?)"),
        (["--set", "epoch=1"], "epoch: unknown key (did you mean 'epochs'?)"),
        (["--set", "arch=resnet81"], "resnet18"),
        (["--set", "data.unreadable=perhaps"], "'skip' or 'refuse'"),
        (["--set", "preprocess.size=24"], "preprocess.size"),
        (["--weights", "nowhere.safetensors"], "nowhere.safetensors"),
        (["--set", "weights=nowhere.pth"], "nowhere.pth"),
        (["--set", "data.val=0.01"], "'val'"),
        (["--set", "data={val: 0, cal: 0, test: 0.2}"], "select: balanced_accuracy"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_option_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, folder: Path, words: list[str], says: str
) -> None:
    recipe = write_recipe(tmp_path / "tiny.yaml", **TINY)
    done = forensics("train", "--recipe", recipe, "--data", folder, "--out", tmp_path / "run", "--quiet", *words)
    assert says in refusal(done)
    assert not (tmp_path / "run").exists()


def test_what_cannot_be_is_told_before_the_pictures_are_looked_at(tmp_path: Path, folder: Path) -> None:
    recipe, taken = write_recipe(tmp_path / "tiny.yaml", **TINY), tmp_path / "taken"
    taken.write_text("mine")
    words = ("train", "--recipe", recipe, "--data", folder)
    assert "'abacus'" in refusal(forensics(*words, "--out", tmp_path / "run", "--device", "abacus"))
    assert "is a file" in refusal(forensics(*words, "--out", taken))
    assert "cannot be written" in refusal(forensics(*words, "--out", taken / "below"))
    assert "no run in" in refusal(forensics("train", "--resume", "--out", tmp_path / "run"))
    assert not (tmp_path / "run").exists() and taken.read_text() == "mine"


def test_a_class_of_one_picture_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data", n=1)
    recipe = write_recipe(tmp_path / "tiny.yaml", **TINY)
    done = forensics("train", "--recipe", recipe, "--data", folder, "--out", tmp_path / "run", "--quiet")
    assert "the class 'fake' is left to train on" in refusal(done)
    words = ("train", "--recipe", recipe, "--data", folder, "--out", tmp_path / "run", "--quiet", "--set", "epochs=1")
    done = forensics(*words, "--set", "data={val: 0, cal: 0, test: 0}", "--set", "select=last")
    assert done.exit_code == 0, (done.exception, done.stderr)
    assert read(tmp_path / "run/detector/detector.json")["metrics"] == {}


def test_an_unreadable_picture_can_be_refused(tmp_path: Path, folder: Path) -> None:
    (folder / "real/broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a picture")
    recipe = write_recipe(tmp_path / "tiny.yaml", **TINY, data={"unreadable": "refuse", "val": 0.2})
    done = forensics("train", "--recipe", recipe, "--data", folder, "--out", tmp_path / "run", "--quiet")
    assert "broken.jpg" in refusal(done)
    assert "data.unreadable=skip" in done.stderr


def test_a_resumed_run_needs_nothing_said_again(tmp_path: Path, folder: Path) -> None:
    pytest.importorskip("tensorboard", reason="needs the extra 'tensorboard'")
    recipe, out = write_recipe(tmp_path / "tiny.yaml", **TINY), tmp_path / "run"
    words = ("train", "--recipe", recipe, "--data", folder, "--out", out, "--quiet", "--device", "cpu")
    settings = ("--set", "epochs=2", "--set", "dropout=0.25", "--tensorboard")
    done = forensics(*words, *settings)
    assert done.exit_code == 0, (done.exception, done.stderr)
    kept = read(out / "recipe.json")
    assert (kept["phases"][0]["epochs"], kept["dropout"]) == (2, 0.25)
    environment = read(out / "environment.json")
    assert environment["asked"] == {
        "recipe": str(recipe), "settings": ["epochs=2", "dropout=0.25"], "weights": None, "data": str(folder),
        "tensorboard": True,
    }  # fmt: skip
    assert environment["versions"].keys() >= {"python", "torch", "numpy"}
    before = read(out / "detector/detector.json")["files"]
    for again in ((), ("--recipe", recipe), ("--recipe", recipe, *settings), ("--set", "epochs=2")):
        done = forensics("train", "--out", out, "--resume", "--quiet", "--device", "cpu", *again)
        assert done.exit_code == 0, (again, done.exception, done.stderr)
        assert read(out / "detector/detector.json")["files"] == before
    for again, key in (
        (("--set", "epochs=3"), "phases"),
        (("--recipe", recipe, "--set", "epochs=3"), "dropout, phases"),
        (("--weights", "other.pth"), "weights"),
        (("--recipe", "vehicles"), "arch, "),
    ):
        done = forensics("train", "--out", out, "--data", folder, "--resume", "--quiet", *again)
        assert key in refusal(done)
    assert "already holds a run" in refusal(forensics(*words))


def test_tensorboard_events_are_those_of_the_history(tmp_path: Path, folder: Path) -> None:
    pytest.importorskip("tensorboard", reason="needs the extra 'tensorboard'")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    recipe, out = write_recipe(tmp_path / "tiny.yaml", **TINY), tmp_path / "run"
    words = ("train", "--recipe", recipe, "--data", folder, "--out", out, "--quiet", "--device", "cpu")
    assert forensics(*words, "--tensorboard").exit_code == 0
    events = EventAccumulator(str(out / "tensorboard"))
    events.Reload()
    history, card = read(out / "history.json"), read(out / "detector/detector.json")
    for tag, key in (("loss/train", "train_loss"), ("accuracy/val", "val_accuracy"), ("learning_rate/body", "lr")):
        found = events.Scalars(tag)
        assert [one.step for one in found] == [1, 2, 3]
        assert [one.value for one in found] == pytest.approx([epoch[key] for epoch in history])
    assert events.Scalars("accuracy/test")[0].value == pytest.approx(card["metrics"]["test"]["accuracy"]["value"])


def test_tensorboard_that_is_missing_is_one_sentence(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    for name in [name for name in sys.modules if name.startswith(("tensorboard", "torch.utils.tensorboard"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    recipe = write_recipe(tmp_path / "tiny.yaml", **TINY)
    words = ("train", "--recipe", recipe, "--data", folder, "--out", tmp_path / "run", "--quiet")
    assert "pip install '.[tensorboard]'" in refusal(forensics(*words, "--tensorboard"))
    assert not (tmp_path / "run").exists()


def test_things_are_not_refused_for_what_files_give_away(tmp_path: Path) -> None:
    from tests.generator.sets import as_jpeg, as_png, write_set

    root = write_set(tmp_path / "bad", as_png, as_jpeg)
    for old, new in (("fake", "ants"), ("real", "bees")):
        for found in [path for path in root.rglob(old) if path.is_dir()]:
            found.rename(found.with_name(new))
    recipe, out = write_recipe(tmp_path / "tiny.yaml", **TINY), tmp_path / "run"
    done = forensics("train", "--recipe", recipe, "--data", root, "--out", out, "--device", "cpu", "--set", "epochs=1")
    assert done.exit_code == 0, (done.exception, done.stderr)
    assert "file format" in done.stderr.replace("\n", " ")
    training = read(out / "detector/detector.json")["training"]
    assert training["audit"]["verdict"] == "fail"
    assert "shortcuts" not in training
