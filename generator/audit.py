"""Can anything but the picture tell the classes of a data set apart?

Every picture is described by facts of its file (container, encoder, metadata), of its past (earlier compression,
resizing) and, for comparison, of its cheapest looks. A small model then tries to tell the classes apart by each group.
It also looks for copies across splits and classes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from os import cpu_count
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np

from classifier.data import difference_hash, find_pictures, near_duplicate_groups
from classifier.images import BadImage, load
from classifier.recipes import Data
from generator.audit_verdict import GROUPS, Level, Reason, judge
from generator.file_facts import Facts, file_facts
from generator.leaks import Leaks, Place, near_copies, same_bytes, straddling_sources
from generator.picture_facts import picture_facts
from generator.shortcuts import Finding, Told, tell_apart
from generator.trace_facts import trace_facts

LIMIT = 2000
"""Pictures that are looked at, spread evenly over the classes: more would narrow no interval that matters."""
FEWEST = 4
"""Pictures that a class needs to be cross-validated."""
PATIENCE_SECONDS, SHRUNK = 0.4, 2 / 3
FACTS = {"file": file_facts, "history": trace_facts, "picture": picture_facts}


@dataclass(frozen=True)
class Looked:
    """Progress: `done` of `total` pictures and comparisons."""

    done: int
    total: int


@dataclass(frozen=True)
class Audit:
    """What was found. `verdict` fails where something other than the picture tells the classes apart.

    `findings` are by group (`audit_verdict.GROUPS`), empty where there were too few pictures; `classes` and `splits`
    count the readable pictures that were looked at, of `files`. `mend` is the command that mends it, or what to do.
    """

    root: Path
    verdict: Level
    reasons: tuple[Reason, ...]
    worst: Told | None
    mend: str | None
    findings: dict[str, Finding]
    leaks: Leaks
    classes: dict[str, int]
    splits: dict[str, int]
    files: int
    unreadable: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Seen:
    place: Place
    path: Path
    sha256: str
    hash: int
    side: int
    facts: dict[str, Facts]


File = tuple[Path, Place]


def audit(root: Path, *, spec: Data | None = None, seed: int = 0, limit: int = LIMIT) -> Iterator[Looked | Audit]:
    """Look at a data folder; the last event is the `Audit`. Raises `BadData` for a folder that is none.

    It is an ImageFolder, with or without splits, or laid out as `spec` says. The same folder gives the same figures.
    """
    spec = spec or Data()
    files = _files(root, spec)
    chosen = _chosen(files, limit, seed)
    total = len(chosen) + len(GROUPS)
    seen, bad = yield from _looked_at(chosen, total)
    kin = near_duplicate_groups(np.array([one.hash for one in seen], np.uint64))
    leaks = near_copies([one.place for one in seen], kin, [one.sha256 for one in seen])
    copies = []
    for group in same_bytes(files, {one.path: one.sha256 for one in seen}):
        copies.extend([group] if group else [])
        yield Looked(len(chosen), total)
    leaks = replace(leaks, same_bytes=tuple(copies), sources=straddling_sources(root))
    findings = yield from _findings(seen, kin, seed, len(chosen), total)
    yield _audit(root, spec, files, seen, bad, leaks, findings)


def summary(found: Audit) -> dict[str, Any]:
    """Return the part of an audit that a detector's card carries."""
    figures = {key: {"value": one.auc.value, "low": one.auc.low, "high": one.auc.high, "n": one.auc.n}
               for key, one in found.findings.items()}  # fmt: skip
    worst = {"name": found.worst.name, "auc": found.worst.auc} if found.worst else None
    reasons = [reason.text for reason in found.reasons]
    return {"verdict": found.verdict, "auc": figures, "worst": worst, "reasons": reasons}


def _files(root: Path, spec: Data) -> list[File]:
    """Return the files of all splits and classes."""
    return [
        (path, Place(str(path.relative_to(root)), split, kind))
        for split, found in find_pictures(root, spec).items()
        for kind, listed in sorted(found.items())
        for path, _ in listed
    ]


