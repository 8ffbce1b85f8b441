"""The user's own detectors: which of them is the default, and removing one."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from classifier.atomic import replacing
from classifier.detector import BUNDLED, CARD, CHOSEN, DEFAULT, default_name, find, open_folder
from classifier.places import home
from forensics_app.core.analysis import require_judge
from forensics_app.core.installing import CannotInstall


def current_default() -> str:
    """Return the name of the detector that stands for `default`, `bundled` for the one that ships with the program.

    Raises `BadDetector` where it is no longer installed.
    """
    find(DEFAULT)
    name = default_name()
    return BUNDLED if name == DEFAULT else name


def make_default(name: str) -> str:
    """Let a detector stand for `default`, in the window and on the command line; returns its name.

    `default` and `bundled` name the one that ships with the program. Raises `BadDetector`, `CannotJudge` for a
    detector of other things, `CannotInstall` for one that is not among the installed.
    """
    mark = home() / CHOSEN
    if name in (DEFAULT, BUNDLED):
        mark.unlink(missing_ok=True)
        return BUNDLED
    folder = find(name)
    if folder.parent != home() / "detectors":
        raise CannotInstall(f"'{name}' is not among the installed detectors: install it first.")
    require_judge(open_folder(folder).card)
    mark.parent.mkdir(parents=True, exist_ok=True)
    with replacing(mark) as file:
        file.write(f"{folder.name}\n".encode())
    return folder.name


def remove(name: str) -> Path:
    """Remove one of the user's detectors, and let the bundled one be the default if it was that; returns its folder.

    Raises `CannotInstall` for the bundled one and for a name that is not installed.
    """
    folder = home() / "detectors" / name
    if not name or Path(name).name != name or not os.path.lexists(folder / CARD):
        bundled = name in (DEFAULT, BUNDLED)
        why = "ships with the program and cannot be removed" if bundled else "is not among your detectors"
        raise CannotInstall(f"'{name}' {why}; 'forensics models list' shows what is installed.")
    gone = folder.with_name(f".{name}.{secrets.token_hex(4)}.removed")
    try:
        folder.replace(gone)  # at once, whatever a killed program leaves of it
    except OSError as error:
        raise CannotInstall(f"'{name}' could not be removed: {error.strerror}.") from None
    if default_name() == name:
        (home() / CHOSEN).unlink(missing_ok=True)
    if gone.is_symlink():
        gone.unlink()
    else:
        shutil.rmtree(gone, ignore_errors=True)
    return folder
