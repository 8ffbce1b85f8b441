"""The tables of a run's report: figures by class and by source, what the pictures were, and how the run was made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import yaml

from classifier.metrics import ClassReport, Figure, Metrics, areas_one_vs_rest, mean_of
from forensics_app.core.run_folder import Run
from forensics_app.core.words import FIGURES, figure, shown
from generator.audit_verdict import GROUPS

VARIANTS = {
    "": "as they are",
    "_jpeg75": "after JPEG 75",
    "_seen": "as they are, only sources it was trained on",
    "_jpeg75_seen": "after JPEG 75, only sources it was trained on",
}
"""What was done to the measured pictures, by the end of the figures' name on the card."""
SPLITS = ("train", "val", "cal", "test")
MANY_CLASSES = 12
MIXED_UP = 12


@dataclass(frozen=True)
class Row:
    """A row of a table: a name and its cells, all safe to show."""

    name: str
    cells: tuple[str, ...]


def told(value: Figure | None) -> str:
    """Return a figure with its interval, or a dash where there is none."""
    return (figure(asdict(value)) if value and value.n else None) or "–"


def figures(run: Run) -> dict[str, Any]:
    """Return the tables of what was measured: overall, by class with what is mixed up most, and by source."""
    measured = run.measured
    if measured is None:
        return {"columns": (), "figures": (), "classes": (), "means": (), "mixed_up": (), "sources": (), "many": False,
                "areas": False}  # fmt: skip
    sets = {name: one for name, one in run.metrics.items() if name.startswith(str(run.split))}
    many = len(measured.classes) > MANY_CLASSES
    areas = _areas(run)
    reports = sorted(measured.per_class.items(), key=lambda pair: pair[1].recall.value if many else 0)
    return {
        "areas": bool(areas),
        "columns": [VARIANTS.get(name.removeprefix(str(run.split)), shown(name)) for name in sets],
        "figures": [row for key, words in FIGURES.items() if (row := _compared(words, key, sets.values()))],
        "classes": [Row(shown(name), (*_report(one), *_area(areas, name))) for name, one in reports],
        "means": list(_means(measured, areas)),
        "mixed_up": _mixed_up(measured) if len(measured.classes) > 2 else (),
        "sources": list(_sources(measured, run.card.band is not None)),
        "many": many,
    }


def _compared(words: str, key: str, sets: Iterable[Metrics]) -> Row | None:
    cells: list[str] = []
    for metrics in sets:
        value = getattr(metrics, key)
        if isinstance(value, Figure) and value.n:
            cells += told(value), f"{value.n:,}"
        else:
            cells += (f"{value:.3f}", f"{metrics.n:,}") if isinstance(value, float) else ("–", "")
    return Row(words, tuple(cells)) if any(cells[1::2]) else None


def _areas(run: Run) -> dict[str, Figure | None]:
    """Return each class's AUC against the others where there are more than two."""
    if run.predictions is None or len(run.predictions.classes) < 3 or not run.predictions.pictures:
        return {}
    areas = areas_one_vs_rest(run.predictions.p, run.predictions.labels)
    return dict(zip(run.predictions.classes, areas, strict=True))


def _area(areas: Mapping[str, Figure | None], name: str) -> tuple[str, ...]:
    return (told(areas[name]),) if areas else ()


def _report(one: ClassReport) -> tuple[str, ...]:
    return f"{one.precision:.2f}", told(one.recall), f"{one.f1:.2f}", f"{one.support:,}"


def _means(measured: Metrics, areas: Mapping[str, Figure | None]) -> Iterator[Row]:
    """Yield the last rows of a classification report: the classes counted equally, and by their pictures."""
    known = [area for area in areas.values() if area]
    reports = [one for one in measured.per_class.values() if one.support]
    means = {
        "mean of the classes": ([1] * len(reports), measured.balanced_accuracy),
        "mean by pictures": ([one.support for one in reports], measured.accuracy),
    }
    for name, (weights, recall) in means.items():
        precision, f1 = (_mean([getattr(one, key) for one in reports], weights) for key in ("precision", "f1"))
        macro = (told(mean_of(known)) if known and name == "mean of the classes" else "",) if areas else ()
        yield Row(name, (f"{precision:.2f}", told(recall), f"{f1:.2f}", f"{measured.n:,}", *macro))


def _mean(values: Sequence[float], weights: Sequence[int]) -> float:
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) / max(1, sum(weights))


def _mixed_up(measured: Metrics) -> list[Row]:
    """Return the pairs of classes that are mistaken for one another most often."""
    pairs = [
        (count, truth, taken)
        for truth, row in zip(measured.classes, measured.confusion, strict=True)
        for taken, count in zip(measured.classes, row, strict=True)
        if count and taken != truth
    ]
    pairs.sort(key=lambda pair: (-pair[0], pair[1:]))
    return [
        Row(f"{shown(truth)} taken for {shown(taken)}", (f"{count:,}",)) for count, truth, taken in pairs[:MIXED_UP]
    ]


