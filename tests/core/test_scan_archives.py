"""Pictures inside archives, judged without being unpacked."""

from __future__ import annotations

import io
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from forensics_app.core.scan import Selection
from forensics_app.core.store import ScanStore
from tests.conftest import write_picture
from tests.core.scans import kinds, pictures, run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A picture, and a zip, a tar and a tar.gz of the same four pictures and a text."""
    source, root = pictures(tmp_path / "source", 4), tmp_path / "in"
    (source / "notes.txt").write_text("no picture")
    (source / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    write_picture(root / "plain.png", seed=20)
    with zipfile.ZipFile(root / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(source.iterdir()):
            archive.write(path, f"deep/{path.name}")
    for name, mode in (("b.tar", "w"), ("c.tar.gz", "w:gz")):
        with tarfile.open(root / name, mode) as tar:  # type: ignore[call-overload]
            for path in sorted(source.iterdir()):
                tar.add(path, path.name)
    return root


def test_members_are_rows_under_their_names(tmp_path: Path, folder: Path, detector_folder: Path) -> None:
    rows, _ = run(folder, detector_folder, out=tmp_path / "out", workers=2)
    inside = {
        **{f"a.zip!/deep/{number:03}.png": "judged" for number in range(4)}, "a.zip!/deep/bad.png": "damaged",
        **{f"b.tar!/{number:03}.png": "judged" for number in range(4)}, "b.tar!/bad.png": "damaged",
        **{f"c.tar.gz!/{number:03}.png": "judged" for number in range(4)}, "c.tar.gz!/bad.png": "damaged",
    }  # fmt: skip
    assert kinds(rows) == {"plain.png": "judged", **inside}
    plain, _ = run(tmp_path / "source", detector_folder)
    for name, row in plain.items():
        for archive in ("a.zip!/deep", "b.tar!", "c.tar.gz!"):
            other = rows[f"{archive}/{name}"]
            assert other.get("verdict") == row.get("verdict") and other.get("sha256") == row.get("sha256")


def test_known_members_are_not_read_again(tmp_path: Path, folder: Path, detector_folder: Path) -> None:
    with ScanStore.open(tmp_path / "scan.db") as store:
        run(folder, detector_folder, store)
        assert run(folder, detector_folder, store)[1].known == 16
        with zipfile.ZipFile(folder / "a.zip", "a") as archive:
            archive.write(folder / "plain.png", "more.png")
        rows, summary = run(folder, detector_folder, store)
        assert len(rows) == 6 and summary.known == 11
        (folder / "b.tar").unlink()
        assert run(folder, detector_folder, store)[1].gone == 5


def test_one_archive_can_be_scanned_alone_and_in_shares(folder: Path, detector_folder: Path) -> None:
    whole, _ = run(folder / "a.zip", detector_folder)
    assert len(whole) == 5
    shares = [run(folder / "a.zip", detector_folder, shard=(share, 3))[0] for share in range(3)]
    assert sorted(name for share in shares for name in share) == sorted(whole)


def test_archives_are_left_alone_when_told_so(folder: Path, detector_folder: Path) -> None:
    assert set(run(folder, detector_folder, selection=Selection())[0]) == {"plain.png"}
    chosen = Selection(include=("*/00[01].png",), exclude=("c.*",), archives=True)
    rows, _ = run(folder, detector_folder, selection=chosen)
    assert set(rows) == {"a.zip!/deep/000.png", "a.zip!/deep/001.png", "b.tar!/000.png", "b.tar!/001.png"}


def test_broken_and_hostile_archives_are_rows(tmp_path: Path, detector_folder: Path) -> None:
    root = tmp_path / "in"
    write_picture(root / "a.png")
    with zipfile.ZipFile(root / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(40 * 2**20))
    (root / "text.zip").write_text("no archive")
    with zipfile.ZipFile(root / "good.zip", "w") as archive:
        archive.write(root / "a.png", "a.png")
    (root / "cut.zip").write_bytes((root / "good.zip").read_bytes()[:-30])
    with tarfile.open(root / "cut.tar", "w") as tar:
        tar.add(root / "a.png", "a.png")
        tar.add(root / "a.png", "b.png")
    data = (root / "cut.tar").read_bytes()
    (root / "cut.tar").write_bytes(data[: data.index(b"b.png") + 600])
    nested = io.BytesIO((root / "good.zip").read_bytes())
    with zipfile.ZipFile(root / "nested.zip", "w") as archive:
        archive.writestr("inner.zip", nested.getvalue())
        archive.write(root / "a.png", "a.png")
    rows, summary = run(root, detector_folder)
    assert kinds(rows) == {
        "a.png": "judged", "bomb.zip": "damaged", "text.zip": "damaged", "cut.zip": "damaged",
        "good.zip!/a.png": "judged", "cut.tar!/a.png": "judged", "cut.tar!/b.png": "damaged", "cut.tar": "damaged",
        "nested.zip!/a.png": "judged", "nested.zip": "left_out",
    }  # fmt: skip
    assert "1 archive inside it, which was not opened" in rows["nested.zip"]["error"]["message"]
    assert summary.failed == 6


def test_odd_entries_hide_no_others(tmp_path: Path, detector_folder: Path) -> None:
    """Nothing is written, so a name that leads out does no harm; what cannot be judged is told."""
    picture, deep = write_picture(tmp_path / "a.png").read_bytes(), "n/" * 40 + "a.png"
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in" / "odd.zip", "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        for name in ("../../a.png", "/b.png", deep, "c.png", "same.png", "same.png"):
            archive.writestr(name, picture)
    data = bytearray((tmp_path / "in" / "odd.zip").read_bytes())
    data[data.rindex(b"c.png") - 46 + 8] |= 1  # encrypted, says the directory
    (tmp_path / "in" / "odd.zip").write_bytes(data)
    with tarfile.open(tmp_path / "in" / "odd.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        for name in ("../a.png", "/b.png", "nul.png\0.txt"):
            entry = tarfile.TarInfo(name)
            entry.size, entry.pax_headers = len(picture), {"path": name}
            tar.addfile(entry, io.BytesIO(picture))
    rows, _ = run(tmp_path / "in", detector_folder)
    assert kinds(rows) == {
        **{f"odd.zip!/{name}": "judged" for name in ("a.png", "b.png", "same.png", deep)}, "odd.zip": "left_out",
        **{f"odd.tar!/{name}": "judged" for name in ("a.png", "b.png", "nul.png")},
    }  # fmt: skip
    assert rows["odd.zip"]["error"]["message"].endswith("looked at: 1 encrypted; 1 repeated name.")


def test_what_went_is_told_beside_an_archive_that_cannot_be_read(tmp_path: Path, detector_folder: Path) -> None:
    root = tmp_path / "in"
    picture = write_picture(root / "a.png").read_bytes()
    write_picture(root / "sub" / "b.png", seed=2)
    with zipfile.ZipFile(root / "c.zip", "w") as archive:
        archive.writestr("in/c.png", picture)
    with ScanStore.open(tmp_path / "scan.db") as store:
        assert run(root, detector_folder, store)[1].done == 3
        (root / "c.zip").write_bytes(b"no archive any more")
        shutil.rmtree(root / "sub")
        assert run(root, detector_folder, store)[1].gone == 1, "b.png went; what was in c.zip is not known to have gone"
        (root / "c.zip").unlink()
        assert run(root, detector_folder, store)[1].gone == 2
