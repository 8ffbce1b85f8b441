"""Worker processes that survive hostile files: a limit of memory and time a task, and a dead worker costs one task.

This is the parent's side; `forensics_app.core.worker` is the other one.
"""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import connection, get_context, resource_tracker
from multiprocessing.context import SpawnProcess
from typing import Any

from forensics_app.core.worker import CannotContinue, Job, Limits, Task, how_it_ended, no_interrupt, serve

__all__ = ["Ahead", "Asked", "CannotContinue", "Job", "Limits", "Outcome", "Returned", "Task", "Workers"]

START_SECONDS = 60.0
MAX_FAILED_STARTS = 3
MAX_ANSWER_BYTES = 4 * 2**20
CLOSE_SECONDS = 0.5


@dataclass(frozen=True, eq=False)
class Outcome:
    """A task is done: `answer` is what the job returned, or `problem` is the kind and the sentence of what failed."""

    task: Task
    answer: dict[str, Any] | None
    problem: tuple[str, str] | None


@dataclass(frozen=True, eq=False)
class Asked:
    """A task was read and has this key: say with `Workers.reply`, before anything else, whether to go on with it."""

    task: Task
    key: str


@dataclass(frozen=True, eq=False)
class Returned:
    """A task that a dead worker had before it, through no fault of the task: give it again."""

    task: Task


Said = Outcome | Asked | Returned


@dataclass(eq=False)
class _Worker:
    """`reading` was given and not asked about yet, those in `waiting` are wanted but not begun, `working` is."""

    process: SpawnProcess
    pipe: connection.Connection
    since: float = field(default_factory=time.monotonic)
    ready: bool = False
    reading: Task | None = None
    waiting: deque[Task] = field(default_factory=deque)
    working: Task | None = None

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What it has before it, the one first that it is at: it reads the next one before it works on this."""
        return tuple(task for task in (self.working, self.reading, *self.waiting) if task is not None)

    @property
    def has_room(self) -> bool:
        """Whether it can take a task: none is unread, and at most one is ahead of it."""
        return self.ready and self.reading is None and len(self.tasks) < 2


class Ahead:
    """One worker that starts before its job is known: it imports while its parent still finds out what is to be done.

    Close it, also after an exception; one that `Workers` has taken over is theirs.
    """

    def __init__(self, *modules: str, limits: Limits) -> None:
        """`modules` are imported as soon as the worker's limits hold."""
        self.worker: _Worker | None = _started(modules, limits)

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, *_: object) -> None:
        if (worker := self.taken()) is not None:
            worker.pipe.close()
            with no_interrupt():
                _end(worker)

    def taken(self) -> _Worker | None:
        """Return the worker, once."""
        worker, self.worker = self.worker, None
        return worker