def _sources(measured: Metrics, banded: bool) -> Iterator[Row]:
    """Yield each source's accuracy and answers; nothing where sources are no more than the classes, without answers."""
    if not banded and set(measured.sources) <= set(measured.classes):
        return
    for name, row in measured.sources.items():
        found = row.get("accuracy")
        accuracy = found if isinstance(found, Mapping) else {}
        answers = tuple(str(row.get(f"called_{label}", "–")) for label in ("fake", "unsure", "real"))
        yield Row(shown(name), (figure(accuracy) or "–", str(accuracy.get("n", "–")), *(answers if banded else ())))


def origins(run: Run) -> dict[str, Any]:
    """Return what the detector was made from and how: pictures by split, facts, versions, the recipe."""
    training = run.card.training
    versions = training.get("versions")
    return {
        "pictures": list(_pictures(training.get("pictures"))),
        "splits": SPLITS,
        "facts": [Row(name, (shown(value),)) for name, value in _facts(run)],
        "versions": shown(", ".join(f"{k} {v}" for k, v in versions.items())) if isinstance(versions, Mapping) else "",
        "recipe": _yaml(run.recipe.model_dump(mode="json")),
        "audit": list(_audit(training.get("audit"))),
        "audit_said": [shown(one) for one in sentences(training.get("audit"))],
        "banded": run.card.band is not None,
    }


def _audit(found: object) -> Iterator[Row]:
    """Yield how well facts of the files alone tell the classes apart, by group, as an audit wrote it on the card."""
    groups = found.get("auc") if isinstance(found, Mapping) else None
    for name, value in groups.items() if isinstance(groups, Mapping) else ():
        n = value.get("n") if isinstance(value, Mapping) else None
        yield Row(GROUPS.get(name, shown(str(name))), (figure(value) or "–", f"{n:,}" if isinstance(n, int) else "–"))


def sentences(found: object) -> list[str]:
    """Return what an audit on a card says in words: its reasons, or whatever sentences there are."""
    if isinstance(found, Mapping):
        reasons = found.get("reasons")
        told = sentences(reasons) if reasons else []
        verdict = found.get("verdict")
        return told or ([f"The audit said: {verdict}."] if isinstance(verdict, str) else [])
    if isinstance(found, list | tuple):
        return [one for part in found for one in sentences(part)]
    return [found] if isinstance(found, str) else []


def _yaml(value: object) -> str:
    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
    return "\n".join(shown(line) for line in text.splitlines())


def _pictures(counts: object) -> Iterator[Row]:
    """Yield how many pictures of each class and source went into each split, and their sum."""
    if not isinstance(counts, Mapping):
        return
    found = [part if isinstance(part := counts.get(split), Mapping) else {} for split in SPLITS]
    parts = [{name: count for name, count in part.items() if isinstance(count, int)} for part in found]
    names = sorted({str(name) for part in parts for name in part})
    for name in names:
        yield Row(shown(name), tuple(f"{part.get(name, 0):,}" for part in parts))
    yield Row("in all", tuple(f"{sum(part.values()):,}" for part in parts))


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    card, recipe, training = run.card, run.recipe, run.card.training
    size = sum((run.installed.folder / name).stat().st_size for name in card.files)
    yield "network", f"{card.arch}, {run.parameters:,} parameters, {size / 2**20:.1f} MB on disk in half precision"
    yield "start", {"none": "from scratch", "imagenet": "from ImageNet weights"}.get(recipe.weights, recipe.weights)
    yield "looks at", _looks_at(run)
    epochs = training.get("epochs")  # a detector without its run has no history
    count = epochs if isinstance(epochs, int) and not run.history else len(run.history)
    yield "training", _training(count, training.get("seconds"), training.get("device"))
    yield (
        "optimizer",
        f"{recipe.optimizer.name}, batches of {recipe.batch_size * recipe.accumulate}, {recipe.precision}",
    )
    band = card.band
    answers = f"generated from p {band.high:.2f}, real up to {band.low:.2f}, none between" if band else "always"
    yield "answers", answers
    yield "calibration", f"temperature {card.temperature:.3g}" + (f", bias {card.bias[0]:+.3g}" if card.bias else "")
    yield "seed", str(recipe.seed)


def _training(epochs: int, seconds: object, device: object) -> str:
    lasted = f" in {duration(seconds)}" if isinstance(seconds, int | float) else ""
    return f"{epochs} {'epoch' if epochs == 1 else 'epochs'}{lasted}{shown(f' on {device}') if device else ''}"


def _looks_at(run: Run) -> str:
    prep = run.card.preprocess
    if prep.kind == "tiles":
        return f"up to {prep.tiles} × {prep.tiles} tiles of {prep.size} px in native resolution"
    return f"the centre, {prep.size} px, of the picture resized to {prep.resize} px ({prep.kernel})"


def duration(seconds: float) -> str:
    """Return a time in the two largest units that it has."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
