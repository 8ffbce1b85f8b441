"""Where a scan's files come from: a folder walked as it goes, the archives in it, one share of several."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from forensics_app.core.walk import Found, Selection, is_archive, matcher, walk

Facts = tuple[int, int]
"""Size in bytes and time of the last change in nanoseconds; of the archive for what lies in one."""
NO_FACTS: Facts = (-1, 0)
Shard = tuple[int, int]
"""Which share (from 0) of how many."""
MAX_UNSEEN = 10_000


@dataclass(frozen=True, eq=False)
class Todo:
    """A file that the scan may have to judge, or with `problem` something that cannot be.

    What lies in an archive has a way to `read` it, which works until the next one is asked for, and then its `data`.
    """

    path: str
    facts: Facts
    read: Callable[[], bytes] | None = None
    data: bytes | None = None
    problem: tuple[str, str] | None = None

    @property
    def stored(self) -> bytes:
        """The path as the store keeps it."""
        return os.fsencode(self.path)


@dataclass(eq=False)
class Source:
    """The files of `root`, a folder or one archive, found while others are judged.

    `shard` (i, n) gives the i-th of n shares, by the hash of the path below the root: the same on every machine that
    sees the same folder. `unseen` names folders, and archives with a `!` behind, in which not all could be looked at:
    what is known of them is not known to have gone.
    """

    root: str
    selection: Selection
    shard: Shard = (0, 1)
    counted: int = 0
    unseen: set[bytes] = field(default_factory=set)
    _counting: Iterator[Found | None] | None = field(default=None, init=False)

    def __iter__(self) -> Iterator[Todo | None]:
        """Yield each file; None after each portion of a folder or of an archive."""
        self._counting = self._walk()
        for found in self._walk():
            if found is None:
                yield None
            elif found.problem:
                self._miss(found.path)
                yield Todo(found.path, NO_FACTS, problem=found.problem)
            elif found.archive:
                yield from self._members(found.path)
            else:
                yield Todo(found.path, facts_of(found.path))

    def count(self, seconds: float) -> None:
        """Count ahead for so long, without looking into archives."""
        if self._counting is None:
            return
        until = time.monotonic() + seconds
        for found in self._counting:
            self.counted += found is not None
            if time.monotonic() > until:
                return
        self._counting = None

    def _walk(self) -> Iterator[Found | None]:
        if not os.path.isdir(self.root):
            yield Found(self.root, archive=is_archive(self.root))
            return
        for found in walk(self.root, self.selection):
            if found is None or self._mine(found.path):
                yield found

    def _mine(self, path: str) -> bool:
        share, of = self.shard
        if of == 1:
            return True
        inner = os.fsencode(os.path.relpath(path, self.root))
        return int.from_bytes(hashlib.blake2b(inner, digest_size=8).digest(), "big") % of == share

    def _miss(self, path: str) -> None:
        self.unseen.add(os.fsencode(path))
        if len(self.unseen) > MAX_UNSEEN:
            self.unseen = {os.fsencode(self.root)}

    def _members(self, archive: str) -> Iterator[Todo | None]:
        facts, patterns = facts_of(archive), matcher(self.selection)
        from forensics_app.core.members import INSIDE, members  # only where there is an archive: it imports much

        within = os.path.relpath(archive, self.root) + INSIDE

        def wanted(name: str) -> bool:
            last = PurePosixPath(name).name
            return patterns.included(last, within + name) and not patterns.kept_out(last, within + name)

        number = 0
        for number, member in enumerate(members(archive, wanted)):
            if member is None or (archive == self.root and not self._mine(member.path)):
                yield None
                continue
            self.counted += number > 0  # the archive itself was counted for its first picture
            if member.problem:
                self._miss(f"{archive}!")
            yield Todo(member.path, facts, None if member.problem else member.read, problem=member.problem)


def facts_of(path: str) -> Facts:
    """Return size and time of a file, or `NO_FACTS` where they cannot be had."""
    try:
        facts = os.stat(path)  # noqa: PTH116 - a Path for each file costs more than the call
    except OSError:
        return NO_FACTS
    return facts.st_size, facts.st_mtime_ns
