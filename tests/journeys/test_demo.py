"""The journey of a new user without a display: the samples, judged into a report."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from forensics_app.core.samples import sample_files
from tests.conftest import ROOT
from tests.program import forensics

SHIPPED = ("dunes.jpg", "julia.jpg", "page.png", "spheres.png", "valley.jpg", "decoder.png")


def test_demo_leaves_a_report(tmp_path: Path, bundled: Path) -> None:
    out = tmp_path / "report"
    done = forensics("demo", "--out", out)
    assert done.returncode == 0, done.stderr
    assert str(out / "report.html") in done.stdout
    rows = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    assert {Path(row["path"]).name for row in rows} == {path.name for path in sample_files()}
    assert {row["detector"]["name"] for row in rows} == {bundled.name}
    for row in rows:
        with Image.open(out / row["heatmap"]) as overlay:
            assert min(overlay.size) > 32
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/") == 2 * len(rows)


def test_demo_may_be_repeated(tmp_path: Path, bundled: Path) -> None:
    assert bundled.is_dir()
    for _ in range(2):
        assert forensics("demo", "--out", tmp_path / "report", "-q").returncode == 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("mine")
    refused = forensics("demo", "--out", tmp_path / "mine")
    assert refused.returncode == 2
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["diary.txt"]


def test_samples_are_small_and_explained() -> None:
    folder = ROOT / "resources" / "samples"
    assert {path.name for path in folder.iterdir()} == {*SHIPPED, "README.md"}
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1_500_000
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in SHIPPED)
