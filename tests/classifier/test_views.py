"""Test-time augmentation: views are what they say, a mean is a mean, and one view alone is what evaluate measures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifier.data import Item
from classifier.degradations import degradation
from classifier.evaluate import Batch, evaluate, labelled
from classifier.metrics import Metrics
from classifier.preprocess import regions
from classifier.preprocess_spec import Preprocess
from classifier.runtime import Detector, calibrated
from classifier.views import VIEWS, Averaged, BadViews, View, averaged, compare, look, views
from tests.classifier.pictures import write_folder
from tests.conftest import picture


@pytest.fixture(scope="module")
def detector(detector_folder: Path) -> Detector:
    return Detector(detector_folder, threads=1)


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory, detector: Detector) -> tuple[Item, ...]:
    root = write_folder(tmp_path_factory.mktemp("views") / "data", n=7, side_px=80)
    return labelled(detector.card, root, None)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("2", ["as it is", "mirrored"]),
        ("flip", ["as it is", "mirrored"]),
        ("crops", ["as it is", "top left", "top right", "bottom left", "bottom right"]),
        ("3", ["as it is", "mirrored", "top left"]),
    ],
)
def test_views_by_number_or_name(asked: str, names: list[str]) -> None:
    assert [view.name for view in views(asked)] == names


def test_ten_crops() -> None:
    assert views("10") == views("flip, crops") == VIEWS
    assert len({view.name for view in VIEWS}) == 10


@pytest.mark.parametrize("asked", ["1", "11", "0", "flips", "flip;crops", "", "-3"])
def test_unknown_views_are_one_sentence(asked: str) -> None:
    with pytest.raises(BadViews, match="from 2 to 10"):
        views(asked)


@pytest.mark.parametrize("kind", ["resize", "tiles"])
def test_a_corner_is_where_it_says(kind: str) -> None:
    pixels = picture(200, 150)
    spec = Preprocess(kind=kind, size=48, resize=64, tiles=2)  # type: ignore[arg-type]
    middle = regions(pixels, spec)
    moved = {at: regions(pixels, spec, at) for at in ((-1, -1), (1, -1), (-1, 1), (1, 1))}
    assert min(box[0] for box in moved[-1, -1].boxes) == min(box[1] for box in moved[-1, -1].boxes) == 0
    assert max(box[2] for box in moved[1, 1].boxes) == 200
    assert max(box[3] for box in moved[1, 1].boxes) == 150
    for at, found in moved.items():
        for box, centre in zip(found.boxes, middle.boxes, strict=True):
            assert np.sign(box[0] - centre[0]) == at[0]
            assert np.sign(box[1] - centre[1]) == at[1]
            assert abs((box[2] - box[0]) - (centre[2] - centre[0])) <= 1
        assert found.batch.shape == middle.batch.shape


def test_tiles_of_a_corner_hold_the_pixels_of_their_box() -> None:
    pixels = picture(130, 110)
    spec = Preprocess(kind="tiles", size=48, tiles=2, mean=(0, 0, 0), std=(1, 1, 1))
    found = regions(pixels, spec, (1, -1))
    for tile, (left, top, right, bottom) in zip(found.batch, found.boxes, strict=True):
        assert (np.rint(tile * 255) == np.moveaxis(pixels[top:bottom, left:right], -1, 0)).all()


def test_a_view_is_judged_as_the_picture_that_it_shows(detector: Detector) -> None:
    pixels = picture(96, 80)
    found = look(detector, pixels, VIEWS)
    assert found.shape == (10, 2)
    assert (found[0] == detector.judge(pixels).logits).all()
    assert (found[1] == detector.judge(pixels[:, ::-1].copy()).logits).all()
    twice = look(detector, pixels[:, ::-1].copy(), (View(mirrored=True),))
    assert (twice[0] == found[0]).all()
    assert len(np.unique(found, axis=0)) == 10


def test_a_mean_is_a_mean(detector: Detector) -> None:
    logits = np.random.default_rng(0).normal(size=(4, 3, 2)) * 5
    p = averaged(logits, detector, "probabilities")
    assert np.allclose(p, np.mean([calibrated(logits[:, view], detector.card) for view in range(3)], axis=0))
    assert np.allclose(averaged(logits, detector, "logits"), calibrated(logits.mean(axis=1), detector.card))
    assert (averaged(logits[:, :1], detector, "logits") == averaged(logits[:, :1], detector, "probabilities")).all()


def test_beside_one_view_alone(detector: Detector, items: tuple[Item, ...]) -> None:
    *batches, found = compare(detector, items, views("3"), degrade=degradation("jpeg50"))
    assert isinstance(found, Averaged)
    assert batches[-1] == Batch(14, 14)
    *_, plain = evaluate(detector, items, degrade="jpeg50")
    assert isinstance(plain, Metrics)
    one = found.ways[0]
    assert (one.metrics.confusion, one.metrics.coverage, one.ece.value) == (plain.confusion, plain.coverage, plain.ece)
    assert one.difference is None
    for way in found.ways[1:]:
        assert way.difference is not None
        assert way.ece_difference is not None
        change = way.metrics.balanced_accuracy.value - one.metrics.balanced_accuracy.value
        assert way.difference.value == pytest.approx(change)
        assert way.ece_difference.value == pytest.approx(way.ece.value - one.ece.value)
        assert found.by_count[way.name][2] == way.metrics.balanced_accuracy
        assert found.by_count[way.name][0] == one.metrics.balanced_accuracy
        assert found.ece_by_count[way.name][2] == way.ece
    assert 2 < found.slower.value < 5
    assert found.alike == 0
    assert found.degrade == "jpeg50"


def test_pictures_without_room_are_counted(tmp_path: Path, detector: Detector) -> None:
    items = labelled(detector.card, write_folder(tmp_path / "small", n=2, side_px=40), None)
    *_, found = compare(detector, items, views("crops"))
    assert isinstance(found, Averaged)
    assert found.alike == 4