def _chosen(files: Sequence[File], limit: int, seed: int) -> list[File]:
    """Return at most `limit` files, as many of each class as there are, drawn at random but kept in order."""
    kinds = sorted({place.kind for _, place in files})
    share, rng, kept = max(FEWEST, limit // len(kinds)), np.random.default_rng(seed), set[int]()
    for kind in kinds:
        mine = [index for index, (_, place) in enumerate(files) if place.kind == kind]
        kept.update(mine if len(mine) <= share else rng.choice(mine, share, replace=False).tolist())
    return [files[index] for index in sorted(kept)]


Bad = list[tuple[str, str]]


def _looked_at(files: Sequence[File], total: int) -> Generator[Looked, None, tuple[list[_Seen], Bad]]:
    """Describe every picture, a few at a time; unreadable ones are listed with the reason."""
    answers: dict[int, _Seen | str] = {}
    waiting: dict[Future[_Seen | str], int] = {}
    left = iter(enumerate(files))
    with ThreadPoolExecutor(cpu_count()) as pool:
        for number, file in left:
            waiting[pool.submit(_look, *file)] = number
            while waiting and (len(waiting) >= 2 * (cpu_count() or 1) or number == len(files) - 1):
                for future in wait(waiting, PATIENCE_SECONDS, FIRST_COMPLETED).done:
                    answers[waiting.pop(future)] = future.result()
                yield Looked(len(answers), total)
    ordered = [answers[number] for number in range(len(files))]
    bad = [(file[1].name, one) for file, one in zip(files, ordered, strict=True) if isinstance(one, str)]
    return [one for one in ordered if not isinstance(one, str)], bad


def _look(path: Path, place: Place) -> _Seen | str:
    try:
        image = load(path)
    except BadImage as error:
        return str(error)
    facts = {group: describe(image) for group, describe in FACTS.items()}
    side = min(image.width, image.height)
    return _Seen(place, path, image.sha256, difference_hash(image.pixels), side, facts)


def _findings(
    seen: Sequence[_Seen], kin: Sequence[int], seed: int, done: int, total: int
) -> Generator[Looked, None, dict[str, Finding]]:
    """Let the small model try each group of facts, on the classes that have enough pictures."""
    counts = Counter(one.place.kind for one in seen)
    classes = sorted(kind for kind, count in counts.items() if count >= FEWEST)
    if len(classes) < 2:
        return {}
    kept = [index for index, one in enumerate(seen) if one.place.kind in classes]
    labels = np.array([classes.index(seen[index].place.kind) for index in kept])
    rows = {group: [seen[index].facts[group] for index in kept] for group in FACTS}
    rows["together"] = [file | past for file, past in zip(rows["file"], rows["history"], strict=True)]
    findings = {}
    for number, group in enumerate(GROUPS):
        work = tell_apart(group, rows[group], labels, classes, [kin[index] for index in kept], seed)
        findings[group] = yield from _told_on(work, Looked(done + number, total))
    return findings


def _told_on(work: Generator[None, None, Finding], event: Looked) -> Generator[Looked, None, Finding]:
    """Yield an event whenever the work yields, and return what it returns."""
    try:
        while True:
            try:
                next(work)
            except StopIteration as end:
                finding: Finding = end.value
                return finding
            yield event
    finally:
        work.close()


def _audit(
    root: Path,
    spec: Data,
    files: Sequence[File],
    seen: Sequence[_Seen],
    bad: Bad,
    leaks: Leaks,
    findings: dict[str, Finding],
) -> Audit:
    classes = dict.fromkeys(sorted({place.kind for _, place in files}), 0)
    classes.update(sorted(Counter(one.place.kind for one in seen).items()))
    said = judge(findings, leaks, classes)
    mend = _mend(root, spec, seen, said.worst is not None, said.copies)
    splits = dict(Counter(one.place.split for one in seen))
    return Audit(
        root, said.verdict, said.reasons, said.worst, mend, findings, leaks, classes, splits, len(files), tuple(bad)
    )


def _mend(root: Path, spec: Data, seen: Sequence[_Seen], shortcut: bool, copies: bool) -> str | None:
    if shortcut and _alike(seen):
        return "Take real and generated pictures with the same past, or larger ones and a smaller size."
    if shortcut and not spec.classes and root.resolve().name:
        out = _beside(root)
        return f"forensics equalize {quote(str(root))} --out {quote(str(out))} --size {_size(seen)}"
    if shortcut:
        return "Write the pictures of all classes alike with 'forensics equalize'."
    return "Keep one of each in one split, and remove the other copies." if copies else None


def _beside(root: Path) -> Path:
    """Return a folder beside a data set, never in it: `.` and `..` are resolved first."""
    real = root.resolve()
    return (real if root.name in ("", "..") else root).with_name(f"{real.name}-equalized")


def _alike(seen: Sequence[_Seen]) -> bool:
    """Return whether all files were written alike already: a JPEG of one size with one table."""
    kinds = {(one.facts["file"]["JPEG table"], one.facts["file"]["width"], one.facts["file"]["height"]) for one in seen}
    return len(kinds) == 1 and seen[0].facts["file"]["file format"] == "JPEG"


def _size(seen: Sequence[_Seen]) -> int:
    """Return a side, a multiple of 8, that 95 % of the pictures of every class come to by shrinking to two thirds.

    Less shrinking would leave the traces of an earlier compression where they are.
    """
    kinds = {one.place.kind for one in seen}
    sides = [np.percentile([one.side for one in seen if one.place.kind == kind], 5) for kind in kinds]
    return int(np.clip(min(sides) * SHRUNK // 8 * 8, 32, 1024))
