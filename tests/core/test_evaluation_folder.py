from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from classifier.data import Item
from classifier.evaluate import evaluate
from classifier.evaluation_record import EVALUATION, evaluate_into
from classifier.metrics import Metrics
from classifier.runtime import Detector
from forensics_app.core.dashboard import dashboard
from forensics_app.core.evaluation_folder import open_figures
from forensics_app.core.run_folder import BadRun
from forensics_app.core.run_gallery import pictures_of_cell
from tests.conftest import write_picture
from tests.core.runs import predicted, write_run


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    """Eight pictures, every second one real."""
    return [
        Item(write_picture(tmp_path / f"{k}.png", 96, 80, seed=k), k % 2, ("fake", "real")[k % 2]) for k in range(8)
    ]


def test_a_measurement_is_kept_and_opened_with_the_same_figures(
    tmp_path: Path, second_detector: Path, items: list[Item]
) -> None:
    detector, out = Detector(second_detector), tmp_path / "out"
    last = list(evaluate_into(detector, items, out, split="all"))[-1]
    assert isinstance(last, Metrics)
    assert repr(last) == repr(list(evaluate(detector, items))[-1])  # NaN is not itself
    run = open_figures(out)
    assert run.measured is not None and run.split == "all" and run.predictions is not None
    assert repr(asdict(run.measured)) == repr(asdict(last))
    assert [Path(one.path) for one in run.predictions.pictures] == [item.path for item in items]
    found = dashboard(out)
    assert set(found.drafts) == {"confusion", "roc", "reliability", "precision"}
    assert "it had never seen" not in found.headline and "on 8 pictures" in found.headline
    assert [row.cells[1] for row in found.tables["sources"]] == ["4", "4"]


def test_a_changed_detector_and_damaged_files_are_sentences(
    tmp_path: Path, second_detector: Path, items: list[Item]
) -> None:
    copy, out = tmp_path / "detector", tmp_path / "out"
    shutil.copytree(second_detector, copy)
    list(evaluate_into(Detector(copy), items, out, split="all"))
    raw = json.loads((out / EVALUATION).read_text())
    (out / EVALUATION).write_text(json.dumps({**raw, "id": "0" * 16}))
    with pytest.raises(BadRun, match="has changed since"):
        open_figures(out)
    (out / EVALUATION).write_text(json.dumps({**raw, "metrics": 3}))
    with pytest.raises(BadRun, match="damaged; measure again"):
        open_figures(out)
    (out / EVALUATION).write_text("{")
    with pytest.raises(BadRun, match="cannot be read"):
        open_figures(out)
    (out / EVALUATION).write_text(json.dumps(raw))
    shutil.rmtree(copy)
    with pytest.raises(BadRun, match="no longer there"):
        open_figures(out)


def test_a_run_is_opened_by_its_own_folder_and_by_its_detectors(tmp_path: Path, second_detector: Path) -> None:
    folder = write_run(tmp_path / "run", second_detector, ("fake", "real"))
    assert open_figures(folder).folder == open_figures(folder / "detector").folder == folder
    alone = open_figures(second_detector)
    assert alone.measured is None and alone.predictions is None and not alone.history
    assert dashboard(second_detector).headline.startswith("Nothing was measured")


def test_what_is_neither_is_told_once(tmp_path: Path) -> None:
    with pytest.raises(BadRun, match="neither a run nor a detector: open the folder of a training run") as none:
        open_figures(tmp_path)
    assert "There is no" not in str(none.value)
    (tmp_path / "detector.json").write_text("{")
    with pytest.raises(BadRun, match=r"invalid detector\.json"):
        open_figures(tmp_path)


def test_the_pictures_of_a_cell_are_those_that_it_counts(tmp_path: Path, second_detector: Path) -> None:
    folder = write_run(tmp_path / "run", second_detector, ("ants", "bees", "wasps"), n=8)
    predictions, measured = predicted(folder), open_figures(folder).measured
    assert measured is not None
    for truth, row in enumerate(measured.confusion):
        for taken, count in enumerate(row):
            places = pictures_of_cell(predictions, truth, taken)
            own = [predictions.pictures[place].p[truth] for place in places]
            assert len(places) == count and own == sorted(own)
    wrong = pictures_of_cell(predictions)
    assert len(wrong) == measured.n - sum(measured.confusion[place][place] for place in range(3))
