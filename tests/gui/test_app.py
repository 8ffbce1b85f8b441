from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT

WITHOUT_TORCH = """
import sys
import forensics_app.gui.window, forensics_app.gui.app
sys.exit("torch" in sys.modules)
"""


def python(*arguments: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
    wanted = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        [sys.executable, *arguments],
        env={name: value for name, value in wanted.items() if value is not None},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_without_a_display_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    code = "import sys; from forensics_app.gui.app import run; sys.exit(run([]))"
    for display in (None, ":4999"):
        ended = python("-c", code, QT_QPA_PLATFORM=None, WAYLAND_DISPLAY=None, DISPLAY=display)
        assert ended.returncode == 2, ended.stderr
        assert "display" in ended.stderr.lower() and len(ended.stderr.splitlines()) == 1 and not ended.stdout


@pytest.mark.parametrize("after_s", [0.2, 0.4, 0.6, 1.5])
def test_ctrl_c_ends_with_130_however_early(tmp_path: Path, after_s: float) -> None:
    code = "import sys; from forensics_app.gui.app import run; print('begun', flush=True); sys.exit(run([]))"
    wanted = {**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen", "FORENSICS_HOME": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], env=wanted, stdout=-1, stderr=-1, text=True) as started:
        assert started.stdout is not None and started.stdout.readline()
        time.sleep(after_s)
        started.send_signal(signal.SIGINT)
        try:
            _, errors = started.communicate(timeout=30)
        finally:
            started.kill()
    assert started.returncode == 130 and "Traceback" not in errors, errors


def test_the_window_does_not_import_torch() -> None:
    assert python("-c", WITHOUT_TORCH).returncode == 0
