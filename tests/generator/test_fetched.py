"""Named data sets as an ImageFolder: from a server on loopback, from a file, split as asked for, whole or not there."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from classifier.data import BadData, difference_hashes, find_pictures, near_duplicate_groups
from classifier.recipes import Data
from classifier.registry import by_name
from generator import fetched, layouts
from generator.downloads import BadSource, Fetching, Interrupted, Unreachable
from generator.fetched import Checked, Copied, Fetched
from generator.layouts import LAYOUTS, layout
from generator.picture_sets import SETS
from tests.conftest import write_picture
from tests.generator.server import Behaviour, serving
from tests.generator.sources import tar_gz, zipped
from tests.generator.test_reals import served

ANTS = {f"hymenoptera_data/{split}/{kind}/{number}.jpg": number + 40 * place
        for place, (split, kind) in enumerate([("train", "ants"), ("train", "bees"), ("val", "ants"), ("val", "bees")])
        for number in range(4 if split == "train" else 2)}  # fmt: skip


def fetch(name: str, out: Path, **options: object) -> Fetched:
    *events, last = fetched.fetch(layout(name), out, cache=out.parent / "cache", **options)  # type: ignore[arg-type]
    assert all(isinstance(event, Fetching | Checked | Copied) for event in events)
    assert isinstance(last, Fetched)
    return last


def pictures(folder: Path, names: dict[str, int]) -> dict[str, bytes]:
    """Return different pictures by name."""
    return {name: write_picture(folder / f"{seed}.jpg", seed=seed).read_bytes() for name, seed in names.items()}


@pytest.fixture
def ants(tmp_path: Path) -> bytes:
    files = {**pictures(tmp_path / "made", ANTS), "hymenoptera_data/readme.jpg": b"no place", "__MACOSX/a.jpg": b"x"}
    return zipped(tmp_path / "ants.zip", files).read_bytes()


def test_a_set_with_a_split_of_its_own_keeps_it(ants: bytes, tmp_path: Path, online: pytest.MonkeyPatch) -> None:
    behaviour = Behaviour(ants, cut_after=[len(ants) // 2])
    with serving(behaviour) as url:
        served(online, "hymenoptera", url, ants)
        end = fetch("hymenoptera", tmp_path / "out")
    assert behaviour.asked == [None, f"bytes={len(ants) // 2}-"], "a connection that broke was gone on with"
    assert end.counts == {"train": {"ants": 4, "bees": 4}, "val": {"ants": 2, "bees": 2}}
    assert find_pictures(tmp_path / "out", Data()).keys() == {"train", "val"}
    record = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert record["plan"] == {"set": "hymenoptera", "split": "official", "seed": 0}
    assert record["source"]["licence"] == end.licence == SETS["hymenoptera"].licence
    for entry in record["files"]:
        data = (tmp_path / "out" / entry["path"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        assert data == (tmp_path / "made" / f"{ANTS[entry['original']]}.jpg").read_bytes(), "as it was in the archive"


def test_the_second_time_nothing_is_fetched(ants: bytes, tmp_path: Path, online: pytest.MonkeyPatch) -> None:
    with serving(Behaviour(ants)) as url:
        served(online, "hymenoptera", url, ants)
        fetch("hymenoptera", tmp_path / "one")
    online.setenv("FORENSICS_OFFLINE", "1")
    fetch("hymenoptera", tmp_path / "two")
    assert (tmp_path / "one/dataset.json").read_bytes() == (tmp_path / "two/dataset.json").read_bytes()


def test_a_file_that_was_changed_on_the_way_is_refused(ants: bytes, tmp_path: Path, online: pytest.MonkeyPatch) -> None:
    with serving(Behaviour(ants[:-1] + b"x")) as url:
        served(online, "hymenoptera", url, ants)
        with pytest.raises(BadSource, match=r"not the expected file .* give the file with --from"):
            fetch("hymenoptera", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_download_that_breaks_off_says_how_to_go_on(ants: bytes, tmp_path: Path, online: pytest.MonkeyPatch) -> None:
    with serving(Behaviour(ants, cut_after=[500, 0, 0, 0])) as url:
        served(online, "hymenoptera", url, ants)
        with pytest.raises(Interrupted, match=r"500 of .* bytes are kept: run the same command again"):
            fetch("hymenoptera", tmp_path / "out")
        end = fetch("hymenoptera", tmp_path / "out")
    assert sum(end.counts["train"].values()) == 8


@pytest.mark.parametrize("name", ["hymenoptera", "pets", "microsoft-cats-dogs"])
def test_without_a_network_one_sentence_says_what_to_do(tmp_path: Path, name: str) -> None:
    words = (
        r"^\S+ is not in the cache, and FORENSICS_OFFLINE forbids downloads: download https://\S+ elsewhere .*--from"
    )
    with pytest.raises(Unreachable, match=words):
        fetch(name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_kaggle_is_told_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"^dogs-vs-cats is not in the cache.*--from"):
        fetch("dogs-vs-cats", tmp_path / "out")
    row = layout("dogs-vs-cats").row()
    assert (row.name, row.pattern) == ("dogs-vs-cats", r"(^|/)(cat|dog)\.\d+\.jpg$")
    assert SETS["dogs-vs-cats"].pattern != row.pattern, "which --real uses for cats alone"


def test_an_archive_that_was_downloaded_by_hand(tmp_path: Path) -> None:
    names = {f"train/{kind}.{number}.jpg": number + 50 * place
             for place, kind in enumerate(("cat", "dog")) for number in range(10)}  # fmt: skip
    archive = zipped(tmp_path / "train.zip", {**pictures(tmp_path / "made", names), "train/readme.jpg": b"x"})
    end = fetch("dogs-vs-cats", tmp_path / "out", given=archive)
    assert end.counts == {split: {"cat": n, "dog": n} for split, n in {"train": 8, "val": 1, "test": 1}.items()}
    assert sorted(path.name for path in (tmp_path / "out/test").rglob("*.jpg"))[0].startswith("cat.")


def test_pets_by_breed_and_by_species(tmp_path: Path) -> None:
    breeds = ("Abyssinian", "great_pyrenees", "Maine_Coon")
    names = {f"images/{breed}_{k}.jpg": k + 20 * place for place, breed in enumerate(breeds) for k in range(5)}
    archive = tar_gz(tmp_path / "images.tar.gz", pictures(tmp_path / "made", names))
    by_breed = fetch("pets", tmp_path / "breeds", given=archive)
    assert by_breed.counts["train"] == {"abyssinian": 4, "great_pyrenees": 4, "maine_coon": 4}
    species = fetch("pets-species", tmp_path / "species", given=archive, split="none")
    assert species.counts == {"all": {"cat": 10, "dog": 5}}
    assert sorted(path.name for path in (tmp_path / "species").iterdir()) == ["cat", "dataset.json", "dog"]


def test_another_archive_is_refused(ants: bytes, tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"^ants\.zip is not Kaggle's Dogs vs\. Cats: 0 of its 13 pictures .* 0 of 2"):
        fetch("dogs-vs-cats", tmp_path / "out", given=tmp_path / "ants.zip")
    with pytest.raises(BadSource, match="no folder and no archive"):
        fetch("dogs-vs-cats", tmp_path / "out", given=tmp_path / "nowhere.zip")


def test_unreadable_pictures_are_left_out_and_told(tmp_path: Path) -> None:
    folder = tmp_path / "pets"
    for number in range(6):
        write_picture(folder / f"Bombay_{number}.jpg", seed=number)
        write_picture(folder / f"beagle_{number}.jpg", seed=number + 10)
    (folder / "beagle_5.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    end = fetch("pets", tmp_path / "out", given=folder, split="none")
    assert end.counts == {"all": {"beagle": 5, "bombay": 6}}
    assert [name for name, _ in end.left_out] == ["beagle_5.jpg"]
    assert json.loads((tmp_path / "out/dataset.json").read_text())["left_out"] == [list(one) for one in end.left_out]


def test_names_that_are_not_plain_are_numbered(tmp_path: Path) -> None:
    folder = tmp_path / "hymenoptera_data"
    for number, name in enumerate(
        ("train/ants/a b.JPG", "train/ants/.x.jpg", "train/bees/b.jpg", "train/bees/x/b.jpg")
    ):
        write_picture(folder / name, seed=number)
    end = fetch("hymenoptera", tmp_path / "out", given=folder)
    names = sorted(path.name for path in (tmp_path / "out").rglob("*.*") if path.name != "dataset.json")
    assert names == ["000000.jpg", "b.jpg"]
    assert end.counts == {"train": {"ants": 1, "bees": 1}}, "hidden files and deeper folders are none of the set"


def test_near_duplicates_stay_together_in_a_drawn_split(tmp_path: Path) -> None:
    folder = tmp_path / "pets"
    for number in range(20):
        path = write_picture(folder / f"Bombay_{number}.png", seed=number // 2)
        write_picture(folder / f"beagle_{number}.jpg", seed=number + 100)
        path.rename(path.with_suffix(".jpg"))
    fetch("pets", tmp_path / "out", given=folder, split="50/25/25")
    paths = sorted((tmp_path / "out").rglob("bombay/*.jpg"))
    groups = near_duplicate_groups(difference_hashes(paths)[0])
    assert len(set(groups)) == 10
    assert len({(group, path.parts[-3]) for group, path in zip(groups, paths, strict=True)}) == 10
    assert Counter(path.parts[-3] for path in paths) == {"train": 8, "val": 6, "test": 6}, "as near as pairs allow"


def test_a_split_depends_on_the_seed_alone() -> None:
    kinds, groups = ["a"] * 50 + ["b"] * 10, list(range(60))
    first = fetched.divided(kinds, groups, {"train": 80, "test": 20}, 0)
    assert first == fetched.divided(kinds, groups, {"train": 80, "test": 20}, 0)
    assert first != fetched.divided(kinds, groups, {"train": 80, "test": 20}, 1)
    assert Counter(zip(kinds, first, strict=True)) == {
        ("a", "train"): 40, ("a", "test"): 10, ("b", "train"): 8, ("b", "test"): 2,
    }  # fmt: skip


@pytest.mark.parametrize(("name", "split", "words"), [
    ("pets", "official", "No official split of pets is known here"),
    ("pets", "80/30", r"sum to 100, .* not '80/30'"),
    ("pets", "80", "not '80'"),
    ("pets", "a/b", "not 'a/b'"),
    ("pets", "25/25/25/25", "not '25/25/25/25'"),
])  # fmt: skip
def test_splits_that_there_are_not(tmp_path: Path, name: str, split: str, words: str) -> None:
    with pytest.raises(BadData, match=words):
        fetch(name, tmp_path / "out", split=split)


def test_a_cancelled_one_leaves_nothing_and_what_is_there_stays(ants: bytes, tmp_path: Path) -> None:
    events = fetched.fetch(layout("hymenoptera"), tmp_path / "out", cache=tmp_path / "c", given=tmp_path / "ants.zip")
    for event in events:
        if isinstance(event, Copied):
            break
    events.close()  # type: ignore[attr-defined]
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]
    write_picture(tmp_path / "out" / "mine.jpg")
    with pytest.raises(BadData, match="is there already; give a new folder with --out"):
        fetch("hymenoptera", tmp_path / "out", given=tmp_path / "ants.zip")


def test_unknown_names_and_doubled_rows() -> None:
    with pytest.raises(BadData, match="Did you mean hymenoptera"):
        layout("hymenopter")
    with pytest.raises(BadData, match="There are hymenoptera, flowers102, pets, "):
        layout("?")
    with pytest.raises(ValueError, match="two data sets are named"):
        by_name((*layouts.ROWS, layouts.ROWS[0]), "data sets")
    for row in LAYOUTS.values():
        assert row.source in SETS
        fetched.parts_of(row, row.split)
        assert replace(row, pattern=None).row().name == row.source
