"""`forensics data` as it is typed: what it says, what it leaves, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from forensics_app.cli import app
from tests.conftest import write_picture


def forensics(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["data", *(str(word) for word in words)])


def test_the_list_names_every_set_and_fits_80_columns() -> None:
    told = forensics("list")
    assert told.exit_code == 0
    for name in ("hymenoptera", "flowers102", "pets-species", "dogs-vs-cats"):
        assert f"\n{name} " in told.stdout
    assert max(map(len, told.stdout.splitlines())) <= 80
    assert forensics().stdout == told.stdout
    rows = {row["name"]: row for row in map(json.loads, forensics("list", "--json").stdout.splitlines())}
    assert (rows["flowers102"]["bytes"], rows["flowers102"]["official_split"]) == (344_862_509, True)
    assert rows["dogs-vs-cats"]["from"] == "https://www.kaggle.com/competitions/dogs-vs-cats"


def test_a_drawn_set(tmp_path: Path) -> None:
    done = forensics("synthetic", "--n", "21", "--classes", "3", "--size", "48", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    counts = "train 5 cat + 5 dog + 5 rabbit, val 1 cat + 1 dog + 1 rabbit, test 1 cat + 1 dog + 1 rabbit"
    assert done.stdout == f"Drew {tmp_path / 'out'}: {counts}.\n"
    again = forensics("synthetic", "--out", tmp_path / "out")
    assert (again.exit_code, again.stdout) == (2, "")
    assert "give a new folder with --out" in again.stderr
    events = [
        json.loads(line)
        for line in forensics("synthetic", "--n", 10, "--out", tmp_path / "b", "--json").stdout.splitlines()
    ]
    assert [event["event"] for event in events] == ["drawn", "synthetic"]
    assert events[0] == {"event": "drawn", "done": 10, "total": 10}


def test_a_set_from_a_folder(tmp_path: Path) -> None:
    for number in range(10):
        write_picture(tmp_path / "train" / f"{('cat', 'dog')[number % 2]}.{number}.jpg", seed=number)
    (tmp_path / "train" / "cat.10.jpg").write_bytes(b"no picture")
    done = forensics(
        "fetch", "dogs-vs-cats", "--from", tmp_path / "train", "--split", "80/20", "--out", tmp_path / "out"
    )
    assert done.exit_code == 0, done.stderr
    assert done.stdout == f"Fetched {tmp_path / 'out'}: train 4 cat + 4 dog, test 1 cat + 1 dog.\n"
    assert "1 picture was left out, the first: cat.10.jpg" in done.stderr
    assert "Licence: not known." in done.stderr


def test_refusals_are_one_sentence(tmp_path: Path) -> None:
    for words, said in {
        ("fetch", "flowers"): "Did you mean flowers102?",
        ("fetch", "hymenoptera"): "forbids downloads",
        ("fetch", "pets", "--split", "7/3"): "--split takes official",
        ("synthetic", "--classes", "cat,horse"): "There are cat, dog",
        ("synthetic", "--n", "3"): "5 of each class",
    }.items():
        done = forensics(*words, "--out", tmp_path / "out")
        assert (done.exit_code, done.stdout) == (2, ""), words
        assert said in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert not (tmp_path / "out").exists()
