"""What is to be compared: finished runs and detectors, by name or folder, and what each said of which pictures."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from classifier.detector import CARD, BadDetector, Card, Installed, find, folders, open_folder
from classifier.pairing import Judgements, NotComparable
from classifier.recipes import recipe_files
from forensics_app.core.run_folder import DETECTOR, RECIPE, Run, open_run


@dataclass(frozen=True, eq=False)
class Contender:
    """A detector to compare, under a name that no other one has; `run` is None where only the detector is there."""

    name: str
    installed: Installed
    run: Run | None

    @property
    def card(self) -> Card:
        """The detector's card."""
        return self.installed.card

    @property
    def folder(self) -> Path:
        """The run's folder, or else the detector's."""
        return self.run.folder if self.run else self.installed.folder

    @property
    def kept(self) -> Judgements | None:
        """What its run kept of the pictures that it was measured on, or None."""
        found = self.run.predictions if self.run else None
        if found is None or not found.pictures:
            return None
        paths = tuple(Path(one.path) for one in found.pictures)
        return Judgements(self.name, found.classes, paths, found.labels, found.p)


def contenders(names: Sequence[str]) -> tuple[Contender, ...]:
    """Open runs and detectors, each by its folder or an installed name; raises `NotComparable` and `BadRun`."""
    if len(names) < 2:
        raise NotComparable(f"There is nothing to compare {names[0]} with: give another run or detector.")
    opened = [contender(name) for name in names]
    ids = [one.installed.id for one in opened]
    for place, one in enumerate(ids):
        if one in ids[:place]:
            first, second = names[ids.index(one)], names[place]
            raise NotComparable(f"{first} and {second} are the same detector ({one}): give two that differ.")
    return tuple(replace(one, name=name) for one, name in zip(opened, _distinct(opened), strict=True))


def contender(name: str) -> Contender:
    """Open a run or a detector; raises `NotComparable` where there is none of that name, `BadRun` for a broken one."""
    folder = Path(name)
    if (folder / RECIPE).is_file():
        run = open_run(folder)
        return Contender(_last(folder), run.installed, run)
    if folder.name == DETECTOR and (folder / CARD).is_file() and (folder.parent / RECIPE).is_file():
        return contender(str(folder.parent))
    try:
        installed = open_folder(find(name))
    except BadDetector:
        if (folder / CARD).is_file() or name in known_detectors():
            raise
        raise NotComparable(unknown(name)) from None
    return Contender(installed.card.name, installed, None)


def known_detectors() -> list[str]:
    """Return the names of the installed detectors."""
    return [folder.name for folder in folders()]


def unknown(name: str) -> str:
    """Return the sentence for a name that is no run, no detector and no recipe, with the nearest that is one."""
    near = difflib.get_close_matches(name, [*_runs_beside(Path(name)), *known_detectors(), *recipe_files()], 1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return f"There is no run or detector '{name}'.{hint} Give the folder of a finished run, or an installed detector."


def _runs_beside(folder: Path) -> list[str]:
    parent = folder.parent
    places = [parent, parent / "runs"] if str(parent) == "." else [parent]
    return [str(found.parent) for place in places for found in sorted(place.glob(f"*/{RECIPE}"))]


def _last(folder: Path) -> str:
    return folder.name or folder.resolve().name


def _distinct(opened: Iterable[Contender]) -> list[str]:
    """Return a name for each: the run's folder or the card's name, with the folder above where two are alike."""
    listed = list(opened)
    names = [one.name for one in listed]
    if len(set(names)) < len(names):
        names = [f"{one.folder.resolve().parent.name}/{one.name}" for one in listed]
    if len(set(names)) < len(names):
        names = [str(one.folder) for one in listed]
    return names
