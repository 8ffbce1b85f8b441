"""A whole run through the real parts: trained, calibrated and measured on pictures set aside, never written over."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from classifier.checkpoint import BadCheckpoint
from classifier.data import BadData, made_note, open_data
from classifier.detector import open_folder
from classifier.evaluate import evaluate
from classifier.history import Confusion, Epoch
from classifier.metrics import Metrics
from classifier.run import LOCK, Finished, Measured, kept_audit, run
from classifier.runtime import Detector
from tests.classifier.pictures import write_folder
from tests.classifier.test_train import recipe_of


def test_a_run_ends_in_a_detector_whose_card_tells_what_was_measured(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data", n=20)
    recipe = recipe_of(data={"val": 0.2, "cal": 0.25, "test": 0.25}, limits=["Tiny."])
    events = list(run(recipe, folder, tmp_path / "out", device="cpu"))
    end = events[-1]
    assert isinstance(end, Finished)
    installed = open_folder(end.folder)
    card = installed.card
    assert installed.id == end.id
    assert card.limits == ("Tiny.",)
    assert card.band is not None
    assert card.band.n == sum(card.training["pictures"]["cal"].values()) == 10
    assert card.metrics["test"]["n"] == card.metrics["test_jpeg75"]["n"] == 10
    assert [e.degrade for e in events if isinstance(e, Measured)] == [None, "jpeg75"]
    # The same figures come out of measuring the finished detector anew on the same split.
    items = open_data(folder, recipe.data, recipe.seed).splits["test"]
    again = list(evaluate(Detector(end.folder), items))[-1]
    assert isinstance(again, Metrics)
    assert again.accuracy.value == card.metrics["test"]["accuracy"]["value"]
    history = json.loads((tmp_path / "out/history.json").read_text())
    assert [epoch["epoch"] for epoch in history] == [0, 1, 2]
    told = [event for event in events if isinstance(event, Confusion)]
    assert [(one.epoch, one.classes) for one in told] == [(0, card.classes), (1, card.classes), (2, card.classes)]
    for one, epoch in zip(told, history, strict=True):
        right, n = sum(one.counts[place][place] for place in (0, 1)), sum(map(sum, one.counts))
        assert n == 8 and right / n == pytest.approx(epoch["val_accuracy"])


def test_a_run_is_not_written_over_and_resumes_only_with_its_own_recipe(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data")
    first = list(run(recipe_of(), folder, tmp_path / "out", device="cpu"))[-1]
    with pytest.raises(BadData, match="--resume"):
        next(run(recipe_of(), folder, tmp_path / "out"))
    with pytest.raises(BadData, match="another recipe"):
        next(run(recipe_of(seed=9), folder, tmp_path / "out", resume=True))
    again = list(run(recipe_of(), folder, tmp_path / "out", resume=True, device="cpu"))[-1]
    assert isinstance(first, Finished)
    assert isinstance(again, Finished)
    assert open_folder(first.folder).card.files == open_folder(again.folder).card.files
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("do not lose")
    with pytest.raises(BadData, match="not empty"):
        next(run(recipe_of(), folder, tmp_path / "mine"))


def test_two_programs_do_not_train_into_one_folder(tmp_path: Path) -> None:
    folder, out = write_folder(tmp_path / "data"), tmp_path / "out"
    first = run(recipe_of(), folder, out, device="cpu")
    while not isinstance(next(first), Epoch):
        pass
    with pytest.raises(BadData, match="Another program is training"):
        next(run(recipe_of(), folder, out, resume=True))
    first.close()
    assert isinstance(list(run(recipe_of(), folder, out, resume=True, device="cpu"))[-1], Finished)
    assert not (out / LOCK).exists()


def test_what_a_killed_program_left_is_in_nobodys_way(tmp_path: Path) -> None:
    folder, out = write_folder(tmp_path / "data"), tmp_path / "out"
    killed_early, killed_late = (LOCK, ".0a1b2c.part", "pictures.json", "audit.json"), (LOCK, ".last.safetensors.part")
    out.mkdir()
    for name in killed_early:
        (out / name).write_text("{")
    recipe = recipe_of(arch="scratch_cnn_s2", phases=[{"epochs": 1, "lr": 0.01}])
    assert kept_audit(out) is None
    list(run(recipe, folder, out, device="cpu"))
    names = {path.name for path in out.iterdir()}
    assert names.isdisjoint((LOCK, ".0a1b2c.part", "audit.json"))
    for name in killed_late:
        (out / name).write_bytes(b"\0")
    (out / ".detector.x").mkdir()
    list(run(recipe, folder, out, resume=True, device="cpu"))
    assert {path.name for path in out.iterdir()} == names


@pytest.mark.parametrize("name", ["last.safetensors", "best.safetensors", "environment.json", "audit.json"])
def test_a_damaged_run_is_a_sentence(tmp_path: Path, begun: Path, name: str) -> None:
    out = tmp_path / "out"
    shutil.copytree(begun / "out", out)
    (out / name).write_bytes(b"{\0" * 20)
    recipe = recipe_of(arch="scratch_cnn_s2", phases=[{"epochs": 1, "lr": 0.01}])
    with pytest.raises((BadData, BadCheckpoint), match=f"{name} is damaged"):
        list(run(recipe, begun / "data", out, resume=True, device="cpu"))
    assert (out / "last.safetensors").is_file()


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures, and a run on them."""
    root = tmp_path_factory.mktemp("begun")
    recipe = recipe_of(arch="scratch_cnn_s2", phases=[{"epochs": 1, "lr": 0.01}])
    list(run(recipe, write_folder(root / "data"), root / "out", device="cpu"))
    return root


def test_a_run_that_never_began_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no data folder"):
        list(run(recipe_of(), tmp_path / "nowhere", tmp_path / "out", device="cpu"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("record", "note"),
    [
        ('{"reals": {"note": "Only good to try."}}', "Only good to try."),
        ('{"reals": null}', None),
        ('{"reals": {"note": 3}}', None),
        ("[" * 100_000, None),
        ("[]", None),
        (None, None),
    ],
)
def test_the_warning_of_a_data_set_goes_onto_the_card(tmp_path: Path, record: str | None, note: str | None) -> None:
    folder = write_folder(tmp_path / "data")
    if record is not None:
        (folder / "dataset.json").write_text(record)
    assert made_note(folder) == note
    if note:
        end = list(run(recipe_of(phases=[{"epochs": 1, "lr": 0.01}]), folder, tmp_path / "out", device="cpu"))[-1]
        assert isinstance(end, Finished)
        card = open_folder(end.folder).card
        assert card.training["note"] == card.limits[0] == note


def test_classes_of_things_get_no_band(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data")
    (folder / "fake").rename(folder / "ants")
    (folder / "real").rename(folder / "bees")
    recipe = recipe_of(augment={"crop": "native"}, phases=[{"epochs": 1, "lr": 0.01}])
    end = list(run(recipe, folder, tmp_path / "out", device="cpu"))[-1]
    assert isinstance(end, Finished)
    card = open_folder(end.folder).card
    assert card.classes == ("ants", "bees")
    assert card.band is None
