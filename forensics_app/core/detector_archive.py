"""A detector as one zip file: packed to take it elsewhere, and unpacked under guard to install it."""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from classifier.atomic import replacing
from classifier.detector import CARD, FILE_NAME, Installed, find, open_folder
from classifier.places import home
from forensics_app.core.installing import CannotInstall, contents, install

MAX_FILES, MAX_BYTES, MAX_RATIO, MAX_DEPTH = 400, 4 * 2**30, 200, 5
CHUNK = 2**20


@dataclass(frozen=True)
class Packed:
    """Files were packed: `done` of `total`."""

    done: int
    total: int


def pack(name_or_folder: str | Path, target: Path) -> Iterator[Packed]:
    """Write a detector with its fast twin and members as a zip, whole or not at all; yields while it works.

    Its files are compared with its card first. Raises `BadDetector` and `OSError`.
    """
    found = open_folder(find(name_or_folder))
    files = list(contents(found))
    with replacing(target) as out, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for done, (path, inside) in enumerate(files, 1):
            archive.write(path, f"{found.card.name}/{inside}")
            yield Packed(done, len(files))


def install_any(source: Path, name: str | None = None) -> Installed:
    """Install a detector from a folder, a run or a zip; raises `BadDetector` and `CannotInstall`."""
    if not source.is_file():
        return install(source, name)
    with unpacked(source) as folder:
        return install(folder, name)


@contextmanager
def unpacked(source: Path) -> Iterator[Path]:
    """Give the folder of the detector in a zip, unpacked beside the installed ones and gone afterwards.

    Raises `CannotInstall` for what is no zip, holds no detector or more than one, is encrypted, holds links, names
    files outside of itself, or grows too large.
    """
    root = home() / "detectors"
    root.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=root))
    folder = place / source.name  # which is what a complaint about a detector names
    try:
        try:
            _extract(source, folder)
        except (zipfile.BadZipFile, NotImplementedError, EOFError):
            raise CannotInstall(f"{source.name} is no zip file that can be read, or it is damaged.") from None
        yield _detector_in(folder, source.name)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _extract(source: Path, place: Path) -> None:
    with zipfile.ZipFile(source) as archive:
        entries = [info for info in archive.infolist() if not info.is_dir()]
        _check(entries, source.name)
        total = 0
        for info in entries:
            target = place.joinpath(*PurePosixPath(info.filename).parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(info) as file, target.open("xb") as out:
                while block := file.read(CHUNK):
                    total += len(block)
                    if total > MAX_BYTES:
                        raise CannotInstall(f"{source.name} unpacks to more than {MAX_BYTES // 2**30} GiB: refused.")
                    out.write(block)


def _check(entries: list[zipfile.ZipInfo], name: str) -> None:
    if len(entries) > MAX_FILES:
        raise CannotInstall(f"{name} holds {len(entries):,} files; a detector has a few: refused.")
    for info in entries:
        path = PurePosixPath(info.filename)
        odd = path.is_absolute() or "\\" in info.filename or len(path.parts) > MAX_DEPTH
        if odd or not all(FILE_NAME.fullmatch(part) for part in path.parts):
            raise CannotInstall(f"{name} names a file that no detector has ({info.filename[:60]!a}): refused.")
        if info.flag_bits & 0x1:
            raise CannotInstall(f"{name} is encrypted: unpack it, and install the folder.")
        if info.create_system == 3 and stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise CannotInstall(f"{name} holds a link or a device ({info.filename[:60]!a}): refused.")
        if info.file_size > max(CHUNK, MAX_RATIO * info.compress_size):
            raise CannotInstall(f"{name} unpacks to far more than it is, as a bomb does: refused.")
    if len({info.filename for info in entries}) < len(entries):
        raise CannotInstall(f"{name} holds a file twice: refused.")
    if sum(info.file_size for info in entries) > MAX_BYTES:
        raise CannotInstall(f"{name} unpacks to more than {MAX_BYTES // 2**30} GiB: refused.")


def _detector_in(place: Path, name: str) -> Path:
    """Return the one folder nearest to the top that holds a card."""
    cards = sorted(place.rglob(CARD), key=lambda path: len(path.parts))
    if not cards:
        raise CannotInstall(f"{name} holds no detector: none of its files is a {CARD}.")
    level = [card for card in cards if len(card.parts) == len(cards[0].parts)]
    if len(level) > 1:
        raise CannotInstall(f"{name} holds {len(level)} detectors: unpack it, and install one of the folders.")
    return cards[0].parent
