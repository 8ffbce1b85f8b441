"""What starts quickly loads little: asked of a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import write_picture
from tests.program import environment

HEAVY = ("torch", "torchvision", "PySide6", "numpy", "onnxruntime", "pydantic", "matplotlib", "PIL", "jinja2")
TRAINING = ("torch", "torchvision", "diffusers", "accelerate", "sklearn", "PySide6")


def loaded_after(code: str, names: tuple[str, ...], *arguments: str) -> list[str]:
    """Return which of the packages are loaded after running code in a new interpreter."""
    ask = f"import sys, json\n{code}\nprint(json.dumps([n for n in {names!r} if n in sys.modules]), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", ask, *arguments],
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
        timeout=120,
    )
    found: list[str] = json.loads(done.stderr.splitlines()[-1])
    return found


PACKAGES = (
    "forensics_app",
    "forensics_app.cli",
    "forensics_app.core",
    "forensics_app.evidence",
    "classifier",
    "generator",
)


@pytest.mark.parametrize("module", PACKAGES)
def test_importing_a_package_loads_nothing_heavy(module: str) -> None:
    assert loaded_after(f"import {module}", HEAVY) == []


RUN = "from forensics_app.cli import app\napp(sys.argv[1:], standalone_mode=False)"


@pytest.mark.parametrize(
    "command", [(), ("analyze",), ("scan",), ("train",), ("models",), ("doctor",), ("demo",)], ids=str
)
def test_help_loads_nothing_heavy(command: tuple[str, ...]) -> None:
    without_typers_own = tuple(name for name in HEAVY if name != "pydantic")  # newer ones read parameters with it
    assert loaded_after(RUN, without_typers_own, *command, "--help") == []


def test_analyze_loads_neither_torch_nor_qt(tmp_path: Path, detector_folder: Path) -> None:
    picture = write_picture(tmp_path / "a.jpg")
    found = loaded_after(RUN, (*TRAINING, "numpy"), "analyze", str(picture), "--detector", str(detector_folder),
                         "--heatmap", str(tmp_path / "maps"))  # fmt: skip
    assert found == ["numpy"]


def test_analyze_without_maps_loads_no_matplotlib(tmp_path: Path, detector_folder: Path) -> None:
    picture = write_picture(tmp_path / "a.jpg")
    assert (
        loaded_after(RUN, ("matplotlib", "jinja2"), "analyze", str(picture), "--detector", str(detector_folder)) == []
    )


def test_what_the_window_imports_ahead_in_a_thread_has_no_part_of_qt_and_leaves_the_pages_only_their_own() -> None:
    code = """
import forensics_app.gui.image_page
from forensics_app.gui.pages import PAGES, import_ahead
before = set(sys.modules)
assert list(import_ahead())
ahead = set(sys.modules) - before
for page in PAGES:
    page.find()
left = {name for name in set(sys.modules) - before - ahead if name.split(".")[0] in ("classifier", "generator")}
left |= {name for name in set(sys.modules) - before - ahead if name.startswith("forensics_app.core")}
qt = {name for name in ahead if name.startswith(("PySide6", "shiboken6", "forensics_app.gui"))}
assert not left and not qt, (left, qt)
"""
    assert loaded_after(code, ("torch", "matplotlib")) == []
