"""Jobs that go wrong in every way, for the worker processes of test_workers.py; light to import, as a job must be."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from forensics_app.core.worker import CannotContinue, Job, Task


def prepare_any() -> Job:
    return Doing()


class Doing:
    """Does what the word before the colon says with what comes after it; any other task is answered.

    It is done while working, or with `read:` in front while reading.
    """

    def read(self, task: Task) -> tuple[str, Any]:
        if task.path.startswith("read:"):
            deed(task.path.removeprefix("read:"))
        return task.path if task.data is None else task.data.decode(), task.data

    def work(self, task: Task, material: Any) -> dict[str, Any]:
        done = {} if task.path.startswith("read:") else deed(task.path)
        return {"task": task.path, "pid": os.getpid(), "length": len(material or b""), **done}


def deed(text: str) -> dict[str, Any]:
    word, _, value = text.partition(":")
    return (DEEDS[word](value) if word in DEEDS else None) or {}


def spin(_: str) -> None:
    while True:
        pass


def fail(text: str) -> None:
    raise KeyError(text)


def stop(text: str) -> None:
    raise CannotContinue(text)


def allocate(amount: str) -> dict[str, Any]:
    return {"length": len(bytearray(int(amount)))}


def make_noise(_: str) -> None:
    sys.stdout.write("noise")
    sys.stdout.flush()
    os.write(2, b"noise")


def threads(_: str) -> dict[str, Any]:
    return {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}


DEEDS: dict[str, Callable[[str], dict[str, Any] | None]] = {
    "signal": lambda number: os.kill(os.getpid(), int(number)),
    "exit": lambda code: os._exit(int(code)),
    "spin": spin,
    "sleep": lambda seconds: time.sleep(float(seconds)),
    "memory": allocate,
    "raise": fail,
    "stop": stop,
    "flood": lambda amount: {"text": "x" * int(amount)},
    "noise": make_noise,
    "threads": threads,
}


def prepare_badly(how: str) -> Job:
    if how == "raise":
        raise ValueError("This can never work.")
    if how == "exit":
        os._exit(3)
    if how == "memory":
        bytearray(2**40)
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    return Doing()
