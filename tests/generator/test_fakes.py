"""A folder of fakes: only what is missing is made, and the bytes are the same however often the job was stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generator import rank, shares
from generator.fakes import FACTS, Fakes, Preview, estimate, left, make
from generator.sampler import CannotSample, SampleSpec, Step
from generator.weights import open_model
from tests.program import environment

SPEC = SampleSpec(steps=4, batch_size=4, seed=3)
COUNT = 18


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != FACTS}


def made(model: Path, folder: Path, spec: SampleSpec = SPEC, count: int = COUNT, **options: int) -> Fakes:
    *_, last = make(str(model), spec, count, folder, **options)
    assert isinstance(last, Fakes)
    return last


@pytest.fixture(scope="module")
def whole(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an uninterrupted job writes."""
    return made(tiny_model, tmp_path_factory.mktemp("fakes") / "whole").folder


def test_a_lossless_picture_for_each_seed_and_its_facts(tiny_model: Path, whole: Path) -> None:
    again = made(tiny_model, whole)
    assert list(again.paths) == list(range(3, 21))
    assert sorted(contents(whole)) == [f"{seed:08}.png" for seed in range(3, 21)]
    with Image.open(again.paths[3]) as picture:
        assert (picture.format, picture.mode, picture.size, picture.info) == ("PNG", "RGB", (16, 16), {})
    facts = json.loads((whole / FACTS).read_text())
    assert facts == again.facts
    assert facts["sha256"] == open_model(str(tiny_model), device="cpu").sha256
    assert facts["scheduler"] == "ddim"
    assert facts["versions"]["torch"]


def test_another_seed_gives_the_pictures_from_there_on(tiny_model: Path, whole: Path, tmp_path: Path) -> None:
    shifted = made(tiny_model, tmp_path / "shifted", replace(SPEC, seed=7), 4)
    assert contents(shifted.folder) == {name: data for name, data in contents(whole).items() if name in (
        "00000007.png", "00000008.png", "00000009.png", "00000010.png")}  # fmt: skip


def test_only_what_is_missing_or_damaged_is_made(tiny_model: Path, whole: Path, tmp_path: Path) -> None:
    made(tiny_model, tmp_path / "out")
    before = contents(tmp_path / "out")
    (tmp_path / "out/00000004.png").unlink()
    (tmp_path / "out/00000020.png").write_bytes(before["00000020.png"][:50])
    kept = (tmp_path / "out/00000003.png").stat().st_mtime_ns
    assert left(SPEC, COUNT, tmp_path / "out", 16) == 4 + 2
    totals = {event.total for event in make(str(tiny_model), SPEC, COUNT, tmp_path / "out") if isinstance(event, Step)}
    assert totals == {4 * (4 + 2)}  # of five batches two, of four pictures and of two
    assert contents(tmp_path / "out") == before == contents(whole)
    assert left(SPEC, COUNT, tmp_path / "out", 16) == 0
    assert (tmp_path / "out/00000003.png").stat().st_mtime_ns == kept


def test_closed_anywhere_and_resumed_gives_the_same_bytes(tiny_model: Path, whole: Path, tmp_path: Path) -> None:
    for stop in (1, 5, 11, 40):
        job = make(str(tiny_model), SPEC, COUNT, tmp_path / str(stop))
        for number, _event in enumerate(job):
            if number == stop:
                break
        job.close()
        made(tiny_model, tmp_path / str(stop))
        assert contents(tmp_path / str(stop)) == contents(whole)


KILLED = """
import os, random, signal, sys, time, warnings
from pathlib import Path
import torch
from generator.fakes import make
from generator.sampler import SampleSpec
from generator.weights import open_model
torch.set_num_threads(1)
spec, model = SampleSpec(steps=4, batch_size=4, seed=3), open_model(sys.argv[1], device="cpu")
rng, killed = random.Random(0), 0
def child(folder):
    for _ in make(model, spec, 18, folder):
        pass
    os._exit(0)
begun = time.perf_counter()
if os.fork() == 0:
    child(Path(sys.argv[2]) / "first")
assert os.wait()[1] == 0
span = time.perf_counter() - begun
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        child(Path(sys.argv[2]) / "out")
    time.sleep(rng.random() * span / 3)
    os.kill(pid, signal.SIGKILL)
    killed += os.WIFSIGNALED(os.waitpid(pid, 0)[1])
if os.fork() == 0:
    child(Path(sys.argv[2]) / "out")
assert os.wait()[1] == 0
print(killed)
"""
"""Forks, so that each of the many processes need not load torch again."""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks, as Windows does not")
def test_killed_twenty_times_and_resumed_gives_the_same_bytes(tiny_model: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tiny_model, tmp_path],
        capture_output=True, text=True, timeout=300, env=environment(), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 5  # the others had nothing left to do
    assert contents(tmp_path / "out") == contents(tmp_path / "first")
    assert len(contents(tmp_path / "out")) == COUNT


def test_two_processes_give_the_same_pictures(tiny_model: Path, whole: Path, tmp_path: Path) -> None:
    events = list(make(str(tiny_model), SPEC, COUNT, tmp_path / "out", processes=2))
    assert contents(tmp_path / "out").keys() == contents(whole).keys()
    for path in whole.glob("*.png"):
        one, other = (np.asarray(Image.open(folder / path.name), np.int16) for folder in (whole, tmp_path / "out"))
        assert np.abs(one - other).max() <= 1  # another number of threads adds up in another order
    assert isinstance(events[-1], Fakes)
    assert (events[0], events[-2]) == (Step(0, 72), Step(72, 72))


def script(code: str) -> list[str]:
    return [sys.executable, "-c", f"import json, os, sys, time\n{code}"]


