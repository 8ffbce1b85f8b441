"""All that a file says beside its pixels, as rows of text: EXIF with its sub-tables, PNG texts, XMP, comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags

from classifier.images import ImageFile
from forensics_app.core.words import shown
from forensics_app.evidence.metadata import exif_of

MAX_ROWS, MAX_TEXT, MAX_BYTES = 500, 4000, 24
TABLES = (
    ("EXIF", None, ExifTags.TAGS),
    ("EXIF photo", ExifTags.IFD.Exif, ExifTags.TAGS),
    ("EXIF place", ExifTags.IFD.GPSInfo, ExifTags.GPSTAGS),
)
POINTERS = frozenset(int(one) for one in ExifTags.IFD)
"""Tags that only say where a sub-table begins."""


@dataclass(frozen=True)
class Row:
    """One thing that a file says: where in it, under which name, and what, safe to show."""

    part: str
    name: str
    value: str


def rows(file: ImageFile) -> tuple[Row, ...]:
    """Return what a file says, at most 500 rows; a part that cannot be read is a row that says so."""
    found: list[Row] = []
    for part, look in (("EXIF", _exif_rows), ("texts", _text_rows)):
        try:
            found.extend(look(file))
        except Exception as error:  # metadata from outside breaks parsers in any way
            found.append(Row(part, "cannot be read", type(error).__name__))
    more = len(found) - MAX_ROWS
    return tuple(found[:MAX_ROWS]) + ((Row("", "more", f"{more:,} rows are not shown"),) if more > 0 else ())


def _exif_rows(file: ImageFile) -> Iterator[Row]:
    exif = exif_of(file)
    for part, ifd, names in TABLES:
        table: Mapping[int, Any] = exif if ifd is None else exif.get_ifd(ifd)
        for tag, value in sorted(table.items()):
            if tag not in POINTERS:
                yield Row(part, names.get(tag, f"0x{tag:04x}"), _text(value))


def _text_rows(file: ImageFile) -> Iterator[Row]:
    for name, value in file.info.items():
        if name not in ("exif", "Raw profile type exif"):
            yield Row(_part(name), shown(name)[:80], _text(value))


def _part(name: str) -> str:
    if name in ("xmp", "XML:com.adobe.xmp"):
        return "XMP"
    return "Colour" if name == "icc_profile" else "Text"


def _text(value: object) -> str:
    """Return a value as text that is safe to show; bytes that are no text as hexadecimal digits."""
    if isinstance(value, bytes):
        value = _of_bytes(value)
    elif isinstance(value, tuple | list):
        value = ", ".join(_text(one) for one in value[:32])
    text = " ".join(shown(str(value).strip(" \0\r\n\t").replace("\n", " ").replace("\r", " ")).split())
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]} … ({len(text):,} characters)"


def _of_bytes(value: bytes) -> str:
    try:
        text = value.rstrip(b"\0").decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if text and sum(char.isprintable() or char in "\r\n\t" for char in text) == len(text):
        return text
    tail = f" … ({len(value):,} bytes)" if len(value) > MAX_BYTES else ""
    return value[:MAX_BYTES].hex(" ") + tail
