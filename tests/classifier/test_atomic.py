"""What is written down survives: also names that are no UTF-8, and figures that are no number."""

from __future__ import annotations

import json
import os
from pathlib import Path

from classifier.atomic import write_json


def test_names_stay_readable_and_those_that_are_no_utf_8_survive(tmp_path: Path) -> None:
    path = tmp_path / "names.json"
    for name in ("Käse 猫.png", os.fsdecode(b"bad\xff.png")):
        write_json(path, {"path": name})
        assert json.loads(path.read_bytes()) == {"path": name}
    write_json(path, "猫")
    assert "猫" in path.read_text(encoding="utf-8")
    assert [one.name for one in tmp_path.iterdir()] == ["names.json"]


def test_what_is_no_number_is_written_as_null(tmp_path: Path) -> None:
    write_json(tmp_path / "figures.json", [{"val_loss": float("nan"), "best": (float("-inf"), 0.5)}])
    text = (tmp_path / "figures.json").read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=str) == [{"val_loss": None, "best": [None, 0.5]}]
