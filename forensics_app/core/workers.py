"""Worker processes that survive hostile files: a limit of memory and time a task, and a dead worker costs one task.

Workers answer in JSON, not in pickles: a process that a hostile file has taken over must not be able to run code in
the parent. This module imports nothing heavy, because every worker imports it before it limits its threads.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import connection, get_context
from multiprocessing.context import SpawnProcess
from typing import Any

Job = Callable[[str], dict[str, Any]]
"""What a worker does with a task (a path): returns its answer, which JSON can hold."""

START_SECONDS = 60.0
MAX_FAILED_STARTS = 3
MAX_ANSWER_BYTES = 4 * 2**20
CLOSE_SECONDS = 0.5
ORPHAN_SECONDS = 2.0


@dataclass(frozen=True)
class Limits:
    """What one worker may use: `memory_bytes` in all (Linux and other POSIX systems), `seconds_a_file` by the clock."""

    memory_bytes: int = 2 * 2**30
    seconds_a_file: float = 60.0


@dataclass(frozen=True)
class Outcome:
    """A task is done: `answer` is what the job returned, or `problem` is the kind and the sentence of what failed."""

    task: str
    answer: dict[str, Any] | None
    problem: tuple[str, str] | None


class CannotContinue(Exception):  # noqa: N818
    """No task can be done any more: a worker cannot start, results cannot be written; `kind` is the error's class."""

    def __init__(self, message: str, kind: str = "CannotContinue") -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(eq=False)
class _Worker:
    process: SpawnProcess
    pipe: connection.Connection
    since: float = field(default_factory=time.monotonic)
    task: str | None = None
    ready: bool = False


class Workers:
    """Processes that work on one task each. Close it, also after an exception: it is a context manager."""

    def __init__(self, prepare: Callable[..., Job], *arguments: Any, limits: Limits) -> None:
        """`prepare(*arguments)` runs once in each worker and returns its job; its module must be light to import."""
        self._prepare, self._arguments, self._limits = prepare, arguments, limits
        self._workers: list[_Worker] = []
        self._failed_starts = 0
        self.pids: list[int] = []

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._workers)

    @property
    def free(self) -> int:
        """How many workers wait for a task."""
        return sum(worker.ready and worker.task is None for worker in self._workers)

    @property
    def tasks(self) -> int:
        """How many tasks are being worked on."""
        return sum(worker.task is not None for worker in self._workers)

    def start(self) -> None:
        """Start one more worker; it takes tasks when it is ready."""
        context = get_context("spawn")
        mine, theirs = context.Pipe()
        orders = (theirs, self._prepare, self._arguments, self._limits)
        process = context.Process(target=serve, args=orders, name="forensics-worker", daemon=True)
        with theirs, _no_interrupt():
            process.start()
            self._workers.append(_Worker(process, mine))
            self.pids.append(process.pid or 0)

    def give(self, task: str) -> None:
        """Hand a task to a free worker."""
        worker = next(worker for worker in self._workers if worker.ready and worker.task is None)
        worker.task, worker.since = task, time.monotonic()
        with suppress(OSError):  # a worker that has just died is noticed by `wait`
            worker.pipe.send_bytes(json.dumps(task).encode())

    def wait(self, seconds: float) -> Iterator[Outcome]:
        """Yield what was finished, waiting at most `seconds` for the first. Raises `CannotContinue`."""
        deadline = min((self._deadline(worker) for worker in self._workers), default=float("inf"))
        patience = max(0.0, min(seconds, deadline - time.monotonic()))
        speaking = connection.wait([worker.pipe for worker in self._workers], patience)
        for worker in [worker for worker in self._workers if worker.pipe in speaking]:
            yield from self._listen(worker)
        now = time.monotonic()
        for worker in [worker for worker in self._workers if self._deadline(worker) <= now]:
            yield from self._expire(worker)

    def close(self) -> None:
        """End all workers: they may finish what takes half a second, then they are killed. Leaves no process behind."""
        with _no_interrupt():  # a second Ctrl-C must not leave some behind
            for worker in self._workers:
                worker.pipe.close()
            until = time.monotonic() + CLOSE_SECONDS
            for worker in self._workers:
                worker.process.join(max(0.0, until - time.monotonic()))
                _end(worker)
            self._workers.clear()

    def _deadline(self, worker: _Worker) -> float:
        if worker.task is not None:
            return worker.since + self._limits.seconds_a_file
        return float("inf") if worker.ready else worker.since + START_SECONDS

    def _listen(self, worker: _Worker) -> Iterator[Outcome]:
        try:
            message: dict[str, Any] = dict(json.loads(worker.pipe.recv_bytes(MAX_ANSWER_BYTES)))
        except (EOFError, OSError, ValueError, TypeError):  # no answer, or none that a sound worker would give
            yield from self._bury(worker)
            return
        task, worker.task = worker.task, None
        worker.ready, self._failed_starts = True, 0
        if "stop" in message:
            raise CannotContinue(message["stop"], message["kind"])
        if task is not None:
            yield Outcome(task, message.get("answer"), tuple(message["problem"]) if "problem" in message else None)
        if message.get("last"):
            self._drop(worker)

    def _bury(self, worker: _Worker) -> Iterator[Outcome]:
        self._drop(worker)
        how = _how_it_ended(worker.process.exitcode)
        if worker.task is not None and how == "SIGALRM":
            yield self._late(worker.task)
            return
        if worker.task is not None:
            message = f"The process that read this file ended ({how}); the file is probably damaged or hostile."
            yield Outcome(worker.task, None, ("crashed", message))
            return
        self._failed_starts += 1
        if self._failed_starts >= MAX_FAILED_STARTS:
            raise CannotContinue(
                f"The worker processes end before they have begun ({how}). Memory may be short; a script that starts a "
                "scan must do so below 'if __name__ == \"__main__\":'."
            )

    def _expire(self, worker: _Worker) -> Iterator[Outcome]:
        if worker.task is None:
            self._drop(worker)
            raise CannotContinue(f"A worker process was not ready after {START_SECONDS:.0f} seconds.")
        if worker.pipe.poll():  # it answered while nobody looked
            yield from self._listen(worker)
            return
        self._drop(worker)
        yield self._late(worker.task)

    def _late(self, task: str) -> Outcome:
        message = f"The file took longer than {self._limits.seconds_a_file:g} seconds and was given up."
        return Outcome(task, None, ("timeout", message))

    def _drop(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join(0.2)  # one that is ending says how
        _end(worker)


def _end(worker: _Worker) -> None:
    if worker.process.is_alive():
        worker.process.kill()
    worker.process.join()


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Let a process start with SIGINT blocked: Ctrl-C reaches the whole terminal, but only the parent answers it."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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
