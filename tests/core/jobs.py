"""Jobs that go wrong in every way, for the worker processes of test_workers.py; light to import, as a job must be."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

from forensics_app.core.workers import CannotContinue, Job


def prepare_any() -> Job:
    return do


def do(task: str) -> dict[str, Any]:  # noqa: PLR0911
    match task.split(":"):
        case ["signal", number]:
            os.kill(os.getpid(), int(number))
        case ["exit", code]:
            os._exit(int(code))
        case ["spin"]:
            while True:
                pass
        case ["sleep", seconds]:
            time.sleep(float(seconds))
        case ["memory", amount]:
            return {"length": len(bytearray(int(amount)))}
        case ["raise", text]:
            raise KeyError(text)
        case ["stop", text]:
            raise CannotContinue(text)
        case ["flood", amount]:
            return {"text": "x" * int(amount)}
        case ["noise"]:
            print("noise")
            print("noise", file=sys.stderr, flush=True)
            os.write(2, b"noise")
        case ["threads"]:
            return {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    return {"task": task, "pid": os.getpid()}


def prepare_badly(how: str) -> Job:
    if how == "raise":
        raise ValueError("This can never work.")
    if how == "exit":
        os._exit(3)
    if how == "memory":
        bytearray(2**40)
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    return do
