"""Several processes for one job: batches dealt out under `accelerate launch`, their progress relayed, none left over.

The processes share nothing but the folder they write to. Each of them reads the pipe that is its standard input, and
stops when that closes: so they end with this process however it ends, also when it is killed.
"""

from __future__ import annotations

import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from generator.sampler import BEAT_S, CannotSample, Halved, SampleSpec, Step

PATIENCE_S = 10.0
LAUNCHER = "accelerate.commands.launch"
NOISE = re.compile(r"(Traceback|torch[./]distributed|=====|-----|\s|[EW]\d{4} )")
"""Begins lines of the launcher that say nothing of the reason."""


def run(
    model: str, device: str, spec: SampleSpec, batches: Sequence[Sequence[int]], folder: Path, processes: int
) -> Iterator[Step | Halved]:
    """Sample batches into a folder with several processes; closing it ends them. Raises `CannotSample`."""
    with tempfile.TemporaryDirectory(prefix="forensics-") as place:
        job = Path(place) / "job.json"
        told = {"model": model, "spec": asdict(spec), "batches": [list(one) for one in batches], "folder": str(folder)}
        job.write_text(json.dumps(told), encoding="utf-8")
        total = spec.steps * sum(map(len, batches))
        yield from relay(command(device, processes, job), environment(device), total, Path(place) / "errors")


def command(device: str, processes: int, job: Path) -> list[str]:
    """Return the command line that starts the processes."""
    if device == "cuda":
        import torch

        if processes > torch.cuda.device_count():
            raise CannotSample(
                f"{processes} processes need as many GPUs; this machine has {torch.cuda.device_count()}."
            )
    threads = str(max(1, _cores() // processes))
    # `--multi_gpu` is the launcher's only way to several processes without MPI; on a CPU the environment says so.
    return [
        sys.executable, "-m", LAUNCHER, "--multi_gpu", "--num_processes", str(processes), "--num_machines", "1",
        "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0",
        "--num_cpu_threads_per_process", threads, "--module", "generator.rank", str(job),
    ]  # fmt: skip


def environment(device: str) -> dict[str, str]:
    """Return the environment of the processes, in which they find this package and no other of its name."""
    kept = {key: value for key, value in os.environ.items() if key not in ("OMP_NUM_THREADS", "PYTHONWARNINGS")}
    paths = [str(Path(__file__).resolve().parent.parent), *filter(None, [kept.get("PYTHONPATH")])]
    cpu = {} if device == "cuda" else {"ACCELERATE_USE_CPU": "true"}
    return {**kept, **cpu, "PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1"}


def relay(words: Sequence[str], env: Mapping[str, str], total: int, errors: Path) -> Iterator[Step | Halved]:
    """Start a command whose lines of JSON say how far each of its processes is, and add them up until it ends.

    Raises `CannotSample` with the reason that it gave, or else with the end of what it wrote to stderr.
    """
    done: dict[int, int] = {}
    failures: list[str] = []
    with errors.open("wb") as stderr, _started(words, env, stderr) as (process, lines):
        yield Step(0, total)
        while (line := _next(lines)) is not None:
            if "error" in line:
                failures.append(str(line["error"]))
            elif "halved" in line:
                yield Halved(int(line["halved"]))
            elif "rank" in line:
                done[int(line["rank"])] = int(line["done"])
            yield Step(min(total, sum(done.values())), total)
        code = process.wait()
    if code or failures:
        raise CannotSample(failures[0] if failures else f"A process ended early: {_reason(errors, code)}")


@contextmanager
def _started(
    words: Sequence[str], env: Mapping[str, str], stderr: IO[bytes]
) -> Iterator[tuple[subprocess.Popen[bytes], queue.Queue[bytes | None]]]:
    lines: queue.Queue[bytes | None] = queue.Queue()
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=dict(env))
    assert process.stdin is not None  # noqa: S101 - for the type checker
    assert process.stdout is not None  # noqa: S101
    reader = threading.Thread(target=_read, args=(process.stdout, lines), name="shares")
    reader.start()
    try:
        yield process, lines
    finally:
        with suppress(OSError):
            process.stdin.close()
        _end(process)
        reader.join()
        process.stdout.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    for stop in (process.terminate, process.kill):
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_S)
            return
        stop()
    process.wait()


def _read(stdout: IO[bytes], lines: queue.Queue[bytes | None]) -> None:
    for line in stdout:
        lines.put(line)
    lines.put(None)


def _next(lines: queue.Queue[bytes | None]) -> dict[str, Any] | None:
    """Return the next line's values, nothing if there is none for a while, and None at the end."""
    try:
        line = lines.get(timeout=BEAT_S)
    except queue.Empty:
        return {}
    if line is None:
        return None
    with suppress(ValueError):
        value = json.loads(line)
        if isinstance(value, dict):
            return value
    return {}


def _reason(errors: Path, code: int) -> str:
    text = errors.read_text(encoding="utf-8", errors="replace")
    own = text.partition("torch/distributed/elastic/multiprocessing/api.py")[0]
    told = [line.strip() for line in own.splitlines() if line.strip() and not NOISE.match(line)]
    ended = re.search(r"exitcode\s*:\s*(-?\d+)", text)
    return told[-1][:300] if told else f"exit code {ended[1] if ended else code}."


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
