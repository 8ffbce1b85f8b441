"""Worker processes that survive hostile files: a limit of memory and time a task, and a dead worker costs one task.

This is the parent's side; `forensics_app.core.worker` is the other one.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import connection, get_context, resource_tracker
from multiprocessing.context import SpawnProcess
from typing import Any

from forensics_app.core.worker import CannotContinue, Job, Limits, serve

__all__ = ["CannotContinue", "Job", "Limits", "Outcome", "Workers"]

START_SECONDS = 60.0
MAX_FAILED_STARTS = 3
MAX_ANSWER_BYTES = 4 * 2**20
CLOSE_SECONDS = 0.5


@dataclass(frozen=True)
class Outcome:
    """A task is done: `answer` is what the job returned, or `problem` is the kind and the sentence of what failed."""

    task: str
    answer: dict[str, Any] | None
    problem: tuple[str, str] | None


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
        if sys.platform != "win32":
            resource_tracker.ensure_running()  # it would unblock SIGINT when the first process starts it
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
    worker.process.join(CLOSE_SECONDS * 10)  # not even a killed process ends while a dead network disk holds it


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
