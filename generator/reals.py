"""Where real pictures come from: a folder, an archive, a named set from the network, or crops of two photographs."""

from __future__ import annotations

import difflib
import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from classifier.data import picture_files
from classifier.images import SUFFIXES
from generator import kaggle, sample_crops
from generator.archives import Unpacked, extract, unpacked
from generator.downloads import BadSource, Fetching, Interrupted, Unreachable, download, hash_file, reachable, ticker
from generator.entries import Wanted, told
from generator.picture_sets import CATS, SETS, KaggleSet, Set

__all__ = ["BadSource", "Fetching", "Real", "Reals", "find", "named", "offline"]

OFFLINE = "FORENSICS_OFFLINE"
"""An environment variable that forbids every download."""
ONLY_TO_TRY = (
    "No real pictures of cats could be fetched, so these are crops of scikit-learn's two sample photographs. They are "
    "good to try the pipeline and nothing else: what is trained on them knows nothing about pictures. "
    "Give a folder of photographs with --real."
)


@dataclass(frozen=True)
class Real:
    """A real picture: its name for people, its file, where it comes from, and what it must stay together with."""

    name: str
    path: Path
    source: str
    group: str | None = None


@dataclass(frozen=True)
class Reals:
    """The pictures of a source in a fixed order; `note` is what people must be told, `licence` as the source states."""

    name: str
    files: tuple[Real, ...]
    note: str | None = None
    licence: str | None = None


Job = Generator[Fetching, None, Reals]


def find(source: str | None, *, count: int, seed: int, cache: Path) -> Iterator[Fetching | Reals]:
    """Find real pictures, at least `count` where the source has so many; the last event is the `Reals`.

    A source is a folder, a .zip, .tar or .tar.gz, or a name: a set of `generator.picture_sets`, or `samples`, crops
    that `seed` draws. A folder or file of that name goes first. None is the first set of cats that is in the cache or
    can be reached, else `samples`, with a note. Whether a file is a readable picture is for the caller to see. Raises
    `BadSource`.
    """
    yield (yield from _found(source, count, seed, cache))


def _found(source: str | None, count: int, seed: int, cache: Path) -> Job:
    if source is None:
        return (yield from _whatever_there_is(count, seed, cache))
    path = Path(source).expanduser()
    if not source:
        raise BadSource("--real is empty: give a folder, an archive, the name of a set, or none.")
    if path.is_dir():
        return (yield from _folder(path, source))
    if path.is_file():
        return (yield from _archive(path, cache))
    if source == sample_crops.NAME:
        return (yield from _samples(count, seed, cache))
    if source in SETS:
        return (yield from named(SETS[source], cache))
    if os.path.lexists(path):
        raise BadSource(f"{source!a} is no folder and no archive, or cannot be reached; give one of these.")
    if path.name != source:
        raise BadSource(f"There is no folder and no archive {source!a}.")
    names = [*SETS, sample_crops.NAME]
    near = difflib.get_close_matches(source, names, 1)
    meant = f"Did you mean {near[0]}?" if near else f"There are sets of pictures named {', '.join(names)}."
    raise BadSource(f"There is no folder and no archive {source!a}. {meant}")


def _whatever_there_is(count: int, seed: int, cache: Path) -> Job:
    """Take the first set of cats that is here, else the first that can be had, else crops."""
    rows = [row for name in CATS if isinstance(row := SETS[name], Set)]
    for row in rows:
        if unpacked(_place(row, cache)) is not None:
            return (yield from named(row, cache))
    for row in rows:
        if offline() or not (yield from _answers(row)):
            continue
        try:
            return (yield from named(row, cache))
        except Interrupted:
            raise
        except BadSource:  # another may be as it was
            continue
    found = yield from _samples(count, seed, cache)
    return Reals(found.name, found.files, ONLY_TO_TRY, found.licence)


def _answers(row: Set) -> Generator[Fetching, None, bool]:
    found = False
    for answer in reachable(row.remote.url):
        found = bool(answer)
        yield Fetching(0, None, f"Looking for {row.remote.what}")
    return found


def _folder(folder: Path, name: str) -> Job:
    """List the pictures below a folder; each's source is the folder below it that it lies in."""
    found: list[Real] = []
    due, top = ticker(), folder.resolve().name or "pictures"
    for path in _pictures_below(folder, name):
        inside = path.relative_to(folder)
        if any(part.startswith(".") for part in inside.parts):
            continue
        _check_real((folder.resolve().name, *inside.parts), name)
        first = inside.parts[0] if len(inside.parts) > 1 else ""
        found.append(Real(_shown(inside.as_posix()), path, _shown(f"{top}/{first}" if first else top)))
        if due():
            yield Fetching(len(found), None, f"Looking into {_shown(name)}", "pictures")
    if not found:
        raise BadSource(f"{_shown(name)} has no pictures ({', '.join(sorted(SUFFIXES))}).")
    return Reals(_shown(name), tuple(found))


