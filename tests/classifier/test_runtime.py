"""Judging on onnxruntime: one picture or many, with the map or without, gives the same numbers."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from classifier.preprocess import Regions, regions
from classifier.preprocess_spec import Preprocess
from classifier.runtime import MAX_MAP_PX, Detector, assemble, softmax
from tests.conftest import ROOT, picture

SHAPES = [(96, 80), (300, 200), (40, 200), (33, 32), (64, 64), (65, 129)]


@pytest.fixture(scope="module")
def detector(detector_folder: Path) -> Detector:
    return Detector(detector_folder, threads=1)


def test_a_batch_gives_what_the_pictures_give_one_by_one(detector: Detector) -> None:
    pictures = [picture(*shape, seed=seed) for seed, shape in enumerate(SHAPES)]
    batch = detector.predict(pictures)
    assert batch.shape == (len(pictures), 2)
    for row, one in zip(batch, pictures, strict=True):
        judged = detector.judge(one)
        assert row == pytest.approx(judged.probabilities, abs=1e-5)
        assert row.sum() == pytest.approx(1)
        assert judged.heat is None
    assert np.ptp(batch[:, 0]) > 1e-4  # the pictures do differ
    assert detector.predict([]).shape == (0, 2)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_map_changes_no_number_and_belongs_to_its_class(detector: Detector, shape: tuple[int, int]) -> None:
    one = picture(*shape, seed=3)
    plain, fake = detector.judge(one), detector.judge(one, heat_class="fake")
    assert fake.probabilities == pytest.approx(plain.probabilities, abs=1e-6)
    real = detector.judge(one, heat_class="real").heat
    assert fake.heat is not None and real is not None
    assert fake.heat.values.shape == one.shape[:2] == real.values.shape
    assert fake.heat.values.min() >= 0 and fake.heat.values.max() in (0, pytest.approx(1))
    assert not np.array_equal(fake.heat.values, real.values)


def test_probabilities_are_the_calibrated_softmax_of_the_mean_logits(detector: Detector) -> None:
    one = picture(300, 200)
    judged = detector.judge(one)
    looked = regions(one, detector.card.preprocess)
    assert len(looked.batch) == 4
    (logits,) = detector.forward(looked.batch)
    assert judged.logits == pytest.approx(logits.mean(axis=0), abs=1e-6)
    assert judged.probabilities == pytest.approx(softmax(judged.logits / 1.5))


def test_softmax_does_not_overflow() -> None:
    assert softmax(np.array([[1e4, 0.0], [-1e4, 1e4]])) == pytest.approx(np.array([[1, 0], [0, 1]]))


def test_threads_share_a_detector(detector: Detector) -> None:
    pictures = [picture(120, 90, seed=seed) for seed in range(8)]
    wanted, got = detector.predict(pictures), np.zeros((8, 2))

    def work(index: int) -> None:
        got[index] = detector.judge(pictures[index]).probabilities

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == pytest.approx(wanted, abs=1e-5)


def one_hot_maps(count: int) -> np.ndarray:
    maps = np.zeros((count, 4, 4), np.float32)
    maps[:, 0, 0] = np.arange(1, count + 1)
    return maps


@pytest.mark.parametrize("shape", [(200, 300), (300, 200), (64, 64), (100, 64), (32, 500), (1500, 4000), (9000, 70)])
def test_regions_lie_on_the_picture_where_they_were_cut(shape: tuple[int, int]) -> None:
    height, width = shape
    spec = Preprocess(kind="tiles", size=64, tiles=3)
    looked = regions(np.zeros((height, width, 3), np.uint8), spec)
    heat = assemble(np.ones((len(looked.boxes), 4, 4), np.float32), looked, shape)
    scale = min(1, MAX_MAP_PX / max(shape))
    assert heat.values.shape == (max(1, round(height * scale)), max(1, round(width * scale)))
    for left, top, right, bottom in heat.boxes:
        assert 0 <= left < right <= width and 0 <= top < bottom <= height
        part = heat.values[round(top * scale) : round(bottom * scale), round(left * scale) : round(right * scale)]
        assert part.min() == 1
    covered = sum((right - left) * (bottom - top) for left, top, right, bottom in heat.boxes) * scale**2
    assert heat.values.sum() <= covered * 1.1 + 40


def test_the_hottest_region_is_one_and_the_others_keep_their_proportion() -> None:
    spec = Preprocess(kind="tiles", size=64, tiles=2)
    looked = regions(np.zeros((128, 128, 3), np.uint8), spec)
    heat = assemble(one_hot_maps(4), looked, (128, 128))
    assert heat.values[0, 0] == pytest.approx(0.25)
    assert heat.values[0, 64] == pytest.approx(0.5)
    assert heat.values[64, 64] == pytest.approx(1)
    assert heat.values[40, 40] == 0


def test_overlapping_regions_are_averaged_and_a_cold_map_stays_cold() -> None:
    boxes = ((0, 0, 10, 10), (5, 0, 15, 10))
    looked = Regions(np.zeros((2, 3, 10, 10), np.float32), boxes)
    maps = np.stack([np.full((2, 2), 1.0), np.full((2, 2), 3.0)]).astype(np.float32)
    heat = assemble(maps, looked, (10, 20))
    assert [float(heat.values[5, x]) for x in (2, 7, 12, 17)] == pytest.approx([1 / 3, 2 / 3, 1, 0])
    assert assemble(np.zeros_like(maps), looked, (10, 20)).values.max() == 0


def test_padding_is_cut_off_the_map_of_a_picture_smaller_than_a_tile() -> None:
    """The network saw a mirrored copy at the right and below; the map shows the picture's own part only."""
    spec = Preprocess(kind="tiles", size=64, tiles=2)
    looked = regions(picture(40, 48), spec)
    assert looked.boxes == ((0, 0, 64, 64),)
    beside = np.zeros((1, 64, 64), np.float32)
    beside[:, :, 44:] = 1  # hot in the padding only
    heat = assemble(beside, looked, (48, 40))
    assert heat.values.max() == 0
    assert heat.boxes == ((0, 0, 40, 48),)
    beside[:, 30, 20] = 1
    values = assemble(beside, looked, (48, 40)).values
    assert np.argwhere(values == 1).tolist() == [[30, 20]]


def test_judging_loads_neither_torch_nor_matplotlib_nor_qt(bundled: Path) -> None:
    code = (
        "import sys, numpy as np\nfrom classifier.runtime import Detector\n"
        "Detector.load(sys.argv[1], threads=1).judge(np.zeros((300, 300, 3), np.uint8), heat_class='fake')\n"
        "print([name for name in ('torch', 'torchvision', 'matplotlib', 'PySide6', 'scipy') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code, bundled], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
    assert not answer.stderr
