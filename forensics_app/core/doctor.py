"""What is installed, what it can use and whether judging works: looked at, never changed, and never a crash itself."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from classifier.detector import BadDetector, folders, open_folder
from classifier.places import home, resources
from forensics_app import __version__
from forensics_app.core.display import missing_libraries, window_problem

PACKAGES: dict[str, tuple[str, ...]] = {
    "judging": (
        "defusedxml", "jinja2", "matplotlib", "numpy", "onnxruntime", "pillow", "platformdirs", "pydantic",
        "PySide6-Essentials", "pyyaml", "rich", "safetensors", "typer",
    ),
    "train": ("accelerate", "diffusers", "onnx", "onnxscript", "scikit-learn", "torch", "torchvision"),
    "heif": ("pillow-heif",),
    "tensorboard": ("tensorboard",),
}  # fmt: skip
"""What the installation may hold: `judging` is what every copy needs, the others are the extras of that name."""

TORCH_SECONDS = 120
ASK_TORCH = """
import json, torch
names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
print(json.dumps({"cuda": names, "mps": torch.backends.mps.is_available(), "threads": torch.get_num_threads()}))
"""


@dataclass(frozen=True)
class Devices:
    """What could compute: cores this process may use, CUDA devices by name, Apple's GPU; `problem` if torch fails."""

    cores: int
    cuda: tuple[str, ...] = ()
    mps: bool = False
    problem: str | None = None


@dataclass(frozen=True)
class Place:
    """A folder of the installation and the free bytes on its disk."""

    path: str
    exists: bool
    free_bytes: int


@dataclass(frozen=True)
class Checked:
    """A detector's folder: its id where card and files are sound, and otherwise the problem."""

    name: str
    folder: str
    id: str | None
    problem: str | None


@dataclass(frozen=True)
class Health:
    """All of it; `packages` maps the groups of `PACKAGES` to versions, None for what is missing."""

    forensics: str
    python: str
    system: str
    packages: dict[str, dict[str, str | None]]
    devices: Devices
    window: str | None
    libraries: tuple[str, ...]
    places: dict[str, Place]
    detectors: tuple[Checked, ...]
    judging_ms: float | None
    judging: str | None

    @property
    def works(self) -> bool:
        """True if a picture can be judged here."""
        return self.judging is None

    @property
    def sound(self) -> bool:
        """True if judging works and every installed detector is what its card says."""
        return self.works and not any(one.problem for one in self.detectors)


def examine() -> Health:
    """Look at everything; takes some seconds where torch is installed."""
    milliseconds, problem = _judge_once()
    return Health(
        __version__,
        platform.python_version(),
        platform.platform(),
        {group: {name: _version(name) for name in names} for group, names in PACKAGES.items()},
        _devices(),
        window_problem(),
        tuple(missing_libraries()),
        {"program": _place(resources()), "yours": _place(home()), "here": _place(Path.cwd())},
        tuple(_checked(folder) for folder in folders()),
        milliseconds,
        problem,
    )


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _devices() -> Devices:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if importlib.util.find_spec("torch") is None:
        return Devices(cores)
    try:  # a child, because a build of torch that does not fit the machine may end its process
        asked = subprocess.run(
            [sys.executable, "-c", ASK_TORCH], capture_output=True, timeout=TORCH_SECONDS, check=True, text=True
        )
        found = json.loads(asked.stdout.splitlines()[-1])
        return Devices(cores, tuple(found["cuda"]), bool(found["mps"]))
    except subprocess.TimeoutExpired:
        return Devices(cores, problem=f"torch did not answer within {TORCH_SECONDS} s.")
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or [f"exit code {error.returncode}"])[-1]
        return Devices(cores, problem=f"torch does not import: {last}")
    except (OSError, ValueError, LookupError) as error:
        return Devices(cores, problem=f"torch could not be asked: {error}")


def _place(path: Path) -> Place:
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    return Place(str(path), path.exists(), shutil.disk_usage(there).free)


def _checked(folder: Path) -> Checked:
    try:
        return Checked(folder.name, str(folder), open_folder(folder).id, None)
    except BadDetector as error:
        return Checked(folder.name, str(folder), None, str(error))


def _judge_once() -> tuple[float | None, str | None]:
    """Judge a picture of noise with the default detector; returns the milliseconds, or the problem."""
    try:
        import numpy as np

        from classifier.runtime import Detector

        detector = Detector.load()
        pixels = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
        begun = time.perf_counter()
        detector.predict([pixels])
        return round((time.perf_counter() - begun) * 1000, 1), None
    except BadDetector as error:
        return None, str(error)
    except Exception as error:  # whatever is broken in this installation is the answer
        return None, f"{type(error).__name__}: {error}"
