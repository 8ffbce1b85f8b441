"""The record of a run's pictures: what is the same, what was seen, and what cannot be known."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from classifier.data import BadData, open_data
from classifier.detector import Card
from classifier.split_record import PICTURES, picture_counts, record_of, recorded, seen_among, seen_by, write
from tests.classifier.pictures import write_folder
from tests.classifier.test_train import recipe_of

RECIPE = recipe_of()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("data") / "pictures", n=10)


def card_of(folder: Path, **changes: object) -> Card:
    data = open_data(folder, RECIPE.data, RECIPE.seed)
    training = {"recipe": RECIPE.model_dump(mode="json"), "pictures": picture_counts(data)}
    return Card(
        name="tiny", arch="resnet18", classes=("fake", "real"), metrics={"test": {}}, training={**training, **changes}
    )


def test_a_record_is_kept_and_knows_the_same_pictures_elsewhere(tmp_path: Path, folder: Path) -> None:
    record = record_of(open_data(folder, RECIPE.data, RECIPE.seed))
    assert {split: len(those) for split, those in record.splits.items()} == {"train": 8, "val": 4, "cal": 4, "test": 4}
    write(tmp_path, record)
    kept = recorded(tmp_path)
    assert kept == record
    copied = shutil.copytree(folder, tmp_path / "copied")
    assert record.digest == record_of(open_data(copied, RECIPE.data, RECIPE.seed)).digest
    assert record.digest != record_of(open_data(copied, RECIPE.data, RECIPE.seed + 1)).digest
    next((copied / "real").iterdir()).unlink()
    assert record.digest != record_of(open_data(copied, RECIPE.data, RECIPE.seed)).digest


def test_no_record_and_a_damaged_one(tmp_path: Path) -> None:
    assert recorded(tmp_path) is None
    for text in ("not json", "[]", '{"splits": {"train": [{"path": 3}]}}', "[" * 10_000):
        (tmp_path / PICTURES).write_text(text)
        with pytest.raises(BadData, match=r"pictures\.json is damaged"):
            recorded(tmp_path)


def test_seen_is_all_but_what_was_measured(tmp_path: Path, folder: Path) -> None:
    record = record_of(open_data(folder, RECIPE.data, RECIPE.seed))
    write(tmp_path, record)
    every = {one.sha256 for those in record.splits.values() for one in those}
    test = {one.sha256 for one in record.splits["test"]}
    assert seen_by(card_of(folder), tmp_path, tmp_path) == every - test
    assert seen_by(card_of(folder), None, folder) == every - test  # as many pictures in each split as on the card


def test_what_was_seen_cannot_be_known_of_other_pictures(tmp_path: Path, folder: Path) -> None:
    assert seen_by(card_of(folder, pictures={"train": {"fake: fake": 3}}), None, folder) is None
    assert seen_by(card_of(folder, recipe={"name": "?"}), None, folder) is None
    assert seen_by(card_of(folder), None, tmp_path / "nowhere") is None


def test_a_file_name_that_is_no_utf_8_is_kept(tmp_path: Path) -> None:
    write(tmp_path, record_of(open_data(write_folder(tmp_path / "d", n=6), RECIPE.data, 0)))
    raw = json.loads((tmp_path / PICTURES).read_text())
    raw["splits"]["train"][0]["path"] = "odd\udcff.png"
    (tmp_path / PICTURES).write_text(json.dumps(raw))
    found = recorded(tmp_path)
    assert found is not None
    write(tmp_path, found)
    assert recorded(tmp_path) == found


def test_pictures_that_had_a_part_are_counted_wherever_they_lie(tmp_path: Path, folder: Path) -> None:
    data = open_data(folder, RECIPE.data, RECIPE.seed)
    copied = open_data(Path(shutil.copytree(folder, tmp_path / "copied")), RECIPE.data, RECIPE.seed)
    items = [item for those in copied.splits.values() for item in those]
    assert seen_among(card_of(folder), tmp_path, items) == 0  # there is no record
    write(tmp_path, record_of(data))
    assert seen_among(card_of(folder), tmp_path, items) == 16
    assert seen_among(card_of(folder), tmp_path, copied.splits["test"]) == 0
    (tmp_path / PICTURES).write_text("{")
    assert seen_among(card_of(folder), tmp_path, items) == 0
