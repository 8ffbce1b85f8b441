"""The plots of a run's report: drawn light and dark, and told in words for those who do not see them."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure as Plot

from classifier import figures, roc
from classifier.drawing import DPI, Theme
from classifier.metrics import Figure, Metrics, areas_one_vs_rest, class_weights, mean_of
from forensics_app.core.html import data_uri
from forensics_app.core.run_folder import Predictions, Run
from forensics_app.core.run_phases import trained
from forensics_app.core.words import COLOURS, figure, shown

FAKE, REAL, UNSURE = "fake", "real", "unsure"
THEMES = {
    "light": Theme("#ffffff", "#1a1f26", "#566270", "#dfe3e8", "#1f5fbf",
                   *(COLOURS["light"][label] for label in (FAKE, REAL, UNSURE))),
    "dark": Theme("#1d2127", "#e8ebef", "#a3adba", "#343b45", "#8ab8ff",
                  *(COLOURS["dark"][label] for label in (FAKE, REAL, UNSURE))),
}  # fmt: skip
"""A card's ground, text, quiet text, lines and accent, as in report.css; then the verdicts."""

METADATA: dict[str, dict[str, str | None]] = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
"""Nothing that differs from one day or version to the next."""


@dataclass(frozen=True)
class Drawn:
    """A plot as the page shows it: what it shows in words, addresses that hold it, its size in CSS pixels; a PNG."""

    words: str
    light: str
    dark: str
    width_px: int
    height_px: int
    png: bytes


@dataclass(frozen=True)
class Draft:
    """A plot that can be drawn in any theme."""

    name: str
    words: str
    draw: Callable[[Theme], Plot]


def drafts(run: Run) -> Iterator[Draft]:
    """Yield the plots that a run's figures allow."""
    if run.history:
        yield _curves(run)
    if run.measured is None or not run.measured.n:
        return
    yield _confusion(run, run.measured)
    if run.predictions and run.predictions.pictures:
        if run.measured.auc and len(set(run.predictions.labels.tolist())) == 2:
            yield _roc(run, run.predictions, run.measured.auc)
        elif len(run.predictions.classes) > 2 and len(set(run.predictions.labels.tolist())) > 1:
            yield _roc_of_many(run.predictions)
        yield _reliability(run.predictions)


def drawn(draft: Draft) -> Drawn:
    """Return a plot as SVG in each theme, and in the light one as PNG at twice the size that it is shown at."""
    light, dark = (draft.draw(theme) for theme in THEMES.values())
    width, height = light.get_size_inches() * DPI
    seen, seen_dark = (data_uri("image/svg+xml", _saved(plot, "svg")) for plot in (light, dark))
    light.set_layout_engine("none")  # its parts stay where they were laid out
    return Drawn(draft.words, seen, seen_dark, round(width), round(height), _saved(light, "png"))


def _saved(plot: Plot, kind: str) -> bytes:
    out = io.BytesIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "forensics"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a class may be named in any script
        plot.savefig(out, format=kind, dpi=2 * DPI, facecolor=plot.get_facecolor(), metadata=METADATA[kind])
    return out.getvalue()


def _curves(run: Run) -> Draft:
    loss = {"training": run.column("train_loss"), "validation": run.column("val_loss")}
    accuracy = {"training": run.column("train_accuracy"), "validation": run.column("val_accuracy")}
    kept = max((place for place, best in enumerate(run.column("best"), 1) if best), default=None)
    lengths = run.column("phase")
    phases = [(trained(phase), lengths.count(number)) for number, phase in enumerate(run.recipe.phases)]
    words = f"Loss and accuracy over {len(run.history)} epochs; training ended at a loss of {loss['training'][-1]:.3g}"
    return Draft(
        "curves", words,
        lambda theme: figures.curves(loss, accuracy, theme, phases=[one for one in phases if one[1]], kept=kept),
    )  # fmt: skip


def _confusion(run: Run, measured: Metrics) -> Draft:
    names, counts = [shown(name) for name in measured.classes], np.array(measured.confusion)
    title = f"What was taken for what, {measured.n:,} pictures"
    right = f"{int(np.trace(counts)):,} of {measured.n:,} pictures were taken for what they are"
    return Draft("confusion", f"Confusion matrix of {run.split}: {right}",
                 lambda theme: figures.confusion_matrix(counts, names, theme, title=title))  # fmt: skip


def _roc(run: Run, predictions: Predictions, area: Figure) -> Draft:
    place, positive, other = two(predictions)
    scores, band = predictions.p[:, place], run.card.band
    thresholds = {"p ≥ 0.50": 0.5}
    if band and band.high > 0.5:
        thresholds[f"p ≥ {band.high:.2f}, called generated"] = band.high
    judges = run.installed.judges
    names = (
        "part of the real pictures called generated" if judges else f"part of {other} taken for {positive}",
        "part of the generated pictures found" if judges else f"part of {positive} found",
    )
    return Draft(
        "roc", f"ROC curve with its 95 % band, AUC {figure(asdict(area))} on {area.n:,} pictures",
        lambda theme: roc.roc(scores, predictions.labels == place, theme, area=area, names=names,
                              thresholds=thresholds),
    )  # fmt: skip


def _roc_of_many(predictions: Predictions) -> Draft:
    p, labels, names = predictions.p, predictions.labels, [shown(name) for name in predictions.classes]
    areas = areas_one_vs_rest(p, labels)
    mean = mean_of([area for area in areas if area])
    return Draft(
        "roc", f"ROC curves of each class against the rest, mean AUC {figure(asdict(mean))} on {len(p):,} pictures",
        lambda theme: roc.one_vs_rest(p, labels, theme, classes=names, areas=areas, mean=mean),
    )  # fmt: skip


def two(predictions: Predictions) -> tuple[int, str, str]:
    """Return the place of the class that is looked for (fake, else the first), its name and the other's."""
    place = predictions.classes.index(FAKE) if FAKE in predictions.classes else 0
    return place, shown(predictions.classes[place]), shown(predictions.classes[1 - place])


def _reliability(predictions: Predictions) -> Draft:
    p, labels = predictions.p, predictions.labels
    if len(predictions.classes) > 2:
        said, happened, weights = p.max(axis=1), p.argmax(axis=1) == labels, np.full(len(p), 1.0)
        names, kinds = ("p of the class that it was taken for", "part that was right"), ("right", "wrong")
    else:
        place, positive, other = two(predictions)
        said, happened, weights = p[:, place], labels == place, class_weights(labels)
        judged = positive == FAKE
        names = ("p, the probability of being generated", "part that was generated") if judged else (
            f"p of {positive}", f"part that was {positive}")  # fmt: skip
        kinds = (positive, other)
    return Draft(
        "reliability", f"Reliability diagram of {len(p):,} pictures with 95 % intervals, histogram of p below",
        lambda theme: figures.reliability(said, happened, theme, weights=weights, names=names,
                                          kinds=_inks(kinds, theme)),
    )  # fmt: skip


def _inks(kinds: tuple[str, str], theme: Theme) -> dict[str, str]:
    inks = (theme.fake, theme.real) if kinds == (FAKE, REAL) else (theme.accent, theme.unsure)
    return dict(zip(kinds, inks, strict=True))
