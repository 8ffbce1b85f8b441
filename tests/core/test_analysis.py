"""One picture from bytes to verdict, and its public JSON form."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from classifier.images import BadImage
from classifier.runtime import Detector
from forensics_app.core.analysis import CannotJudge, analyze, error_json, to_json
from forensics_app.evidence import Evidence, Probe
from tests.conftest import export_tiny, picture, write_picture


@pytest.fixture(scope="module")
def detector(detector_folder: Path) -> Detector:
    return Detector(detector_folder, threads=1)


def test_a_picture_gets_a_verdict_evidence_and_a_map(detector: Detector, tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png", 200, 150)
    analysis = analyze(path, detector)
    assert analysis.verdict.label in ("fake", "real", "unsure")
    assert analysis.verdict.p_fake == pytest.approx(detector.judge(picture(200, 150)).probabilities[0])
    assert analysis.heat is not None and analysis.heat.values.shape == (150, 200)
    assert [one.probe for one in analysis.evidence] == ["metadata"]
    assert analysis.ms > 0 and (analysis.detector_name, analysis.detector_id) == ("tiny", detector.id)
    assert analyze(path.read_bytes(), detector, heatmap=False).heat is None


def test_the_public_json_has_the_documented_keys(detector: Detector, tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.jpg")
    answer = json.loads(json.dumps(to_json(str(path), analyze(path, detector), "map.png"), allow_nan=False))
    assert list(answer) == [
        "path", "sha256", "format", "width", "height", "verdict", "evidence", "detector", "heatmap", "ms",
    ]  # fmt: skip
    assert set(answer["verdict"]) == {"label", "p_fake", "reason"}
    assert set(answer["detector"]) == {"name", "id"}
    assert set(answer["evidence"][0]) == {"probe", "finding", "strength", "summary", "details"}
    assert error_json("a", "damaged", "b.") == {"path": "a", "error": {"kind": "damaged", "message": "b."}}


def test_a_bad_file_raises_and_a_small_one_is_unsure(detector: Detector, tmp_path: Path) -> None:
    with pytest.raises(BadImage):
        analyze(b"text", detector)
    small = analyze(write_picture(tmp_path / "s.png", 500, 40), detector)
    assert small.verdict.label == "unsure" and "too small" in small.verdict.reason


def test_a_probe_that_fails_spoils_nothing(detector: Detector, tmp_path: Path) -> None:
    def broken(_: object) -> Evidence:
        raise MemoryError

    analysis = analyze(write_picture(tmp_path / "a.png"), detector, probes=[Probe("broken", broken)])
    assert [(one.probe, one.finding) for one in analysis.evidence] == [("broken", "failed")]
    assert "broken" not in analysis.verdict.reason


def test_what_the_file_says_reaches_the_verdict(detector: Detector, tmp_path: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("parameters", "a duck\nSteps: 20, Sampler: Euler")
    path = tmp_path / "a.png"
    Image.fromarray(picture()).save(path, pnginfo=texts)
    analysis = analyze(path, detector)
    assert analysis.evidence[0].finding == "synthetic"
    assert analysis.verdict.label != "real"


def test_a_detector_of_other_things_does_not_judge(tmp_path: Path) -> None:
    animals = Detector(export_tiny(tmp_path / "animals", classes=("cat", "dog", "duck")), threads=1)
    with pytest.raises(CannotJudge, match="cat, dog, duck"):
        analyze(write_picture(tmp_path / "a.png"), animals)
    assert animals.predict([np.zeros((64, 64, 3), np.uint8)]).shape == (1, 3)
