"""A sweep: its figures are those of evaluate, it goes on where it stopped, and never mixes two."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from classifier.data import Item
from classifier.degradations import rows
from classifier.evaluate import evaluate, labelled
from classifier.metrics import Metrics
from classifier.robustness import FILE, BadSweep, Point, Sweep, sweep
from classifier.runtime import Detector
from forensics_app.cli.run import as_json
from tests.classifier.pictures import write_folder

SOME = rows("jpeg,crop")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("sweep") / "data", n=6, side_px=48)


@pytest.fixture(scope="module")
def detector(detector_folder: Path) -> Detector:
    return Detector(detector_folder, threads=1)


@pytest.fixture
def items(folder: Path, detector: Detector) -> tuple[Item, ...]:
    return labelled(detector.card, folder, None)


def swept(*arguments: object, **options: object) -> Sweep:
    *_, last = sweep(*arguments, **options)  # type: ignore[arg-type]
    assert isinstance(last, Sweep)
    return last


def test_figures_are_those_of_evaluate(tmp_path: Path, detector: Detector, items: tuple[Item, ...]) -> None:
    found = swept(detector, items, SOME, tmp_path / "out")
    assert len(found.points) == 1 + len(SOME[0].strengths) + len(SOME[1].strengths)
    by_name = {point.name: point for point in found.points}
    for name, degrade in (("untouched", None), ("jpeg10", "jpeg10"), ("crop0.5", "crop0.5")):
        *_, metrics = evaluate(detector, items, degrade=degrade)
        assert isinstance(metrics, Metrics)
        assert by_name[name].metrics.confusion == metrics.confusion
        assert by_name[name].metrics.auc == metrics.auc
        assert by_name[name].metrics.coverage == metrics.coverage
    worse = by_name["jpeg10"].difference
    assert worse is not None
    clean = by_name["untouched"].metrics.balanced_accuracy.value
    assert worse.value == pytest.approx(by_name["jpeg10"].metrics.balanced_accuracy.value - clean)
    assert worse.low <= worse.value <= worse.high
    assert [point.strength for point in found.at(SOME[0])] == list(SOME[0].levels)


def counting(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    seen: list[int] = []
    judge = detector.judge
    monkeypatch.setattr(detector, "judge", lambda pixels, **options: (seen.append(1), judge(pixels, **options))[1])
    return lambda: len(seen)


def test_a_stopped_sweep_goes_on(
    tmp_path: Path, folder: Path, detector: Detector, items: tuple[Item, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = swept(detector, items, SOME, tmp_path / "whole")
    events = sweep(detector, items, SOME, tmp_path / "cut")
    points = 0
    while points < 3:
        points += isinstance(next(events), Point)
    events.close()  # type: ignore[attr-defined]
    kept = json.loads((tmp_path / "cut" / FILE).read_text())
    assert len(kept["sweep"]["points"]) == 3
    assert sorted(path.name for path in (tmp_path / "cut").iterdir()) == [FILE]
    moved = shutil.copytree(folder, tmp_path / "elsewhere")  # the same pictures by other names and in another order
    for path in sorted((moved / "real").iterdir()):
        path.rename(path.with_name(f"{9 - int(path.stem)}.png"))
    again = labelled(detector.card, moved, None)
    judged = counting(detector, monkeypatch)
    assert as_json(swept(detector, again, SOME, tmp_path / "cut")) == as_json(whole)
    assert judged() == len(items) * (len(whole.points) - 3)
    assert as_json(swept(detector, again, SOME, tmp_path / "cut")) == as_json(whole)
    assert judged() == len(items) * (len(whole.points) - 3)


def test_other_degradations_are_added(tmp_path: Path, detector: Detector, items: tuple[Item, ...]) -> None:
    first = swept(detector, items, rows("jpeg"), tmp_path / "out")
    second = swept(detector, items, rows("crop"), tmp_path / "out")
    assert [as_json(point) for point in second.points[: len(first.points)]] == [as_json(one) for one in first.points]
    assert second.points[-1].degradation == "crop"


def test_two_sweeps_are_never_mixed(
    tmp_path: Path, detector: Detector, items: tuple[Item, ...], second_detector: Path
) -> None:
    swept(detector, items, rows("crop"), tmp_path / "out")
    before = (tmp_path / "out" / FILE).read_bytes()
    other = Detector(second_detector, threads=1)
    for words, arguments in (
        ("another detector", {"detector": other}),
        ("other pictures", {"items": items[1:]}),
        ("the seed 0", {"seed": 1}),
    ):
        options = {"detector": detector, "items": items, "rows": rows("crop"), "out": tmp_path / "out", **arguments}
        with pytest.raises(BadSweep, match=words):
            swept(**options)
    assert (tmp_path / "out" / FILE).read_bytes() == before


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pictures": 3}', "[" * 9000])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, detector: Detector, items: tuple[Item, ...], text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(BadSweep, match="is damaged"):
        swept(detector, items, rows("crop"), tmp_path)


def test_points_without_their_pictures_are_damage(tmp_path: Path, detector: Detector, items: tuple[Item, ...]) -> None:
    swept(detector, items, rows("crop"), tmp_path / "out")
    kept = json.loads((tmp_path / "out" / FILE).read_text())
    kept["guesses"]["crop0.5"].pop()
    (tmp_path / "out" / FILE).write_text(json.dumps(kept))
    with pytest.raises(BadSweep, match="is damaged"):
        swept(detector, items, rows("crop"), tmp_path / "out")


def test_a_place_that_is_taken_stays_as_it_is(tmp_path: Path, detector: Detector, items: tuple[Item, ...]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for out in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(BadSweep, match="new folder"):
            swept(detector, items, SOME, out)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_closed_before_its_first_point_it_leaves_nothing(
    tmp_path: Path, detector: Detector, items: tuple[Item, ...]
) -> None:
    events = sweep(detector, items, SOME, tmp_path / "new")
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert not (tmp_path / "new").exists()
