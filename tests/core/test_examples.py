from __future__ import annotations

import json
from pathlib import Path

import pytest

from classifier.data import find_pictures
from classifier.images import load
from classifier.recipes import Data
from forensics_app.core import examples
from forensics_app.core.analysis import Analysis
from forensics_app.core.verdict import Verdict
from tests.conftest import write_picture


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORENSICS_HOME", str(tmp_path / "home"))


def judged(path: Path) -> Analysis:
    return Analysis(load(path), Verdict("fake", 0.9, "Because."), (), "default", "0123456789abcdef", None, 1.0)


def test_an_example_is_the_pictures_own_bytes_with_a_line_of_what_was_judged(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "holiday.jpg", quality=80)
    kept = examples.keep(judged(path), "real", "holiday.jpg")
    assert kept.path.read_bytes() == path.read_bytes() and kept.path.parent.name == "real"
    assert kept.counts == {"real": 1, "fake": 0} and examples.truth_of(load(path)) == "real"
    (line,) = (examples.folder() / examples.RECORD).read_text().splitlines()
    told = json.loads(line)
    assert told["sha256"] == kept.sha256 and told["verdict"] == "fake" and told["truth"] == "real"
    assert told["detector"] == {"name": "default", "id": "0123456789abcdef"} and told["date"].endswith("+00:00")
    assert (examples.folder() / told["file"]).is_file()


def test_both_classes_make_a_folder_that_can_be_trained_on(tmp_path: Path) -> None:
    for seed, truth in enumerate(examples.TRUTHS):
        examples.keep(judged(write_picture(tmp_path / f"{seed}.png", seed=seed)), truth, "x")
    found = find_pictures(examples.folder(), Data())
    assert {kind: len(files) for kind, files in found["train"].items()} == {"real": 1, "fake": 1}


def test_said_again_otherwise_it_changes_its_class(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "one.png")
    examples.keep(judged(path), "real", "one.png")
    examples.keep(judged(path), "fake", "one.png")
    assert examples.counts() == {"real": 0, "fake": 1}
    assert len((examples.folder() / examples.RECORD).read_text().splitlines()) == 1


def test_it_can_be_taken_back(tmp_path: Path) -> None:
    one, other = (write_picture(tmp_path / f"{seed}.png", seed=seed) for seed in range(2))
    examples.keep(judged(one), "real", "one")
    kept = examples.keep(judged(other), "real", "other")
    assert examples.forget(kept.sha256) == {"real": 1, "fake": 0}
    (line,) = (examples.folder() / examples.RECORD).read_text().splitlines()
    assert json.loads(line)["sha256"] == load(one).sha256 and not kept.path.exists()


def test_lines_that_are_not_ours_do_no_harm(tmp_path: Path) -> None:
    examples.folder().mkdir(parents=True)
    (examples.folder() / examples.RECORD).write_text("{broken\n[1]\n")
    examples.keep(judged(write_picture(tmp_path / "one.png")), "fake", "one")
    assert len((examples.folder() / examples.RECORD).read_text().splitlines()) == 1


def test_nothing_is_forgotten_where_nothing_is() -> None:
    assert examples.forget("0" * 64) == {"real": 0, "fake": 0} and not examples.folder().exists()
