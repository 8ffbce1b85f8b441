"""forensics explain and forensics runs, as a person starts them: answers, JSON, pages, and refusals in one sentence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from forensics_app.cli import app
from tests.conftest import export_tiny, write_picture
from tests.core.runs import write_json, write_run
from tests.program import forensics, records


def invoke(*arguments: str | Path) -> Result:
    """Run `forensics ARGUMENTS…` in this process, where torch is loaded already; no run may raise."""
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    assert isinstance(done.exception, SystemExit | None), done.exception
    return done


@pytest.fixture(scope="module")
def insects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_tiny(tmp_path_factory.mktemp("insects") / "insects", classes=("ants", "bees", "flies"))


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_picture(tmp_path_factory.mktemp("photo") / "photo.png", 90, 80)


def test_words_for_people_and_a_page(insects: Path, photo: Path, tmp_path: Path) -> None:
    done = forensics("explain", photo, "--detector", insects, "--out", tmp_path / "page.html", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    head, *rest = done.stdout.splitlines()
    assert head.split(",")[0] in ("ants", "bees", "flies") and " p 0." in head
    assert "trust of this map" in done.stdout
    assert max(map(len, rest[:-1])) <= 80
    assert rest[-1] == f"Page: {tmp_path / 'page.html'}"
    assert {path.name for path in tmp_path.iterdir()} == {"page.html", "page.last.png"}


def test_json_is_one_line_and_whole(insects: Path, photo: Path) -> None:
    done = invoke("explain", photo, "--detector", insects, "--class", "flies", "--stage", "third", "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    (row,) = records(done.stdout)
    assert (row["path"], row["explained"]) == (str(photo), "flies")
    assert sum(one["p"] for one in row["classes"]) == pytest.approx(1, abs=1e-5)
    assert [(one["stage"], one["layer"]) for one in row["maps"]] == [("third", "layer3")]
    assert all(one["trust"]["level"] in ("good", "fair", "poor", "untested") for one in row["maps"])
    assert all(one["file"] is None for one in row["maps"])


@pytest.mark.parametrize(("arguments", "told"), [
    (("--class", "bee"), "Did you mean 'bees'?"),
    (("--stage", "layer5"), "There are: first, second, third, last, walk"),
    (("--out", "/no/such/folder/page.html"), "in a folder that exists"),
    (("--out", "page.png"), "ends in .html"),
])  # fmt: skip
def test_bad_use_is_one_sentence(insects: Path, photo: Path, arguments: tuple[str, ...], told: str) -> None:
    done = invoke("explain", photo, "--detector", insects, *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_pictures_and_detectors_that_are_none(insects: Path, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    for picture, detector in ((tmp_path / "broken.jpg", insects), (tmp_path / "none.jpg", insects), (photo, tmp_path)):
        done = invoke("explain", picture, "--detector", detector, "--out", tmp_path / "page.html")
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1
        assert not (tmp_path / "page.html").exists()


@pytest.fixture
def runs(tmp_path: Path, detector_folder: Path) -> Path:
    """A folder with a good run, one deeper, one that was begun, and one that is damaged."""
    root = tmp_path / "runs"
    for place in (root / "good", root / "compared" / "wide_resnet50_2", root / "bad"):
        place.parent.mkdir(parents=True, exist_ok=True)
        write_run(place, detector_folder, ("fake", "real"))
    (root / "bad" / "history.json").write_text("[{]")
    (root / "begun").mkdir()
    shutil.copy(root / "good" / "recipe.json", root / "begun" / "recipe.json")
    return root


def test_runs_are_listed(runs: Path) -> None:
    done = invoke("runs", "list", runs)
    assert (done.exit_code, done.stderr) == (0, "")
    for words in ("good", "compared/wide_resnet50_2", "resnet18", "--resume", "no JSON"):
        assert words in " ".join(done.stdout.split())
    rows = records(invoke("runs", "list", runs, "--json").stdout)
    assert [Path(row["folder"]).name for row in rows] == ["bad", "begun", "wide_resnet50_2", "good"]
    assert [row["problem"] is None for row in rows] == [False, False, True, True]
    assert rows[-1]["n"] == 6 and rows[-1]["headline"]


def test_a_folder_without_runs_and_none_at_all(tmp_path: Path) -> None:
    done = invoke("runs", "list", tmp_path)
    assert done.exit_code == 0 and "There are no runs" in done.stdout
    done = invoke("runs", "list", tmp_path / "none")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)


def test_a_report_is_written_again(runs: Path) -> None:
    done = invoke("runs", "report", runs / "good", "--trust-time", "0", "--quiet")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"Report: {runs / 'good' / 'report.html'}\n"
    first = (runs / "good" / "report.html").read_text(encoding="utf-8")
    write_json(runs / "good" / "history.json", [])
    assert invoke("runs", "report", runs / "good", "--trust-time", "0").exit_code == 0
    second = (runs / "good" / "report.html").read_text(encoding="utf-8")
    assert "How it learned" in first and "How it learned" not in second
    assert "map: untested" in second
    done = invoke("runs", "report", runs / "begun")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert [path.name for path in (runs / "begun").iterdir()] == ["recipe.json"]
