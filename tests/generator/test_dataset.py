"""A data set is exactly what was asked for, the same bytes every time, and nothing is ever written over."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from classifier.data import BadData, open_data
from classifier.recipes import Data
from generator.contact_sheet import SHEET
from generator.dataset import FAKES, MAKING, PLAN, Dataset, build, pending
from generator.equalize import Equalize
from generator.imagefolder import DatasetSpec
from generator.reals import BadSource
from generator.record import RECORD
from generator.sampler import SampleSpec
from generator.weights import Model, open_model
from tests.generator.models import save_tiny, tiny_network, tiny_scheduler

SAMPLING = SampleSpec(steps=2, batch_size=4, device="cpu")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("model") / "tiny"
    tiny_network(sample_size=32).save_pretrained(folder / "unet")
    tiny_scheduler().save_pretrained(folder / "scheduler")
    return open_model(str(folder), device="cpu")


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fourteen pictures of two formats and several sizes, and one that is none."""
    folder, rng = tmp_path_factory.mktemp("reals"), np.random.default_rng(5)
    for index in range(14):
        picture = Image.fromarray(rng.integers(0, 255, (6, 7, 3), np.uint8)).resize((70 + 3 * index, 60 + index))
        picture.save(folder / (f"{index}.png" if index % 2 else f"{index}.jpg"), exif=Image.Exif())
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 nothing")
    return folder


def spec_of(photographs: Path | str, count: int = 9, **changes: Any) -> DatasetSpec:
    split = changes.pop("split", {"train": 6, "val": count - 6})
    return replace(DatasetSpec(count, split, str(photographs), SAMPLING, Equalize(size=40)), **changes)


def made(spec: DatasetSpec, model: Model, out: Path, *, resume: bool = False) -> Dataset:
    end = list(build(spec, model, out, cache=out.parent / "cache", resume=resume))[-1]
    assert isinstance(end, Dataset)
    return end


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*")) if path.is_file()
    }  # fmt: skip


def test_both_classes_are_of_the_asked_number_and_differ_in_no_setting(
    tmp_path: Path, model: Model, photographs: Path
) -> None:
    end = made(spec_of(photographs), model, tmp_path / "out")
    assert end.counts == {"train": {"fake": 6, "real": 6}, "val": {"fake": 3, "real": 3}}
    assert end.unreadable <= 1
    tables = set()
    for path in (tmp_path / "out").rglob("*.jpg"):
        with Image.open(path) as picture:
            assert picture.size == (40, 40)
            assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
            tables.add(str(picture.quantization))
    assert len(tables) == 1
    found = open_data(tmp_path / "out", Data(val=0.1, cal=0.0, test=0.0), 0)
    assert {split: len(items) for split, items in found.splits.items()} == {"train": 12, "val": 6, "cal": 0, "test": 0}


def test_the_record_names_every_file_and_where_it_came_from(tmp_path: Path, model: Model, photographs: Path) -> None:
    made(spec_of(photographs), model, tmp_path / "out")
    record = json.loads((tmp_path / "out" / RECORD).read_text())
    files = {name: digest for name, digest in contents(tmp_path / "out").items() if name not in (RECORD, SHEET)}
    assert {entry["path"]: entry["sha256"] for entry in record["files"]} == files
    fakes = [entry for entry in record["files"] if entry["class"] == "fake"]
    assert sorted(entry["seed"] for entry in fakes) == list(range(9))
    for entry in record["files"]:
        if entry["class"] == "real":
            assert (photographs / entry["original"]).is_file() or (photographs.parent / entry["original"]).is_file()
    assert record["equalize"]["size"] == 40
    assert record["fakes"]["steps"] == 2
    assert all(entry.get("enlarged") for entry in fakes)  # 32 px became 40


def test_the_same_arguments_give_the_same_bytes_and_another_seed_does_not(
    tmp_path: Path, model: Model, photographs: Path
) -> None:
    for name in ("one", "two"):
        made(spec_of(photographs), model, tmp_path / name)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    made(spec_of(photographs, sampling=replace(SAMPLING, seed=100)), model, tmp_path / "other")
    one, other = contents(tmp_path / "one"), contents(tmp_path / "other")
    assert one["train/fake/00000.jpg"] != other["train/fake/00000.jpg"]


