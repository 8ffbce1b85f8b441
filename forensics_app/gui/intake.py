"""What a drop or the clipboard holds, as sources to judge. Nothing is opened here: that is for the worker."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QImage

if TYPE_CHECKING:
    from forensics_app.gui.judging import Source

ENCODED = ("image/png", "image/jpeg", "image/webp", "image/tiff", "image/avif", "image/bmp", "image/gif")


@dataclass(frozen=True, eq=False)
class Intake:
    """Sources to judge, and how many web addresses were left out because nothing is fetched from the network."""

    sources: tuple[Source, ...]
    remote: int = 0


def offers(mime: QMimeData) -> bool:
    """Return True if a drop or the clipboard could hold pictures; cheap enough for every move of a drag."""
    return mime.hasUrls() or mime.hasImage() or any(mime.hasFormat(kind) for kind in ENCODED)


def sources_in(mime: QMimeData) -> Intake:
    """Return the files and folders, or else the picture, of a drop or the clipboard."""
    urls = mime.urls() if mime.hasUrls() else []
    paths = tuple(Path(name) for url in urls if url.isLocalFile() and (name := _local_name(url)))
    if paths:
        return Intake(paths, remote=len(urls) - len(paths))
    for kind in ENCODED:
        # The bytes as they were copied say more than the same pixels encoded anew.
        if mime.hasFormat(kind) and (data := bytes(mime.data(kind).data())):
            return Intake((data,))
    image = mime.imageData() if mime.hasImage() else None
    if isinstance(image, QImage) and not image.isNull():
        return Intake((image,))
    return Intake((), remote=len(urls))


def _local_name(url: QUrl) -> str:
    """Return the file that a url names; bytes that are no UTF-8, which Qt would replace, become as `os.fsdecode`."""
    name = url.toLocalFile()
    if "%" not in name and "\ufffd" not in name:
        return name
    encoded = bytes(url.toEncoded(QUrl.ComponentFormattingOption.FullyEncoded).data())
    raw = unquote_to_bytes(encoded.removeprefix(b"file://"))
    return os.fsdecode(raw) if os.name == "posix" and raw.startswith(b"/") else name
