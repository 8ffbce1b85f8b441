"""Which pictures had which part in a run: pictures.json, by path and SHA-256. Free of torch.

It says whether a run was made from the pictures that are there now, and which pictures a detector has seen: on those it
cannot be measured.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SkipValidation, ValidationError

from classifier.atomic import replacing
from classifier.data import BadData, Item, Labelled, Split, open_data
from classifier.detector import Card
from classifier.files import BadImage, read
from classifier.recipes import Recipe

PICTURES = "pictures.json"
MAX_BYTES = 256 * 2**20


class Recorded(BaseModel):
    """A picture: where it was, its class, and the SHA-256 of its file."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    path: SkipValidation[str]
    """Not validated as text: a file name that is no UTF-8 is none."""
    cls: str = Field(alias="class")
    sha256: str


class Record(BaseModel):
    """The pictures of a run by split."""

    model_config = ConfigDict(frozen=True)

    splits: dict[Split, tuple[Recorded, ...]]

    @property
    def digest(self) -> str:
        """A SHA-256 of the pictures' contents with their classes and splits, wherever they lie."""
        named = sorted((split, one.cls, one.sha256) for split, those in self.splits.items() for one in those)
        return hashlib.sha256(json.dumps(named).encode()).hexdigest()


def content(path: Path) -> str | None:
    """Return the SHA-256 of a regular file, or None where there is none that can be read."""
    try:
        return hashlib.sha256(read(path)).hexdigest()
    except BadImage:
        return None


def record_of(data: Labelled) -> Record:
    """Return which pictures are in which split of a data folder."""
    splits = {
        split: tuple(
            Recorded(path=str(item.path), cls=data.classes[item.label], sha256=content(item.path) or "")
            for item in items
        )
        for split, items in data.splits.items()
    }
    return Record(splits=splits)


def write(folder: Path, record: Record) -> None:
    """Write a run's record into its folder, whole or not at all."""
    with replacing(folder / PICTURES) as file:
        file.write(json.dumps(record.model_dump(by_alias=True), indent=1).encode() + b"\n")


def recorded(folder: Path) -> Record | None:
    """Return the record in a run's folder, or None where there is none; raises `BadData` if it cannot be read."""
    path = folder / PICTURES
    if not path.exists():
        return None
    try:
        return Record.model_validate(json.loads(read(path, max_bytes=MAX_BYTES)))
    except (BadImage, ValidationError, ValueError, RecursionError):
        raise BadData(f"{path} is damaged; train again, or remove it.") from None


def seen_by(card: Card, run_folder: Path | None, root: Path) -> frozenset[str] | None:
    """Return the SHA-256 of every picture that had a part in making a detector; None where that cannot be known.

    Known from the run's record, or else if the folder `root`, split as the card's recipe says, gives as many pictures
    of each class and source in each split as the card counts. The split that it was measured on had no part.
    """
    record = recorded(run_folder) if run_folder else None
    if record is None:
        data = _own_data(card, root)
        record = record_of(data) if data else None
    return None if record is None else _seen(card, record)


def seen_among(card: Card, run_folder: Path, items: Sequence[Item]) -> int:
    """Return how many of some pictures had a part in making a detector, by its run's record; 0 where there is none."""
    try:
        record = recorded(run_folder)
    except BadData:
        record = None
    if record is None:
        return 0
    seen = _seen(card, record)
    return sum(content(item.path) in seen for item in items)


def _seen(card: Card, record: Record) -> frozenset[str]:
    aside = next((split for split in ("test", "val") if split in card.metrics), None)
    return frozenset(one.sha256 for split, those in record.splits.items() if split != aside for one in those)


def _own_data(card: Card, root: Path) -> Labelled | None:
    try:
        recipe = Recipe.model_validate(card.training["recipe"])
        data = open_data(root, recipe.data, recipe.seed)
    except (KeyError, ValidationError, BadData):
        return None
    return data if picture_counts(data) == card.training.get("pictures") else None


def picture_counts(data: Labelled) -> dict[str, dict[str, int]]:
    """Return how many pictures of each class and source are in each split, as a card has them."""
    return {split: _by_source(data.classes, items) for split, items in data.splits.items()}


def _by_source(classes: tuple[str, ...], items: tuple[Item, ...]) -> dict[str, int]:
    return dict(sorted(Counter(f"{classes[item.label]}: {item.source}" for item in items).items()))
