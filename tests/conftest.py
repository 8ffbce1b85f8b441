"""Fixtures of all tests: an own home, the shared pictures where they exist, detectors, and no threads left behind."""

from __future__ import annotations

import errno
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("FORENSICS_OFFLINE", "1")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def forensics_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty folder as the user's own: no test sees or changes what is installed on this machine."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORENSICS_HOME", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """Fail a test that leaves a thread or a child process behind."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 3
    while (left := _left_running(before)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not left, f"left running: {left}"


def _left_running(before: set[threading.Thread]) -> list[str]:
    # Qt and onnxruntime keep pools of their own that Python names "Dummy-…" once one of them called back.
    threads = [
        thread for thread in threading.enumerate()
        if thread not in before and thread.is_alive() and not isinstance(thread, threading._DummyThread)
        and thread.name != "tqdm_monitor"  # of the ONNX exporter; a daemon that tqdm keeps
    ]  # fmt: skip
    return [str(one) for one in (*threads, *multiprocessing.active_children())]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real pictures, which no clone has: `FORENSICS_TEST_DATA`, or ../shared/data beside the checkout."""
    folder = Path(os.environ.get("FORENSICS_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"needs the test pictures: set FORENSICS_TEST_DATA, {folder} does not exist")
    return folder


@pytest.fixture(scope="session")
def detector_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector of fake and real with random weights, exported once a session."""
    return export_tiny(tmp_path_factory.mktemp("detectors") / "tiny")


@pytest.fixture(scope="session")
def second_detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second one, another and much smaller network."""
    return export_tiny(tmp_path_factory.mktemp("detectors") / "second", arch="mini_resnet", seed=8)


@pytest.fixture(scope="session")
def bundled() -> Path:
    """The folder of the detector that ships with the product."""
    from classifier.detector import BadDetector, find

    try:
        return find("default")
    except BadDetector as error:
        pytest.skip(f"needs the bundled detector in resources/models/default: {error}")


def export_tiny(
    folder: Path, *, classes: tuple[str, ...] = ("fake", "real"), arch: str = "resnet18_npr", seed: int = 7
) -> Path:
    """Export a network with random weights as a detector that looks at up to 2 × 2 tiles of 64 px."""
    torch = pytest.importorskip("torch", reason="needs the extra 'train'")
    from classifier import zoo
    from classifier.detector import Band, Card
    from classifier.export import export
    from classifier.preprocess_spec import Preprocess

    torch.manual_seed(seed)
    network = zoo.build(arch, len(classes))
    card = Card(
        name=folder.name, arch=arch, classes=classes, temperature=1.5, band=Band(low=0.4, high=0.6, n=1),
        preprocess=Preprocess(kind="tiles", size=64, tiles=2),
    )  # fmt: skip
    check = np.random.default_rng(7).normal(size=(2, 3, 64, 64)).astype(np.float32)
    return export(network, card, folder, check=check).folder


def picture(width: int = 96, height: int = 80, *, seed: int = 0) -> NDArray[np.uint8]:
    """Return a smooth picture with some noise, (height, width, 3) bytes; another seed gives another picture."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), np.int16)
    return np.clip(smooth + rng.integers(-6, 7, smooth.shape), 0, 255).astype(np.uint8)


def write_picture(path: Path, width: int = 96, height: int = 80, *, seed: int = 0, **options: object) -> Path:
    """Write `picture(...)` to a file whose suffix names the format; `options` go to Pillow's `save`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(width, height, seed=seed)).save(path, **options)
    return path


def lock(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let a folder's listing fail as that of one without permissions: the superuser may read everything."""
    scandir = os.scandir

    def refusing(path: Any = ".") -> Any:
        if os.fspath(path) == str(folder):
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return scandir(path)

    patch.setattr(os, "scandir", refusing)
