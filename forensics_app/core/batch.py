"""Pictures named one by one, judged in turn: a bad one is its own problem and the others go on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.atomic import replacing
from forensics_app.core.walk import path_fields

if TYPE_CHECKING:
    from classifier.images import BadImage
    from classifier.runtime import Detector
    from forensics_app.core.analysis import Analysis

MAX_STEM_BYTES = 200
SUFFIX = ".heatmap.png"


class CannotWrite(Exception):
    """The heat maps cannot go where they were asked to go; `str()` says why."""


@dataclass(frozen=True, eq=False)
class Judged:
    """One picture of a batch: its analysis and where its heat map was written, or the problem."""

    path: Path
    analysis: Analysis | None
    heatmap: Path | None
    problem: BadImage | None

    def to_json(self) -> dict[str, Any]:
        """Return the public JSON form."""
        from forensics_app.core.analysis import error_json, to_json

        fields = path_fields(str(self.path))
        if self.problem is not None or self.analysis is None:
            return {
                **error_json(fields["path"], self.problem.kind if self.problem else "failed", str(self.problem)),
                **fields,
            }
        map_path = path_fields(str(self.heatmap))["path"] if self.heatmap else None
        return {**to_json(fields["path"], self.analysis, map_path), **fields}


def judge_files(paths: Sequence[Path], detector: Detector, *, heatmaps: Path | None = None) -> Iterator[Judged]:
    """Judge files in turn; with `heatmaps` each overlay is written to that folder, never over one of the files.

    Raises `CannotWrite` if that is no folder, `OSError` if a map cannot be written, `CannotJudge` for a detector of
    other things.
    """
    from classifier.images import BadImage
    from forensics_app.core.analysis import analyze, require_judge

    require_judge(detector.card)
    if heatmaps is not None and heatmaps.exists() and not heatmaps.is_dir():
        raise CannotWrite(
            f"{path_fields(str(heatmaps))['path']} is a file, not a folder; give a folder for the heat maps."
        )
    targets = map_names(paths, heatmaps) if heatmaps is not None else [None] * len(paths)
    for path, target in zip(paths, targets, strict=True):
        try:
            analysis = analyze(path, detector, heatmap=target is not None)
        except BadImage as problem:
            yield Judged(path, None, None, problem)
            continue
        yield Judged(path, analysis, _write(analysis, target) if target else None, None)


def map_names(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Return where each heat map goes: `<stem>.heatmap.png`, numbered where a file or another map has that name."""
    taken = {_identity(path) for path in paths}
    names = []
    for path in paths:
        stem = os.fsdecode(os.fsencode(path.stem or "picture")[:MAX_STEM_BYTES])
        free = next(folder / name for name in _candidates(stem) if _identity(folder / name) not in taken)
        taken.add(_identity(free))
        names.append(free)
    return names


def _candidates(stem: str) -> Iterable[str]:
    yield stem + SUFFIX
    for number in range(2, 10**9):
        yield f"{stem}-{number}{SUFFIX}"


def _identity(path: Path) -> str:
    """The same for the same file, also on disks that do not tell `A` from `a`; a link is the place where it is."""
    folder = os.path.realpath(path.parent)  # `Path.resolve` raises for a loop of links
    return f"{folder}{os.sep}{path.name}".casefold()


def _write(analysis: Analysis, target: Path) -> Path | None:
    from PIL import Image

    from forensics_app.core.overlay import overlay

    if analysis.heat is None:
        return None
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as file:
        Image.fromarray(overlay(analysis.file.pixels, analysis.heat)).save(file, "PNG")
    return target
