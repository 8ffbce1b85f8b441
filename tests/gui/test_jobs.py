from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from forensics_app.gui.desk import Desk
from forensics_app.gui.jobs import ThreadJob
from forensics_app.gui.window import Window
from tests.gui.conftest import LIMIT_MS, drop, files, wait_judged

Make = Callable[[int], list[Path]]


def told(job: ThreadJob) -> list[str]:
    """Return a list that fills with the outcomes a job tells."""
    outcomes: list[str] = []
    job.finished.connect(lambda last: outcomes.append(f"finished {last}"))
    job.failed.connect(lambda error: outcomes.append(f"failed {error}"))
    job.cancelled.connect(lambda: outcomes.append("cancelled"))
    return outcomes


def test_a_job_tells_its_events_in_the_gui_thread_and_then_its_end(qtbot: QtBot) -> None:
    where: list[threading.Thread] = []
    events: list[object] = []
    job = ThreadJob(lambda: iter((1, 2, 3)))
    job.happened.connect(events.append)
    job.happened.connect(lambda _event: where.append(threading.current_thread()))
    outcomes = told(job)
    job.start()
    qtbot.waitUntil(lambda: bool(outcomes), timeout=LIMIT_MS)
    assert events == [1, 2, 3] and outcomes == ["finished 3"] and job._runner.isFinished()
    assert set(where) == {threading.main_thread()}


def test_a_job_that_raises_fails(qtbot: QtBot) -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("no good")

    job = ThreadJob(broken)
    outcomes = told(job)
    job.start()
    qtbot.waitUntil(lambda: bool(outcomes), timeout=LIMIT_MS)
    assert outcomes == ["failed no good"]


def test_a_cancelled_job_cleans_up_and_says_so_once(qtbot: QtBot) -> None:
    cleaned = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            cleaned.set()

    job = ThreadJob(endless)
    outcomes = told(job)
    with qtbot.waitSignal(job.happened, timeout=LIMIT_MS):
        job.start()
    job.cancel()
    job.wait()
    assert outcomes == ["cancelled"] and cleaned.is_set() and job._runner.isFinished()
    qtbot.waitUntil(lambda: outcomes == ["cancelled"])


def test_closing_while_judging_leaves_no_thread(qtbot: QtBot, window: Window, pictures: Make) -> None:
    drop(window, files(pictures(40)))
    desk = window.inspect.desk
    qtbot.waitUntil(lambda: desk.done >= 1, timeout=LIMIT_MS)
    job = desk._job
    assert job is not None
    window.close()
    assert not desk.running and desk.done < 40 and job._runner.isFinished()


def test_cancel_keeps_what_is_judged_and_a_look_judges_again(qtbot: QtBot, window: Window, pictures: Make) -> None:
    drop(window, files(pictures(30)))
    desk, page = window.inspect.desk, window.inspect
    qtbot.waitUntil(lambda: desk.done >= 2, timeout=LIMIT_MS)
    assert window.status_line.cancel.isVisible() and window.status_line.bar.isVisible()
    window.status_line.cancel.click()
    states = wait_judged(qtbot, window, 30)
    assert states.count("stopped") >= 1 and states.count("stopped") + desk.done == 30
    page.strip.setCurrentIndex(desk.pictures.index(29))
    qtbot.waitUntil(lambda: desk.pictures.rows[29].state not in ("stopped", "waiting"), timeout=LIMIT_MS)
    assert page.shown() is not None


def test_what_is_dropped_while_judging_is_judged_too(qtbot: QtBot, window: Window, pictures: Make) -> None:
    several = pictures(6)
    for path in several:
        drop(window, files([path]))
    states = wait_judged(qtbot, window, 6)
    assert len(states) == 6 and not {"waiting", "stopped", "error"} & set(states)
    assert window.inspect.desk.done == window.inspect.desk.total


def test_results_that_no_longer_fit_are_judged_again(
    qtbot: QtBot, window: Window, pictures: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forensics_app.gui.desk.KEPT_BYTES", 1)
    drop(window, files(pictures(3)))
    wait_judged(qtbot, window, 3)
    desk, page = window.inspect.desk, window.inspect
    assert page.shown() is desk.result(0) is not None and page.toolbar.export.isEnabled()
    assert desk.result(1) is desk.result(2) is None
    page.strip.setCurrentIndex(desk.pictures.index(1))
    qtbot.waitUntil(lambda: page.shown() is not None, timeout=LIMIT_MS)
    assert desk.pictures.rows[1].state in ("fake", "real", "unsure") and page.toolbar.export.isEnabled()
    assert desk.result(0) is None


def test_a_missing_detector_is_told_in_place(qtbot: QtBot, window: Window, pictures: Make, tmp_path: Path) -> None:
    broken = tmp_path / "home" / "detectors" / "default"
    broken.mkdir(parents=True)
    (broken / "detector.json").write_text("{")
    drop(window, files(pictures(2)))
    assert wait_judged(qtbot, window, 2) == ["error", "error"]
    page = window.inspect
    assert page.verdict.headline.text() == "No detector" and "detector.json" in page.verdict.reason.text()
    assert window.status_line.text.text() == "Judging stopped: 0 of 2 judged"
    (broken / "detector.json").unlink()
    page.move_on(1)
    qtbot.waitUntil(lambda: page.shown() is not None, timeout=LIMIT_MS)


def test_a_desk_without_work_has_nothing_to_stop(qtbot: QtBot) -> None:
    desk = Desk()
    desk.add([])
    desk.shutdown()
    assert not desk.running
