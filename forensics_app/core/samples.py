"""The pictures that come with the program, to try it on."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from classifier.places import resources

PICTURES = "pictures"
SUFFIXES = (".jpg", ".png")


def sample_files() -> list[Path]:
    """Return the bundled samples, then scikit-learn's two sample photographs where that package is installed."""
    found = [path for path in sorted((resources() / "samples").iterdir()) if path.suffix in SUFFIXES]
    spec = importlib.util.find_spec("sklearn")  # finds the package without importing it
    for root in spec.submodule_search_locations or () if spec else ():
        found += sorted(Path(root, "datasets", "images").glob("*.jpg"))
    return found


def lay_out(out: Path) -> Path:
    """Copy the samples to `out`/pictures, so that the report is beside what it speaks of; returns that folder."""
    folder = out / PICTURES
    folder.mkdir(parents=True, exist_ok=True)
    for path in sample_files():
        shutil.copyfile(path, folder / path.name)
    return folder
