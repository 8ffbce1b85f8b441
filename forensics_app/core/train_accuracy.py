"""A run's accuracy on the pictures that it learned from, measured as the test accuracy is: through the exported graph.

What a history says of training pictures was counted while the weights still changed, on pictures that were varied. This
is measured afterwards, on the pictures as they are, and kept in the run's folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from classifier.atomic import replacing
from classifier.data import Item
from classifier.evaluate import Batch, Scores, score
from classifier.files import BadImage, read
from classifier.metrics import Figure, wilson
from classifier.runtime import Detector, calibrated
from classifier.split_record import recorded
from forensics_app.core.contenders import Contender

KEPT = "train_accuracy.json"


def train_accuracy(one: Contender, *, measure: bool) -> Iterator[Batch | Figure]:
    """Yield the accuracy as the last event, from what was kept or, with `measure`, by judging the training pictures.

    Nothing where it is not known which they are, or one of them is gone.
    """
    kept = _kept(one)
    if kept is not None or not measure:
        yield from [kept] if kept else []
        return
    items = _items(one)
    try:
        for event in score(Detector(one.installed.folder), items) if items else ():
            if isinstance(event, Scores):
                right = int((calibrated(event.logits, one.card).argmax(axis=1) == event.labels).sum())
                yield _keep(one, wilson(right, len(items)))
            else:
                yield event
    except BadImage:
        return


def _items(one: Contender) -> tuple[Item, ...]:
    record = recorded(one.folder) if one.run else None
    if record is None:
        return ()
    classes = one.card.classes
    return tuple(Item(Path(it.path), classes.index(it.cls), it.cls) for it in record.splits.get("train", ()))


def _kept(one: Contender) -> Figure | None:
    try:
        found = json.loads(read(one.folder / KEPT))
        return TypeAdapter(Figure).validate_python(found["accuracy"]) if found["detector"] == one.installed.id else None
    except (BadImage, ValidationError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _keep(one: Contender, found: Figure) -> Figure:
    with replacing(one.folder / KEPT) as file:
        file.write(json.dumps({"detector": one.installed.id, "accuracy": asdict(found)}, indent=1).encode() + b"\n")
    return found
