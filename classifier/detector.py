"""A detector is a folder: a card (detector.json), weights (safetensors) and an ONNX graph over the same weights."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from classifier.files import BadImage, read
from classifier.places import home, resources
from classifier.preprocess_spec import Preprocess

CARD = "detector.json"
WEIGHTS = "weights.safetensors"
GRAPH = "model.onnx"
FAST = "fast"
"""The folder inside a detector's that holds the same in 8-bit integers, its fast twin."""
SHARED = f"../{WEIGHTS}"
DEFAULT, BUNDLED = "default", "bundled"
"""The detector that is taken where none is named, which the user may choose; and the one that ships with it."""
CHOSEN = "default-detector"
"""The file in the user's folder that names the chosen one; without it the default is the detector of that name."""
IN_RUN = "detector"
"""The folder of a run that its detector is in."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
MAX_CARD_BYTES = 4 * 2**20
MAX_FILE_BYTES = 2 * 2**30


class BadDetector(Exception):
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

    @model_validator(mode="after")
    def _ordered(self) -> Band:
        if self.low > self.high:
            raise ValueError("low must not be above high")
        return self


class Card(BaseModel):
    """What a detector is, how it looks at a picture and what was measured of it (detector.json)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    name: str = Field(pattern=rf"^{NAME.pattern}$")
    description: str = ""
    arch: str
    classes: tuple[str, ...] = Field(min_length=2, max_length=100_000)
    preprocess: Preprocess = Preprocess()
    temperature: float = Field(1.0, gt=0, allow_inf_nan=False)
    bias: tuple[FiniteFloat, ...] = ()
    """What is added to each class's logit after division by the temperature; none if empty."""
    band: Band | None = None
    closed_form_cam: bool = False
    training: dict[str, Any] = {}
    metrics: dict[str, Any] = {}
    limits: tuple[str, ...] = ()
    precision: Literal["single", "int8"] = "single"
    """How the graph computes; `int8` has no network in torch any more."""
    members: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")], ...] = Field((), max_length=32)
    """The ids of an ensemble's detectors, each in a sub-folder of that name; empty for a single network."""
    shares: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    """Of a fast twin: the SHA-256 of the weights file in the folder above, which its own are made from."""
    files: dict[str, str] = {}

    @model_validator(mode="after")
    def _distinct(self) -> Card:
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("classes must differ from one another")
        if len(self.bias) not in (0, len(self.classes)):
            raise ValueError("bias needs a number for each class, or none")
        if len(set(self.members)) < len(self.members) or len(self.members) == 1:
            raise ValueError("an ensemble needs at least two members, and each once")
        return self


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
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def roots() -> tuple[Path, ...]:
    """Return the folders in which detectors are looked up by name: the user's, then the bundled ones."""
    return home() / "detectors", resources() / "models"


def default_name() -> str:
    """Return the name of the detector that stands for `default`."""
    try:
        name = read(home() / CHOSEN, max_bytes=200).decode("utf-8", "replace").strip()
    except BadImage:
        return DEFAULT
    return name if NAME.fullmatch(name) else DEFAULT


def find(name_or_folder: str | Path) -> Path:
    """Return the folder of a detector given by name or by path, or in the run that made it; raises `BadDetector`.

    A bare name is looked up among the installed detectors first, so that a folder which happens to lie in the current
    directory cannot take the place of one of them.
    """
    if name_or_folder == BUNDLED:
        name_or_folder = resources() / "models" / DEFAULT
    elif name_or_folder == DEFAULT and (chosen := default_name()) != DEFAULT:
        return _chosen(chosen)
    direct = Path(name_or_folder)
    candidates = [direct]
    if isinstance(name_or_folder, str) and direct.name == name_or_folder and not name_or_folder.startswith("."):
        candidates = [*(root / name_or_folder for root in roots()), direct]
    for folder in (place for candidate in candidates for place in (candidate, candidate / IN_RUN)):
        if os.path.isfile(folder / CARD):
            return folder
    known = ", ".join(path.name for path in folders()) or "none"
    raise BadDetector(f"There is no detector '{name_or_folder}'. Installed: {known}; or give a folder with {CARD}.")


def _chosen(name: str) -> Path:
    if os.path.isfile((folder := home() / "detectors" / name) / CARD):
        return folder
    raise BadDetector(
        f"The default detector '{name}' is no longer installed: 'forensics models default bundled' takes the one that "
        "ships with the program."
    )


def folders() -> list[Path]:
    """Return the folders of all installed detectors, the user's first."""
    found: dict[str, Path] = {}
    for root in roots():
        for card in sorted(root.glob(f"[!.]*/{CARD}")):  # a leading dot marks an export that was interrupted
            found.setdefault(card.parent.name, card.parent)
    return list(found.values())


