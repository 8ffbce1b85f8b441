"""report.html of a training run: one file that needs nothing else and says what was learned, how well, and the limits.

Everything in it is read from the run's folder; what is not there is left out, with a word on it.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from classifier.atomic import replacing
from classifier.runtime import Detector
from forensics_app.core import run_gallery, run_walk
from forensics_app.core.html import page
from forensics_app.core.map_words import GRAD_CAM, WALK
from forensics_app.core.maps import Maps
from forensics_app.core.run_folder import Run, open_run
from forensics_app.core.run_gallery import Gallery, Shown
from forensics_app.core.run_phases import phases
from forensics_app.core.run_plots import drafts, drawn
from forensics_app.core.run_tables import MANY_CLASSES, figures, origins, sentences, told
from forensics_app.core.run_walk import Walk
from forensics_app.core.words import shown

REPORT, FIGURES_FOLDER = "report.html", "figures"
TRUST_S = 60.0
"""How long maps may be tested for one report: enough for some dozens of a small network's."""
GALLERY_SHARE = 0.6
"""The part of it that is for the gallery, before the walk."""
SHORTCUTS = (
    "Its pictures can be told apart without looking at what is in them, and it was trained with --allow-shortcuts all "
    "the same: the figures on this page may say nothing of the pictures."
)
SPLITS = {"test": "test", "val": "validation"}


@dataclass(frozen=True)
class Written:
    """The end: where the page is."""

    page: Path


def write(folder: Path, *, trust_s: float = TRUST_S) -> Path:
    """Write a finished run's report as `writing` does, and return the page's path."""
    *_, end = writing(folder, trust_s=trust_s)
    return folder / REPORT if not isinstance(end, Written) else end.page


def writing(folder: Path, *, trust_s: float = TRUST_S) -> Iterator[Shown | Written]:
    """Write a finished run's report.html and its plots (figures/*.png) into its folder, yielding at each picture.

    `trust_s` is how many seconds may go into testing maps. Raises `BadRun` for a folder without a finished run, and
    OSError where it cannot be written.
    """
    run = open_run(folder)
    plots = {draft.name: drawn(draft) for draft in drafts(run)}
    seen, walked = yield from _pictures(run, Maps(Detector(run.installed.folder), trust_s))
    text = page(
        "run.html.j2",
        styles=("report.css", "run.css"),
        made=datetime.now(),
        plots=plots,
        gallery=seen,
        walk=walked,
        walk_words=WALK,
        grad_cam=GRAD_CAM,
        phases=list(phases(run)),
        **_head(run),
        **figures(run),
        **origins(run),
    )
    (folder / FIGURES_FOLDER).mkdir(exist_ok=True)
    for name, plot in plots.items():
        _replace(folder / FIGURES_FOLDER / f"{name}.png", plot.png)
    _replace(folder / REPORT, text.encode())
    yield Written(folder / REPORT)


def _pictures(run: Run, maps: Maps) -> Generator[Shown, None, tuple[Gallery, Walk]]:
    if run.predictions is None:
        return Gallery(), Walk()
    whole, maps.trust_s = maps.trust_s, GALLERY_SHARE * maps.trust_s
    total = len(run_gallery.choose(run.predictions)) + len(run_walk.choose(run.predictions))
    ticks = (Shown(done, total) for done in itertools.count(1))
    seen = yield from run_gallery.gallery(run.predictions, maps, ticks)
    maps.trust_s = whole
    walked = yield from run_walk.walk(run.predictions, maps, ticks)
    return seen, walked


def _replace(path: Path, data: bytes) -> None:
    with replacing(path) as file:
        file.write(data)


def _head(run: Run) -> dict[str, Any]:
    card = run.card
    return {
        "name": shown(card.name),
        "description": shown(card.description),
        "headline": headline(run),
        "context": context(run),
        "notes": [shown(note) for note in notes(run)],
        "limits": [shown(limit) for limit in card.limits],
        "detector_id": run.installed.id,
        "judges": run.installed.judges,
        "kept": run.predictions is not None,
    }


def headline(run: Run) -> str:
    """Return the finding: how good it is on the pictures set aside, or that nothing was measured."""
    if run.measured is None:
        return "Nothing was measured: no pictures were left that had no part in making this detector"
    seen = " it had never seen" if run.split in SPLITS else ""
    return f"Balanced accuracy {told(run.measured.balanced_accuracy)} on {run.measured.n:,} pictures{seen}"


def context(run: Run) -> str:
    """Return on which pictures the finding rests, and what guessing would give."""
    if run.measured is None:
        return "Keep some pictures aside (test in the recipe's data, or a folder test/) to know how often it errs."
    measured = run.measured
    counts = [f"{one.support:,} {shown(name)}" for name, one in measured.per_class.items()]
    which = ", ".join(counts) if len(counts) <= MANY_CLASSES else f"{len(counts)} classes"
    if run.split not in SPLITS:
        return f"95 % interval, {measured.n:,} pictures ({which}). Guessing would give {1 / len(counts):.2f}."
    chosen = "; nothing was chosen by them" if run.split == "val" else ""
    return (
        f"95 % interval. The {SPLITS[run.split]} pictures ({which}) were never trained or calibrated on"
        f"{chosen}. Guessing would give {1 / len(counts):.2f}."
    )


def notes(run: Run) -> Iterator[str]:
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
