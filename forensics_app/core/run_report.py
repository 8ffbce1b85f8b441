"""report.html of a training run: one file that needs nothing else and says what was learned, how well, and the limits.

Everything in it is read from the run's folder; what is not there is left out, with a word on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from classifier.atomic import replacing
from classifier.runtime import Detector
from forensics_app.core.html import page
from forensics_app.core.run_folder import Run, open_run
from forensics_app.core.run_gallery import Gallery, gallery
from forensics_app.core.run_plots import drafts, drawn
from forensics_app.core.run_tables import MANY_CLASSES, figures, origins, sentences, told
from forensics_app.core.words import shown

REPORT, FIGURES_FOLDER = "report.html", "figures"
SHORTCUTS = (
    "Its pictures can be told apart without looking at what is in them, and it was trained with --allow-shortcuts all "
    "the same: the figures on this page may say nothing of the pictures."
)
SPLITS = {"test": "test", "val": "validation"}


def write(folder: Path) -> Path:
    """Write a finished run's report.html and its plots (figures/*.png) into its folder; return the page's path.

    Raises `BadRun` for a folder without a finished run, and OSError where it cannot be written.
    """
    run = open_run(folder)
    plots = {draft.name: drawn(draft) for draft in drafts(run)}
    seen = gallery(run.predictions, Detector(run.installed.folder)) if run.predictions else Gallery()
    text = page(
        "run.html.j2",
        styles=("report.css", "run.css"),
        made=datetime.now(),
        plots=plots,
        gallery=seen,
        **_head(run),
        **figures(run),
        **origins(run),
    )
    (folder / FIGURES_FOLDER).mkdir(exist_ok=True)
    for name, plot in plots.items():
        _replace(folder / FIGURES_FOLDER / f"{name}.png", plot.png)
    _replace(folder / REPORT, text.encode())
    return folder / REPORT


def _replace(path: Path, data: bytes) -> None:
    with replacing(path) as file:
        file.write(data)


def _head(run: Run) -> dict[str, Any]:
    card = run.card
    return {
        "name": shown(card.name),
        "description": shown(card.description),
        "headline": _headline(run),
        "context": _context(run),
        "notes": [shown(note) for note in _notes(run)],
        "limits": [shown(limit) for limit in card.limits],
        "detector_id": run.installed.id,
        "judges": run.installed.judges,
        "kept": run.predictions is not None,
    }


def _headline(run: Run) -> str:
    if run.measured is None:
        return "Nothing was measured: no pictures were left that had no part in making this detector"
    return f"Balanced accuracy {told(run.measured.balanced_accuracy)} on {run.measured.n:,} pictures it had never seen"


def _context(run: Run) -> str:
    if run.measured is None:
        return "Keep some pictures aside (test in the recipe's data, or a folder test/) to know how often it errs."
    measured = run.measured
    counts = [f"{one.support:,} {shown(name)}" for name, one in measured.per_class.items()]
    which = ", ".join(counts) if len(counts) <= MANY_CLASSES else f"{len(counts)} classes"
    chosen = "; nothing was chosen by them" if run.split == "val" else ""
    return (
        f"95 % interval. The {SPLITS[run.split or 'test']} pictures ({which}) were never trained or calibrated on"
        f"{chosen}. Guessing would give {1 / len(counts):.2f}."
    )


def _notes(run: Run) -> Iterator[str]:
    """Yield what must not be overlooked."""
    measured, training = run.measured, run.card.training
    chance = 1 / len(run.card.classes)
    if isinstance(note := training.get("note"), str):
        yield note
    if measured and measured.balanced_accuracy.low <= chance:
        yield f"This cannot be told apart from guessing: the interval reaches {chance:.2f}, which guessing would give."
    if shortcuts := training.get("shortcuts"):
        yield f"{SHORTCUTS} {' '.join(sentences(shortcuts))}"
    if unreadable := training.get("unreadable"):
        yield f"{unreadable} files of the data folder could not be read and were left out."
