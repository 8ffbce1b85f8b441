"""A worker process from within: confined, one task after the other, until its parent closes the pipe or dies.

It answers in JSON, not in pickles: a process that a hostile file has taken over must not be able to run code in the
parent. This module imports nothing heavy, because every worker imports it before it limits its threads.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any

Job = Callable[[str], dict[str, Any]]
"""What a worker does with a task (a path): returns its answer, which JSON can hold."""

ORPHAN_SECONDS = 2.0
"""How much longer than its limit a task may take before the kernel ends it, if no parent has."""


@dataclass(frozen=True)
class Limits:
    """What one worker may use: `memory_bytes` in all (Linux and other POSIX systems), `seconds_a_file` by the clock."""

    memory_bytes: int = 2 * 2**30
    seconds_a_file: float = 60.0


class CannotContinue(Exception):
    """No task can be done any more: a worker cannot start, results cannot be written; `kind` is the error's class."""

    def __init__(self, message: str, kind: str = "CannotContinue") -> None:
        super().__init__(message)
        self.kind = kind


def serve(pipe: connection.Connection, prepare: Callable[..., Job], arguments: tuple[Any, ...], limits: Limits) -> None:
    """Be a worker until the pipe closes, which it also does when the parent dies."""
    _confine(limits)
    with suppress(EOFError, OSError):  # the parent is gone or has closed the pipe
        try:
            job = prepare(*arguments)
        except MemoryError:
            reason = f"A worker needs more memory than its limit of {limits.memory_bytes / 2**20:,.0f} MiB to start."
            _send(pipe, {"stop": reason, "kind": "MemoryError"})
            return
        except Exception as error:
            _send(pipe, {"stop": str(error) or type(error).__name__, "kind": type(error).__name__})
            return
        _send(pipe, {"ready": True})
        while not _work(pipe, job, json.loads(pipe.recv_bytes()), limits):
            pass


def _work(pipe: connection.Connection, job: Job, task: str, limits: Limits) -> bool:
    """Answer one task; True if this worker should take no other one."""
    _alarm(limits.seconds_a_file + ORPHAN_SECONDS)
    message: dict[str, Any]
    try:
        message = {"answer": job(task)}
    except CannotContinue as error:
        message = {"stop": str(error), "kind": error.kind}
    except MemoryError:
        text = f"The picture needs more memory than the {limits.memory_bytes / 2**20:,.0f} MiB that one file may use."
        message = {"problem": ("memory", text), "last": True}
    except Exception as error:
        detail = " ".join(f"{type(error).__name__}: {error}".split())[:160]
        message = {"problem": ("failed", f"The picture could not be judged ({detail})."), "last": True}
    _alarm(0)
    _send(pipe, message)
    return "last" in message or "stop" in message


def _send(pipe: connection.Connection, message: dict[str, Any]) -> None:
    pipe.send_bytes(json.dumps(message).encode())


def _confine(limits: Limits) -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open(os.devnull, "r+b") as nowhere:  # noqa: PTH123 - decoders written in C complain on the terminal
        for stream in (0, 1, 2):
            os.dup2(nowhere.fileno(), stream)
    try:
        import resource
    except ImportError:
        return  # Windows: only the limits of the image loader hold
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS, limits.memory_bytes)


def _limit(what: int, most: int) -> None:
    import resource

    hard = resource.getrlimit(what)[1]
    with suppress(ValueError, OSError):  # some systems refuse some limits
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _alarm(seconds: float) -> None:
    """Let the kernel end this process if even the parent that should have killed it is gone."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds)
