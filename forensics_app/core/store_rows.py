"""A file's row as it is kept: what is filtered and sorted by as columns, the rest as compressed JSON."""

from __future__ import annotations

import json
import math
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from forensics_app.core.store_schema import BadStore
from forensics_app.core.walk import path_fields
from forensics_app.core.words import answer

BINS = 20
MAX_REST_BYTES = 2**24
INSIDE = b"!"
"""Ends the name of an archive whose member a path names: /a/b.zip!/inner/name.jpg."""


@dataclass(frozen=True)
class Entry:
    """A file and what is known of it.

    `path` is `os.fsencode` of the absolute path, normalised, no link resolved; of a member of an archive it goes on
    inside: b"/a/b.zip!/inner/name.jpg", and `size` (bytes) and `mtime_ns` are the archive's. `row` is the public JSON
    form (`analysis.to_json` or `error_json`, with `thumbnail`); its `path` is not kept, `path` takes its place.
    """

    path: bytes
    size: int
    mtime_ns: int
    row: Mapping[str, Any]


@dataclass(frozen=True)
class Known:
    """What decides whether a file is judged again; `error` is the kind of its error, None where it was judged.

    `label` is among `words.ANSWERS`, `sha256` hexadecimal digits, None where the file could not be read.
    """

    id: int
    size: int
    mtime_ns: int
    error: str | None
    label: str
    sha256: str | None


class Cell(NamedTuple):
    """What rows can be filtered by: all rows of a cell are alike in it. `bin` is p in twentieths, -1 without a p."""

    detector: int
    label: str
    format: str
    evidence: int
    kind: str
    bin: int
    gone: int = 0


class Columns(NamedTuple):
    """The other columns of a row; `sha256` is 32 bytes, `p` in [0, 1], `judged` in ns since 1970."""

    size: int
    mtime_ns: int
    sha256: bytes | None
    p: float | None
    judged: int
    rest: bytes


def split(path: bytes) -> tuple[bytes, bytes]:
    """Return the folder and the name of an entry's path; raises `ValueError` for a path that no file can have."""
    folder, name = os.path.split(path)
    if not name or b"\0" in path:
        raise ValueError(f"no path of a file: {path!r}")
    return folder, name


def parents(folder: bytes) -> list[bytes]:
    """Return a folder and all above it, up to b"", which holds everything."""
    found = [folder]
    while folder:
        above = os.path.dirname(folder)  # noqa: PTH120 - bytes
        folder = above if above != folder else b""
        found.append(folder)
    return found


def bounds(folder: bytes) -> tuple[bytes, bytes]:
    """Return the least path below a folder, and the least that is above all of them."""
    mark = b"/" if INSIDE + b"/" in folder or folder.endswith(INSIDE) else os.fsencode(os.sep)
    inside = folder if folder.endswith(mark) else folder + mark
    return inside, inside[:-1] + bytes([inside[-1] + 1])


def encode(detector: int, entry: Entry, *, judged: int) -> tuple[Cell, Columns]:
    """Return an entry as its cell and its columns."""
    row = dict(entry.row)
    for name in ("path", "path_bytes", "detector"):
        row.pop(name, None)
    label, sha256, kind, p = answer(row), row.pop("sha256", None), "", None
    if label == "error":
        kind, row["error"] = row["error"]["kind"], row["error"]["message"]
    else:
        verdict = row.pop("verdict")
        p, row["reason"] = _finite(verdict["p_fake"]), verdict["reason"]
    found = any(one["finding"] != "nothing" for one in row.get("evidence", ()))
    cell = Cell(detector, label, row.pop("format", None) or "", found, kind, -1 if p is None else _bin(p))
    content = bytes.fromhex(sha256) if sha256 else None
    return cell, Columns(_whole(entry.size), _whole(entry.mtime_ns), content, p, judged, pack(row, sha256 or ""))


