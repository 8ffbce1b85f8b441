"""The installed detectors as a list; a broken one is a row with its problem, never the end of the list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from classifier.detector import BUNDLED, DEFAULT, BadDetector, default_name, folders, open_folder
from classifier.places import resources
from forensics_app.core.words import figure, set_aside


@dataclass(frozen=True)
class Listed:
    """A detector in the list: `headline` is its balanced accuracy on the test split, `problem` why it is no use.

    `default` is True for the one that judges where none is named.
    """

    name: str
    folder: Path
    arch: str = ""
    classes: tuple[str, ...] = ()
    id: str = ""
    bytes: int = 0
    headline: str | None = None
    problem: str | None = None
    default: bool = False


def listed() -> list[Listed]:
    """Return all installed detectors, the user's first; files are compared with their card only when one is opened.

    The one that ships with the program is called `bundled` where another one is the default.
    """
    chosen = default_name()
    return [replace(one, default=one.name == chosen) for one in map(_listed, folders())]


def _name(folder: Path) -> str:
    bundled = folder == resources() / "models" / DEFAULT
    return BUNDLED if bundled and default_name() != DEFAULT else folder.name


def _listed(folder: Path) -> Listed:
    try:
        installed = open_folder(folder, check=False)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    except BadDetector as error:
        return Listed(_name(folder), folder, problem=str(error))
    except OSError as error:
        return Listed(_name(folder), folder, problem=f"The folder cannot be read: {error.strerror}.")
    card, test = installed.card, set_aside(installed.card)
    headline = figure(test.get("balanced_accuracy")) if isinstance(test, dict) else None
    return Listed(_name(folder), folder, card.arch, card.classes, installed.id, size, headline)
