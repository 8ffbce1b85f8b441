"""Drawn data sets: whole or not there, the same bytes for a seed, and nothing but the shape tells the classes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from classifier.data import BadData, find_pictures, open_data
from classifier.images import load
from classifier.recipes import Data
from generator import heads, synthetic
from generator.file_facts import file_facts
from generator.synthetic import Drawn, Synthetic, SyntheticSpec, kinds_of
from tests.generator.sets import audited


def made(out: Path, spec: SyntheticSpec) -> Synthetic:
    *events, last = synthetic.make(spec, out)
    assert all(isinstance(event, Drawn) for event in events)
    assert isinstance(last, Synthetic)
    return last


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.*"))
    }


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """150 pictures of each of two kinds, in 96 px."""
    folder = tmp_path_factory.mktemp("synthetic") / "heads"
    made(folder, SyntheticSpec(n=300, size=96))
    return folder


def test_splits_and_classes_have_the_numbers_that_were_asked_for(drawn: Path) -> None:
    record = json.loads((drawn / "dataset.json").read_text())
    assert record["counts"]["train"] == {"cat": 107, "dog": 107}
    assert sum(count for found in record["counts"].values() for count in found.values()) == 300
    found = find_pictures(drawn, Data())
    assert {split: {kind: len(files) for kind, files in of.items()} for split, of in found.items()} == record["counts"]
    assert record["plan"] == {"n": 300, "kinds": ["cat", "dog"], "size": 96, "seed": 0}
    files = {entry["path"]: entry["sha256"] for entry in record["files"]}
    assert files == {name: one for name, one in digests(drawn).items() if name.endswith(".jpg")}


def test_1400_pictures_are_1000_200_and_200() -> None:
    jobs = list(synthetic._jobs(SyntheticSpec()))
    assert [sum(job.split == split for job in jobs) for split in ("train", "val", "test")] == [1000, 200, 200]


def test_the_same_seed_gives_the_same_bytes_and_another_others(tmp_path: Path) -> None:
    spec = SyntheticSpec(n=20, size=64)
    for name, one in {"a": spec, "b": spec, "c": SyntheticSpec(n=20, size=64, seed=1)}.items():
        made(tmp_path / name, one)
    first, again, other = (digests(tmp_path / name) for name in "abc")
    assert first == again
    assert len(first) == 22
    assert not set(first.values()) & set(other.values())


def test_a_picture_depends_on_its_seed_kind_and_number_alone(tmp_path: Path) -> None:
    made(tmp_path / "few", SyntheticSpec(n=15, kinds=("dog", "bear", "mouse"), size=64))
    made(tmp_path / "more", SyntheticSpec(n=40, kinds=("cat", "dog"), size=64))
    few, more = digests(tmp_path / "few"), digests(tmp_path / "more")
    assert [few[f"train/dog/{number:05}.jpg"] for number in range(3)] == [
        more[f"train/dog/{number:05}.jpg"] for number in range(3)
    ]


def test_no_file_tells_the_class(drawn: Path) -> None:
    found = audited(drawn, limit=160)
    assert found.verdict == "pass", found.reasons
    assert found.findings["file"].varying == 0, "not one fact of the files differs"
    assert not found.leaks.near
    assert found.findings["picture"].facts[0].auc < 0.65, "no single cheap look tells it either"


def test_files_are_alike_and_carry_no_metadata(drawn: Path) -> None:
    facts = [file_facts(load(path)) for path in sorted(drawn.rglob("*.jpg"))[:40]]
    assert all(one == facts[0] for one in facts)
    assert (facts[0]["metadata"], facts[0]["width"], facts[0]["JPEG quality"]) == ("none", 96.0, 90.0)


def test_every_head_is_inside_its_box(drawn: Path) -> None:
    for entry in json.loads((drawn / "dataset.json").read_text())["files"]:
        left, top, right, bottom = entry["box"]
        assert 0 <= left < right <= 96
        assert 0 <= top < bottom <= 96
        assert heads.AREA[0] < (right - left) * (bottom - top) / 96**2 < 0.8


@pytest.mark.parametrize("kind", heads.KINDS, ids=lambda kind: kind.name)
def test_nothing_outside_the_box_depends_on_the_kind(kind: heads.Kind) -> None:
    """Two kinds drawn from one state of chance differ where their heads are, and nowhere else."""
    other = heads.KINDS[0] if kind is not heads.KINDS[0] else heads.KINDS[1]
    one, two = (heads.draw(each, 128, np.random.default_rng(3)) for each in (kind, other))
    changed = np.argwhere((one.pixels != two.pixels).any(axis=2))
    low, high = changed.min(axis=0), changed.max(axis=0)
    assert low[1] >= min(one.box[0], two.box[0]) - 1
    assert low[0] >= min(one.box[1], two.box[1]) - 1
    assert high[1] <= max(one.box[2], two.box[2])
    assert high[0] <= max(one.box[3], two.box[3])


def test_kinds_are_equally_large() -> None:
    """The part of a picture that a head covers is the same for all kinds, to within the pixels of its edge."""
    scale = {kind.name: heads._area(kind) for kind in heads.KINDS}
    assert max(scale.values()) > 1.5 * min(scale.values()), "as outlines of radius 1 they are not"
    seen = {kind.name: np.mean([_covered(kind, seed) for seed in range(12)]) for kind in heads.KINDS}
    assert max(seen.values()) < 1.15 * min(seen.values()), seen


def _covered(kind: heads.Kind, seed: int) -> float:
    """Return which part of a picture a head covers, drawn white on black with nothing else."""
    from PIL import Image, ImageDraw

    canvas = Image.new("RGB", (400, 400))
    rng = np.random.default_rng(seed)
    heads._head(ImageDraw.Draw(canvas), kind, 400, np.full(3, 200.0), rng)
    return float((np.asarray(canvas).max(axis=2) > 0).mean())


def test_nothing_is_left_of_a_cancelled_one(tmp_path: Path) -> None:
    events = synthetic.make(SyntheticSpec(n=200, size=32), tmp_path / "out")
    assert next(events) == Drawn(64, 200)
    events.close()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(tmp_path: Path) -> None:
    for name in ("full", "file"):
        (tmp_path / name).mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "file").rmdir()
    (tmp_path / "file").write_text("mine")
    for name in ("full", "file"):
        with pytest.raises(BadData, match=rf"{name} is there already; give a new folder with --out"):
            made(tmp_path / name, SyntheticSpec(n=10, size=32))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full", "mine.txt"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    made(tmp_path, SyntheticSpec(n=10, size=32))
    data = open_data(tmp_path, Data(), 0)
    assert data.classes == ("cat", "dog")
    assert not data.unreadable


@pytest.mark.parametrize(("text", "words"), [
    ("1", "2 to 8 classes, not 1: cat, dog"),
    ("9", "2 to 8 classes, not 9"),
    ("cat", "Two or more different classes are needed, of cat, dog"),
    ("cat,cat", "Two or more different classes"),
    ("cat,dgo", "No 'dgo' can be drawn. Did you mean dog\\? There are cat, dog, "),
    ("cat,\u202e", r"No '\\u202e' can be drawn"),
])  # fmt: skip
def test_classes_that_there_are_not(text: str, words: str) -> None:
    with pytest.raises(BadData, match=words):
        SyntheticSpec(kinds=kinds_of(text))


@pytest.mark.parametrize(("changes", "words"), [
    ({"n": 9}, "between 10, 5 of each class, and 1,000,000, not 9"),
    ({"n": 10**7}, "not 10,000,000"),
    ({"size": 16}, "between 32 and 1024 px, not 16"),
])  # fmt: skip
def test_numbers_out_of_bounds(changes: dict[str, int], words: str) -> None:
    with pytest.raises(BadData, match=words):
        SyntheticSpec(**changes)  # type: ignore[arg-type]
    assert kinds_of("3") == ("cat", "dog", "rabbit")
    assert kinds_of(" cat , bear") == ("cat", "bear")
