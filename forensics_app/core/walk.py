"""Finding the files of a folder that may be pictures, whatever their names are made of."""

from __future__ import annotations

import mimetypes
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from classifier.images import SUFFIXES
from forensics_app.core.words import shown

# The table that ships with Python, without the system's: the same files are found on every machine.
_TYPES = mimetypes.MimeTypes(filenames=()).types_map[True]
_BESIDE_PICTURES = {
    ".aae", ".cfg", ".db", ".dll", ".exe", ".ini", ".log", ".md", ".npy", ".npz", ".o", ".obj", ".onnx", ".pt", ".pth",
    ".safetensors", ".so", ".sqlite", ".toml", ".xmp", ".yaml", ".yml",
}  # fmt: skip

OF_A_REPORT = {"report.html", "heatmaps", "thumbnails"}


@dataclass(frozen=True)
class Found:
    """A file to judge, or a folder that could not be listed: then `problem` is its kind and a sentence.

    `path` holds bytes that are no UTF-8 as Python does (`os.fsdecode`); `path_fields` makes it text for a row.
    """

    path: str
    problem: tuple[str, str] | None = None


def find_files(root: str, *, every_file: bool = False, skip: Iterable[str] = ()) -> Iterator[Found]:
    """Yield the files below `root` that may be pictures, folder by folder in the order of their names.

    Hidden files and folders are left out, and files whose suffix names another kind (text, film, sound, archives,
    programs): a picture with no or an unknown suffix is found. `every_file` leaves out nothing. Links to files are
    found, links to folders are not followed; what has a picture's suffix but is no file (a pipe, a folder, a dangling
    link) is found too, so that the scan can say so. The folders in `skip` are not entered, and what a scan of
    ours made in its report's folder (known by results.jsonl beside report.html) is left out.
    """
    return (found for found in walk(root, every_file=every_file, skip=skip) if found)


def walk(root: str, *, every_file: bool = False, skip: Iterable[str] = ()) -> Iterator[Found | None]:
    """Do as `find_files`, and yield None after each folder, so that a caller hears of a thousand without a picture."""
    entered = {_identity(folder) for folder in skip} - {None}
    folders = [root]
    while folders:
        folder = folders.pop()
        identity = _identity(folder)
        if identity in entered:
            continue  # a junction or a mount that leads back
        entered.add(identity)
        below: list[str] = []
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            yield Found(folder, _unlisted(error))
            continue
        for entry in _without_report(entries):
            if entry.name.startswith(".") and not every_file:
                continue
            if _is_folder(entry):
                below.append(entry.path)
            if _may_be_picture(entry, every_file):
                yield Found(entry.path)
        folders.extend(reversed(below))
        yield None


def _without_report(entries: list[os.DirEntry[str]]) -> list[os.DirEntry[str]]:
    names = {entry.name for entry in entries}
    if not ({"results.jsonl", "report.html"} <= names or "results.jsonl.part" in names):
        return entries
    return [entry for entry in entries if entry.name not in OF_A_REPORT and not entry.name.startswith("results.")]


def path_fields(path: str) -> dict[str, str]:
    """Return a path as the fields of a row: `path` is text that can always be written.

    Bytes that are no UTF-8 become escapes in it, and only then `path_bytes` holds the true name in hexadecimal.
    """
    text = re.sub("[\ud800-\udfff]", lambda lone: shown(lone[0]), path)
    return {"path": text} if text == path else {"path": text, "path_bytes": os.fsencode(path).hex()}


def _may_be_picture(entry: os.DirEntry[str], every_file: bool) -> bool:
    suffix = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122 - a name, not a path
    try:
        if entry.is_file():
            return every_file or suffix in SUFFIXES or not _is_other_kind(suffix)
        return suffix in SUFFIXES or (every_file and not entry.is_dir())
    except OSError:  # a loop of links
        return suffix in SUFFIXES or every_file


def _is_other_kind(suffix: str) -> bool:
    kind = _TYPES.get(suffix, "image/unknown")
    return suffix in _BESIDE_PICTURES or not kind.startswith(("image/", "application/octet-stream"))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _identity(folder: str) -> tuple[int, int] | None:
    try:
        facts = os.stat(folder)  # noqa: PTH116 - a Path for each folder costs more than the call
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def _unlisted(error: OSError) -> tuple[str, str]:
    kind = "no_permission" if isinstance(error, PermissionError) else "damaged"
    return kind, f"The files of this folder could not be listed: {(error.strerror or str(error)).lower()}."
