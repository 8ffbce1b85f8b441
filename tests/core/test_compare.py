"""Comparing finished runs: what is said of two and of more, the page, its tables, and what is refused."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier.compare import mcnemar
from classifier.data import BadData
from classifier.pairing import NotComparable
from classifier.recipes import load
from forensics_app.core.compare_jobs import compare_detectors
from forensics_app.core.compare_rows import Row, failed_row
from forensics_app.core.comparison import Compared
from forensics_app.core.contenders import Contender, contender, contenders
from tests.conftest import export_tiny, write_picture
from tests.core.runs import change_card, read, write_json, write_run

CLASSES = ("fake", "real")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, detector_folder: Path) -> tuple[Path, ...]:
    """Three runs on the same 24 pictures: right on 20, on 18 of those, and on 8."""
    root = tmp_path_factory.mktemp("runs")
    found = []
    for name, wrong in (("good", range(4)), ("close", range(6)), ("poor", range(16))):
        folder = write_run(root / name, detector_folder, CLASSES, n=12)
        change_card(folder, name=name)
        answer(folder, root / "good", wrong)
        found.append(folder)
    return tuple(found)


def answer(folder: Path, pictures: Path, wrong: Sequence[int]) -> None:
    """Let a run have been measured on another's pictures, and wrong on these."""
    found = read(folder / "predictions.json")
    for place, one in enumerate(found["pictures"]):
        own = CLASSES.index(one["class"])
        p = 0.3 if place in wrong else 0.8
        one["p"] = [p, 1 - p] if own == 0 else [1 - p, p]
        one["path"] = str(pictures / f"{place}.png")
    write_json(folder / "predictions.json", found)


def compared(those: Sequence[Contender | Row], **options: Any) -> Compared:
    end = list(compare_detectors(those, "these", **options))[-1]
    assert isinstance(end, Compared)
    return end


def test_two_runs_are_tested_on_the_pictures_that_both_judged(runs: tuple[Path, ...]) -> None:
    found = compared(contenders([str(runs[0]), str(runs[2])]))
    assert found.counts == {"fake": 12, "real": 12}
    (pair,) = found.pairs
    assert (pair.found.only_first, pair.found.only_second) == (12, 0)
    assert pair.p_holm == pair.found.p == mcnemar(12, 0) < 0.05
    assert [row.accuracy.value if row.accuracy else None for row in found.rows] == [20 / 24, 8 / 24]
    assert all(row.parameters and row.megabytes and row.image_ms and row.image_ms > 0 for row in found.rows)
    assert found.page is None


def test_pictures_that_only_one_judged_are_left_out_and_that_is_said(runs: tuple[Path, ...], tmp_path: Path) -> None:
    fewer = tmp_path / "fewer"
    shutil.copytree(runs[1], fewer)
    kept = read(fewer / "predictions.json")
    kept["pictures"] = kept["pictures"][:20]
    write_json(fewer / "predictions.json", kept)
    found = compared(contenders([str(runs[0]), str(fewer)]))
    assert found.n == 20
    assert any("4 of the 24 pictures that good was measured on" in note for note in found.notes)


def test_three_runs_are_corrected_for_three_pairs_and_a_failed_one_is_a_row(
    runs: tuple[Path, ...], tmp_path: Path
) -> None:
    failed = failed_row("swin_t", tmp_path / "swin_t", "The loss became nan in epoch 0, batch 3.", "vehicles")
    found = compared([*contenders([str(run) for run in runs]), failed], out=tmp_path / "page")
    assert [row.failure is None for row in found.rows] == [True, True, True, False]
    assert len(found.pairs) == 3
    by_places = {(pair.first, pair.second): pair for pair in found.pairs}
    assert by_places[0, 2].p_holm == pytest.approx(3 * mcnemar(12, 0))
    assert by_places[0, 1].p_holm == 0.5  # two against none, the largest of the three: as it is
    assert found.page == tmp_path / "page/compare.html"
    rows = list(csv.DictReader(io.StringIO((tmp_path / "page/compare.csv").read_text())))
    assert [row["name"] for row in rows] == ["good", "close", "poor", "swin_t"]
    assert rows[3]["failure"].startswith("The loss became nan")
    assert rows[3]["document_id"] == "S1.23"
    assert (rows[3]["accuracy"], rows[3]["document_test_percent"]) == ("", "99.58")  # theirs is never ours
    assert float(rows[0]["accuracy_low"]) < 20 / 24 < float(rows[0]["accuracy_high"])
    pairs = list(csv.DictReader(io.StringIO((tmp_path / "page/compare-pairs.csv").read_text())))
    assert [(row["first"], row["only_first_right"]) for row in pairs] == [
        ("good", "2"),
        ("good", "12"),
        ("close", "10"),
    ]


