"""The progress of a long job on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from forensics_app.cli.run import console

LINE_SECONDS = 10.0
PATIENCE_SECONDS = 3.0
BYTES, MEGA = "bytes", 1e6


def clock(seconds: float) -> str:
    """Return a time span as `00:42`, or `1:02:03` from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


class Pace(ProgressColumn):
    """Rate and time left, once there is something to tell them from."""

    def render(self, task: Task) -> Text:
        """Return `117/s · 00:42 left`."""
        rate = float(task.fields.get("rate") or 0)
        if not rate or not task.total or (task.elapsed or 0) < PATIENCE_SECONDS:
            return Text("")
        return Text(f"{_rate(rate, task.fields.get('unit', ''))} · {clock((task.total - task.completed) / rate)} left")


def _rate(rate: float, unit: str) -> str:
    amount, of = (rate / MEGA, " MB") if unit == BYTES else (rate, "")
    return f"{amount:.0f}{of}/s" if amount >= 10 else f"{amount:.1f}{of}/s"


def counted(done: int, total: int, unit: str) -> str:
    """Return `204 of 300 steps`, or bytes as `12 of 48 MB`."""
    if unit == BYTES:
        return f"{done / MEGA:,.0f} of {total / MEGA:,.0f} MB"
    return f"{done:,} of {total:,} {unit}".rstrip()


class Bar:
    """Shows events that have `done` and `total`, and perhaps a `unit`; those without leave it as it is."""

    def __init__(self, words: str, *, hidden: bool) -> None:
        self._words, self._hidden, self._console = words, hidden, console(sys.stderr)
        self._live = not hidden and self._console.is_terminal
        told = TextColumn("{task.fields[told]}", markup=False)
        columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=None), told, Pace())
        self._bar = Progress(*columns, console=self._console, transient=True, disable=not self._live, expand=True)
        self._task = self._bar.add_task(words, total=None, told="")
        self._begun = self._told = time.monotonic()
        self._done = 0

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, event: Any) -> None:
        """Move on to where an event says the job is."""
        done, total = getattr(event, "done", None), getattr(event, "total", None)
        if done is None or total is None:
            return
        if done < self._done:  # the next part of the job counts from the start
            self._begun = time.monotonic()
        self._done, elapsed = done, time.monotonic() - self._begun
        rate = getattr(event, "rate", None) or (done / max(elapsed, 1e-6) if elapsed >= PATIENCE_SECONDS else 0.0)
        unit = getattr(event, "unit", "")
        told = counted(done, total, unit)
        self._bar.update(self._task, completed=done, total=total, rate=rate, unit=unit, told=told)
        if not self._live and not self._hidden and time.monotonic() - self._told >= LINE_SECONDS:
            self._told = time.monotonic()
            left = f" · {_rate(rate, unit)} · {clock((total - done) / rate)} left" if rate else ""
            self.line(f"{self._words}: {told}{left}")

    def line(self, text: str) -> None:
        """Print a line above the bar."""
        if not self._hidden:
            self._console.print(Text(text))
