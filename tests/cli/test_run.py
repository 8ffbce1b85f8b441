"""What every command does alike: sentences, exit codes, JSON lines, and closing a job on Ctrl-C."""

from __future__ import annotations

import errno
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from classifier.images import BadImage
from forensics_app import __version__
from forensics_app.cli import app, progress
from forensics_app.cli.progress import clock, counted
from forensics_app.cli.run import Guarded, Terminal, as_json, follow, sentence


@dataclass(frozen=True)
class TrainStep:
    """An event."""

    done: int
    total: int
    loss: float = 0.5
    place: Path = Path("x")


def failing(error: BaseException) -> typer.Typer:
    broken = typer.Typer(cls=Guarded, pretty_exceptions_enable=False)

    @broken.command()
    def fail() -> None:
        raise error

    @broken.command()
    def other() -> None: ...

    return broken


@pytest.mark.parametrize(("error", "code", "told"), [
    (KeyboardInterrupt(), 130, "Cancelled."),
    (BadImage("empty", "The file is empty."), 2, "The file is empty."),
    (OSError(errno.ENOSPC, "No space left on device"), 2, "The disk is full"),
    (PermissionError(errno.EACCES, "Permission denied", "/x/\u202e"), 2, "Permission denied: /x/\\u202e"),
    (ModuleNotFoundError("No module named 'torch'", name="torch"), 2, "pip install '.[train]'"),
    (MemoryError(), 2, "not enough memory"),
], ids=lambda value: type(value).__name__)  # fmt: skip
def test_exceptions_become_a_sentence_and_a_code(error: BaseException, code: int, told: str) -> None:
    done = CliRunner().invoke(failing(error), ["fail"])
    assert done.exit_code == code
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


@pytest.mark.parametrize(("name", "words", "told"), [
    ("no/x.zip", ("export", "default", "--out", "no/x.zip"),
     "'no/x.zip' cannot be written (Permission denied): choose another --out."),
    ("/no/o", ("scan", "pictures", "--store=/x", "--out=/no/o/p"),
     "'/no/o' cannot be written (Permission denied): choose another --out."),
    ("data/cats", ("train", "--out", "data/run", "--data", "data"),
     "'data/cats' cannot be read (Permission denied): choose another --data."),
    ("data", ("train", "--data", "data/cats", "--json"), "Permission denied: data"),
])  # fmt: skip
def test_a_file_is_told_with_the_option_that_names_it(name: str, words: tuple[str, ...], told: str) -> None:
    assert sentence(PermissionError(errno.EACCES, "Permission denied", name), words) == told


def test_a_bug_is_not_hidden() -> None:
    done = CliRunner().invoke(failing(ZeroDivisionError("x")), ["fail"])
    assert isinstance(done.exception, ZeroDivisionError)
    assert sentence(ZeroDivisionError("x")) is None
    assert sentence(ModuleNotFoundError("x", name="forensics_app.nothing")) is None


def test_events_become_lines_of_json() -> None:
    assert json.loads(as_json(TrainStep(1, 2))) == {
        "event": "train_step",
        "done": 1,
        "total": 2,
        "loss": 0.5,
        "place": "x",
    }
    assert json.loads(as_json({"a": [math.nan, np.float32(0.5), np.arange(2)], "b": math.inf})) == {
        "a": [None, 0.5, [0, 1]], "b": None,
    }  # fmt: skip


def test_following_returns_the_last_event(capsys: pytest.CaptureFixture[str]) -> None:
    last = follow(iter([TrainStep(1, 2), TrainStep(2, 2)]), Terminal(json=True), words="Training")
    assert last == TrainStep(2, 2)
    out, err = capsys.readouterr()
    assert [json.loads(line)["done"] for line in out.splitlines()] == [1, 2]
    assert err == ""


def test_lines_go_to_stderr_and_quiet_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet in (False, True):
        events = iter([TrainStep(1, 2)])
        follow(events, Terminal(quiet=quiet), words="Training", tell=lambda step: f"[bold] loss {step.loss}")
        out, err = capsys.readouterr()
        assert out == ""
        assert ("[bold] loss 0.5" in err) is not quiet


def test_ctrl_c_closes_the_job() -> None:
    ended: list[str] = []

    def job() -> Iterator[TrainStep]:
        try:
            yield TrainStep(1, 2)
            raise KeyboardInterrupt
        finally:
            ended.append("job")

    def interrupted(_step: TrainStep) -> str:
        raise KeyboardInterrupt

    for tell in (interrupted, lambda _step: None):
        with pytest.raises(KeyboardInterrupt):
            follow(job(), Terminal(quiet=True), words="Training", tell=tell)
    assert ended == ["job", "job"]


@pytest.mark.parametrize(("seconds", "text"), [(0, "00:00"), (42.4, "00:42"), (3599.6, "1:00:00"), (3723, "1:02:03")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("unit", "text"), [("steps", "2,040 of 3,000 steps"), ("", "2,040 of 3,000"), ("bytes", "0 of 0 MB")]
)
def test_progress_has_a_unit(unit: str, text: str) -> None:
    assert counted(2040, 3000, unit) == text


def test_a_job_that_has_done_nothing_yet_has_no_rate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0)
    events = [TrainStep(0, 6), TrainStep(3, 6)]
    follow(iter(events), Terminal(), words="Working")
    assert capsys.readouterr().err.splitlines() == ["Working: 0 of 6", "Working: 3 of 6"]  # too early to tell
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0)
    follow(iter(events), Terminal(), words="Working")
    first, second = capsys.readouterr().err.splitlines()
    assert first == "Working: 0 of 6"
    assert second.startswith("Working: 3 of 6 · ")


@pytest.mark.parametrize("name", ["runs/[bold]x", "runs/[/b]", "runs/:cat:", "runs/[red]"])
def test_names_are_not_read_as_markup(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().result(f"Report: {name}", wrap=False)
    Terminal().note(name)
    follow(iter([TrainStep(1, 2)]), Terminal(), words=name)
    assert capsys.readouterr() == (f"Report: {name}\n", f"{name}\n")


def test_version() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"forensics {__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["gui"], ["gui", "a.jpg"]])
def test_no_display_is_one_sentence(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forensics_app.core.display.window_problem", lambda: "There is no display.")
    done = CliRunner().invoke(app, arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "There is no display. Without a window, try: forensics analyze IMAGE\n"


def test_help_fits_80_columns() -> None:
    for command in ([], ["analyze"], ["scan"], ["demo"], ["models"], ["models", "show"], ["doctor"], ["gui"]):
        done = CliRunner().invoke(app, [*command, "--help"])
        assert done.exit_code == 0
        assert "forensics " in done.stdout
        assert max(map(len, done.stdout.splitlines())) <= 80, command
