"""Our own commands as child processes: their events, their ends, and nothing left of them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from forensics_app.core.store import Query, ScanStore
from forensics_app.gui.job_card import JobCard, LogSheet
from forensics_app.gui.job_list import JobList
from forensics_app.gui.path_field import PathField
from forensics_app.gui.process_job import ProcessJob
from tests.conftest import write_picture

LIMIT_MS = 60_000
MANY = 400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of many small pictures, no two the same."""
    first = write_picture(tmp_path / "pictures" / "0.png", 64, 64).read_bytes()
    for number in range(1, MANY):
        (tmp_path / "pictures" / f"{number}.png").write_bytes(first + number.to_bytes(4, "big"))
    return tmp_path / "pictures"


@pytest.fixture
def scan(folder: Path, tmp_path: Path, second_detector: Path) -> Callable[..., ProcessJob]:
    """Make a job that scans the folder into a store of its own."""

    def make(*more: str, root: Path = folder) -> ProcessJob:
        words = ("scan", str(root), "--store", str(tmp_path / "scan.db"), "--detector", str(second_detector), *more)
        return ProcessJob("Scanning pictures", words, again=words, kept="What was judged is kept.", page="scan")

    return make


def told(job: ProcessJob) -> list[str]:
    """Return a list that fills with the ends that a job tells."""
    ends: list[str] = []
    job.finished.connect(lambda last: ends.append(f"finished {last['event']}"))
    job.failed.connect(lambda sentence: ends.append(f"failed {sentence}"))
    job.cancelled.connect(lambda: ends.append("cancelled"))
    job.paused.connect(lambda: ends.append("paused"))
    return ends


def rows(tmp_path: Path) -> int:
    """Return how many rows the store has."""
    with ScanStore.open(tmp_path / "scan.db", readonly=True) as store:
        return sum(store.count(Query(one.number)) for one in store.detectors())


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(one) for one in path.read_text().split()] if path.exists() else []


def test_a_command_tells_its_events_and_its_end(qtbot: QtBot, scan: Callable[..., ProcessJob], tmp_path: Path) -> None:
    job = scan()
    events: list[str] = []
    job.happened.connect(lambda event: events.append(str(event["event"])))
    ends = told(job)
    job.start()
    qtbot.waitUntil(lambda: bool(ends), timeout=LIMIT_MS)
    assert ends == ["finished summary"] and events.count("scanned") >= 1 and job.done == job.total == MANY
    assert job.code == 0 and not job.running and rows(tmp_path) == MANY


def test_pause_and_go_on_judge_nothing_twice(qtbot: QtBot, scan: Callable[..., ProcessJob], tmp_path: Path) -> None:
    job = scan()
    ends = told(job)
    job.start()
    qtbot.waitUntil(lambda: job.done >= 1, timeout=LIMIT_MS)
    job.pause()
    assert job.state == "pausing"
    qtbot.waitUntil(lambda: not job.running, timeout=LIMIT_MS)
    assert ends == ["paused"] and 1 <= rows(tmp_path) < MANY
    job.start()
    qtbot.waitUntil(lambda: len(ends) == 2, timeout=LIMIT_MS)
    assert ends[1] == "finished summary" and job.last["known"] >= 1 and rows(tmp_path) == MANY


