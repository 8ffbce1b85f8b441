"""Encoded pictures and what loading them ends in."""

from __future__ import annotations

import io
import re
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from classifier.images import BadImage, load
from tests.conftest import picture


def kind_of(source: Path | bytes, **limits: int) -> str:
    with pytest.raises(BadImage) as caught:
        load(source, **limits)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message and len(message) < 240
    assert not re.search(r"Traceback|Error\b|<.* at 0x", message)
    return caught.value.kind


def png(width: int, height: int, *, rows: bytes = b"", extra: bytes = b"") -> bytes:
    """Return a PNG of 8-bit grey with this header, whatever its rows hold; `extra` are chunks after the header."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def encoded(format_: str, image: Image.Image | None = None, **options: object) -> bytes:
    buffer = io.BytesIO()
    (image or Image.fromarray(picture())).save(buffer, format_, **options)
    return buffer.getvalue()
