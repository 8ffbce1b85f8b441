"""Eight bits: the new detector judges like the old one, says what it is, and is refused where it does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier.detector import Installed, open_folder
from classifier.evaluate import evaluate, labelled
from classifier.metrics import Metrics
from classifier.quantize import Limits, QuantizationRefused, Quantized, check, quantize
from classifier.runtime import Detector
from tests.classifier.pictures import write_folder
from tests.conftest import picture

LOOSE = Limits(shift=0.5, flipped=1.0)


@pytest.fixture(scope="module")
def installed(second_detector: Path) -> Installed:
    pytest.importorskip("onnx", reason="needs the extra 'train'")
    return open_folder(second_detector)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("int8") / "data", n=12, side_px=64)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, installed: Installed, data: Path) -> tuple[Quantized, Path]:
    """What was measured, and the detector's folder."""
    folder = tmp_path_factory.mktemp("int8") / "fast"
    *events, found = quantize(installed, data, folder, limits=LOOSE)
    assert {type(event).__name__ for event in events} >= {"Stage", "Ranging", "Batch"}
    assert isinstance(found, Quantized)
    assert found.id == open_folder(folder).id
    return found, folder


@pytest.fixture(scope="module")
def made(both: tuple[Quantized, Path]) -> Quantized:
    return both[0]


@pytest.fixture(scope="module")
def fast(both: tuple[Quantized, Path]) -> Path:
    return both[1]


def test_it_judges_like_the_one_it_was_made_from(fast: Path, installed: Installed) -> None:
    before, after = Detector(installed.folder), Detector(fast)
    for seed in range(3):
        pixels = picture(150, 140, seed=seed)
        one, two = before.judge(pixels, heat_class="fake"), after.judge(pixels, heat_class="fake")
        assert np.abs(one.probabilities - two.probabilities).max() < 0.05
        assert not (one.logits == two.logits).all()
        assert one.heat is not None
        assert two.heat is not None
        assert np.corrcoef(one.heat.values.ravel(), two.heat.values.ravel())[0, 1] > 0.95
        assert one.heat.boxes == two.heat.boxes


def test_its_weights_are_bytes_and_its_card_says_so(made: Quantized, fast: Path, installed: Installed) -> None:
    from safetensors import safe_open

    with safe_open(fast / "weights.safetensors", framework="numpy") as file:
        kinds = {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118 - not a mapping
    assert "I8" in kinds
    assert made.bytes[1] < 0.6 * made.bytes[0]
    assert (fast / "model.onnx").stat().st_size < 500_000
    card = open_folder(fast).card
    assert card.precision == "int8"
    assert (card.classes, card.temperature, card.bias, card.band) == (
        installed.card.classes, installed.card.temperature, installed.card.bias, installed.card.band)  # fmt: skip
    facts = card.training["quantization"]
    assert facts["from"] == {"name": installed.card.name, "id": installed.id}
    assert facts["shift"] == made.shift
    assert "8-bit integers" in card.limits[-1]
    assert card.metrics["test"]["n"] == made.n


def test_figures_are_those_of_evaluate(made: Quantized, fast: Path, installed: Installed, data: Path) -> None:
    items = labelled(installed.card, data, "test")
    for folder, figures in ((installed.folder, made.before), (fast, made.after)):
        *_, again = evaluate(Detector(folder), items)
        assert isinstance(again, Metrics)
        assert (again.confusion, again.coverage) == (figures.confusion, figures.coverage)
    p = np.array([made.p_before, made.p_after])
    assert made.shift == pytest.approx(np.abs(p[1] - p[0]).max())
    assert made.n == len(items) == p.shape[1]
    assert made.difference.low <= 0 <= made.difference.high
    assert made.speed.ratio.low <= made.speed.ratio.value <= made.speed.ratio.high
    assert made.answers == "verdicts"


def test_the_pictures_that_decide_set_no_ranges(installed: Installed) -> None:
    for split in ("train", "all"):
        with pytest.raises(QuantizationRefused, match="set the ranges"):
            check(installed, split)


def test_over_the_limits_it_is_refused_and_leaves_nothing(tmp_path: Path, installed: Installed, data: Path) -> None:
    with pytest.raises(QuantizationRefused, match="not kept; --force") as caught:
        list(quantize(installed, data, tmp_path / "fast", limits=Limits(shift=0.0)))
    assert "(limit 0)" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_second_time_is_refused(fast: Path, installed: Installed, tmp_path: Path) -> None:
    with pytest.raises(QuantizationRefused, match="already"):
        list(quantize(open_folder(fast), tmp_path, tmp_path / "out"))
    several = replace(installed, card=installed.card.model_copy(update={"members": ("0" * 16, "1" * 16)}))
    with pytest.raises(QuantizationRefused, match="ensemble"):
        check(several, "test")


def test_closed_in_the_middle_it_leaves_nothing(tmp_path: Path, installed: Installed, data: Path) -> None:
    events = quantize(installed, data, tmp_path / "fast", limits=LOOSE)
    while type(next(events)).__name__ != "Ranging":
        pass
    events.close()  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []
