"""Pictures that a person knew better about than the detector, kept as labelled examples to train on.

`home()/examples` is an ImageFolder with the folders `real` and `fake`; `examples.jsonl` beside them says of each
picture what was judged, by which detector and when.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from classifier.atomic import replacing
from classifier.files import BadImage, read
from classifier.images import ImageFile
from classifier.lock import only_one
from classifier.places import home
from forensics_app.core.analysis import Analysis

Truth = Literal["real", "fake"]
TRUTHS: tuple[Truth, ...] = ("real", "fake")
RECORD, LOCK, MAX_RECORD_BYTES = "examples.jsonl", ".lock", 2**28
SUFFIX = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "TIFF": ".tif", "BMP": ".bmp", "GIF": ".gif",
          "AVIF": ".avif", "HEIF": ".heic"}  # fmt: skip


class BadExample(Exception):
    """An example that cannot be kept or removed; `str()` is one sentence."""


@dataclass(frozen=True)
class Kept:
    """An example that was kept: where its copy lies, what it is, and how many of each there are now."""

    path: Path
    sha256: str
    truth: Truth
    counts: dict[Truth, int]


def folder() -> Path:
    """Return the folder of the examples, which need not exist."""
    return home() / "examples"


def keep(analysis: Analysis, truth: Truth, name: str) -> Kept:
    """Copy a judged picture's own bytes into the class that a person says, and write down what had been judged.

    A picture is one example, by its SHA-256: said again otherwise, it changes its class. Raises `BadExample` and
    `OSError`.
    """
    root, file = folder(), analysis.file
    (root / truth).mkdir(parents=True, exist_ok=True)
    with only_one(root / LOCK, _busy()):
        path = root / truth / f"{file.sha256}{SUFFIX.get(file.format, '.png')}"
        with replacing(path) as out:
            out.write(file.data)
        lines = [one for one in _lines(root) if one.get("sha256") != file.sha256]
        _write(root, [*lines, _line(analysis, truth, name, path.name)])
        for other in TRUTHS:
            if other != truth:
                _remove(root / other, file.sha256)
    return Kept(path, file.sha256, truth, counts())


def forget(sha256: str) -> dict[Truth, int]:
    """Remove an example and its line; return how many of each are left. Raises `BadExample` and `OSError`."""
    root = folder()
    if root.is_dir():
        with only_one(root / LOCK, _busy()):
            _write(root, [one for one in _lines(root) if one.get("sha256") != sha256])
            for truth in TRUTHS:
                _remove(root / truth, sha256)
    return counts()


def truth_of(file: ImageFile) -> Truth | None:
    """Return what a person said of a picture, or None if nothing."""
    found = [truth for truth in TRUTHS if any((folder() / truth).glob(f"{file.sha256}.*"))]
    return found[0] if found else None


def counts() -> dict[Truth, int]:
    """Return how many examples there are of each class."""
    return {truth: sum(1 for _ in (folder() / truth).glob("[!.]*")) for truth in TRUTHS}


def _line(analysis: Analysis, truth: Truth, name: str, kept: str) -> dict[str, Any]:
    verdict = analysis.verdict
    return {
        "sha256": analysis.file.sha256,
        "truth": truth,
        "verdict": verdict.label,
        "p_fake": round(verdict.p_fake, 6),
        "detector": {"name": analysis.detector_name, "id": analysis.detector_id},
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "name": name,
        "file": f"{truth}/{kept}",
    }


def _lines(root: Path) -> list[Mapping[str, Any]]:
    """Return the record's lines; those that are no record of ours are left out."""
    try:
        text = read(root / RECORD, max_bytes=MAX_RECORD_BYTES).decode("utf-8", "replace")
    except BadImage:
        return []
    found: list[Mapping[str, Any]] = []
    for line in text.splitlines():
        try:
            one = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(one, dict):
            found.append(one)
    return found


def _write(root: Path, lines: list[Mapping[str, Any]]) -> None:
    with replacing(root / RECORD) as file:
        file.write("".join(f"{json.dumps(one)}\n" for one in lines).encode())


def _remove(place: Path, sha256: str) -> None:
    for path in place.glob(f"{sha256}.*"):
        path.unlink(missing_ok=True)


def _busy() -> BadExample:
    return BadExample("Another program is writing the examples: try again in a moment.")