def _pictures_below(folder: Path, name: str) -> Iterator[Path]:
    try:
        yield from picture_files(folder)
    except PermissionError:
        raise BadSource(f"{_shown(name)} may not be read: change its permissions, or give another folder.") from None


def _archive(path: Path, cache: Path) -> Job:
    if path.suffix.lower() in SUFFIXES:
        raise BadSource(f"{_shown(path.name)} is a picture: give the folder that it lies in.")
    with path.open("rb") as file:
        digest = yield from hash_file(file, path.stat().st_size, f"Reading {_shown(path.name)}")
    found = yield from _unpack(path, cache / "archives" / digest[:32], Wanted(), _shown(path.name))
    for name, _ in found.pictures:
        _check_real(tuple(name.split("/")), path.name)
    return _reals(found, _shown(path.name))


def _check_real(parts: tuple[str, ...], source: str) -> None:
    """Refuse a source that holds both classes of a data set: its fakes would be labelled real."""
    if any(part.lower() in ("fake", "fakes") for part in parts[:-1]):
        raise BadSource(f"{_shown(source)} has pictures in a folder named fake: give the real ones alone.")


def named(row: Set | KaggleSet, cache: Path) -> Job:
    """Fetch a named set, unless it is in the cache; returns its `Reals`. Raises `BadSource`."""
    if isinstance(row, KaggleSet):
        return (yield from _from_kaggle(row, cache))
    to, what = _place(row, cache), row.remote.what
    if (found := unpacked(to)) is None:
        archive = cache / "downloads" / row.remote.url.rpartition("/")[2]
        if offline() and not archive.is_file():
            raise _forbidden(row.name, row.remote.instead)
        for event in download(row.remote, archive):
            if isinstance(event, Fetching):
                yield event
        found = yield from _unpack(archive, to, Wanted(row.pattern), what)
        archive.unlink()  # as large as what came out of it
    return _reals(found, row.name, row.licence)


def _from_kaggle(row: KaggleSet, cache: Path) -> Job:
    folder = kaggle.fetched(row, cache)
    if folder is None:
        if offline():
            raise _forbidden(row.name, f"give a folder with {row.option}")
        for event in kaggle.fetch(row, cache):
            if isinstance(event, Path):
                folder = event
            else:
                yield event
    if folder is None:
        raise Unreachable(f"Kaggle gave no folder for {row.what}.")
    inner = folder / row.inner if row.inner else None
    if inner is not None and inner.is_file():
        found = yield from _unpack(inner, cache / row.name, Wanted(row.pattern), row.what)
        return _reals(found, row.name, row.licence)
    wanted = Wanted(row.pattern)
    listed = yield from _folder(folder, row.name)
    files = [one for one in listed.files if wanted(one.name) and not one.path.is_symlink()]
    return Reals(row.name, tuple(Real(one.name, one.path, row.name) for one in files), None, row.licence)


def _samples(count: int, seed: int, cache: Path) -> Job:
    found: list[Real] = []
    yield Fetching(0, None, "Cutting crops out of two photographs", "pictures")
    for done, total, crop in sample_crops.crops(count, seed, cache / f"samples-{seed}"):
        found.append(Real(crop.path.name, crop.path, sample_crops.NAME, crop.photograph))
        yield Fetching(done, total, "Cutting crops out of two photographs", "pictures")
    return Reals(sample_crops.NAME, tuple(found), sample_crops.NOTE, sample_crops.LICENCE)


def _unpack(archive: Path, to: Path, wanted: Wanted, what: str) -> Generator[Fetching, None, Unpacked]:
    found = None
    for event in extract(archive, to, wanted=wanted, what=what):
        if isinstance(event, Unpacked):
            found = event
        else:
            yield event
    assert found is not None  # noqa: S101 - it ends with what it unpacked, or raises
    return found


def _reals(found: Unpacked, name: str, licence: str | None = None) -> Reals:
    files = tuple(Real(entry, path, name) for entry, path in found.pictures)
    return Reals(name, files, f"Left out of {name}: {told(found.left_out)}." if found.left_out else None, licence)


def _place(row: Set, cache: Path) -> Path:
    return cache / f"{row.name}-{row.remote.sha256[:12]}"


def _forbidden(name: str, instead: str) -> BadSource:
    return Unreachable(f"{name} is not in the cache, and {OFFLINE} forbids downloads: {instead}.")


def offline() -> bool:
    """Return whether `FORENSICS_OFFLINE` forbids downloads."""
    return os.environ.get(OFFLINE, "") not in ("", "0")


def _shown(name: str) -> str:
    """Return a name that can be written down, also where it is no UTF-8."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
