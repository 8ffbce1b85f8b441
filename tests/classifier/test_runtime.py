from __future__ import annotations

from classifier.runtime import Detector
from tests.conftest import picture


def test_predict(detector_folder):
    d = Detector(detector_folder, threads=1)
    ps = [picture(96, 80), picture(300, 200, seed=1), picture(40, 200, seed=2)]
    assert d.predict(ps).shape == (3, 2)
