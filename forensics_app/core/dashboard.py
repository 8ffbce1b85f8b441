"""All that the window shows of a detector's figures, read and worked out in one go; nothing is drawn yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.threshold_figures import precision_recall, precision_recall_of_many
from forensics_app.core.evaluation_folder import open_figures
from forensics_app.core.run_folder import Run
from forensics_app.core.run_plots import Draft, drafts, two
from forensics_app.core.run_report import context, headline, notes
from forensics_app.core.run_tables import figures, origins
from forensics_app.core.words import shown

NOT_KEPT = "What it said of each picture was not kept, so there are no curves, thresholds and pictures."


@dataclass(frozen=True, eq=False)
class Dashboard:
    """A run's figures: sentences, plots by name, and the tables of its report."""

    run: Run
    headline: str
    context: str
    notes: tuple[str, ...]
    drafts: dict[str, Draft]
    tables: dict[str, Any]
    origins: dict[str, Any]

    @property
    def name(self) -> str:
        """What it is called: the detector's name, and the folder's where that differs."""
        card, folder = self.run.card.name, self.run.folder.name
        return shown(card if folder in (card, "detector") else f"{folder} ({card})")


def dashboard(folder: Path) -> Dashboard:
    """Read a run, a measurement or a detector, and work out what is shown of it; raises `BadRun`."""
    run = open_figures(folder)
    told = [shown(note) for note in notes(run)]
    if run.measured is not None and run.predictions is None:
        told.append(NOT_KEPT)
    found = {draft.name: draft for draft in (*drafts(run), *_precision(run))}
    return Dashboard(run, headline(run), context(run), tuple(told), found, figures(run), origins(run))


def _precision(run: Run) -> Iterator[Draft]:
    predictions = run.predictions
    if predictions is None or len(set(predictions.labels.tolist())) < 2:
        return
    p, labels, names = predictions.p, predictions.labels, [shown(name) for name in predictions.classes]
    if len(names) == 2:
        place, positive, _ = two(predictions)
        yield Draft(
            "precision", f"Precision against recall of {positive} on {len(p):,} pictures",
            lambda theme: precision_recall(p[:, place], labels == place, theme, name=positive),
        )  # fmt: skip
    else:
        yield Draft(
            "precision", f"Precision against recall, all classes pooled, on {len(p):,} pictures",
            lambda theme: precision_recall_of_many(p, labels, theme, classes=names),
        )  # fmt: skip
