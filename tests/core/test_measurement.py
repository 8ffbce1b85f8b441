"""Measurements as pages, tables and plots: every kind says what was measured, needs nothing else and stays readable."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rich.console import Console

from classifier.metrics import Figure
from forensics_app.cli.measurements import fitting
from forensics_app.core import ensemble_page, pruning_page, quantization_page, robustness_page, views_page
from forensics_app.core.measurement import Measurement, Table, as_csv, told, write
from forensics_app.core.run_plots import THEMES
from tests.classifier.test_figures import assert_tidy
from tests.core.measured import averaged_of, ensembled_of, pruned_of, quantized_of, sweep_of
from tests.core.test_report import HOSTILE, Page
from tests.core.test_run_report import words

TWO, THREE = ("fake", "real"), ("ants", "bees", "wasps")
KINDS: dict[str, Callable[..., Measurement]] = {
    "robustness": lambda classes, name: robustness_page.measurement(sweep_of(classes, name)),
    "views": lambda classes, name: views_page.measurement(averaged_of(classes, name)),
    "ensemble": lambda classes, name: ensemble_page.measurement(ensembled_of(classes, (name, name, "other"))),
    "quantization": lambda classes, name: quantization_page.measurement(quantized_of(classes, name)),
    "pruning": lambda classes, name: pruning_page.measurement(pruned_of(classes, name)),
}


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Fewer resamples: what the intervals are is tested elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("classifier.metrics.RESAMPLES", 50)
        yield


@pytest.fixture(scope="module", params=KINDS)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Measurement, Path]:
    """A measurement of each kind of a detector with a hostile name, written."""
    if request.param == "pruning":
        pytest.importorskip("torch", reason="needs the extra 'train'")
    folder = tmp_path_factory.mktemp("written")
    found = KINDS[request.param](TWO, HOSTILE)
    write(found, folder)
    return found, folder


def test_the_page_needs_nothing_else_and_runs_nothing(written: tuple[Measurement, Path]) -> None:
    found, folder = written
    text = (folder / "report.html").read_text(encoding="utf-8")
    parsed = Page(text)
    policy = next(one["content"] for one in parsed.attributes("meta") if "http-equiv" in one) or ""
    digest = base64.b64encode(hashlib.sha256("".join(parsed.content["style"]).encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'")
    assert not parsed.attributes("script")
    assert "\u202e" not in text
    assert not [
        name for _, attributes in parsed.tags for name in attributes if name == "style" or name.startswith("on")
    ]
    addresses = [one[key] for _, one in parsed.tags for key in ("src", "href", "srcset") if key in one]
    assert len(addresses) >= 2
    assert all(str(address).startswith("data:image/") for address in addresses)
    said = words(text)
    for told_there in (found.headline, *found.limits, *found.notes):
        assert " ".join(told_there.split()) in said


def test_what_is_beside_the_page(written: tuple[Measurement, Path]) -> None:
    found, folder = written
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    plots = {f"{draft.name}.png" for section in found.sections for draft in section.plots}
    expected = {"report.html", f"{found.kind}.csv", *plots, *([f"{found.kind}.json"] if found.value else [])}
    assert names == expected
    for name in plots:
        with Image.open(folder / "figures" / name) as image:
            assert min(image.size) > 300
    rows = list(csv.DictReader((folder / f"{found.kind}.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == len(found.records)
    if found.value:
        kept = json.loads((folder / f"{found.kind}.json").read_text())
        assert kept["classes"] == list(TWO)


@pytest.mark.parametrize("classes", [TWO, THREE], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_plots_are_tidy_in_both_themes(kind: str, classes: tuple[str, ...]) -> None:
    if kind == "pruning":
        pytest.importorskip("torch", reason="needs the extra 'train'")
    for section in KINDS[kind](classes, "default").sections:
        for draft in section.plots:
            for theme in THEMES.values():
                assert_tidy(draft.draw(theme))


@pytest.mark.parametrize("kind", KINDS)
def test_tables_fit_a_terminal(kind: str) -> None:
    if kind == "pruning":
        pytest.importorskip("torch", reason="needs the extra 'train'")
    for section in KINDS[kind](TWO, "default").sections:
        for table in section.tables:
            console = Console(width=80, record=True, file=None, force_terminal=False)
            with console.capture() as capture:
                console.print(fitting(table))
            lines = capture.get().splitlines()
            assert max(map(len, lines)) <= 80
            assert len(lines) == 1 + len(table.rows)  # nothing is wrapped
            assert "…" not in capture.get()


def test_a_table_loses_its_last_columns_first() -> None:
    table = Table("", ("name", "first", "second"), (("a" * 30, "b" * 30, "c" * 30),))
    assert [column.header for column in fitting(table).columns] == ["name", "first"]
    assert len(fitting(table, 100).columns) == 3


def test_figures_in_words() -> None:
    assert told(Figure(0.834, 0.80, 0.861, 9)) == "0.83 (0.80–0.86)"
    assert told(Figure(-0.0214, -0.04, 0.0, 9), signed=True) == "−0.021 (−0.040 to +0.000)"
    assert told(None) == told(Figure(float("nan"), 0, 1, 0)) == "–"


def test_no_cell_of_the_csv_can_run() -> None:
    record: dict[str, Any] = {
        "name": "=1+1",
        "other": "a\u202eb",
        "x": Figure(float("nan"), 0, 1, 0),
        "y": -1.5,
        "z": None,
    }
    found = Measurement("kind", "", "", "", (), (), ({"name": "x", "w": 1}, record))
    header, first, second = list(csv.reader(as_csv(found).splitlines()))
    assert header == ["name", "w", "other", "x", "x_low", "x_high", "x_n", "y", "z"]
    assert first == ["x", "1", "", "", "", "", "", "", ""]
    assert second == ["'=1+1", "", "a\\u202eb", "", "0", "1", "0", "-1.5", ""]


def test_a_sweep_in_which_nothing_falls_says_so() -> None:
    found = sweep_of(THREE)
    clean = found.points[0]
    alike = [replace(point, metrics=clean.metrics, difference=Figure(0.0, -0.1, 0.1, 9)) for point in found.points[1:]]
    told_of = robustness_page.measurement(replace(found, points=(clean, *alike)))
    assert "falls under no damage" in told_of.headline
    assert {row[1:] for row in told_of.sections[1].tables[0].rows} == {("none", "–", "–")}


def test_what_must_not_be_overlooked_is_said() -> None:
    assert "kept with --force" in quantization_page.measurement(quantized_of(passed=False)).notes[0]
    assert not quantization_page.measurement(quantized_of()).notes
    views = views_page.measurement(averaged_of())
    assert any("no longer fits" in note for note in views.notes)
    assert any("3 of 200" in note for note in views.notes)
    one = ensemble_page.measurement(ensembled_of(names=("a", "a")))
    assert [record["detector"] for record in one.records] == ["a 000000", "a 111111", "together"]
