"""Finding the files of a folder that may be pictures, whatever their names are made of, and however many they are."""

from __future__ import annotations

import fnmatch
import mimetypes
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from classifier.files import SUFFIXES
from forensics_app.core.words import shown

# The table that ships with Python, without the system's: the same files are found on every machine.
_TYPES = mimetypes.MimeTypes(filenames=()).types_map[True]
_BESIDE_PICTURES = {
    ".7z", ".aae", ".bz2", ".cfg", ".db", ".dll", ".exe", ".gz", ".ini", ".log", ".md", ".npy", ".npz", ".o", ".obj",
    ".onnx", ".pt", ".pth", ".rar", ".safetensors", ".so", ".sqlite", ".toml", ".xmp", ".xz", ".yaml", ".yml", ".zst",
}  # fmt: skip
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")

OF_A_REPORT = {"report.html", "heatmaps", "thumbnails"}
SORTED_AT_ONCE = 5_000
"""So many entries of a folder are held in memory; those of a larger one come in portions, each in order."""

Identity = tuple[int, int]


@dataclass(frozen=True)
class Found:
    """A file to judge, or a folder that could not be listed: then `problem` is its kind and a sentence.

    `path` holds bytes that are no UTF-8 as Python does (`os.fsdecode`); `path_fields` makes it text for a row.
    `archive` says that it holds pictures rather than being one.
    """

    path: str
    problem: tuple[str, str] | None = None
    archive: bool = False


@dataclass(frozen=True)
class Selection:
    """Which files of a folder are meant.

    Hidden files and folders are left out, and files whose suffix names another kind (text, film, sound, programs): a
    picture with no or an unknown suffix is found. `every_file` leaves out nothing. Of `include` and `exclude`, patterns
    of the shell without regard to case, one without `/` is compared with names, one with `/` with the path below the
    folder, where `*` stands for `/` too; `exclude` also keeps out of folders. Links to files are found, links to
    folders are not followed unless `links`; `one_disk` stays on the file system of the folder. With `archives` a zip, a
    tar and a tar.gz are found, as such. The folders in `skip` are not entered.
    """

    every_file: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    links: bool = False
    one_disk: bool = False
    archives: bool = False
    skip: tuple[str, ...] = ()


def find_files(root: str, *, every_file: bool = False, skip: Iterable[str] = ()) -> Iterator[Found]:
    """Yield the files below `root` that may be pictures, folder by folder in the order of their names.

    Which ones is said by `Selection`. What has a picture's suffix but is no file (a pipe, a folder, a dangling link) is
    found too, so that a scan can say so. What a scan of ours made in its report's folder is left out.
    """
    return (found for found in walk(root, Selection(every_file=every_file, skip=tuple(skip))) if found)


def walk(root: str, selection: Selection) -> Iterator[Found | None]:
    """Do as `find_files`, and yield None after each portion of a folder, so that a caller hears of those without any.

    Keeps no more in memory than a portion of one folder, and the names of the folders that are still to be entered.
    """
    below, wanted, seen_as = len(root.rstrip(os.sep)) + 1, matcher(selection), _identity(root)
    disk = seen_as[0] if selection.one_disk and seen_as else None
    skipped = {_identity(folder) for folder in selection.skip}
    folders: list[tuple[str, frozenset[Identity]]] = [(root, frozenset())]
    while folders:
        folder, above = folders.pop()
        identity = _identity(folder)
        if identity in above or identity in skipped or (disk is not None and identity and identity[0] != disk):
            continue  # a link, a junction or a mount that leads back, or to another disk
        inside: list[str] = []
        try:
            for portion in _portions(folder):
                for entry in portion:
                    inner = entry.path[below:]
                    if wanted.kept_out(entry.name, inner) or (entry.name.startswith(".") and not selection.every_file):
                        continue
                    if _is_folder(entry, selection.links):
                        inside.append(entry.path)
                    found = _found(entry, selection)
                    if found and (found.archive or wanted.included(entry.name, inner)):
                        yield found
                yield None
        except OSError as error:
            yield Found(folder, _unlisted(error))
        folders.extend((path, above | {identity} if identity else above) for path in reversed(inside))


def _portions(folder: str) -> Iterator[list[os.DirEntry[str]]]:
    """Yield a folder's entries, sorted within each portion, without what a report of ours consists of."""
    of_report = _holds_report(folder)
    with os.scandir(folder) as listing:
        while portion := list(islice(listing, SORTED_AT_ONCE)):
            yield sorted((one for one in portion if not (of_report and _of_report(one.name))), key=lambda one: one.name)


def _holds_report(folder: str) -> bool:
    def has(*names: str) -> bool:
        return all(os.path.isfile(os.path.join(folder, name)) for name in names)  # noqa: PTH118 - for speed

    return has("scan.db") or has("results.jsonl", "report.html")


def _of_report(name: str) -> bool:
    return name in OF_A_REPORT or name.startswith("results.")


@dataclass(frozen=True)
class Matcher:
    """Whether a name and a path below the folder are left out, and whether they are meant."""

    kept_out: Callable[[str, str], bool]
    included: Callable[[str, str], bool]


def matcher(selection: Selection) -> Matcher:
    """Return what the patterns of a selection say of names and paths."""
    out, meant = _any_of(selection.exclude), _any_of(selection.include)
    return Matcher(out, meant if selection.include else lambda _name, _path: True)


def _any_of(patterns: Iterable[str]) -> Callable[[str, str], bool]:
    names, paths = list[str](), list[str]()
    for pattern in patterns:
        (paths if "/" in pattern else names).append(fnmatch.translate(pattern.strip("/")))
    compiled = [re.compile("|".join(some), re.IGNORECASE) if some else None for some in (names, paths)]
    by_name, by_path = compiled

    def matches(name: str, path: str) -> bool:
        return bool((by_name and by_name.match(name)) or (by_path and by_path.match(path.replace(os.sep, "/"))))

    return matches


def path_fields(path: str) -> dict[str, str]:
    """Return a path as the fields of a row: `path` is text that can always be written.

    Bytes that are no UTF-8 become escapes in it, and only then `path_bytes` holds the true name in hexadecimal.
    """
    text = re.sub("[\ud800-\udfff]", lambda lone: shown(lone[0]), path)
    return {"path": text} if text == path else {"path": text, "path_bytes": os.fsencode(path).hex()}


def is_archive(name: str) -> bool:
    """Return whether a file is taken for an archive, by its suffix."""
    return name.lower().endswith(ARCHIVES)


def _found(entry: os.DirEntry[str], selection: Selection) -> Found | None:
    if selection.archives and is_archive(entry.name) and not _is_folder(entry, links=True):
        return Found(entry.path, archive=True)
    return Found(entry.path) if _may_be_picture(entry, selection.every_file) else None


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


def _is_folder(entry: os.DirEntry[str], links: bool) -> bool:
    try:
        return entry.is_dir(follow_symlinks=links)
    except OSError:
        return False


def _identity(folder: str) -> Identity | None:
    try:
        facts = os.stat(folder)  # noqa: PTH116 - a Path for each folder costs more than the call
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def _unlisted(error: OSError) -> tuple[str, str]:
    kind = "no_permission" if isinstance(error, PermissionError) else "unreadable"
    return kind, f"The files of this folder could not be listed: {(error.strerror or str(error)).lower()}."