def open_folder(folder: Path, *, check: bool = True) -> Installed:
    """Read a detector's card and, unless told not to, compare every file's SHA-256; raises `BadDetector`."""
    raw = _read(folder, CARD, folder.name, MAX_CARD_BYTES)
    try:
        card = Card.model_validate(json.loads(raw))
    except (ValueError, RecursionError) as error:
        raise BadDetector(
            f"The detector '{folder.name}' has an invalid {CARD}{_flaw(error)}: it is damaged; export it again."
        ) from None
    installed = Installed(folder, card, hashlib.sha256(raw).hexdigest()[:16])
    if check:
        for _ in checked_files(installed):
            pass
    return installed


def members_of(installed: Installed) -> tuple[Installed, ...]:
    """Return the detectors that an ensemble is made of, their files not yet checked; raises `BadDetector`."""
    found = tuple(open_folder(installed.folder / name, check=False) for name in installed.card.members)
    for name, member in zip(installed.card.members, found, strict=True):
        if member.folder.is_symlink() or member.id != name:
            raise BadDetector(
                f"The member {name} of the ensemble '{installed.card.name}' was changed; install the ensemble again."
            )
        if member.card.members or member.card.classes != installed.card.classes:
            raise BadDetector(f"The ensemble '{installed.card.name}' has a member that does not fit it: {name}.")
    return found


def fast_twin(installed: Installed) -> Installed:
    """Return the detector in 8-bit integers that lies in another's folder; raises `BadDetector` where none does."""
    name = installed.card.name
    if installed.card.members:
        raise BadDetector(f"The ensemble '{name}' has no fast twin; judge with one of its members, or without --fast.")
    if installed.card.precision == "int8":
        return installed
    folder = installed.folder / FAST
    how = f"make one with 'forensics quantize {installed.folder} --data PICTURES', or judge without --fast"
    if not os.path.isfile(folder / CARD):
        raise BadDetector(f"The detector '{name}' has no fast twin; {how}.")
    twin = open_folder(folder, check=False)
    made_from = twin.card.training.get("quantization", {}).get("from", {}).get("id")
    if folder.is_symlink() or made_from != installed.id or twin.card.classes != installed.card.classes:
        raise BadDetector(f"The fast twin of the detector '{name}' was made from another one; {how}.")
    return twin


def _flaw(error: Exception) -> str:
    """Return in brackets the key of a card that is wrong, with the reason where it is one of our own."""
    if not isinstance(error, ValidationError):
        return ""
    first = error.errors()[0]
    own = first["type"] == "value_error"
    key = ".".join(str(part) for part in first["loc"])
    told = [*([key] if key else []), *([first["msg"].removeprefix("Value error, ")] if own else [])]
    return f" ({': '.join(told)})"[:300] if told else ""


def first_problem(error: Exception) -> str:
    """Return in a line what is wrong with a file, the first thing only."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        return f"{where}: {first['msg'].removeprefix('Value error, ')}"[:300]
    return " ".join(str(error).split())[:160]


def checked_files(installed: Installed) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file that the card names, each read once and compared with its SHA-256.

    Raises `BadDetector` for a file that is missing, changed, or outside the folder.
    """
    card = installed.card
    for member in members_of(installed):
        yield from checked_files(member)
    if WEIGHTS not in card.files and not card.members:
        raise BadDetector(f"The detector '{card.name}' names no {WEIGHTS} in its card; export it again.")
    wanted = {SHARED: card.shares} if card.shares else {}
    for name, expected in {**wanted, **card.files}.items():
        place = (installed.folder.parent, WEIGHTS) if name == SHARED and card.shares else (installed.folder, name)
        data = _read(*place, card.name, MAX_FILE_BYTES)
        if hashlib.sha256(data).hexdigest() != expected:
            raise BadDetector(
                f"The file {name} of the detector '{card.name}' is not the one its card was written for "
                "(SHA-256 differs): it was changed or damaged; install the detector again."
            )
        yield name, data


def _read(folder: Path, name: str, detector: str, max_bytes: int) -> bytes:
    path = folder / name
    if not FILE_NAME.fullmatch(name) or path.is_symlink():
        raise BadDetector(f"The detector '{detector}' names a file outside its folder ({name!r}): refused.")
    try:
        return read(path, max_bytes=max_bytes)
    except BadImage as error:
        raise BadDetector(f"The detector '{detector}' cannot be used, {path}: {error} Install it again.") from None
