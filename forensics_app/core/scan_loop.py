"""The loop of a scan: files found on one side, workers on the other, rows written in between."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from classifier.files import BadImage
from forensics_app.core.scan_events import EVENT_SECONDS, Event, Scanned, Tally
from forensics_app.core.scan_rows import ROWS_AT_ONCE, Rows, copied, problem_row
from forensics_app.core.scan_source import Source, Todo
from forensics_app.core.store import BadStore
from forensics_app.core.words import shown
from forensics_app.core.workers import Asked, Outcome, Returned, Said, Task, Workers

WALK_SECONDS, COUNT_SECONDS = 0.01, 0.002
AHEAD, AHEAD_BYTES = 64, 32 * 2**20
"""So many files are found ahead of the workers, and so many bytes of them read out of archives."""
FILES_A_WORKER, USUAL_BYTES = 32, 256 * 2**10
"""Below this many files of a usual size a further worker takes longer to start than it saves."""
SETTLE_SECONDS = 2.0
"""While a folder is watched, a file that changed this short a time ago is left for the next look."""


class CannotScan(Exception):
    """The whole scan cannot go on; `str()` is one sentence that says why."""


@dataclass(eq=False)
class Loop:
    """One scan at work. `watch` is the number of seconds between two looks at the folder, None for a single one."""

    source: Source
    rows: Rows
    crew: Workers
    most_workers: int
    watch: float | None = None
    tally: Tally = field(default_factory=Tally)
    pending: deque[Todo] = field(default_factory=deque)
    given: dict[Task, Todo] = field(default_factory=dict)
    keys: dict[Task, str] = field(default_factory=dict)
    copies: dict[str, list[Todo]] = field(default_factory=dict)
    """The hash of what is being judged, and the other files that have the same."""

    def run(self) -> Iterator[Event]:
        """Look at the folder once, or again and again while it is watched."""
        self.identity = _identity(self.source.root)
        try:
            while True:
                yield from self._look()
                if self.watch is None:
                    break
                yield from self._rest(self.watch)
        finally:
            self._keep()
        yield self.tally.summary()

    def _rest(self, seconds: float) -> Iterator[Event]:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(min(EVENT_SECONDS, seconds))
            yield from self.tally.progress()
        self.tally, self.source.counted = Tally(), 0

    def _look(self) -> Iterator[Event]:
        self.rows.begin()
        self.source.unseen.clear()
        listing, walking = iter(self.source), True
        while walking or self.pending or self.crew.tasks or len(self.rows):
            walking = walking and (self._is_full() or self._walk(listing))
            self.source.count(COUNT_SECONDS)
            self.tally.total = self.source.counted
            self._start_and_give()
            waiting = (self.pending or self.crew.tasks) and (not walking or self._is_full())
            for said in self.crew.wait(self._patience() if waiting else 0.0):
                self._hear(said)
            if self._is_due(over=not (walking or self.pending or self.crew.tasks)):
                yield from self._commit()
            yield from self.tally.progress()
        if self._is_whole():
            self.tally.gone += self.rows.finish(self.source.root, self.source.unseen)

    def _walk(self, listing: Iterator[Todo | None]) -> bool:
        """Find files for a moment; returns whether there is more."""
        until = time.monotonic() + WALK_SECONDS
        for todo in listing:
            if todo is not None:
                self._sort(todo)
            if self._is_full() or len(self.rows) >= ROWS_AT_ONCE or time.monotonic() > until:
                return True
        return False

    def _is_full(self) -> bool:
        return len(self.pending) >= AHEAD or sum(len(one.data or b"") for one in self.pending) >= AHEAD_BYTES

    def _sort(self, todo: Todo) -> None:
        """Decide whether a file is known, cannot be judged, or waits for a worker."""
        known = self.rows.known(todo)
        if todo.problem is not None:
            self.rows.add(todo, problem_row(todo.path, todo.problem))
        elif known is not None and self.rows.is_current(known, todo):
            self.tally.knew(known.label)
        elif not self._is_unsettled(todo):
            self._queue(todo)

    def _queue(self, todo: Todo) -> None:
        """Put a file in line; what an archive gives is read at once, because the next one cannot be had before."""
        try:
            self.pending.append(todo if todo.read is None else replace(todo, read=None, data=todo.read()))
        except BadImage as error:
            self.rows.add(todo, problem_row(todo.path, (error.kind, str(error))))

    def _is_unsettled(self, todo: Todo) -> bool:
        return self.watch is not None and time.time() - todo.facts[1] / 1e9 < SETTLE_SECONDS

    def _start_and_give(self) -> None:
        busy = len(self.pending) + self.crew.tasks
        judged = self.tally.done - self.tally.known
        work = sum(map(_effort, self.pending)) + self.crew.tasks
        wanted = min(self.most_workers, 1 + int(judged + work) // FILES_A_WORKER, busy)
        while len(self.crew) < wanted:
            self.crew.start()
        while self.pending and self.crew.room and (self.pending[0].data is None or self.crew.idle):
            todo = self.pending.popleft()
            task = Task(todo.path, todo.data)
            self.given[task] = todo
            self.crew.give(task)

    def _patience(self) -> float:
        due = self.rows.since + EVENT_SECONDS - time.monotonic() if len(self.rows) else EVENT_SECONDS
        return max(0.0, min(self.tally.patience, due))

    def _hear(self, said: Said) -> None:
        if isinstance(said, Asked):
            self._answer(said)
        elif isinstance(said, Returned):
            self.pending.extendleft((self.given.pop(said.task), *self._copies_of(said.task)))
        else:
            self._finish(said)

    def _answer(self, asked: Asked) -> None:
        """Let a worker go on with content that is new, and with no other."""
        row, key = self.rows.of(asked.key), asked.key
        if row is None and key not in self.copies:
            self.keys[asked.task], self.copies[key] = key, []
            self.crew.reply(asked, wanted=True)
            return
        self.crew.reply(asked, wanted=False)
        todo = self.given.pop(asked.task)
        if row is None:
            self.copies[key].append(todo)
        else:
            self.rows.add(todo, copied(row, todo.path))

    def _copies_of(self, task: Task) -> list[Todo]:
        return self.copies.pop(self.keys.pop(task, ""), [])

    def _finish(self, outcome: Outcome) -> None:
        todo = self.given.pop(outcome.task)
        row = outcome.answer or problem_row(todo.path, outcome.problem or ("failed", "No answer."))
        for one in (todo, *self._copies_of(outcome.task)):
            self.rows.add(one, copied(row, one.path))

    def _is_due(self, *, over: bool) -> bool:
        late = time.monotonic() - self.rows.since >= EVENT_SECONDS
        return len(self.rows) > 0 and (over or late or len(self.rows) >= ROWS_AT_ONCE)

    def _commit(self) -> Iterator[Scanned]:
        """Write the rows so far, and tell of them only then. Raises `CannotScan` if the folder has gone."""
        for row in self._keep():
            yield self.tally.scanned(row)
        if self._is_gone():
            raise CannotScan(
                f"'{shown(self.source.root)}' has gone, perhaps with its disk. What was judged is kept: run the same "
                "command again when it is back."
            )

    def _keep(self) -> list[Mapping[str, Any]]:
        try:
            return self.rows.keep(disk_gone=self._is_gone())
        except BadStore as error:
            raise CannotScan(f"{error} What was judged before is kept: scan again to go on.") from None

    def _is_gone(self) -> bool:
        return _identity(self.source.root) != self.identity

    def _is_whole(self) -> bool:
        """Whether what was not found can be told to have gone."""
        selection = self.source.selection
        narrowed = selection.include or selection.exclude or self.source.shard != (0, 1)
        return not narrowed and not self._is_gone()


def _effort(todo: Todo) -> float:
    """Return how many files of a usual size one is worth."""
    size = todo.facts[0] if todo.data is None else len(todo.data)
    return max(1.0, size / USUAL_BYTES)


def _identity(root: str) -> tuple[int, int] | None:
    try:
        facts = os.stat(root)  # noqa: PTH116 - a plain text everywhere here
    except OSError:
        return None
    return facts.st_dev, facts.st_ino
