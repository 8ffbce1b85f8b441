"""What leaves the page: paths on the clipboard or in a file, copies of files, and the options of an export."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from classifier.atomic import replacing
from classifier.files import BadImage, opened
from forensics_app.core.store import Query, ScanStore
from forensics_app.core.store_lookup import Filters
from forensics_app.core.words import ANSWERS


@dataclass(frozen=True)
class Listed:
    """The paths of files, as the system has them."""

    paths: tuple[bytes, ...]


@dataclass(frozen=True)
class Copied:
    """Files that were copied, of all; `left` could not be, and the first of them says why."""

    done: int
    total: int
    left: tuple[tuple[str, str], ...] = ()


def paths_of(store: Path, query: Query) -> Iterator[Listed]:
    """Read the paths of a query's files in its order; those in archives name what lies in them."""
    with ScanStore.open(store, readonly=True) as opened:
        yield Listed(tuple(opened.paths(query)))


def write_list(store: Path, query: Query, target: Path) -> Iterator[Listed]:
    """Write the paths of a query's files to a text, one a line, whole or not at all; names keep their bytes."""
    for found in paths_of(store, query):
        with replacing(target) as file:
            file.writelines(path + b"\n" for path in found.paths)
        yield found


def copy_files(paths: Sequence[str], folder: Path) -> Iterator[Copied]:
    """Copy files to a folder under free names; nothing is ever written over, and the originals stay as they are."""
    left: list[tuple[str, str]] = []
    for done, path in enumerate(paths):
        yield Copied(done, len(paths), tuple(left))
        try:
            _copy(path, folder)
        except BadImage as error:
            left.append((path, str(error)))
        except OSError as error:
            left.append((path, error.strerror or type(error).__name__))
    yield Copied(len(paths) - len(left), len(paths), tuple(left))


def _copy(path: str, folder: Path) -> None:
    source, number = Path(path), 1
    while True:
        name = source.name if number == 1 else f"{source.stem}-{number}{source.suffix}"
        try:
            with opened(source) as original, (folder / name).open("xb") as copy:
                shutil.copyfileobj(original, copy)
        except FileExistsError:
            number += 1
            continue
        shutil.copystat(source, folder / name)
        return


def export_arguments(
    store: Path, under: bytes, detector: str, filters: Filters, form: str, target: Path
) -> tuple[str, ...]:
    """Return the words of the command that exports a view's rows; `form` is csv or jsonl."""
    words = ["export", os.fsdecode(under), "--store", str(store), f"--{form}", str(target), "--detector", detector]
    for label in ANSWERS:
        if filters.labels is not None and label in filters.labels:
            words += ["--errors"] if label == "error" else ["--verdict", label]
    for option, bound in (("--above", filters.above), ("--below", filters.below)):
        words += [] if bound is None else [option, str(bound)]
    for name in filters.formats or ():
        words += ["--format", name]
    if filters.evidence is not None:
        words.append("--evidence" if filters.evidence else "--no-evidence")
    for mark in sorted(filters.marks or ()):
        words += ["--mark", mark or "none"]
    return (*words, *(["--name", filters.name] if filters.name else []), *(["--gone"] if filters.gone else []))
