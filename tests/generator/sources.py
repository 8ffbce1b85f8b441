"""What tests of sources share: archives as they are wanted, and the pictures of a source."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

from generator import reals
from generator.downloads import Fetching
from generator.reals import Reals

Made = dict[str, bytes]


def zipped(path: Path, files: Made, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, files: Made, *, packed: bool = False, layout: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, "w:gz" if packed else "w", format=layout) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def tar_gz(path: Path, files: Made) -> Path:
    return tarred(path, files, packed=True)


def find(source: str | None, cache: Path, *, count: int = 10, seed: int = 0) -> Reals:
    *events, last = reals.find(source, count=count, seed=seed, cache=cache)
    assert all(isinstance(event, Fetching) for event in events)
    assert isinstance(last, Reals)
    return last
