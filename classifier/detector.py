"""A detector is a folder: a card (detector.json), weights (safetensors) and an ONNX graph over the same weights."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from classifier.places import home, resources
from classifier.preprocess import Preprocess

CARD = "detector.json"
WEIGHTS = "weights.safetensors"
GRAPH = "model.onnx"
DEFAULT = "default"
MAX_FILE_BYTES = 2 * 2**30


class BadDetector(Exception):  # noqa: N818
    """A detector that cannot be used; `str()` is one sentence that says which, why and what to do."""


class Band(BaseModel):
    """Where a verdict is given: at or below `low` real, at or above `high` fake, unsure between them.

    `fpr` and `fnr` are the error rates that the band was chosen for on the calibration split, of `n` pictures.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float = Field(0.5, ge=0, le=1)
    high: float = Field(0.5, ge=0, le=1)
    fpr: float | None = None
    fnr: float | None = None
    n: int = 0


class Card(BaseModel):
    """What a detector is, how it looks at a picture and what was measured of it (detector.json)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    description: str = ""
    arch: str
    classes: tuple[str, ...] = Field(min_length=2, max_length=100_000)
    preprocess: Preprocess = Preprocess()
    temperature: float = Field(1.0, gt=0)
    band: Band | None = None
    closed_form_cam: bool = False
    training: dict[str, Any] = {}
    metrics: dict[str, Any] = {}
    limits: tuple[str, ...] = ()
    files: dict[str, str] = {}


@dataclass(frozen=True)
class Installed:
    """A detector folder whose card was read and whose files were checked against it.

    `id` is the hash of the card, which holds the hashes of the weights and the graph: it changes with any of them.
    """

    folder: Path
    card: Card
    id: str

    @property
    def judges(self) -> bool:
        """True if its classes are `fake` and `real`, so that it can give verdicts."""
        return set(self.card.classes) == {"fake", "real"}


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _digest(path)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def roots() -> tuple[Path, ...]:
    """Return the folders in which detectors are looked up by name: the user's, then the bundled ones."""
    return home() / "detectors", resources() / "models"


def find(name_or_folder: str | Path) -> Path:
    """Return the folder of a detector given by name or by path; raises `BadDetector`."""
    direct = Path(name_or_folder)
    if (direct / CARD).is_file():
        return direct
    if isinstance(name_or_folder, str) and Path(name_or_folder).name == name_or_folder:
        for root in roots():
            if (root / name_or_folder / CARD).is_file():
                return root / name_or_folder
    known = ", ".join(path.name for path in folders()) or "none"
    raise BadDetector(f"There is no detector '{name_or_folder}'. Installed: {known}; or give a folder with {CARD}.")


def folders() -> list[Path]:
    """Return the folders of all installed detectors, the user's first."""
    found: dict[str, Path] = {}
    for root in roots():
        for card in sorted(root.glob(f"*/{CARD}")):
            found.setdefault(card.parent.name, card.parent)
    return list(found.values())


def open_folder(folder: Path, *, check: bool = True) -> Installed:
    """Read a detector's card and, unless told not to, compare every file's SHA-256; raises `BadDetector`."""
    path = folder / CARD
    try:
        raw = path.read_bytes()
        card = Card.model_validate(json.loads(raw))
    except OSError as error:
        raise BadDetector(f"The detector '{folder.name}' cannot be read: {path}: {error.strerror}.") from None
    except (ValueError, ValidationError) as error:
        detail = _first_problem(error)
        raise BadDetector(f"The detector '{folder.name}' has an invalid {CARD}: {detail}.") from None
    if check:
        _check_files(folder, card)
    return Installed(folder, card, hashlib.sha256(raw).hexdigest()[:16])


def _first_problem(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(str(part) for part in first['loc']) or 'card'}: {first['msg']}"
    return " ".join(str(error).split())[:160]


def _check_files(folder: Path, card: Card) -> None:
    if WEIGHTS not in card.files:
        raise BadDetector(f"The detector '{card.name}' names no {WEIGHTS} in its card; export it again.")
    for name, expected in card.files.items():
        path = folder / name
        if Path(name).name != name or path.is_symlink():
            raise BadDetector(f"The detector '{card.name}' names a file outside its folder ('{name}'): refused.")
        if not path.is_file():
            raise BadDetector(f"The detector '{card.name}' lacks its file {name}; install it again.")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BadDetector(f"The file {name} of the detector '{card.name}' is over 2 GiB: refused.")
        if sha256_of(path) != expected:
            raise BadDetector(
                f"The file {name} of the detector '{card.name}' is not the one its card was written for "
                "(SHA-256 differs): it was changed or damaged; install the detector again."
            )
