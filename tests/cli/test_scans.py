from __future__ import annotations

import csv
import json
import os
import random
from pathlib import Path

import pytest

from classifier.detector import open_folder
from forensics_app.core.scan_rows import problem_row
from forensics_app.core.store import Entry, Query, ScanStore
from tests.conftest import ROOT
from tests.core.stored import Model, entry, installed
from tests.program import forensics, records

ROWS = 60


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report's folder with a store of random rows, names that are no UTF-8 or begin formulas among them."""
    folder, rng = tmp_path_factory.mktemp("scans") / "report", random.Random(21)
    entries = {one.path: one for one in (entry(rng) for _ in range(ROWS))}
    with ScanStore.open(folder / "scan.db") as store:
        store.put(store.detector(installed("older", "a" * 16)), [entry(rng)])
        store.put(store.detector(installed()), [*entries.values()])
    return folder


def asked(report: Path, **filters: object) -> list[int]:
    """Return the ids of the rows that match, found by looking at every row."""
    with ScanStore.open(report / "scan.db", readonly=True) as store:
        number = store.detectors()[0].number
        rows = [*store.stored_rows(Query(number))]
        entries = (Entry(_path(one.row), one.size, one.mtime_ns, one.row) for one in rows)
        model = Model(
            store, number, {one.path: (row.id, one, row.gone) for row, one in zip(rows, entries, strict=True)}
        )
        return model.asked(Query(number, **filters))  # type: ignore[arg-type]


def _path(row: dict[str, object]) -> bytes:
    return bytes.fromhex(str(row["path_bytes"])) if "path_bytes" in row else os.fsencode(str(row["path"]))


def test_show_says_what_was_found(report: Path) -> None:
    done = forensics("show", report)
    assert done.returncode == 0, done.stderr
    total = len(asked(report))
    assert f"{total} files" in done.stdout
    for words in ("Likely generated", "Can't tell", "No sign of generation", "Could not be judged", "█"):
        assert words in done.stdout
    assert f"The first 20 of {total}" in done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "\x01" not in done.stdout


@pytest.mark.parametrize(("options", "filters"), [
    (["--verdict", "fake", "--above", "0.8"], {"labels": frozenset({"fake"}), "p_low": 0.8}),
    (["--errors"], {"labels": frozenset({"error"})}),
    (["--errors", "--verdict", "real"], {"labels": frozenset({"error", "real"})}),
    (["--format", "png", "--evidence"], {"formats": frozenset({"PNG"}), "with_evidence": True}),
    (["--name", "img", "--below", ".5", "--no-evidence"], {"text": "img", "p_high": 0.5, "with_evidence": False}),
])  # fmt: skip
def test_show_filters(report: Path, options: list[str], filters: dict[str, object]) -> None:
    counted, *rows = records(forensics("show", report, "--json", "--sort", "size", "--reverse", *options).stdout)
    expected = asked(report, sort="size", **filters)
    assert counted["total"] == len(expected) == len(rows) > 0
    with ScanStore.open(report / "scan.db", readonly=True) as store:
        assert [row["path"] for row in rows] == [store.row(id_)["path"] for id_ in expected]


def test_show_folders(report: Path) -> None:
    done = forensics("show", report, "--folders")
    assert done.returncode == 0
    assert "/pictures/a/b\\xff\\xfe" in done.stdout
    rows = records(forensics("show", report, "--folders", "--json").stdout)
    assert sum(sum(row["counts"].values()) for row in rows) == len(asked(report))
    fakes = [row["counts"]["fake"] for row in rows]
    assert fakes == sorted(fakes, reverse=True)


def test_below_a_folder_of_a_store(report: Path, tmp_path: Path) -> None:
    counted, *rows = records(forensics("show", "/pictures/a", "--store", report, "--json", "--sort", "path").stdout)
    assert counted["total"] == len(rows) == len(asked(report, under=b"/pictures/a"))
    done = forensics("show", tmp_path, "--store", report / "scan.db")
    assert done.returncode == 2
    assert "scan it first" in done.stderr
    done = forensics("show", tmp_path, FORENSICS_HOME=str(tmp_path))
    assert done.returncode == 2
    assert "nothing is kept" in done.stderr


