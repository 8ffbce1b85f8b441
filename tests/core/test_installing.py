from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from classifier.detector import BadDetector, find, open_folder
from classifier.places import home
from forensics_app.core.installing import CannotInstall, install, installed_as


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORENSICS_HOME", str(tmp_path / "home"))


def test_a_detector_is_found_by_its_name_once_it_is_installed(detector_folder: Path) -> None:
    made = install(detector_folder)
    assert made.folder == home() / "detectors" / "tiny" == find("tiny")
    assert made.id == open_folder(detector_folder).id and open_folder(made.folder) == made
    assert install(detector_folder).folder == made.folder
    assert len(list((home() / "detectors").iterdir())) == 1


def test_that_of_a_run_is_installed_and_only_what_belongs_to_it(tmp_path: Path, detector_folder: Path) -> None:
    shutil.copytree(detector_folder, tmp_path / "run" / "detector")
    (tmp_path / "run" / "detector" / "notes.txt").write_text("mine")
    made = install(tmp_path / "run", "mine")
    assert made.folder.name == "mine" and not (made.folder / "notes.txt").exists()


def test_a_fast_twin_comes_along(bundled: Path) -> None:
    made = install(bundled, "copy")
    assert open_folder(made.folder / "fast").card.precision == "int8"


def test_a_taken_name_is_numbered_where_none_was_asked_for(tmp_path: Path, detector_folder: Path) -> None:
    other = shutil.copytree(detector_folder, tmp_path / "other")
    card = json.loads((other / "detector.json").read_text())
    (other / "detector.json").write_text(json.dumps({**card, "description": "another"}))
    assert install(detector_folder).folder.name == "tiny"
    assert install(other).folder.name == "tiny-2"
    found = installed_as(open_folder(other).id)
    assert found is not None and found.folder.name == "tiny-2"


def test_a_taken_name_that_was_asked_for_is_refused(detector_folder: Path, second_detector: Path) -> None:
    made = install(detector_folder, "mine")
    assert install(detector_folder, "mine") == made
    for name in ("mine", "default", "bundled"):
        with pytest.raises(CannotInstall, match="choose another --name"):
            install(second_detector, name)
    assert [path.name for path in (home() / "detectors").iterdir()] == ["mine"]


def test_what_is_damaged_or_badly_named_is_refused(tmp_path: Path, detector_folder: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(detector_folder, broken)
    (broken / "weights.safetensors").write_bytes(b"no")
    with pytest.raises(BadDetector, match="SHA-256"):
        install(broken)
    for name in ("../out", "", "a b", "x" * 65):
        with pytest.raises(CannotInstall, match="no name"):
            install(detector_folder, name)
    assert not (home() / "detectors").exists() and installed_as("0" * 16) is None


def test_a_folder_that_cannot_be_written_is_a_sentence(detector_folder: Path) -> None:
    home().mkdir(parents=True)
    (home() / "detectors").write_text("a file")
    with pytest.raises(CannotInstall, match="could not be copied into"):
        install(detector_folder)
    assert (home() / "detectors").read_text() == "a file"