@pytest.mark.parametrize("events", range(0, 12, 2))
def test_stopped_anywhere_and_resumed_it_is_the_same_data_set(
    tmp_path: Path, model: Model, photographs: Path, events: int
) -> None:
    made(spec_of(photographs), model, tmp_path / "whole")
    job = build(spec_of(photographs), model, tmp_path / "cut", cache=tmp_path / "cache")
    for _ in range(events):
        next(job)
    job.close()  # type: ignore[attr-defined]
    made(spec_of(photographs), model, tmp_path / "cut", resume=True)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")
    assert not (tmp_path / "cut" / MAKING).exists()


def test_stopped_while_moving_into_place_it_is_finished(tmp_path: Path, model: Model, photographs: Path) -> None:
    spec, out = spec_of(photographs), tmp_path / "out"
    made(spec, model, out)
    whole, work = contents(out), out / MAKING
    (work / "files").mkdir(parents=True)
    for name in ("val", RECORD):
        (out / name).rename(work / "files" / name)
    record = json.loads((work / "files" / RECORD).read_text())
    (work / PLAN).write_text(json.dumps(record["plan"]))
    made(spec, model, out, resume=True)
    assert contents(out) == whole


def test_what_is_there_is_never_touched(tmp_path: Path, model: Model, photographs: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("do not lose")
    (tmp_path / "file").write_text("a file")
    for name, match in (("mine", "not empty"), ("file", "is a file")):
        with pytest.raises(BadData, match=match):
            made(spec_of(photographs), model, tmp_path / name)
    assert contents(tmp_path / "mine") == {"thesis.txt": hashlib.sha256(b"do not lose").hexdigest()}
    spec = spec_of(photographs)
    assert made(spec, model, tmp_path / "out").made
    before = contents(tmp_path / "out")
    assert not made(spec, model, tmp_path / "out").made
    assert pending(spec, model, tmp_path / "out") == 0
    assert pending(spec, model, tmp_path / "other") == spec.count
    with pytest.raises(BadData, match=r"made otherwise \(different: steps\)"):
        made(spec_of(photographs, sampling=replace(SAMPLING, steps=3)), model, tmp_path / "out")
    assert contents(tmp_path / "out") == before


def test_an_interrupted_one_is_gone_on_with_only_when_asked_and_only_as_begun(
    tmp_path: Path, model: Model, photographs: Path
) -> None:
    job = build(spec_of(photographs), model, tmp_path / "out", cache=tmp_path / "cache")
    for _ in range(6):
        next(job)
    job.close()  # type: ignore[attr-defined]
    with pytest.raises(BadData, match="--resume"):
        made(spec_of(photographs), model, tmp_path / "out")
    with pytest.raises(BadData, match=r"begun otherwise \(different: size\)"):
        made(spec_of(photographs, equalize=Equalize(size=48)), model, tmp_path / "out", resume=True)


def test_what_others_put_into_an_interrupted_one_is_named_and_kept(
    tmp_path: Path, model: Model, photographs: Path
) -> None:
    spec, out = spec_of("none", 4, split={"train": 3, "val": 1}), tmp_path / "out"
    job = build(spec, model, out, cache=tmp_path / "cache")
    while not (out / MAKING / FAKES).is_dir():
        next(job)
    job.close()  # type: ignore[attr-defined]
    (out / "notes.txt").write_text("no part of it")
    for name in (SHEET, "train/real/mine.jpg", "test/real"):
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine") if path.suffix else path.mkdir()
        for check in (pending, lambda *a, **k: next(build(*a, cache=tmp_path / "cache", **k))):
            with pytest.raises(BadData, match=f"^{out / name} is no part of the data set"):
                check(spec, model, out, resume=True)
        assert path.is_dir() or path.read_text() == "mine"
        shutil.rmtree(out / name.split("/")[0]) if "/" in name else path.unlink()
    job = build(spec, model, out, cache=tmp_path / "cache", resume=True)
    next(job)
    (out / "val/fake").mkdir(parents=True)
    (out / "val/fake/mine.jpg").write_text("mine")
    with pytest.raises(BadData, match=r"val/fake/mine\.jpg is no part"):
        list(job)
    assert sorted(path.name for path in out.iterdir()) == [MAKING, "notes.txt", "val"]
    shutil.rmtree(out / "val")
    assert made(spec, model, out, resume=True).counts == {"train": {"fake": 3}, "val": {"fake": 1}}


def test_a_place_that_takes_nothing_is_refused_before_sampling(tmp_path: Path, model: Model, photographs: Path) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path / "file/inside", photographs / "inside", photographs / "../" / photographs.name / "inside"):
        with pytest.raises(BadData, match="--out"):
            pending(spec_of(photographs), model, out)
        assert not out.exists()


