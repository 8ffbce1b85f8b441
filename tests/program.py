"""The real command, as a person starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

COMMAND = (sys.executable, "-m", "forensics_app")


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment without a display, from which the checkout is imported."""
    kept = {
        key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    }
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", "OMP_NUM_THREADS": "1", **changes}


def forensics(*arguments: str | Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run `forensics ARGUMENTS…` to its end, `changes` are environment variables; no run may show a traceback."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        timeout=120,
        env=environment(**changes),
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def records(output: str) -> list[dict[str, Any]]:
    """Return the JSON lines of an output."""
    return [json.loads(line) for line in output.splitlines()]
