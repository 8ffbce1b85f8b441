"""Installing a detector: its checked files, copied into the user's folder, whole or not at all."""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from classifier.atomic import new_folder
from classifier.detector import (
    BUNDLED,
    CARD,
    DEFAULT,
    FAST,
    NAME,
    BadDetector,
    Installed,
    fast_twin,
    find,
    open_folder,
)  # fmt: skip
from classifier.places import home


class CannotInstall(Exception):
    """A detector that is not installed; `str()` is one sentence that says why and what to do."""


def install(source: Path, name: str | None = None) -> Installed:
    """Copy a detector, or that of a run, into the user's `detectors` folder, and return it as it is installed.

    Without a name it gets its card's, numbered where that is taken. A detector that is installed already is returned as
    it is. Raises `BadDetector` for one that cannot be used, `CannotInstall` for a bad or taken name or a full disk.
    """
    found = open_folder(find(source))
    if (same := installed_as(found.id)) is not None and name in (None, same.folder.name):
        return same
    folder = _free(found.card.name) if name is None else _named(name)
    try:
        with new_folder(folder) as part:
            _copy(found, part)
            open_folder(part)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        why = "the disk is full" if full else (error.strerror or type(error).__name__).lower()
        raise CannotInstall(f"The detector could not be copied into {folder.parent}: {why}.") from None
    return open_folder(folder, check=False)


def installed_as(identity: str) -> Installed | None:
    """Return the user's detector of that id, or None; broken ones are passed over."""
    for card in sorted((home() / "detectors").glob(f"[!.]*/{CARD}")):
        try:
            one = open_folder(card.parent, check=False)
        except BadDetector:
            continue
        if one.id == identity:
            return one
    return None


def _named(name: str) -> Path:
    """Return a folder for a new detector of a name that was asked for; raises `CannotInstall`."""
    if not re.fullmatch(NAME.pattern, name):
        raise CannotInstall(
            f"'{name}' is no name for a detector: letters, digits, dots, dashes and underscores, at most 64, are."
        )
    if name in (DEFAULT, BUNDLED):
        raise CannotInstall(f"'{name}' is no name for a detector of your own: choose another --name.")
    folder = home() / "detectors" / name
    if folder.exists():
        raise CannotInstall(
            f"'{name}' is the name of another detector here: choose another --name, or remove that one."
        )
    return folder


def _free(name: str) -> Path:
    """Return a folder for a new detector: of that name, or of the first of `name-2`, `name-3` … that is not taken."""
    root, number, folder = home() / "detectors", 1, home() / "detectors" / name
    while folder.exists() or folder.name in (DEFAULT, BUNDLED):
        number += 1
        folder = root / f"{name[:60]}-{number}"
    return folder


def contents(found: Installed) -> Iterator[tuple[Path, str]]:
    """Yield what belongs to a detector, its members and its fast twin included: each file, and its place inside."""
    for name in (CARD, *found.card.files):
        yield found.folder / name, name
    for member in found.card.members:
        for path, name in contents(open_folder(found.folder / member, check=False)):
            yield path, f"{member}/{name}"
    if found.card.members or found.card.precision == "int8":
        return
    try:
        twin = fast_twin(found)
    except BadDetector:
        return
    for path, name in contents(twin):
        yield path, f"{FAST}/{name}"


def _copy(found: Installed, part: Path) -> None:
    """Copy what belongs to a detector, and nothing else that lies there."""
    for path, name in contents(found):
        (part / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, part / name)