class Workers:
    """Processes that work on a task each, with the next one read. Close it, also after an exception."""

    def __init__(
        self, prepare: Callable[..., Job], *arguments: Any, limits: Limits, ahead: Ahead | None = None
    ) -> None:
        """`prepare(*arguments)` runs once in each worker and returns its job; its module must be light to import.

        `ahead`, started with the same limits, is the first worker.
        """
        self._prepare, self._arguments, self._limits, self._ahead = prepare, arguments, limits, ahead
        self._workers: list[_Worker] = []
        self._asking: dict[int, _Worker] = {}
        self._failed_starts = 0
        self.pids: list[int] = []

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._workers)

    @property
    def room(self) -> int:
        """How many tasks can be given now."""
        return sum(worker.has_room for worker in self._workers)

    @property
    def idle(self) -> int:
        """How many workers have nothing to do."""
        return sum(worker.ready and not worker.tasks for worker in self._workers)

    @property
    def tasks(self) -> int:
        """How many tasks are with the workers."""
        return sum(len(worker.tasks) for worker in self._workers)

    def start(self) -> None:
        """Start one more worker; it takes tasks when it is ready."""
        worker = self._ahead.taken() if self._ahead is not None else None
        worker = worker or _started((), self._limits)
        worker.since = time.monotonic()
        self._workers.append(worker)
        self.pids.append(worker.process.pid or 0)
        with suppress(OSError):  # a worker that has just died is noticed by `wait`
            worker.pipe.send((self._prepare, self._arguments))

    def give(self, task: Task) -> None:
        """Hand a task to the worker with the least to do; there must be `room`, and an `idle` one for bytes.

        A worker that is busy would not take a picture's bytes out of the pipe, and whoever sends them would wait.
        """
        worker = min((one for one in self._workers if one.has_room), key=lambda one: len(one.tasks))
        if not worker.tasks:
            worker.since = time.monotonic()
        worker.reading = task
        with suppress(OSError):  # a worker that has just died is noticed by `wait`
            worker.pipe.send_bytes(json.dumps({"path": task.path, "inline": task.data is not None}).encode())
            if task.data is not None:
                worker.pipe.send_bytes(task.data)

    def reply(self, asked: Asked, *, wanted: bool) -> None:
        """Say whether a task that was asked about is to be worked on; if not, it is done with."""
        worker = self._asking.pop(id(asked))
        if worker not in self._workers:
            return
        if wanted:
            worker.waiting.append(asked.task)
        with suppress(OSError):
            worker.pipe.send_bytes(json.dumps({"wanted": wanted}).encode())

    def wait(self, seconds: float) -> Iterator[Said]:
        """Yield what the workers say, waiting at most `seconds` for the first. Raises `CannotContinue`."""
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
        with no_interrupt():  # a second Ctrl-C must not leave some behind
            for worker in self._workers:
                worker.pipe.close()
            until = time.monotonic() + CLOSE_SECONDS
            for worker in self._workers:
                worker.process.join(max(0.0, until - time.monotonic()))
                _end(worker)
            self._workers.clear()

    def _deadline(self, worker: _Worker) -> float:
        if worker.tasks:
            return worker.since + self._limits.seconds_a_file
        return float("inf") if worker.ready else worker.since + START_SECONDS

    def _listen(self, worker: _Worker) -> Iterator[Said]:
        try:
            message: dict[str, Any] = dict(json.loads(worker.pipe.recv_bytes(MAX_ANSWER_BYTES)))
        except (EOFError, OSError, ValueError, TypeError):  # no answer, or none that a sound worker would give
            yield from self._bury(worker)
            return
        worker.ready, worker.since, self._failed_starts = True, time.monotonic(), 0
        if "stop" in message:
            raise CannotContinue(message["stop"], message["kind"])
        if "asks" in message and worker.reading is not None:
            asked, worker.reading = Asked(worker.reading, str(message["asks"])), None
            self._asking[id(asked)] = worker
            yield asked
        elif "begun" in message:
            worker.working = worker.waiting.popleft() if worker.waiting else None
        elif "answer" in message or "problem" in message:
            yield from self._done(worker, message)

    def _done(self, worker: _Worker, message: dict[str, Any]) -> Iterator[Said]:
        if message.get("step") == "read":
            task, worker.reading = worker.reading, None
        else:
            task, worker.working = worker.working, None
        if task is not None:
            yield Outcome(task, message.get("answer"), tuple(message["problem"]) if "problem" in message else None)
        if message.get("last"):
            yield from self._drop(worker)

    def _bury(self, worker: _Worker) -> Iterator[Said]:
        culprit, *others = worker.tasks or (None,)
        yield from self._drop(worker, others)
        how = how_it_ended(worker.process.exitcode)
        if culprit is not None and how == "SIGALRM":
            yield self._late(culprit)
        elif culprit is not None:
            message = f"The process that read this file ended ({how}); the file is probably damaged or hostile."
            yield Outcome(culprit, None, ("crashed", message))
        else:
            self._failed_starts += 1
            if self._failed_starts >= MAX_FAILED_STARTS:
                raise CannotContinue(
                    f"The worker processes end before they have begun ({how}). Memory may be short; a script that "
                    "starts a scan must do so below 'if __name__ == \"__main__\":'."
                )

    def _expire(self, worker: _Worker) -> Iterator[Said]:
        if worker.pipe.poll():  # it spoke while nobody looked
            yield from self._listen(worker)
            return
        culprit, *others = worker.tasks or (None,)
        yield from self._drop(worker, others)
        if culprit is None:
            raise CannotContinue(f"A worker process was not ready after {START_SECONDS:.0f} seconds.")
        yield self._late(culprit)

    def _late(self, task: Task) -> Outcome:
        message = f"The file took longer than {self._limits.seconds_a_file:g} seconds and was given up."
        return Outcome(task, None, ("timeout", message))

    def _drop(self, worker: _Worker, returned: Sequence[Task] | None = None) -> Iterator[Returned]:
        """End a worker and give back what it had not begun."""
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join(0.2)  # one that is ending says how
        _end(worker)
        yield from map(Returned, worker.tasks if returned is None else returned)


def _started(modules: tuple[str, ...], limits: Limits) -> _Worker:
    """Return a worker that imports `modules` and then waits to be told its job."""
    context = get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, modules, limits), name="forensics-worker", daemon=True)
    if sys.platform != "win32":
        resource_tracker.ensure_running()  # it would unblock SIGINT when the first process starts it
    with theirs, no_interrupt():
        process.start()
        return _Worker(process, mine)


def _end(worker: _Worker) -> None:
    if worker.process.is_alive():
        worker.process.kill()
    worker.process.join(CLOSE_SECONDS * 10)  # not even a killed process ends while a dead network disk holds it