def test_fewer_reals_than_asked_leaves_nothing_behind(tmp_path: Path, model: Model, photographs: Path) -> None:
    with pytest.raises(BadData, match=r"14 usable pictures \(1 cannot be used: .*; 30 are needed"):
        made(spec_of(photographs, 30, split={"train": 20, "val": 10}), model, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_reals_there_are_only_fakes(tmp_path: Path, model: Model) -> None:
    end = made(spec_of("none", 4, split={"train": 3, "val": 1}), model, tmp_path / "out")
    assert end.counts == {"train": {"fake": 3}, "val": {"fake": 1}}
    assert end.reals is None


def test_png_and_matched_quality_go_through_the_same_hands(tmp_path: Path, model: Model, photographs: Path) -> None:
    made(spec_of(photographs, equalize=Equalize(size=32, format="png")), model, tmp_path / "png")
    assert len(list((tmp_path / "png").rglob("*.png"))) == 18 + 1  # and the contact sheet
    made(spec_of(photographs, equalize=Equalize(size=32, match_quality=True)), model, tmp_path / "matched")
    record = json.loads((tmp_path / "matched" / RECORD).read_text())
    assert len(record["equalize"]["drawn"]) == 9


def test_the_contact_sheet_shows_both_classes(tmp_path: Path, model: Model, photographs: Path) -> None:
    made(spec_of(photographs), model, tmp_path / "out")
    with Image.open(tmp_path / "out" / SHEET) as sheet:
        pixels = np.asarray(sheet.convert("RGB"))
    assert (pixels == 255).all(axis=2).mean() < 0.9
    half = pixels.shape[1] // 2
    for side in (pixels[:, :half], pixels[:, half:]):
        assert ((side != 255).any(axis=2)).mean() > 0.05


def test_a_finished_set_that_was_damaged_is_not_called_whole(tmp_path: Path, model: Model, photographs: Path) -> None:
    spec, out = spec_of(photographs), tmp_path / "out"
    made(spec, model, out)
    (out / "train/fake/00000.jpg").write_bytes(b"x")
    with pytest.raises(BadData, match=r"train/fake/00000.jpg is gone or was changed"):
        made(spec, model, out)
    (out / "train/fake/00000.jpg").unlink()
    with pytest.raises(BadData, match=r"train/fake/00000.jpg is gone or was changed"):
        pending(spec, model, out)


def test_two_at_once_do_not_write_into_one_folder(tmp_path: Path, model: Model, photographs: Path) -> None:
    spec, out = spec_of(photographs), tmp_path / "out"
    first = build(spec, model, out, cache=tmp_path / "cache")
    while not (out / MAKING / PLAN).is_file():
        next(first)
    with pytest.raises(BadData, match="Another program is making a data set"):
        made(spec, model, out, resume=True)
    assert isinstance(list(first)[-1], Dataset)


def test_what_cannot_end_well_is_refused_before_it_begins(tmp_path: Path, model: Model, photographs: Path) -> None:
    with pytest.raises(BadData, match="--match-quality"):
        made(spec_of("none", equalize=Equalize(match_quality=True)), model, tmp_path / "out")
    tiny = open_model(str(save_tiny(tmp_path / "tiny")), device="cpu")
    with pytest.raises(BadData, match="16 px; under 32 px"):
        made(spec_of(photographs), tiny, tmp_path / "out")
    (tmp_path / "set/Fake").mkdir(parents=True)
    Image.new("RGB", (64, 64)).save(tmp_path / "set/Fake/one.png")
    for folder in (tmp_path / "set", tmp_path / "set/Fake"):
        with pytest.raises(BadSource, match="folder named fake"):
            made(spec_of(folder), model, tmp_path / "out")
    assert not (tmp_path / "out").exists()
