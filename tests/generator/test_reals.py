"""Real pictures from folders, archives, named sets and the sample photographs; what is said where there are none."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier.images import load
from classifier.registry import by_name
from generator import picture_sets, reals
from generator.downloads import BadSource, Interrupted, Unreachable
from generator.entries import told
from generator.picture_sets import CATS, ROWS, SETS, Set
from generator.reals import OFFLINE
from tests.conftest import lock, write_picture
from tests.generator.server import Behaviour, serving
from tests.generator.sources import find, tar_gz, zipped


@pytest.fixture
def cats(tmp_path: Path) -> Path:
    """A folder of four pictures in two folders, and other things."""
    folder = tmp_path / "cats"
    for number, name in enumerate(("home/a.jpg", "home/b.PNG", "street/deep/c.webp", "d.jpg")):
        write_picture(folder / name, seed=number)
    for name in ("readme.txt", ".hidden.jpg", "home/._a.jpg", ".thumbnails/a.jpg", "movie.mp4"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"no picture")
    return folder


def served(patch: pytest.MonkeyPatch, name: str, url: str, body: bytes) -> Set:
    """Point a row at another address, whose file has the bytes `body`."""
    row = SETS[name]
    assert isinstance(row, Set)
    remote = replace(row.remote, url=url, size=len(body), sha256=hashlib.sha256(body).hexdigest())
    patch.setitem(SETS, name, replace(row, remote=remote))
    return row


def test_a_folder_is_listed_in_order(cats: Path, tmp_path: Path) -> None:
    found = find(str(cats), tmp_path / "cache")
    assert [(one.name, one.source) for one in found.files] == [
        ("d.jpg", "cats"), ("home/a.jpg", "cats/home"), ("home/b.PNG", "cats/home"),
        ("street/deep/c.webp", "cats/street"),
    ]  # fmt: skip
    assert all(one.path == cats / one.name and one.group is None for one in found.files)
    assert (found.name, found.note, found.licence) == (str(cats), None, None)
    assert not (tmp_path / "cache").exists()


def test_a_folder_of_both_classes_is_refused(cats: Path, tmp_path: Path) -> None:
    write_picture(cats / "train" / "fake" / "1.png")
    archive = zipped(tmp_path / "both.zip", {"train/real/1.png": b"x", "train/fake/1.png": b"x"})
    for source in (cats, archive):
        with pytest.raises(BadSource, match="a folder named fake: give the real ones alone"):
            find(str(source), tmp_path / "cache")


def test_a_folder_that_may_not_be_read_is_not_called_empty(
    cats: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock(monkeypatch, cats)
    with pytest.raises(BadSource, match="cats may not be read: change its permissions"):
        find(str(cats), tmp_path / "cache")


def test_a_folder_without_pictures_says_what_it_looked_for(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"has no pictures \(.*\.jpg"):
        find(str(tmp_path), tmp_path / "cache")


def test_a_name_that_is_no_utf8_can_be_written_down(tmp_path: Path) -> None:
    folder = tmp_path / "cats"
    try:
        write_picture(folder / "caf\udce9" / "1.jpg")
    except OSError:
        pytest.skip("this file system has no such names")
    (one,) = find(str(folder), tmp_path / "cache").files
    assert (one.name, one.source) == ("caf\\xe9/1.jpg", "cats/caf\\xe9")
    assert load(one.path).width == 96


@pytest.mark.parametrize("make", [zipped, tar_gz])
def test_an_archive_is_unpacked_once(make: object, cats: Path, tmp_path: Path) -> None:
    assert callable(make)
    files = {f"set/{name}": (cats / name).read_bytes() for name in ("home/a.jpg", "d.jpg", "readme.txt")}
    archive = make(tmp_path / "cats.archive", files)
    first = find(str(archive), tmp_path / "cache")
    assert [(one.name, one.source) for one in first.files] == [
        ("set/d.jpg", "cats.archive"), ("set/home/a.jpg", "cats.archive"),
    ]  # fmt: skip
    assert first.files[0].path.read_bytes() == files["set/d.jpg"]
    written = first.files[0].path.stat().st_mtime_ns
    again = archive.rename(tmp_path / "renamed.archive")
    assert find(str(again), tmp_path / "cache").files[0].path.stat().st_mtime_ns == written, "known by its hash"


def test_what_an_archive_leaves_out_is_told(tmp_path: Path) -> None:
    data = zipped(tmp_path / "a.zip", {"a.jpg": b"aaaa", "b.jpg": b"bbbb"}, 0).read_bytes()
    (tmp_path / "a.zip").write_bytes(data.replace(b"aaaa", b"aaab"))
    assert find(str(tmp_path / "a.zip"), tmp_path / "cache").note == "Left out of a.zip: 1 damaged."
    nested = zipped(tmp_path / "b.zip", {"a.jpg": b"aaaa", "inner.zip": b"x"})
    assert find(str(nested), tmp_path / "cache").note == "Left out of b.zip: 1 archive inside it, which was not opened."
    assert told({"archives inside it": 2, "damaged": 1, "links": 1}) == (
        "2 archives inside it, which were not opened; 1 damaged; 1 link"
    )


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("one.jpg", "is a picture: give the folder"), ("/dev/zero", "is no folder and no archive"),
        ("no/such", r"no archive 'no/such'\.$"), ("pets-catz", "Did you mean pets-cats"),
        ("zzz", "There are sets of pictures named"),
    ],
)  # fmt: skip
def test_what_is_no_source_is_told_in_fitting_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, words: str
) -> None:
    if source.startswith("/dev") and not Path(source).exists():
        pytest.skip("needs /dev/zero")
    monkeypatch.chdir(tmp_path)
    write_picture(tmp_path / "one.jpg")
    with pytest.raises(BadSource, match=words):
        find(source, tmp_path / "cache")


def test_a_hostile_archive_is_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "evil.zip", {"../evil.jpg": b"x"})
    with pytest.raises(BadSource, match=r"^evil\.zip cannot be used\. .*outside of its folder"):
        find(str(archive), tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.jpg"))


@pytest.mark.parametrize(("source", "words"), [
    ("pets-cat", r"Did you mean pets-cats\?"),
    ("no-such-thing", r"There is no folder and no archive 'no-such-thing'.*pets-cats, .*samples"),
    ("/no/such/folder", r"^There is no folder and no archive '/no/such/folder'\.$"),
    ("", "^--real is empty"),
    ("evil\u202egpj", r"archive 'evil\\u202egpj'"),
])  # fmt: skip
def test_what_is_not_there_is_named(tmp_path: Path, source: str, words: str) -> None:
    with pytest.raises(BadSource, match=words):
        find(source, tmp_path)


def test_a_single_picture_is_no_source(cats: Path, tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"d\.jpg is a picture: give the folder"):
        find(str(cats / "d.jpg"), tmp_path)


def test_samples_are_crops_of_two_photographs(tmp_path: Path) -> None:
    found = find("samples", tmp_path, count=12)
    assert len(found.files) == 24
    assert {one.group for one in found.files} == {"china", "flower"}
    pictures = [load(one.path) for one in found.files]
    assert all(one.width == one.height and 128 <= one.width <= 420 for one in pictures)
    assert len({one.sha256 for one in pictures}) == 24
    assert found.note
    assert "CC BY 2.0" in str(found.licence)


def test_samples_depend_on_the_seed_and_their_number_alone(tmp_path: Path) -> None:
    few, many = find("samples", tmp_path / "a", count=3), find("samples", tmp_path / "b", count=6)
    by_name = {one.name: one.path.read_bytes() for one in many.files}
    assert all(by_name[one.name] == one.path.read_bytes() for one in few.files)
    other = find("samples", tmp_path / "a", count=3, seed=1)
    assert not {one.path.read_bytes() for one in other.files} & set(by_name.values())


def test_samples_come_out_of_the_photographs(tmp_path: Path) -> None:
    datasets = pytest.importorskip("sklearn.datasets", reason="needs the extra 'train'")
    whole = np.asarray(datasets.load_sample_image("china.jpg"))
    crop = load(find("samples", tmp_path, count=1).files[0].path).pixels
    side = len(crop)
    windows = np.lib.stride_tricks.sliding_window_view(whole[:, :, 0], (side, side))
    assert (windows[:, :, 0, :8] == crop[0, :8, 0]).all(axis=2).any(), "its first row is in the photograph"


def test_without_a_network_there_are_samples_at_once(tmp_path: Path) -> None:
    begun = time.monotonic()
    found = find(None, tmp_path, count=2)
    assert time.monotonic() - begun < 5
    assert found.name == "samples"
    assert "nothing else" in str(found.note)
    assert "--real" in str(found.note)


def test_a_set_that_may_not_be_fetched(tmp_path: Path) -> None:
    for name in ("pets-cats", "cat-dataset"):
        with pytest.raises(Unreachable, match=rf"{name} is not in the cache, and {OFFLINE} forbids downloads"):
            find(name, tmp_path)


@pytest.fixture
def pets(cats: Path, tmp_path: Path) -> bytes:
    names = {"images/Abyssinian_1.jpg": "d.jpg", "images/beagle_1.jpg": "home/a.jpg", "images/Bombay.mat": "readme.txt"}
    files = {name: (cats / file).read_bytes() for name, file in names.items()}
    return tar_gz(tmp_path / "pets.tar.gz", files).read_bytes()


def test_a_named_set_is_fetched_once(pets: bytes, tmp_path: Path, online: pytest.MonkeyPatch) -> None:
    behaviour = Behaviour(pets, cut_after=[len(pets) // 2])
    with serving(behaviour) as url:
        served(online, "pets-cats", url, pets)
        found = find("pets-cats", tmp_path / "cache")
        assert len(behaviour.asked) == 2, "the second connection goes on where the first broke"
        online.setenv(OFFLINE, "1")
        assert find("pets-cats", tmp_path / "cache") == found
        assert find(None, tmp_path / "cache") == found, "what is in the cache is taken without a network"
    assert [(one.name, one.source) for one in found.files] == [("images/Abyssinian_1.jpg", "pets-cats")]
    assert found.licence == "CC BY-SA 4.0"
    assert not list((tmp_path / "cache" / "downloads").iterdir()), "the archive itself is not kept"


def test_without_a_source_the_first_that_can_be_had_is_taken(
    pets: bytes, tmp_path: Path, online: pytest.MonkeyPatch
) -> None:
    body = zipped(tmp_path / "m.zip", {"PetImages/Cat/0.jpg": b"cat", "PetImages/Dog/0.jpg": b"dog"}).read_bytes()
    with serving(Behaviour(bytes(len(pets)))) as wrong, serving(Behaviour(body)) as right:
        served(online, CATS[0], wrong, pets)
        served(online, CATS[1], right, body)
        found = find(None, tmp_path / "cache")
    assert (found.name, [one.name for one in found.files]) == (CATS[1], ["PetImages/Cat/0.jpg"])
    assert found.note is None


def test_a_download_that_breaks_off_is_not_replaced_by_samples(
    pets: bytes, tmp_path: Path, online: pytest.MonkeyPatch
) -> None:
    with serving(Behaviour(pets, cut_after=[500, 0, 0, 0])) as url:
        served(online, CATS[0], url, pets)
        with pytest.raises(Interrupted, match=r"500 of .* bytes are kept"):
            find(None, tmp_path / "cache")


def test_servers_that_are_not_there_lead_to_samples(tmp_path: Path, online: pytest.MonkeyPatch) -> None:
    for name in CATS:
        served(online, name, "http://127.0.0.1:9/none.zip", b"x")
    assert find(None, tmp_path, count=1).note == reals.ONLY_TO_TRY


def test_every_row_is_pinned() -> None:
    for row in ROWS:
        assert row.licence
        if isinstance(row, Set):
            assert row.remote.url.startswith("https://")
            assert len(bytes.fromhex(row.remote.sha256)) == 32
            assert row.remote.size > 10**7
    assert set(CATS) <= set(SETS)
    with pytest.raises(ValueError, match="two sets of pictures are named"):
        by_name((*ROWS, ROWS[0]), "sets of pictures")
    assert picture_sets.SETS is SETS
