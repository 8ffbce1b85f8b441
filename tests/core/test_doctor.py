"""Doctor and display: they name what is missing and never crash themselves."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from forensics_app.core import display, doctor
from tests.conftest import ROOT


def test_packages_are_those_of_the_project() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for group, start in (("judging", "\ndependencies = ["), ("train", "\ntrain = ["), ("heif", "\nheif = [")):
        block = text.split(start, 1)[1].split("]\n", 1)[0].split('"]', 1)[0]
        assert set(re.findall(r'"([A-Za-z0-9-]+)', block)) == set(doctor.PACKAGES[group]), group


def test_a_broken_torch_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="needs the extra 'train'")
    monkeypatch.setattr(doctor, "ASK_TORCH", "raise ImportError('operator torchvision::nms does not exist')")
    found = doctor._devices()
    assert found.cores >= 1
    assert found.cuda == ()
    assert "torchvision::nms" in (found.problem or "")
    monkeypatch.setattr(doctor, "ASK_TORCH", "import os; os.abort()")
    assert "does not import" in (doctor._devices().problem or "")


def test_judging_without_a_detector_is_a_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("classifier.detector.roots", lambda: (tmp_path,))
    milliseconds, problem = doctor._judge_once()
    assert milliseconds is None
    assert "no detector" in (problem or "")


def test_places_that_are_not_there_yet(tmp_path: Path) -> None:
    place = doctor._place(tmp_path / "not" / "yet")
    assert not place.exists
    assert place.free_bytes > 0


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks X servers and Debian's libraries")


@linux
def test_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert "no display" in (display.window_problem() or "")


@linux
def test_missing_libraries_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":9999")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.setattr(display, "_loads", lambda name: name not in ("libxcb-cursor.so.0", "libxcb-icccm.so.4"))
    assert "apt-get install libxcb-cursor0 libxcb-icccm4." in (display.window_problem() or "")


@linux
def test_a_dead_display(monkeypatch: pytest.MonkeyPatch) -> None:
    if display.missing_libraries():
        pytest.skip("needs Qt's system libraries")
    monkeypatch.setenv("DISPLAY", ":9999")
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    assert "does not answer" in (display.window_problem() or "")


def test_a_library_that_is_not_there() -> None:
    assert not display._loads("libno-such-library.so.7")
