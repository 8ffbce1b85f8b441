from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from classifier.detector import BadDetector, default_name, find
from classifier.places import home
from forensics_app.cli import app
from forensics_app.core.analysis import CannotJudge
from forensics_app.core.default_detector import current_default, make_default, remove
from forensics_app.core.detectors import listed
from forensics_app.core.installing import CannotInstall, install
from tests.conftest import export_tiny


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORENSICS_HOME", str(tmp_path / "home"))


def test_the_chosen_one_is_found_as_default(detector_folder: Path, bundled: Path) -> None:
    assert find("default") == find("bundled") == bundled and default_name() == "default"
    install(detector_folder, "mine")
    assert make_default("mine") == "mine" == default_name()
    assert find("default") == home() / "detectors" / "mine" and find("bundled") == bundled
    assert [(one.name, one.default) for one in listed()] == [("mine", True), ("bundled", False)]
    assert current_default() == "mine"
    assert make_default("bundled") == "bundled" and find("default") == bundled
    assert [(one.name, one.default) for one in listed()] == [("mine", False), ("default", True)]
    assert current_default() == "bundled"


def test_removing_the_default_brings_the_bundled_one_back(detector_folder: Path, bundled: Path) -> None:
    folder = install(detector_folder, "mine").folder
    make_default("mine")
    assert remove("mine") == folder and not folder.exists() and list(folder.parent.iterdir()) == []
    assert find("default") == bundled


def test_one_that_is_gone_is_told_and_never_silently_another(detector_folder: Path) -> None:
    folder = install(detector_folder, "mine").folder
    make_default("mine")
    shutil.rmtree(folder)
    with pytest.raises(BadDetector, match="'mine' is no longer installed"):
        find("default")


@pytest.mark.parametrize("name", ["default", "bundled", "", "..", "a/b", "no-such"])
def test_what_cannot_be_removed(name: str) -> None:
    with pytest.raises(CannotInstall, match=r"ships with the program|is not among your detectors"):
        remove(name)


def test_what_cannot_be_the_default(detector_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotInstall, match="install it first"):
        make_default(str(detector_folder))
    install(export_tiny(tmp_path / "insects", classes=("ants", "bees"), arch="mini_resnet"))
    with pytest.raises(CannotJudge, match="ants, bees"):
        make_default("insects")
    assert default_name() == "default"


@pytest.mark.parametrize("text", [b"../evil", b"\xff\xfe", b"", b"x" * 300])
def test_a_damaged_file_chooses_nothing(text: bytes, bundled: Path) -> None:
    home().mkdir(parents=True)
    (home() / "default-detector").write_bytes(text)
    assert default_name() == "default" and find("default") == bundled


def test_from_the_command_line(detector_folder: Path, tmp_path: Path) -> None:
    def done(*words: str) -> str:
        result = CliRunner().invoke(app, ["models", *words])
        assert result.exit_code == 0, result.stderr
        return result.stdout

    assert "Installed as mine" in done("install", str(detector_folder), "--name", "mine")
    assert "default is now mine" in done("default", "mine")
    assert '"name": "tiny"' in done("show", "default", "--json")
    assert "Written" in done("export", "mine", "--out", str(tmp_path / "mine.zip"), "--quiet")
    assert "Removed" in done("remove", "mine")
    assert '"name": "other"' in done("install", str(tmp_path / "mine.zip"), "--name", "other", "--json")
    refused = CliRunner().invoke(app, ["models", "remove", "default"])
    assert refused.exit_code == 2 and "ships with the program" in refused.stderr
