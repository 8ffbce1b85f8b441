"""Ensembles: what they say is the mean of their members, and nothing can be slipped in."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier.data import BadData
from classifier.detector import BadDetector, Installed, checked_files, open_folder
from classifier.ensemble import BadEnsemble, Ensembled, join, member, write
from classifier.evaluate import evaluate, labelled
from classifier.metrics import Metrics
from classifier.runtime import Detector, calibrated, log
from tests.classifier.pictures import write_folder
from tests.conftest import picture


@pytest.fixture(scope="module")
def members(detector_folder: Path, second_detector: Path) -> tuple[Installed, Installed]:
    return open_folder(detector_folder), open_folder(second_detector)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("joined") / "data", n=20, side_px=64)


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory, members: tuple[Installed, ...], data: Path
) -> tuple[Ensembled, Path]:
    """An ensemble of the two, and its folder."""
    folder = tmp_path_factory.mktemp("ensemble") / "both"
    *_, found = join(members, data, folder)
    assert isinstance(found, Ensembled)
    assert found.id == open_folder(folder).id
    return found, folder


@pytest.fixture(scope="module")
def joined(both: tuple[Ensembled, Path]) -> Ensembled:
    return both[0]


@pytest.fixture(scope="module")
def folder(both: tuple[Ensembled, Path]) -> Path:
    return both[1]


def test_it_says_the_mean_of_its_members(folder: Path, members: tuple[Installed, ...]) -> None:
    pixels = picture(150, 140)
    together, alone = Detector(folder), [Detector(one.folder) for one in members]
    mean = np.mean([one.judge(pixels).probabilities for one in alone], axis=0)
    judged = together.judge(pixels, heat_class="fake")
    assert np.allclose(judged.logits, np.log(mean))
    assert np.allclose(judged.probabilities, calibrated(np.log(mean), together.card))
    assert np.allclose(together.predict([pixels, pixels]), judged.probabilities, atol=1e-6)
    maps = [one.judge(pixels, heat_class="fake").heat for one in alone]
    values = np.mean([heat.values for heat in maps if heat], axis=0)
    assert judged.heat is not None
    assert np.allclose(judged.heat.values, values / values.max(), atol=1e-6)
    assert judged.heat.boxes == maps[0].boxes  # type: ignore[union-attr]


def test_it_is_measured_as_it_judges(
    joined: Ensembled, folder: Path, members: tuple[Installed, ...], data: Path
) -> None:
    items = labelled(Detector(folder).card, data, "test")
    assert joined.n == len(items)
    places = (folder, *(one.folder for one in members))
    for place, found in zip(places, (joined.metrics, *(one.metrics for one in joined.members)), strict=True):
        *_, again = evaluate(Detector(place), items)
        assert isinstance(again, Metrics)
        assert (again.confusion, again.coverage) == (found.confusion, found.coverage)
    for one in joined.members:
        change = joined.metrics.balanced_accuracy.value - one.metrics.balanced_accuracy.value
        assert one.difference.value == pytest.approx(change)
    card = open_folder(folder).card
    assert card.metrics["test"]["n"] == joined.n
    assert card.members == tuple(one.id for one in members)
    assert card.band is not None
    assert card.band.n == joined.calibrated_on > 0


def with_recipe(installed: Installed, folder: Path, **changes: object) -> Installed:
    """Return a copy of a detector whose card has a recipe."""
    shutil.copytree(installed.folder, folder)
    card = json.loads((folder / "detector.json").read_text())
    recipe = {"name": "x", "arch": installed.card.arch, "phases": [{"epochs": 1, "lr": 0.1}], **changes}
    (folder / "detector.json").write_text(json.dumps({**card, "training": {"recipe": recipe}}))
    return open_folder(folder)


def test_what_no_member_has_seen_is_all_that_counts(tmp_path: Path, members: tuple[Installed, ...], data: Path) -> None:
    """A member with another seed splits the folder differently: only pictures in both test splits are left."""
    both = (members[0], with_recipe(members[1], tmp_path / "reseeded", seed=5))
    *_, found = join(both, data, tmp_path / "out")
    assert isinstance(found, Ensembled)
    tests = [{item.path for item in labelled(one.card, data, "test")} for one in both]
    assert tests[0] != tests[1]
    assert found.n == len(tests[0] & tests[1])
    trained_on_all = with_recipe(members[1], tmp_path / "all", data={"val": 0, "cal": 0, "test": 0})
    with pytest.raises(BadData, match="--split all"):
        list(join((members[0], trained_on_all), data, tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def test_its_files_are_checked(tmp_path: Path, folder: Path, members: tuple[Installed, ...]) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    assert [name for name, _ in checked_files(open_folder(copy))] == [
        "weights.safetensors",
        "model.onnx",
        "tensors.json",
    ] * 2
    weights = copy / members[0].id / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(BadDetector, match="SHA-256"):
        Detector(copy)
    shutil.rmtree(copy / members[0].id)
    with pytest.raises(BadDetector):
        open_folder(copy)
    shutil.copytree(members[1].folder, copy / members[0].id)
    with pytest.raises(BadDetector, match="was changed"):
        open_folder(copy)


@pytest.mark.parametrize(
    "members_on_card", [["../../../../etc"], ["0" * 16], ["0" * 16] * 2, [f"{number:016x}" for number in range(33)]]
)
def test_a_card_cannot_name_other_folders(tmp_path: Path, folder: Path, members_on_card: list[str]) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    card = json.loads((copy / "detector.json").read_text())
    (copy / "detector.json").write_text(json.dumps({**card, "members": members_on_card}))
    with pytest.raises(BadDetector):
        open_folder(copy)


def test_one_in_another_is_refused(
    tmp_path: Path, joined: Ensembled, folder: Path, members: tuple[Installed, ...]
) -> None:
    inner = open_folder(folder)
    with pytest.raises(BadEnsemble, match="its members instead"):
        list(join((inner, members[0]), tmp_path, tmp_path / "out"))
    outer = write(members, inner.card, tmp_path / "outer").folder
    shutil.rmtree(outer / members[0].id)
    shutil.copytree(folder, outer / joined.id)
    card = json.loads((outer / "detector.json").read_text())
    (outer / "detector.json").write_text(json.dumps({**card, "members": [joined.id, members[1].id]}))
    with pytest.raises(BadDetector, match="does not fit"):
        open_folder(outer)


def test_what_cannot_be_joined_is_one_sentence(tmp_path: Path, members: tuple[Installed, ...], data: Path) -> None:
    ants = replace(members[1], card=members[1].card.model_copy(update={"classes": ("ants", "bees")}))
    for given, words in (
        ((members[0],), "at least two"),
        ((members[0], members[0]), "given twice"),
        ((members[0], ants), "ants, bees: they must be the same"),
    ):
        with pytest.raises(BadEnsemble, match=words):
            list(join(given, data, tmp_path / "out"))
    with pytest.raises(BadEnsemble, match="were trained on"):
        list(join(members, data, tmp_path / "out", split="train"))
    assert not (tmp_path / "out").exists()


def test_without_pictures_to_calibrate_on_it_never_abstains(
    tmp_path: Path, members: tuple[Installed, ...], data: Path
) -> None:
    *_, found = join(members, data, tmp_path / "out", split=None)
    assert isinstance(found, Ensembled)
    assert (found.n, found.calibrated_on, found.metrics.coverage) == (40, 0, None)
    assert open_folder(tmp_path / "out").card.band is None


def test_closed_in_the_middle_it_leaves_nothing(tmp_path: Path, members: tuple[Installed, ...], data: Path) -> None:
    events = join(members, data, tmp_path / "out")
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []


def test_a_run_can_be_named_by_its_folder(tmp_path: Path, members: tuple[Installed, ...]) -> None:
    shutil.copytree(members[0].folder, tmp_path / "run" / "detector")
    assert member(str(tmp_path / "run")).id == member(members[0].folder).id == members[0].id
    assert log(np.array([0.0, 1.0])).min() > -30
