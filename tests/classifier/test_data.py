"""Splits: the right classes, near-duplicates on one side only, stratified, the same every time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classifier.data import SPLITS, BadData, Labelled, difference_hash, near_duplicate_groups, open_data
from classifier.recipes import Data
from tests.conftest import lock, picture, write_picture


def fill(folder: Path, count: int, first_seed: int = 0) -> None:
    for seed in range(first_seed, first_seed + count):
        write_picture(folder / f"{seed:04}.png", 40, 36, seed=seed)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """30 pictures a class; the classes' names are not in the order they were made in."""
    fill(tmp_path / "real", 30)
    fill(tmp_path / "fake", 30, 1000)
    return tmp_path


def names(data: Labelled) -> dict[str, list[str]]:
    return {split: [str(item.path.relative_to(data.root)) for item in data.splits[split]] for split in SPLITS}


def test_an_image_folder_is_split_by_sorted_class_names(root: Path) -> None:
    data = open_data(root, Data(val=0.1, cal=0.1, test=0.2), 0)
    assert data.classes == ("fake", "real") and data.unreadable == ()
    for split, count in (("train", 18), ("val", 3), ("cal", 3), ("test", 6)):
        assert Counter(item.label for item in data.splits[split]) == {0: count, 1: count}
    for item in data.splits["train"]:
        assert data.classes[item.label] == item.path.parent.name == item.source
    everything = [name for found in names(data).values() for name in found]
    assert len(everything) == len(set(everything)) == 60


def test_the_seed_decides_and_nothing_else(root: Path) -> None:
    spec = Data()
    assert names(open_data(root, spec, 3)) == names(open_data(root, spec, 3))
    assert names(open_data(root, spec, 3)) != names(open_data(root, spec, 4))


def test_splits_without_train_are_no_classes(tmp_path: Path) -> None:
    for split in ("val", "test"):
        for kind in ("a", "b"):
            fill(tmp_path / split / kind, 2)
    with pytest.raises(BadData, match=r"has val/ and test/ but no train/"):
        open_data(tmp_path, Data(), 0)
    fill(tmp_path / "other", 2)  # then they are names like any other
    assert open_data(tmp_path, Data(val=0, cal=0, test=0), 0).classes == ("other", "test", "val")


def test_splits_that_the_folder_has_are_kept(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "val", "test")):
        for place, name in enumerate(("b", "a")):
            fill(tmp_path / split / name, 10 if split == "train" else 3, 1000 * number + 100 * place)
    data = open_data(tmp_path, Data(val=0.3, cal=0.2, test=0.3), 0)
    assert data.classes == ("a", "b")
    found = names(data)
    assert len(found["val"]) == 6 == len(found["test"]) and all(name.startswith("val/") for name in found["val"])
    assert all(name.startswith("test/") for name in found["test"])
    assert len(found["cal"]) == 4 and len(found["train"]) == 16
    assert all(name.startswith("train/") for name in found["train"] + found["cal"])


def test_named_sources_are_stratified_and_held_out_ones_go_to_test(tmp_path: Path) -> None:
    for number, folder in enumerate(("cats", "dogs", "gan", "diffusion", "new")):
        fill(tmp_path / folder, 20, 100 * number)
    spec = Data(
        classes={"real": ("cats", "dogs"), "fake": ("gan", "diffusion", "new")},
        holdout=("new",), val=0.1, cal=0.1, test=0.2,
    )  # fmt: skip
    data = open_data(tmp_path, spec, 0)
    for split, count in (("train", 12), ("val", 2), ("cal", 2), ("test", 4)):
        sources = Counter(item.source for item in data.splits[split])
        assert sources.pop("new", 0) == (20 if split == "test" else 0)
        assert sources == dict.fromkeys(("cats", "dogs", "gan", "diffusion"), count)


def test_near_duplicates_never_straddle_splits(tmp_path: Path) -> None:
    """Resized and recompressed copies of a picture all lie in the split of the picture."""
    for seed in range(24):
        name = ("fake", "real")[seed % 2]
        write_picture(tmp_path / name / f"{seed}.png", 96, 80, seed=seed)
        small = Image.fromarray(picture(96, 80, seed=seed)).resize((60, 50), Image.Resampling.LANCZOS)
        small.save(tmp_path / name / f"{seed}-small.png")
        small.save(tmp_path / name / f"{seed}-again.jpg", quality=70)
        (tmp_path / name / f"{seed}-same.webp").write_bytes((tmp_path / name / f"{seed}.png").read_bytes())
    for seed in range(4):
        data = open_data(tmp_path, Data(val=0.2, cal=0.2, test=0.2), seed)
        places: dict[str, set[str]] = {}
        for split in SPLITS:
            for item in data.splits[split]:
                places.setdefault(item.path.stem.partition("-")[0], set()).add(split)
        assert len(places) == 24 and all(len(where) == 1 for where in places.values())
        assert all(data.splits[split] for split in SPLITS)


