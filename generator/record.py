"""dataset.json: what a data set says of itself and of every file in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from classifier.atomic import replacing
from classifier.versions import versions

RECORD, FORMAT = "dataset.json", 1

Entry = Mapping[str, Any]
"""A file: its `path` below the folder, `sha256`, `class` and `split`, and what else is known of it."""


def write(
    folder: Path, plan: Mapping[str, Any], entries: Sequence[Entry], packages: Iterable[str], **facts: Any
) -> None:
    """Write the record of a folder, or nothing: `plan` is what its bytes depend on, `facts` go beside it."""
    record = {
        "plan": dict(plan),
        "format": FORMAT,
        "counts": counts(entries),
        **facts,
        "versions": versions(packages),
        "files": sorted(entries, key=lambda entry: str(entry["path"])),
    }
    with replacing(folder / RECORD) as file:
        file.write(json.dumps(record, indent=2, ensure_ascii=False).encode() + b"\n")


def counts(entries: Iterable[Entry]) -> dict[str, dict[str, int]]:
    """Return how many files each class has in each split, in the order in which these come."""
    found: dict[str, Counter[str]] = {}
    for entry in entries:
        found.setdefault(str(entry["split"]), Counter())[str(entry["class"])] += 1
    return {split: dict(sorted(classes.items())) for split, classes in found.items()}


def pictures(count: int, kind: str = "") -> str:
    """Return `1 picture`, `2,000 pictures` or, of a kind, `3 real pictures`."""
    return f"{count:,} {kind}{' ' if kind else ''}picture{'' if count == 1 else 's'}"
