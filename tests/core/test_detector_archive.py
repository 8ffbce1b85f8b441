from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from classifier.detector import BadDetector, find, open_folder
from classifier.places import home
from forensics_app.core import detector_archive
from forensics_app.core.detector_archive import Packed, install_any, pack
from forensics_app.core.installing import CannotInstall


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORENSICS_HOME", str(tmp_path / "home"))


def archive(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries:
            file.writestr(name, data)
    return path


def test_packed_and_installed_it_is_the_same_detector(tmp_path: Path, detector_folder: Path) -> None:
    events = list(pack(detector_folder, tmp_path / "out.zip"))
    assert events[-1] == Packed(len(events), len(events))
    made = install_any(tmp_path / "out.zip")
    assert made.id == open_folder(detector_folder).id and made.folder == home() / "detectors" / "tiny" == find("tiny")
    assert [path.name for path in (home() / "detectors").iterdir()] == ["tiny"]


def test_the_bundled_one_comes_back_with_its_fast_twin_under_another_name(tmp_path: Path, bundled: Path) -> None:
    list(pack(bundled, tmp_path / "out.zip"))
    made = install_any(tmp_path / "out.zip")
    assert made.folder.name == "default-2" and open_folder(made.folder / "fast").card.precision == "int8"
    assert find("default") == bundled


@pytest.mark.parametrize(
    ("name", "told"),
    [("../detector.json", "no detector has"), ("/detector.json", "no detector has"),
     ("a/b/c/d/e/f.json", "no detector has"),
     ("a\\b.json", "no detector has"), ("notes.txt", "holds no detector")],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(CannotInstall, match=told):
        install_any(archive(tmp_path / "bad.zip", (name, b"{}")))
    assert list((home() / "detectors").iterdir()) == [] and not (tmp_path / "detector.json").exists()


def test_links_bombs_and_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = zipfile.ZipInfo("detector.json")
    link.external_attr, link.create_system = (stat.S_IFLNK | 0o777) << 16, 3
    many = [(f"{number}.json", b"{}") for number in range(detector_archive.MAX_FILES + 1)]
    for entries, told in ((((link, b"/etc/passwd"),), "holds a link"), ((("detector.json", bytes(2**24)),), "bomb"),
                          (many, "a detector has a few")):  # fmt: skip
        with pytest.raises(CannotInstall, match=told):
            install_any(archive(tmp_path / "bad.zip", *entries))
    monkeypatch.setattr(detector_archive, "MAX_BYTES", 10)
    with pytest.raises(CannotInstall, match="unpacks to more"):
        install_any(archive(tmp_path / "bad.zip", ("detector.json", b"{" + b" " * 20 + b"}")))
    assert list((home() / "detectors").iterdir()) == []


def test_what_is_no_zip_or_ambiguous_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "no.zip").write_bytes(b"PK no")
    with pytest.raises(CannotInstall, match="no zip file"):
        install_any(tmp_path / "no.zip")
    with pytest.raises(CannotInstall, match="holds 2 detectors"):
        install_any(archive(tmp_path / "two.zip", ("a/detector.json", b"{}"), ("b/detector.json", b"{}")))


def test_a_bad_card_is_told_by_the_name_of_the_zip(tmp_path: Path) -> None:
    with pytest.raises(BadDetector, match=r"The detector 'some\.zip' has an invalid detector\.json"):
        install_any(archive(tmp_path / "some.zip", ("detector.json", b"[]")))
