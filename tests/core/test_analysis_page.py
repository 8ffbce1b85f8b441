from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifier.detector import Card
from classifier.images import load
from classifier.runtime import Heat
from classifier.trust import Trust
from forensics_app.core.analysis import Analysis
from forensics_app.core.analysis_page import ShownMap, Told, render, stem_of
from forensics_app.core.file_metadata import Row
from forensics_app.core.verdict import Verdict
from forensics_app.evidence import Evidence
from tests.conftest import write_picture

CARD = Card(name="tiny", arch="resnet18", classes=("fake", "real"), limits=("Knows little.",))


def told(tmp_path: Path, shown: ShownMap | None, name: str = "one.png") -> Told:
    file = load(write_picture(tmp_path / "one.png"))
    evidence = (Evidence("metadata", "camera", "hint", "It names a <b>camera</b>."),)
    analysis = Analysis(file, Verdict("fake", 0.87, "Because."), evidence, "tiny", "00" * 8, None, 3.0)
    return Told(name, analysis, CARD, shown, (Row("EXIF", "Make", "<script>x</script>"),), "It can't tell who.")


def test_the_page_says_it_all_and_runs_nothing(tmp_path: Path) -> None:
    heat = Heat(np.linspace(0, 1, 80 * 96, dtype=np.float32).reshape(80, 96), ((0, 0, 64, 64),))
    page = render(told(tmp_path, ShownMap(heat, trust=Trust("good", "It marks what matters."))))
    for text in ("Likely generated", "0.87", "Because.", "It can&#39;t tell who.", "trust of this map", "Knows little.",
                 "It marks what matters.", "<b>Hint</b>"):  # fmt: skip
        assert text in page
    assert page.count("<img") == 2 and "<script" not in page and "&lt;script&gt;" in page and "&lt;b&gt;camera" in page


def test_without_a_map_there_is_one_picture(tmp_path: Path) -> None:
    page = render(told(tmp_path, None))
    assert page.count("<img") == 1 and "trust of this map" not in page


@pytest.mark.parametrize(
    ("name", "stem"), [("a/b.jpg", "b"), ("..", "picture"), ("x\n?.png", "x__"), ("ü 1.png", "ü 1")]
)
def test_a_name_becomes_one_that_can_be_written(name: str, stem: str) -> None:
    assert stem_of(name) == stem
