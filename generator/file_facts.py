"""What can be told of a picture from its file alone: container, encoder and settings, never what it shows.

Names and dates of files are not among them: no network is shown those.
"""

from __future__ import annotations

import hashlib
import io
import math
import re

from PIL import Image, JpegImagePlugin

from classifier.images import ImageFile, open_image
from generator import jpeg_tables

Fact = float | str
Facts = dict[str, Fact]

MAX_PARTS = 200
REENCODED_PIXELS = 6_000_000
CHANCE_BYTES, BYTES_STEP = 0.06, 0.05
"""Under 6 % the unexplained size counts as none, as the rounding of clipped pixels makes as much; then in steps."""


def file_facts(image: ImageFile) -> Facts:
    """Return a file's facts by name: words are categories, numbers are numbers."""
    facts: Facts = {
        "file format": image.format,
        "JPEG table": "none",
        "JPEG quality": 0.0,
        "chroma subsampling": "none",
        "progressive": "no",
        "width": float(image.width),
        "height": float(image.height),
        "aspect": round(image.width / image.height, 4),
        "colour mode": _mode(image),
        "metadata": _metadata(image),
        "encoder's layout": layout(image.data),
        "bytes after the end": "yes" if trailing_bytes(image.data) else "no",
        "several frames": "yes" if image.frames > 1 else "no",
        "unexplained bytes": unexplained_bytes(image),
    }
    return facts | (_jpeg(image) if image.format == "JPEG" else {})


def _jpeg(image: ImageFile) -> Facts:
    tables = jpeg_tables.read(image.data)
    quality = jpeg_tables.quality(tables) or 0
    mark = hashlib.sha256(repr(sorted((key, tuple(table)) for key, table in tables.items())).encode()).hexdigest()[:4]
    with open_image(image.data) as header:
        sampling = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}.get(_sampling(header), "other")
        progressive = "yes" if header.info.get("progressive") else "no"
    return {
        "JPEG table": f"Q{quality} ({mark})",
        "JPEG quality": float(quality),
        "chroma subsampling": sampling,
        "progressive": progressive,
    }


def _sampling(header: Image.Image) -> int:
    return JpegImagePlugin.get_sampling(header) if isinstance(header, JpegImagePlugin.JpegImageFile) else -1


def _mode(image: ImageFile) -> str:
    deep = image.format == "PNG" and len(image.data) > 24 and image.data[24] > 8
    return f"{image.mode}, {image.data[24]} bit" if deep else image.mode


def _metadata(image: ImageFile) -> str:
    """Return which kinds of metadata a file carries, in one word each."""
    kinds = {"exif": "EXIF", "xmp": "XMP", "icc_profile": "ICC", "comment": "comment", "photoshop": "IPTC"}
    found = {word for key, word in kinds.items() if image.info.get(key)}
    texts = [key for key, value in image.info.items() if isinstance(value, str) and key not in kinds]
    if image.format == "PNG" and texts:
        found.add("text")
    return " ".join(sorted(found)) or "none"


def layout(data: bytes) -> str:
    """Return the order of a file's parts, which encoders differ by: JPEG segments, PNG chunks or RIFF chunks."""
    if data.startswith(b"\xff\xd8"):
        parts = _jpeg_parts(data)
    elif data.startswith(b"\x89PNG"):
        parts = [name for name, _ in _png_chunks(data)]
    elif data[8:12] == b"WEBP":
        parts = [re.sub(r"\W", "", data[12:16].decode("latin1"))]
    else:
        return "none"
    once = [part for place, part in enumerate(parts) if place == 0 or parts[place - 1] != part]
    return " ".join(once)


def _jpeg_parts(data: bytes) -> list[str]:
    """Return the names of the segments up to the first scan (ITU-T T.81, B.1)."""
    parts: list[str] = []
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF and len(parts) < MAX_PARTS:
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        if marker == 0xFF:  # filling
            place += 1
            continue
        parts.append(_marker_name(marker))
        if marker == 0xDA or length < 2:
            break
        place += 2 + length
    return parts


def _marker_name(marker: int) -> str:
    names = {0xDB: "DQT", 0xC4: "DHT", 0xDD: "DRI", 0xDA: "SOS", 0xFE: "COM"}
    if 0xE0 <= marker <= 0xEF:
        return f"APP{marker - 0xE0}"
    return names.get(marker) or (f"SOF{marker - 0xC0}" if 0xC0 <= marker <= 0xCF else f"{marker:02X}")


def _png_chunks(data: bytes) -> list[tuple[str, int]]:
    """Return the names of a PNG's chunks and where each ends, up to IEND."""
    chunks: list[tuple[str, int]] = []
    place = 8
    while place + 12 <= len(data) and len(chunks) < 10_000:
        end = place + 12 + int.from_bytes(data[place : place + 4], "big")
        name = re.sub(r"[^a-zA-Z]", "", data[place + 4 : place + 8].decode("latin1"))
        chunks.append((name, end))
        if name == "IEND":
            break
        place = end
    return chunks


def trailing_bytes(data: bytes) -> int:
    """Return how many bytes follow the end of a JPEG or PNG; 0 for other formats and where no end is found."""
    if data.startswith(b"\xff\xd8"):
        end = data.rfind(b"\xff\xd9")
        return len(data) - end - 2 if end > 0 else 0
    if data.startswith(b"\x89PNG"):
        chunks = _png_chunks(data)
        return max(0, len(data) - chunks[-1][1]) if chunks and chunks[-1][0] == "IEND" else 0
    return 0


def unexplained_bytes(image: ImageFile) -> float:
    """Return the log of a file's size over that of its pixels written again with its own settings.

    What a picture shows drops out; metadata, thumbnails and a better or worse encoder are left. 0 for formats that
    cannot be written again alike, and for pictures so large that it would take too long.
    """
    if image.format not in ("JPEG", "PNG") or image.width * image.height > REENCODED_PIXELS:
        return 0.0
    out, picture = io.BytesIO(), Image.fromarray(image.pixels)
    if image.format == "PNG":
        picture.save(out, "PNG", compress_level=6)
    else:
        _save_alike(image.data, picture, out)
    excess = math.log(len(image.data) / len(out.getvalue()))
    return round(round(excess / BYTES_STEP) * BYTES_STEP, 2) if abs(excess) > CHANCE_BYTES else 0.0


def _save_alike(data: bytes, picture: Image.Image, out: io.BytesIO) -> None:
    with open_image(data) as header:
        sampling, grey = _sampling(header), header.mode == "L"
    tables = jpeg_tables.read(data)
    known = [list(tables[key]) for key in sorted(tables)[: 1 if grey else 2]]
    subsampling = sampling if sampling >= 0 else 0
    source = picture.convert("L") if grey else picture
    try:
        source.save(out, "JPEG", qtables=known or None, subsampling=subsampling)
    except (ValueError, OSError):  # tables of 16 bit, which this encoder does not write
        out.seek(0)
        out.truncate()
        source.save(out, "JPEG", quality=90, subsampling=subsampling)