def test_the_page_needs_nothing_else_and_shows_every_run(runs: tuple[Path, ...], tmp_path: Path) -> None:
    (runs[0] / "report.html").write_text("its own report")
    found = compared(contenders([str(run) for run in runs]), out=tmp_path / "page")
    assert found.page is not None
    page = found.page.read_text()
    assert "Content-Security-Policy" in page
    assert not re.search(r'(?:src|srcset)="(?!data:)', page)
    link = re.search(r'<a href="([^"]+)"><bdi>good</bdi>', page)
    assert link
    assert (tmp_path / "page" / link[1]).resolve() == runs[0] / "report.html"
    maps = re.findall(r'alt="Map of (\w+) on', page)
    assert maps == ["good", "close", "poor"] * 4  # two pictures of each of the two classes
    assert page.count('<svg class="matrix"') == 3
    assert "style=" not in page.partition("<body>")[2]


@pytest.mark.parametrize(("second", "said"), [
    (2, ("good is better than poor on these pictures", "good is right on 12 pictures where poor is wrong, poor on 0")),
    (1, ("No difference can be seen between good and close with n = 24", "They differ on 2 pictures only")),
])  # fmt: skip
def test_the_finding_in_words(runs: tuple[Path, ...], tmp_path: Path, second: int, said: Sequence[str]) -> None:
    compared(contenders([str(runs[0]), str(runs[second])]), out=tmp_path / "page")
    text = (tmp_path / "page/compare.md").read_text()
    for words in said:
        assert words in text


def test_names_that_could_be_markup_stay_text(runs: tuple[Path, ...], tmp_path: Path) -> None:
    odd = [replace(one, name=name) for one, name in zip(contenders([str(run) for run in runs]), (
        "<b>bold</b>", "=1+1|x", "odd\u202ename"), strict=True)]  # fmt: skip
    found = compared(odd, out=tmp_path / "page")
    assert found.page is not None
    page, table = found.page.read_text(), (tmp_path / "page/compare.csv").read_text()
    assert "<b>bold</b>" not in page
    assert "\u202e" not in page + table
    assert "'=1+1|x" in table
    assert "=1+1\\|x" in (tmp_path / "page/compare.md").read_text()


def test_what_cannot_be_compared(runs: tuple[Path, ...], tmp_path: Path, detector_folder: Path) -> None:
    with pytest.raises(NotComparable, match=r"nothing to compare .*good with: give another"):
        contenders([str(runs[0])])
    with pytest.raises(NotComparable, match="are the same detector"):
        contenders([str(runs[0]), str(runs[0] / "detector")])
    with pytest.raises(NotComparable, match=r"no run or detector '.*goood'\. Did you mean '.*/good'\?"):
        contenders([str(runs[0]), f"{runs[0].parent}/goood"])
    things = export_tiny(tmp_path / "things", classes=("ant", "bee"))
    with pytest.raises(NotComparable, match=r"give --data DIR"):
        compared(contenders([str(runs[0]), str(detector_folder)]))
    with pytest.raises(NotComparable, match=r"good tells fake, real apart, things ant, bee"):
        compared(contenders([str(runs[0]), str(things)]), data=runs[0])
    with pytest.raises(NotComparable, match=r"No model could be trained\. no weights"):
        compared(
            [failed_row("swin_t", tmp_path, "no weights", "x"), failed_row("vit_b_16", tmp_path, "no weights", "x")]
        )


def test_a_folder_is_judged_anew_by_detectors_that_kept_nothing(tmp_path: Path, detector_folder: Path) -> None:
    other = export_tiny(tmp_path / "other", arch="resnet18")
    for name in CLASSES:
        for seed in range(4):
            write_picture(tmp_path / "data" / name / f"{seed}.png", seed=seed + 10 * (name == "real"))
    found = compared(contenders([str(detector_folder), str(other)]), data=tmp_path / "data")
    assert found.counts == {"fake": 4, "real": 4}
    assert [note.split(" was made")[0] for note in found.notes] == [
        "It is not known which pictures tiny",
        "It is not known which pictures other",
        "None of them can be told from guessing: their order means nothing.",
    ]
    with pytest.raises(BadData, match="only the class"):
        compared(contenders([str(detector_folder), str(other)]), data=write_picture(tmp_path / "x/a/1.png").parents[1])


def test_a_detector_is_named_by_its_run_or_its_card(runs: tuple[Path, ...], detector_folder: Path) -> None:
    assert contender(str(runs[0])).name == contender(str(runs[0] / "detector")).name == "good"
    assert contender(str(detector_folder)).name == "tiny"
    assert contender(str(detector_folder)).run is None
    assert np.all(contender(str(runs[0])).kept.labels[:2] == [0, 1])  # type: ignore[union-attr]


def test_what_several_recipes_do_alike_is_said_once(runs: tuple[Path, ...], tmp_path: Path) -> None:
    bundled = load("vehicles").model_dump(mode="json")
    for run, weights in zip(runs, ("none", "none", "w.safetensors"), strict=True):
        shutil.copytree(run, tmp_path / run.name)
        changed = {**bundled, "arch": "resnet18", "seed": 1, "weights": weights}
        write_json(tmp_path / run.name / "recipe.json", changed)
    notes = compared(contenders([str(tmp_path / run.name) for run in runs])).notes
    said = [note for note in notes if "not the bundled one" in note]
    assert said == [
        "The recipe is not the bundled one. seed: 1 instead of 0.",
        "The recipe of good and close is not the bundled one. weights: none instead of imagenet.",
        "The recipe of poor is not the bundled one. weights: w.safetensors instead of imagenet.",
    ]