def decode(path: bytes, cell: Cell, columns: Columns, detector: Mapping[str, str]) -> dict[str, Any]:
    """Return the public JSON form of a row; `detector` is its name and id."""
    sha256 = columns.sha256.hex() if columns.sha256 else ""
    rest = unpack(columns.rest, sha256)
    row: dict[str, Any] = path_fields(os.fsdecode(path))
    if cell.label == "error":
        row["error"] = {"kind": cell.kind, "message": rest.pop("error", "")}
        return row | rest
    row |= {"sha256": sha256 or None, "format": cell.format or None}
    row |= {name: rest.pop(name, None) for name in ("width", "height")}
    p = math.nan if columns.p is None else columns.p
    row["verdict"] = {"label": cell.label, "p_fake": p, "reason": rest.pop("reason", "")}
    row |= {"evidence": rest.pop("evidence", []), "detector": dict(detector)}
    return row | rest


def _finite(p: float) -> float | None:
    if math.isnan(p):
        return None
    if not 0 <= p <= 1:
        raise ValueError(f"no probability: {p!r}")
    return p


def _whole(number: int) -> int:
    """Return a number as SQLite can hold it: some disks tell times after the year 2262."""
    return max(-(2**63), min(number, 2**63 - 1))


def _bin(p: float) -> int:
    return min(int(p * BINS), BINS - 1)


def pack(row: Mapping[str, Any], sha256: str) -> bytes:
    """Return JSON values compressed; the first byte says which of `SEEDS` they were compressed with.

    `sha256` is kept elsewhere: where a value holds it (the names of its pictures), a byte that JSON escapes stands.
    """
    squeezer, text = _SQUEEZER.copy(), _JSON(row)
    if sha256:
        text = text.replace(sha256, CONTENT)
    return b"\0" + squeezer.compress(text.encode()) + squeezer.flush()


def unpack(packed: bytes, sha256: str) -> dict[str, Any]:
    """Return what `pack` was given; raises `BadStore` for anything else."""
    try:
        stretcher = zlib.decompressobj(WINDOW, SEEDS[packed[0]])
        text = stretcher.decompress(packed[1:], MAX_REST_BYTES).decode()
        found = json.loads(text.replace(CONTENT, sha256))
    except (IndexError, ValueError, zlib.error, RecursionError):
        raise BadStore("A row of the store is damaged; scan again into another file.") from None
    if not isinstance(found, dict):
        raise BadStore("A row of the store is damaged; scan again into another file.")
    return found


_SEED = (
    b'{"probe":"metadata","finding":"synthetic","strength":"hint","summary":"The metadata declares the picture'
    b' made by a trained generator (IPTC digital source type).","details":{"parameters":"Steps: 20, Sampler: E'
    b'uler a, CFG scale: 7, Seed: "summary":"The file carries Stable Diffusion web UI settings. Anyone can wri'
    b'te or remove such text.""finding":"camera","strength":"hint","summary":"The metadata names a camera (Can'
    b'on Canon EOS NIKON CORPORATION NIKON SONY Apple iPhone samsung SM-G). Anyone can write that.","details":'
    b'{"Make":"Canon","Model":"Canon EOS","Software":"Adobe Photoshop Lightroom (Windows)"}}],"thumbnail":null'
    b',"error":"The file is damaged: {"width":4000,"height":3000,"heatmap":"heatmaps/","ms":12.3,"thumbnail":"'
    b'thumbnails/.jpg","reason":"The pixels show no sign of generation, but: Fewer than 1 in 100 pictures that'
    b" look like this to the detector were generated. More than 99 in 100 pictures that look like this to the "
    b"detector were generated: too close to call. Between 0.24 and 0.70 the detector errs too often. in 100 pi"
    b"ctures that look like this to the detector were generated. Looked at: the pixels and the metadata. That "
    b'is no proof that a camera made it."}{"width":640,"height":480,"evidence":[{"probe":"metadata","finding":'
    b'"nothing","strength":"hint","summary":"The metadata says nothing about how the picture was made.","detai'
    b'ls":{}}],"heatmap":null,"ms":1.0,"thumbnail":null,"reason":"'
)
SEEDS = (_SEED,)
"""What rows hold again and again (RFC 1950's preset dictionary); appended to, never changed."""

WINDOW = -13
CONTENT = chr(1)
_SQUEEZER = zlib.compressobj(6, zlib.DEFLATED, WINDOW, 5, zlib.Z_DEFAULT_STRATEGY, SEEDS[0])
_JSON = json.JSONEncoder(separators=(",", ":")).encode
