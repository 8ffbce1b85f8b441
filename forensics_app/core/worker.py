"""A worker process from within: confined, one task after the other, until its parent closes the pipe or dies.

A task has two steps. The worker *reads* it (bytes and their SHA-256), says the hash, and hears from the parent whether
to go on: content that is known already is not judged again. While it *works* on one task the next one has been read,
so that it never waits for an answer. `forensics_app.core.workers` is the parent's side.

It answers in JSON, not in pickles: a process that a hostile file has taken over must not be able to run code in the
parent. This module imports nothing heavy, because every worker imports it before it limits its threads.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import connection
from typing import Any, Protocol

ORPHAN_SECONDS = 2.0
"""How much longer than its limit a step may take before the kernel ends it, if no parent has."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 64 * 2**20
"""The largest piece of memory that is not given back to the system at once."""
NEXT_SECONDS = 0.002
"""How long to wait for the next task before working on this one; it is on its way unless there is none."""


@dataclass(frozen=True, eq=False)
class Task:
    """A picture to judge: a path as Python holds it (`os.fsdecode`), and its bytes where it lies in an archive."""

    path: str
    data: bytes | None = None


class Job(Protocol):
    """What a worker does. Both steps may raise `Refused`, `CannotContinue` and, as a bug, anything else."""

    def read(self, task: Task) -> tuple[str, Any]:
        """Return a key (the SHA-256) by which the parent decides, and what `work` needs."""

    def work(self, task: Task, material: Any) -> dict[str, Any]:
        """Return the answer, which JSON can hold."""


@dataclass(frozen=True)
class Limits:
    """What one worker may use: `memory_bytes` in all (Linux and other POSIX systems), `seconds_a_file` by the clock."""

    memory_bytes: int = 2 * 2**30
    seconds_a_file: float = 60.0


class Refused(Exception):
    """A task that cannot be done: `kind` says which way, `str()` is one sentence."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class CannotContinue(Exception):
    """No task can be done any more: a worker cannot start, results cannot be written; `kind` is the error's class."""

    def __init__(self, message: str, kind: str = "CannotContinue") -> None:
        super().__init__(message)
        self.kind = kind


class _Enough(Exception):
    """This worker has told of something after which it should take no other task."""


def serve(pipe: connection.Connection, modules: Sequence[str], limits: Limits) -> None:
    """Be a worker until the pipe closes, which it also does when the parent dies.

    `modules` are imported at once; the first message says what the job is.
    """
    _confine(limits)
    with suppress(EOFError, OSError, _Enough):  # the parent is gone or has closed the pipe
        try:
            for name in modules:
                import_module(name)
            prepare, arguments = pipe.recv()
            job = prepare(*arguments)
        except MemoryError:
            reason = f"A worker needs more memory than its limit of {limits.memory_bytes / 2**20:,.0f} MiB to start."
            _send(pipe, {"stop": reason, "kind": "MemoryError"})
        except (EOFError, ConnectionError):
            raise
        except Exception as error:
            _send(pipe, {"stop": str(error) or type(error).__name__, "kind": type(error).__name__})
        else:
            _send(pipe, {"ready": True})
            _Worker(pipe, job, limits).run()
    pipe.close()
    os._exit(0)  # there is nothing to flush, and taking everything apart first would hold up the parent


@dataclass(eq=False)
class _Worker:
    pipe: connection.Connection
    job: Job
    limits: Limits

    def run(self) -> None:
        """Read the next task, work on the one before, and so on."""
        held: tuple[Task, Any] | None = None
        while True:
            following = self._read_next() if held is None or self.pipe.poll(NEXT_SECONDS) else None
            if held is not None:
                self._work(*held)
            held = following if following is not None and self._wanted() else None

    def _read_next(self) -> tuple[Task, Any] | None:
        """Return a task and what was read of it, its key told; None if it could not be read, and that was told."""
        task = self._receive()
        read: list[tuple[Task, Any]] = []
        with self._telling("read"):
            key, material = self.job.read(task)
            _send(self.pipe, {"asks": key})
            read.append((task, material))
        return read[0] if read else None

    def _receive(self) -> Task:
        orders = json.loads(self.pipe.recv_bytes())
        return Task(orders["path"], self.pipe.recv_bytes() if orders["inline"] else None)

    def _wanted(self) -> bool:
        return bool(json.loads(self.pipe.recv_bytes())["wanted"])

    def _work(self, task: Task, material: Any) -> None:
        with self._telling("work"):
            _send(self.pipe, {"begun": True})
            _send(self.pipe, {"answer": self.job.work(task, material)})

    @contextmanager
    def _telling(self, step: str) -> Iterator[None]:
        """Give a step its time, and turn what goes wrong in it into a message to the parent."""
        message: dict[str, Any] | None = None
        _alarm(self.limits.seconds_a_file + ORPHAN_SECONDS)
        try:
            yield
        except (EOFError, BrokenPipeError, ConnectionError):
            raise
        except CannotContinue as error:
            message = {"stop": str(error), "kind": error.kind}
        except Refused as error:
            message = {"problem": (error.kind, str(error))}
        except MemoryError:
            most = f"{self.limits.memory_bytes / 2**20:,.0f} MiB"
            text = f"The picture needs more memory than the {most} that one file may use."
            message = {"problem": ("memory", text), "last": True}
        except Exception as error:
            detail = " ".join(f"{type(error).__name__}: {error}".split())[:160]
            message = {"problem": ("failed", f"The picture could not be judged ({detail})."), "last": True}
        finally:
            _alarm(0)
        if message is None:
            return
        _send(self.pipe, {**message, "step": step})
        if "last" in message or "stop" in message:
            raise _Enough


def _send(pipe: connection.Connection, message: dict[str, Any]) -> None:
    pipe.send_bytes(json.dumps(message).encode())


def _confine(limits: Limits) -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _keep_memory()
    with open(os.devnull, "r+b") as nowhere:  # noqa: PTH123 - decoders written in C complain on the terminal
        for stream in (0, 1, 2):
            os.dup2(nowhere.fileno(), stream)
    try:
        import resource
    except ImportError:
        return  # Windows: only the limits of the image loader hold
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS, limits.memory_bytes)


def _keep_memory() -> None:
    """Let glibc keep the memory of a picture for the next one: getting it anew takes as long as decoding half of it.

    Pictures of up to some 16 megapixels are held that way; larger ones come and go as before.
    """
    with suppress(AttributeError, OSError, TypeError):  # another C library, or none
        library = ctypes.CDLL(None)
        library.mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
        library.mallopt(M_TRIM_THRESHOLD, 3 * KEPT_BYTES)


def _limit(what: int, most: int) -> None:
    import resource

    hard = resource.getrlimit(what)[1]
    with suppress(ValueError, OSError):  # some systems refuse some limits
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _alarm(seconds: float) -> None:
    """Let the kernel end this process if even the parent that should have killed it is gone."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds)


def how_it_ended(code: int | None) -> str:
    """Return the signal that ended a process by its name, else its exit code."""
    if code is not None and code < 0:
        with suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"


@contextmanager
def no_interrupt() -> Iterator[None]:
    """Let a process start with SIGINT blocked: Ctrl-C reaches the whole terminal, but only the parent answers it."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