def test_a_copy_of_a_test_picture_is_not_trained_on(tmp_path: Path) -> None:
    for place, name in enumerate(("fake", "real")):
        fill(tmp_path / "train" / name, 6, 100 * place)
        fill(tmp_path / "test" / name, 3, 1000 + 100 * place)
    Image.open(tmp_path / "test/fake/1000.png").convert("RGB").save(tmp_path / "train/fake/copy.jpg", quality=80)
    data = open_data(tmp_path, Data(val=0, cal=0, test=0), 0)
    assert len(data.splits["train"]) == 12
    assert not any(item.path.name == "copy.jpg" for split in SPLITS for item in data.splits[split])


def test_files_that_cannot_be_read_are_listed_not_hidden(root: Path) -> None:
    (root / "fake" / "text.jpg").write_text("text")
    (root / "real" / "half.png").write_bytes((root / "real" / "0000.png").read_bytes()[:200])
    (root / "real" / "notes.txt").write_text("not a picture by its name")
    data = open_data(root, Data(), 0)
    assert {path.name for path, _ in data.unreadable} == {"text.jpg", "half.png"}
    assert all(reason.endswith(".") for _, reason in data.unreadable)
    assert sum(len(found) for found in data.splits.values()) == 60


def write_text(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("text")


def strange_class(root: Path) -> None:
    for number, name in enumerate(("train/a", "train/b", "val/c")):
        fill(root / name, 3, 50 * number)


def unreadable_class(root: Path) -> None:
    fill(root / "a", 3)
    write_text(root / "b" / "x.jpg")


def empty_class(root: Path) -> None:
    fill(root / "a", 3)
    (root / "b").mkdir()


@pytest.mark.parametrize(
    ("make", "spec", "says"),
    [
        (lambda root: root.rmdir(), Data(), "no data folder"),
        (lambda root: None, Data(), "no class folder"),
        (lambda root: fill(root / "only", 3), Data(), "only the class 'only'"),
        (empty_class, Data(), "class 'b'"),
        (lambda root: fill(root / "a", 3), Data(classes={"x": ("a",), "y": ("b",)}), "'b' (class y)"),
        (lambda root: fill(root / "a", 3), Data(classes={"x": ("a",)}), "only the class 'x'"),
        (strange_class, Data(), "class 'c'"),
        (unreadable_class, Data(), "No readable picture of the class 'b'"),
    ],
    ids=[
        "gone",
        "empty",
        "one-class",
        "empty-class",
        "no-source",
        "one-named-class",
        "strange-class",
        "unreadable-class",
    ],
)
def test_folders_that_cannot_be_trained_on(tmp_path: Path, make: Callable[[Path], None], spec: Data, says: str) -> None:
    make(tmp_path)
    with pytest.raises(BadData) as caught:
        open_data(tmp_path, spec, 0)
    assert says in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a"])
def test_a_folder_that_may_not_be_read_is_named(root: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    fill(root / "a", 2)
    lock(monkeypatch, root / name)
    with pytest.raises(BadData) as caught:
        open_data(root, Data(), 0)
    assert str(caught.value) == f"{root / name} may not be read: change its permissions, or give another folder."


def test_links_to_folders_are_not_followed_and_hidden_folders_are_no_classes(root: Path) -> None:
    (root / "fake" / "loop").symlink_to(root, target_is_directory=True)
    fill(root / ".cache", 2, 5000)
    data = open_data(root, Data(), 0)
    assert data.classes == ("fake", "real")
    assert sum(len(found) for found in data.splits.values()) == 60


def test_the_hash_survives_copies_and_tells_pictures_apart() -> None:
    hashes = [difference_hash(picture(96, 80, seed=seed)) for seed in range(60)]
    assert len(set(near_duplicate_groups(np.array(hashes, np.uint64)))) == 60
    small = np.asarray(Image.fromarray(picture(96, 80)).resize((48, 40), Image.Resampling.BICUBIC))
    assert bin(difference_hash(small) ^ hashes[0]).count("1") <= 4


def test_groups_are_linked_in_chains() -> None:
    chain = np.array([0, 0b111, 0b111111, 2**63 - 1], np.uint64)
    groups = near_duplicate_groups(chain, bits=3)
    assert groups[0] == groups[1] == groups[2] != groups[3]
    assert near_duplicate_groups(np.array([], np.uint64)) == []