def test_another_detector(report: Path) -> None:
    assert records(forensics("show", report, "--detector", "older", "--json").stdout)[0]["total"] == 1
    done = forensics("show", report, "--detector", "none")
    assert done.returncode == 2
    assert "default (c983d1cff4b352dd)" in done.stderr


def test_a_detector_in_a_folder_is_meant_as_in_scan(tmp_path: Path, detector_folder: Path) -> None:
    endless = os.fsencode("/top" + "/deeper" * 500)
    with ScanStore.open(tmp_path / "scan.db") as store:
        number = store.detector(open_folder(detector_folder))
        store.put(number, [Entry(endless, -1, 0, problem_row(os.fsdecode(endless), ("missing", "It went.")))])
    done = forensics("show", tmp_path, "--detector", detector_folder)
    assert "1 file\n" in done.stdout, done.stderr
    assert len(done.stdout) < 1_500 and "-1 B" not in done.stdout, "neither a screen full of name nor a size of -1"


def test_export(report: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra 'parquet'")
    targets = {name: tmp_path / f"rows.{name}" for name in ("csv", "jsonl", "parquet")}
    done = forensics("export", report, *(part for name, path in targets.items() for part in (f"--{name}", path)))
    assert done.returncode == 0, done.stderr
    rows = records(targets["jsonl"].read_text())
    with ScanStore.open(report / "scan.db", readonly=True) as store:
        assert rows == [*store.rows(Query(store.detectors()[0].number))]
    with targets["csv"].open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["sha256"] for row in table] == [row.get("sha256") or "" for row in rows]
    assert not [cell for row in table for cell in row.values() if cell.startswith(("=", "+", "@"))]
    columns = parquet.read_table(targets["parquet"])
    assert columns.column("path").to_pylist() == [row["path"] for row in rows]
    true = [bytes.fromhex(row["path_bytes"]) if "path_bytes" in row else None for row in rows]
    assert columns.column("path_bytes").to_pylist() == true
    assert columns.column("p_fake").to_pylist() == [row.get("verdict", {}).get("p_fake") for row in rows]
    assert json.loads(columns.column("evidence")[0].as_py() or "null") == rows[0].get("evidence")


def test_export_is_refused_in_a_sentence(report: Path, tmp_path: Path) -> None:
    hidden = tmp_path / "pyarrow"
    hidden.mkdir()
    (hidden / "__init__.py").write_text("raise ModuleNotFoundError('No module named pyarrow', name='pyarrow')")
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    done = forensics("export", report, "--parquet", tmp_path / "x.parquet", PYTHONPATH=path)
    assert done.returncode == 2
    assert "extra 'parquet'" in done.stderr
    for target, words in ((tmp_path, "is a folder"), (tmp_path / "none" / "rows.csv", "does not exist")):
        done = forensics("export", report, "--csv", target)
        assert done.returncode == 2
        assert words in done.stderr
    assert "Say where to" in forensics("export", report).stderr
    assert [*tmp_path.iterdir()] == [hidden], "nothing half written"


def test_report_and_merge(report: Path, tmp_path: Path) -> None:
    for _ in range(2):
        done = forensics("merge", report, report / "scan.db", "--into", tmp_path / "all.db")
        assert done.returncode == 0, done.stderr
    assert "0 of" in done.stdout
    done = forensics("report", "--store", tmp_path / "all.db", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"report.html", "results.csv", "results.jsonl"}
    assert len(records((tmp_path / "out" / "results.jsonl").read_text())) == len(asked(report))
    assert "Likely generated" in (tmp_path / "out" / "report.html").read_text()
    done = forensics("report", "--store", tmp_path / "all.db", "--out", report.parent)
    assert done.returncode == 2
    assert "not empty" in done.stderr
    done = forensics("merge", tmp_path / "none.db", "--into", tmp_path / "new.db")
    assert done.returncode == 2
    assert not (tmp_path / "new.db").exists()