@pytest.mark.parametrize("inherited", [signal.SIG_DFL, signal.SIG_IGN], ids=["from a desktop", "from a shell's &"])
def test_cancel_ends_it_cleanly_with_all_it_has_started(
    qtbot: QtBot, scan: Callable[..., ProcessJob], tmp_path: Path, inherited: signal.Handlers
) -> None:
    job = scan()
    ends = told(job)
    before = signal.signal(signal.SIGINT, inherited)
    try:
        job.start()
        qtbot.waitUntil(lambda: job.running, timeout=LIMIT_MS)
    finally:
        signal.signal(signal.SIGINT, before)
    qtbot.waitUntil(lambda: job.done >= 1, timeout=LIMIT_MS)
    assert job._process is not None
    pid = job._process.processId()
    started = [pid, *children_of(pid)]
    job.cancel()
    qtbot.waitUntil(lambda: bool(ends), timeout=LIMIT_MS)
    assert ends == ["cancelled"] and job.code == 130 and rows(tmp_path) >= 1
    qtbot.waitUntil(lambda: not [one for one in started if Path(f"/proc/{one}").exists()], timeout=LIMIT_MS)


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_a_crash_is_a_sentence_and_a_log(qtbot: QtBot, scan: Callable[..., ProcessJob]) -> None:
    job = scan()
    ends = told(job)
    card = JobCard()
    qtbot.addWidget(card)
    card.follow(job)
    job.start()
    qtbot.waitUntil(lambda: job.done >= 1, timeout=LIMIT_MS)
    assert job._process is not None
    os.kill(job._process.processId(), signal.SIGKILL)
    qtbot.waitUntil(lambda: bool(ends), timeout=LIMIT_MS)
    assert (
        len(ends) == 1
        and ends[0] == "failed It was killed (signal 9): the memory may have been short. What was judged is kept."
    )
    assert not card.log.isHidden() and card.cancel.isHidden()
    card.log.click()
    sheet = card.findChild(LogSheet)
    assert sheet is not None and "forensics scan" in job.log
    sheet.reject()


@pytest.mark.skipif(sys.platform != "linux", reason="names there are bytes")
def test_a_folder_whose_name_is_not_utf_8_is_worked_on(
    qtbot: QtBot, scan: Callable[..., ProcessJob], tmp_path: Path
) -> None:
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    write_picture(root / "a.png", 64, 64)
    job = scan(root=root)
    ends = told(job)
    job.start()
    qtbot.waitUntil(lambda: bool(ends), timeout=LIMIT_MS)
    assert ends == ["finished summary"] and rows(tmp_path) == 1 and "caf\\xe9" in job.log
    field = PathField("Folder")
    qtbot.addWidget(field)
    field.set_path(root)
    assert field.path() == root and field.line.text().endswith("caf\\xe9")
    field.line.setText("/other")
    assert field.path() == Path("/other")


def test_a_refusal_is_the_commands_own_sentence(qtbot: QtBot, scan: Callable[..., ProcessJob], tmp_path: Path) -> None:
    job = scan(root=tmp_path / "nowhere")
    ends = told(job)
    job.start()
    qtbot.waitUntil(lambda: bool(ends), timeout=LIMIT_MS)
    assert len(ends) == 1 and ends[0].startswith("failed ") and "nowhere" in ends[0] and job.code == 2


def test_a_refusal_names_the_fields_of_the_window(qtbot: QtBot) -> None:
    job = ProcessJob("Training", ("train",))
    job._log.append("There are no ImageNet weights for 'x': train from scratch with --set weights=none.")
    job.code = 2
    assert job.why.endswith("train from scratch with “Weights” set to “none”.")


def test_a_lane_runs_one_at_a_time_and_shutdown_leaves_none(qtbot: QtBot, scan: Callable[..., ProcessJob]) -> None:
    jobs, first, second, third = JobList(), scan(), scan(), scan()
    ends = [told(job) for job in (first, second, third)]
    for job in (first, second, third):
        jobs.add(job, "scan")
    assert [job.state for job in (first, second, third)] == ["running", "waiting", "waiting"]
    second.cancel()
    assert ends[1] == ["cancelled"] and first.state == "running"
    qtbot.waitUntil(lambda: first.done >= 1, timeout=LIMIT_MS)
    first.cancel()
    qtbot.waitUntil(lambda: third.state == "running", timeout=LIMIT_MS)
    jobs.shutdown()
    assert ends == [["cancelled"]] * 3 and not jobs.active and not third.running