def test_progress_of_processes_is_added_up(tmp_path: Path) -> None:
    told = 'for rank, done in ((0, 4), (1, 4), (0, 8)): print(json.dumps({"rank": rank, "done": done}), flush=True)'
    events = list(shares.relay(script(f"print('something else')\n{told}"), os.environ, 20, tmp_path / "errors"))
    assert [event.done for event in events if isinstance(event, Step)][-3:] == [4, 8, 12]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ('print(json.dumps({"error": "The disk is full."}), flush=True); sys.exit(1)', r"^The disk is full\.$"),
        ("raise ValueError('what went wrong')", "what went wrong"),
        ("os._exit(7)", "exit code 7"),
        ("os.abort()", "exit code -6" if os.name == "posix" else "exit code"),
    ],
    ids=["told", "traceback", "silent", "aborted"],
)
def test_a_process_that_fails_says_why_in_a_sentence(code: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(CannotSample, match=reason):
        list(shares.relay(script(code), os.environ, 20, tmp_path / "errors"))


def test_closing_ends_the_processes(tmp_path: Path) -> None:
    waits = f'open({str(tmp_path / "alive")!r}, "w").write(str(os.getpid())); os.read(0, 1); time.sleep(0.2)'
    events = shares.relay(script(waits), os.environ, 20, tmp_path / "errors")
    while not (tmp_path / "alive").exists() or not (tmp_path / "alive").read_text():
        next(events)
    begun = time.monotonic()
    events.close()
    assert time.monotonic() - begun < shares.PATIENCE_S
    with pytest.raises(OSError):
        os.kill(int((tmp_path / "alive").read_text()), 0)


def test_a_process_imports_torch_only_for_its_job() -> None:
    """Until then it could not see that its parent has gone."""
    code = "import sys, generator.rank; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=environment(), timeout=60, check=False).returncode == 0


def test_a_process_ends_with_its_parent_although_it_ignores_signals(tiny_model: Path, tmp_path: Path) -> None:
    job = {"model": str(tiny_model), "spec": {"steps": 1000, "device": "cpu"}, "batches": [[0, 1], [2, 3]],
           "folder": str(tmp_path)}  # fmt: skip
    (tmp_path / "job.json").write_text(json.dumps(job))
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); from pathlib import Path; "
    code += f"from generator.rank import main; sys.exit(main(Path({str(tmp_path / 'job.json')!r})))"
    wanted = environment(RANK="0", WORLD_SIZE="1", LOCAL_RANK="0")
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, env=wanted) as process:
        assert process.stdin is not None and process.stdout is not None
        assert b"rank" in process.stdout.readline()
        begun = time.monotonic()
        process.stdin.close()
        process.stdout.read()
        assert process.wait() == 0
    assert time.monotonic() - begun < rank.LAST_WORD_S + 3


def test_folders_that_hold_something_else_are_left_alone(tiny_model: Path, whole: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(tmp_path / "mine/00000003.png")
    before = contents(tmp_path / "mine")
    with pytest.raises(CannotSample, match="not sampled into it"):
        made(tiny_model, tmp_path / "mine")
    assert contents(tmp_path / "mine") == before
    with pytest.raises(CannotSample, match="different: scheduler, steps"):
        made(tiny_model, whole, replace(SPEC, steps=5, scheduler="unipc"))
    with pytest.raises(CannotSample, match="--resume"):
        made(tiny_model, whole, resume=False)
    (tmp_path / FACTS).write_text("[" * 100_000)
    with pytest.raises(CannotSample, match="cannot be read"):
        made(tiny_model, tmp_path)


def test_what_cannot_be_made(tiny_model: Path, tmp_path: Path) -> None:
    for count, processes in ((0, 1), (-1, 1), (1, 0)):
        with pytest.raises(CannotSample, match="at least 1"):
            made(tiny_model, tmp_path / "out", count=count, processes=processes)
    with pytest.raises(CannotSample, match="larger"):
        made(tiny_model, tmp_path / "out", replace(SPEC, seed=2**63 - 2), 5)
    with pytest.raises(CannotSample, match="1001 steps"):
        made(tiny_model, tmp_path / "out", replace(SPEC, steps=1001))
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files as POSIX does")
def test_a_picture_that_cannot_be_written_leaves_no_half(tiny_model: Path, tmp_path: Path) -> None:
    import resource

    made(tiny_model, tmp_path / "out", count=4)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, limits[1]))
    try:
        with pytest.raises(OSError):
            made(tiny_model, tmp_path / "out", count=8)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(contents(tmp_path / "out")) == 4
    assert len(made(tiny_model, tmp_path / "out", count=8).paths) == 8


def test_the_estimate_grows_with_pictures_and_steps(tiny_model: Path) -> None:
    model = open_model(str(tiny_model), device="cpu")
    few = estimate(model, SampleSpec(steps=10, batch_size=2), 2)
    many = estimate(model, SampleSpec(steps=1000, batch_size=2), 200)
    assert 0 < few * 100 < many


def test_a_preview_shows_the_pictures_on_their_way_and_changes_none(
    tiny_model: Path, whole: Path, tmp_path: Path
) -> None:
    file = tmp_path / "preview.png"
    *events, end = make(str(tiny_model), SPEC, COUNT, tmp_path / "fakes", preview=file)
    shown = [event for event in events if isinstance(event, Preview)]
    assert shown and shown[0] == Preview(file, 4) and isinstance(end, Fakes)
    assert contents(tmp_path / "fakes") == contents(whole)
    with Image.open(file) as grid:
        assert grid.size == (32, 32) and grid.mode == "RGBA"
