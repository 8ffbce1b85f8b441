"""Where things live: what ships with the product, and what belongs to the user."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import platformdirs


@cache
def resources() -> Path:
    """Return the folder with the bundled models, recipes and samples (in a wheel or in a checkout)."""
    root = Path(__file__).resolve().parent.parent
    installed = root / "forensics_app" / "resources"
    return installed if installed.is_dir() else root / "resources"


def home() -> Path:
    """Return the user's folder for detectors, settings and logs; `FORENSICS_HOME` moves all of it."""
    moved = os.environ.get("FORENSICS_HOME")
    return Path(moved).expanduser() if moved else Path(platformdirs.user_data_dir("forensics"))
