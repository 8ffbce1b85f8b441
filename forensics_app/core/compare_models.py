"""The job of comparing architectures: one recipe trained with each, a report for every run, then all compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from classifier import run, series
from classifier.recipes import Recipe
from classifier.request import Request
from classifier.run import Stage
from classifier.series import Began, GaveUp, Inside, Model, Ready
from forensics_app.core import run_report
from forensics_app.core.claims import changes_of
from forensics_app.core.compare_jobs import compare_detectors
from forensics_app.core.compare_judging import Looked, Part
from forensics_app.core.compare_rows import Row, failed_row
from forensics_app.core.comparison import Compared
from forensics_app.core.contenders import Contender, contender


def kept_audit(out: Path, archs: Sequence[str]) -> dict[str, Any] | None:
    """Return the audit that the first of the runs in a folder began with, or None."""
    return next((audit for arch in archs if (audit := run.kept_audit(out / arch))), None)


def check(recipe: Recipe, archs: Sequence[str], out: Path) -> None:
    """Raise `BadData` where a folder holds something else than these models' runs."""
    series.check(recipe, _models(recipe, archs), out)


def compare_models(
    recipe: Recipe,
    archs: Sequence[str],
    root: Path,
    out: Path,
    *,
    resume: bool = False,
    device: str = "auto",
    audit: Mapping[str, Any] | None = None,
    asked: Request | None = None,
) -> Iterator[Stage | Began | Inside | Ready | GaveUp | Part | Looked | Compared]:
    """Train a recipe with several architectures, each into `out/ARCH` with its own report, and compare them.

    What is finished is used as it is, as `classifier.series` says; the last event is what was found. Raises `BadData`,
    `BadArch`, and `NotComparable` if no model could be trained.
    """
    chosen = _models(recipe, archs)
    those: list[Contender | Row] = []
    for event in series.series(recipe, chosen, root, out, resume=resume, device=device, audit=audit, asked=asked):
        yield event
        if isinstance(event, GaveUp):
            those.append(failed_row(event.model, event.folder, event.why, recipe.name))
        elif isinstance(event, Ready):
            if not event.reused or not (event.folder / run_report.REPORT).is_file():
                yield Part(f"Writing the report of {event.model}")
                run_report.write(event.folder)
            those.append(contender(str(event.folder)))
    yield from compare_detectors(those, recipe.name, out=out, train=True)


def _models(recipe: Recipe, archs: Sequence[str]) -> list[Model]:
    return [Model(arch, changes_of(recipe.name, arch)) for arch in archs]
