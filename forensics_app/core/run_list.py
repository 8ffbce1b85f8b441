"""The training runs in a folder, with what each came to."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from forensics_app.core.run_folder import DETECTOR, RECIPE, BadRun, Run, open_run
from forensics_app.core.run_tables import told

DEPTH = 4
REPORT = "report.html"


@dataclass(frozen=True)
class Listed:
    """A run of a list: its folder, its detector's name and network, its figure; `problem` says why it has none."""

    folder: Path
    name: str = ""
    arch: str = ""
    classes: int = 0
    epochs: int = 0
    seconds: float = 0.0
    headline: str | None = None
    n: int = 0
    report: Path | None = None
    problem: str | None = None


def listed(root: Path) -> Iterator[Listed]:
    """Yield the runs below a folder, by path; raises `BadRun` if there is no such folder."""
    if not root.is_dir():
        raise BadRun(f"There is no folder {root}: runs go where 'forensics train --out' puts them, or into runs.")
    for folder in found(root):
        try:
            yield _row(open_run(folder))
        except BadRun as error:
            unfinished = not (folder / DETECTOR).exists()
            begun = "Not finished: the command that began it goes on with it when --resume is added."
            yield Listed(folder, problem=begun if unfinished else str(error))


def found(root: Path) -> list[Path]:
    """Return the folders of runs, begun ones as well, at most four levels down, without following links."""
    folders = []
    for place, below, files in os.walk(root):
        depth = len(Path(place).relative_to(root).parts)
        if RECIPE in files:
            folders.append(Path(place))
            below.clear()
        below[:] = sorted(name for name in below if not name.startswith(".")) if depth < DEPTH else []
    return sorted(folders)


def _row(run: Run) -> Listed:
    measured, report = run.measured, run.folder / REPORT
    return Listed(
        run.folder,
        run.card.name,
        run.card.arch,
        len(run.card.classes),
        len(run.history),
        math.fsum(epoch.get("seconds", 0) for epoch in run.history),
        told(measured.balanced_accuracy) if measured else None,
        measured.n if measured else 0,
        report if report.is_file() else None,
    )
