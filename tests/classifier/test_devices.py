"""Devices by name: the same answers on each that is there, a sentence for each that is not."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from classifier import devices
from classifier.detector import BadDetector
from classifier.runtime import Detector
from tests.conftest import picture


def test_an_unknown_device_names_those_there_are(detector_folder: Path) -> None:
    with pytest.raises(BadDetector, match="There is no device 'tpu'; there are auto, cpu, cuda, openvino"):
        Detector(detector_folder, device="tpu")


@pytest.mark.skipif("CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="there is a GPU")
def test_without_a_gpu_auto_is_the_processor_and_cuda_is_a_sentence(detector_folder: Path) -> None:
    assert devices.named("auto").name == "cpu"
    with pytest.raises(BadDetector, match="needs the package onnxruntime-gpu"):
        Detector(detector_folder, device="cuda")


def test_a_missing_package_names_the_extra(detector_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(BadDetector, match=r"pip install 'forensics\[openvino\]'"):
        Detector(detector_folder, device="openvino")


def test_openvino_judges_alike(second_detector: Path) -> None:
    pytest.importorskip("openvino", reason="needs the extra 'openvino'")
    ours, theirs = (Detector(second_detector, threads=1, device=name) for name in ("cpu", "openvino"))
    pixels = picture(150, 140)
    one, two = ours.judge(pixels, heat_class="fake"), theirs.judge(pixels, heat_class="fake")
    assert np.abs(one.probabilities - two.probabilities).max() < 0.02
    assert one.heat is not None
    assert two.heat is not None
    assert np.abs(one.heat.values - two.heat.values).mean() < 0.1
