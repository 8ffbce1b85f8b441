"""The job of comparing architectures: one recipe trained with each, a report for every run, then all compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from classifier import run
from classifier.recipes import Recipe
from classifier.request import Request
from classifier.run import Stage
from classifier.series import Began, GaveUp, Inside, Model, Ready, Series, train_all
from forensics_app.core import run_report
from forensics_app.core.claims import changes_of
from forensics_app.core.compare_jobs import compare_detectors
from forensics_app.core.compare_judging import Looked, Part
from forensics_app.core.compare_rows import Row, failed_row
from forensics_app.core.comparison import Compared
from forensics_app.core.contenders import Contender, contender
from forensics_app.core.run_gallery import Shown


def wanted_models(recipe: Recipe, archs: Sequence[str], root: Path, out: Path, asked: Request | None = None) -> Series:
    """Return what is to be trained: a recipe with architectures, with what a document did otherwise for one of them."""
    models = tuple(Model(arch, changes_of(recipe.name, arch)) for arch in archs)
    return Series(recipe, models, root, out, asked)


def kept_audit(wanted: Series) -> dict[str, Any] | None:
    """Return the audit that the first of the runs in a folder began with, or None."""
    folders = (wanted.out / model.arch for model in wanted.models)
    return next((audit for folder in folders if (audit := run.kept_audit(folder))), None)


def compare_models(
    wanted: Series, *, resume: bool = False, device: str = "auto", audit: Mapping[str, Any] | None = None
) -> Iterator[Stage | Began | Inside | Ready | GaveUp | Part | Looked | Compared]:
    """Train a recipe with several architectures, each into `out/ARCH` with its own report, and compare them.

    What is finished is used as it is, as `series.train_all` says; the last event is what was found. Raises `BadData`,
    `BadArch`, and `NotComparable` if no model could be trained.
    """
    those: list[Contender | Row] = []
    for event in train_all(wanted, resume=resume, device=device, audit=audit):
        yield event
        if isinstance(event, GaveUp):
            those.append(failed_row(event.model, event.folder, event.why, wanted.recipe.name))
        elif isinstance(event, Ready):
            if not event.reused or not (event.folder / run_report.REPORT).is_file():
                yield Part(f"Writing the report of {event.model}")
                for told in run_report.writing(event.folder):
                    if isinstance(told, Shown):
                        yield Looked(told.done, told.total)
            those.append(contender(str(event.folder)))
    yield from compare_detectors(those, wanted.recipe.name, out=wanted.out, train=True)
