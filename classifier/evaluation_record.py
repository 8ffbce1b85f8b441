"""What a detector said of each measured picture, kept as files. Free of torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from classifier.atomic import new_folder, write_json
from classifier.data import Item
from classifier.degradations import Degrade
from classifier.evaluate import Batch, Scores, measured, score
from classifier.metrics import Metrics
from classifier.runtime import Detector, calibrated

EVALUATION, PREDICTIONS = "evaluation.json", "predictions.json"


def write_predictions(path: Path, split: str, detector: Detector, scores: Scores, items: Sequence[Item]) -> None:
    """Write each measured picture's calibrated probabilities, for reports, the window and comparisons.

    They are not rounded: a detector that hardly tells or is all but sure says probabilities that differ far behind the
    point, and their order is what a ROC curve shows.
    """
    classes, p = detector.card.classes, calibrated(scores.logits, detector.card)
    pictures = [
        {"path": str(item.path.absolute()), "class": classes[item.label], "p": row.tolist()}
        for item, row in zip(items, p, strict=True)
    ]
    write_json(path, {"split": split, "classes": list(classes), "pictures": pictures})


def evaluate_into(
    detector: Detector, items: Sequence[Item], out: Path, *, split: str, degrade: Degrade | None = None
) -> Iterator[Batch | Metrics]:
    """Measure a detector and keep the figures and what it said of each picture in a new folder.

    The last event is the `Metrics`. Raises `Occupied` where the folder is taken, `BadImage` as `evaluate`.
    """
    with new_folder(out) as part:
        for event in score(detector, items, degrade=degrade):
            if isinstance(event, Batch):
                yield event
                continue
            found = measured(detector, event, items)
            write_predictions(part / PREDICTIONS, split, detector, event, items)
            about = {"detector": str(detector.folder.absolute()), "id": detector.id, "split": split,
                     "degrade": degrade.name if degrade else None}  # fmt: skip
            write_json(part / EVALUATION, {**about, "metrics": asdict(found)})
    yield found
