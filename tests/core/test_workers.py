"""Worker processes: whatever a task does to its process costs that task alone, and nobody is left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from forensics_app.core.workers import (
    MAX_FAILED_STARTS,
    Ahead,
    Asked,
    CannotContinue,
    Limits,
    Outcome,
    Returned,
    Said,
    Task,
    Workers,
)
from tests.conftest import ROOT
from tests.core.jobs import prepare_any, prepare_badly

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and limits")
MEMORY = 400 * 2**20


@contextmanager
def crew(count: int = 1, *, seconds: float = 30) -> Iterator[Workers]:
    with Workers(prepare_any, limits=Limits(MEMORY, seconds)) as workers:
        for _ in range(count):
            workers.start()
        yield workers


def work(workers: Workers, tasks: list[str], *, count: int = 1, patience: float = 40) -> dict[str, Outcome]:
    """Do the tasks with `count` workers, replacing those that are lost."""
    done: dict[str, Outcome] = {}
    waiting, until = [Task(one) for one in tasks], time.monotonic() + patience
    while len(done) < len(tasks):
        assert time.monotonic() < until, f"only {sorted(done)} came back"
        while len(workers) < count:
            workers.start()
        while waiting and workers.room:
            workers.give(waiting.pop(0))
        for said in workers.wait(0.2):
            if isinstance(said, Returned):
                waiting.insert(0, said.task)
            elif isinstance(said, Outcome):
                done[said.task.path] = said
            else:
                workers.reply(said, wanted=True)
    return done


def told(workers: Workers, patience: float) -> list[Said]:
    """Return what the workers say within a time; every question is answered with yes."""
    found, until = list[Said](), time.monotonic() + patience
    while time.monotonic() < until:
        for said in workers.wait(until - time.monotonic()):
            found.append(said)
            if isinstance(said, Asked):
                workers.reply(said, wanted=True)
    return found


def problem(outcome: Outcome) -> str:
    assert outcome.answer is None
    assert outcome.problem is not None
    kind, message = outcome.problem
    assert message.endswith(".") and "\n" not in message and "Traceback" not in message
    return kind


def gone(pid: int, *, patience: float) -> bool:
    until = time.monotonic() + patience
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def test_workers_are_processes_that_share_the_tasks() -> None:
    tasks = [f"sleep:{0.05 + index / 1000}" for index in range(12)]
    with crew(2) as workers:
        done = work(workers, tasks, count=2)
        assert len({outcome.answer["pid"] for outcome in done.values() if outcome.answer}) == 2
        assert {outcome.answer["task"] for outcome in done.values() if outcome.answer} == set(tasks)
        assert os.getpid() not in workers.pids
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("task", "word"),
    [
        pytest.param(f"signal:{int(signal.SIGSEGV)}", "SIGSEGV", marks=posix),
        pytest.param("signal:9", "SIGKILL", marks=posix),
        ("exit:0", "exit code 0"),
        ("exit:7", "exit code 7"),
        ("flood:9000000", "ended"),
    ],
)
def test_a_dead_worker_costs_its_task_and_no_other(task: str, word: str) -> None:
    with crew(2) as workers:
        done = work(workers, ["a", task, "b", "c"], count=2)
        assert problem(done.pop(task)) == "crashed"
        assert all(outcome.answer and outcome.problem is None for outcome in done.values())
    with crew() as workers:
        assert word in str(work(workers, [task])[task].problem)


@posix
@pytest.mark.parametrize("task", ["spin", "sleep:600", f"signal:{int(getattr(signal, 'SIGSTOP', 0))}"])
def test_a_task_that_hangs_is_given_up_in_time(task: str) -> None:
    with crew(seconds=0.6) as workers:
        done = work(workers, ["a", task, "b"])
        assert problem(done[task]) == "timeout"
        assert "0.6 seconds" in str(done[task].problem)
        assert done["a"].answer and done["b"].answer


def test_an_answer_that_lay_there_while_nobody_looked_is_no_timeout() -> None:
    with crew(seconds=0.5) as workers:
        while not workers.room:
            list(workers.wait(1))
        workers.give(Task("a"))
        time.sleep(1)
        (asked,) = workers.wait(1)
        assert isinstance(asked, Asked)
        workers.reply(asked, wanted=True)
        time.sleep(1)
        (outcome,) = (said for said in told(workers, 0.3) if isinstance(said, Outcome))
        assert outcome.answer and outcome.problem is None


@posix
def test_memory_has_a_limit_and_the_next_task_a_fresh_worker() -> None:
    with crew() as workers:
        done = work(workers, ["memory:1000", f"memory:{2 * MEMORY}", "a"])
        assert done["memory:1000"].answer
        assert problem(done[f"memory:{2 * MEMORY}"]) == "memory"
        assert "400 MiB" in str(done[f"memory:{2 * MEMORY}"].problem)
        assert done["a"].answer
        assert len(workers.pids) == 2


def test_an_exception_is_a_sentence() -> None:
    with crew() as workers:
        done = work(workers, ["raise:several\nlines", "a"])
        assert problem(done["raise:several\nlines"]) == "failed"
        assert done["a"].answer


def test_a_job_can_end_all_work() -> None:
    with crew() as workers, pytest.raises(CannotContinue, match=r"^The disk is full\.$"):
        work(workers, ["a", "stop:The disk is full.", "b"])


@posix
@pytest.mark.parametrize(
    ("how", "kind", "message", "starts"),
    [
        ("raise", "ValueError", "This can never work.", 1),
        ("memory", "MemoryError", "400 MiB", 1),
        ("exit", "CannotContinue", "exit code 3", MAX_FAILED_STARTS),
        ("killed", "CannotContinue", "SIGKILL", MAX_FAILED_STARTS),
    ],
)
def test_workers_that_cannot_start_are_one_error(how: str, kind: str, message: str, starts: int) -> None:
    with Workers(prepare_badly, how, limits=Limits(MEMORY)) as workers:
        with pytest.raises(CannotContinue, match=message) as caught:
            work(workers, ["a", "b", "c"])
        assert caught.value.kind == kind
        assert len(workers.pids) == starts


@posix
def test_ctrl_c_is_the_parents_affair() -> None:
    with crew(2) as workers:
        for pid in workers.pids:  # while they start, too
            os.kill(pid, signal.SIGINT)
        assert all(outcome.answer for outcome in work(workers, ["a", "b"]).values())
        for pid in workers.pids:
            os.kill(pid, signal.SIGINT)
        assert all(outcome.answer for outcome in work(workers, ["c", "d"]).values())
        assert len(workers.pids) == 2


def test_workers_are_silent_and_single_threaded(capfd: pytest.CaptureFixture[str]) -> None:
    with crew() as workers:
        done = work(workers, ["noise", "threads"])
        assert {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}.items() <= (done["threads"].answer or {}).items()
    assert capfd.readouterr() == ("", "")


@posix
def test_closing_is_quick_and_leaves_nobody_also_in_the_middle_of_tasks() -> None:
    with crew(2) as workers:
        while workers.room < 2:
            list(workers.wait(1))
        workers.give(Task("spin"))
        workers.give(Task("sleep:600"))
        told(workers, 0.5)
        begun = time.monotonic()
    assert time.monotonic() - begun < 3
    assert not multiprocessing.active_children()
    assert all(gone(pid, patience=0.1) for pid in workers.pids)


@posix
@pytest.mark.parametrize("task", ["", "sleep:0.2", "spin"])
def test_workers_end_with_their_parent_however_it_dies(task: str) -> None:
    """Idle, busy, or hung: then the kernel's alarm ends what nobody is left to kill."""
    script = (
        "from tests.core.jobs import prepare_any\n"
        "from forensics_app.core.workers import Asked, Limits, Task, Workers\n"
        "workers = Workers(prepare_any, limits=Limits(2**29, 0.5))\n"
        "workers.start()\n"
        "while not workers.room: list(workers.wait(1))\n"
        f"if {task!r}:\n"
        f"    workers.give(Task({task!r}))\n"
        "    for said in workers.wait(5): workers.reply(said, wanted=True)\n"
        "print(workers.pids[0], flush=True)\n"
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    parent = subprocess.run([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    assert parent.returncode == -signal.SIGKILL
    assert gone(int(parent.stdout), patience=6)


def test_a_worker_may_start_before_its_job_is_known() -> None:
    limits = Limits(MEMORY, 30)
    with Ahead("json", limits=limits) as ahead:
        assert ahead.worker is not None
        early = ahead.worker.process.pid
        with Workers(prepare_any, limits=limits, ahead=ahead) as workers:
            answer = work(workers, ["one"])["one"].answer
        assert answer is not None and answer["pid"] == early and ahead.worker is None
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("module", ["json", "no_such_module"])
def test_one_that_gets_no_job_is_not_left_behind(module: str) -> None:
    with Ahead(module, limits=Limits(MEMORY)):
        assert len(multiprocessing.active_children()) == 1
    assert not multiprocessing.active_children()


def test_what_it_cannot_import_is_told() -> None:
    limits = Limits(MEMORY)
    with (
        Ahead("no_such_module", limits=limits) as ahead,
        Workers(prepare_any, limits=limits, ahead=ahead) as workers,
        pytest.raises(CannotContinue, match="no_such_module"),
    ):
        work(workers, ["one"])
