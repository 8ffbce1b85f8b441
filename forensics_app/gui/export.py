"""An analysis written to disk: the picture with its map as PNG, and the JSON form beside it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from forensics_app.core.analysis import to_json
from forensics_app.core.overlay import overlay
from forensics_app.gui.judging import Judged


@dataclass(frozen=True)
class Exported:
    """The files that were written; `png` is None for an analysis without a map."""

    png: Path | None
    json: Path


def export(judged: Judged, target: Path, opacity: float) -> Iterator[Exported]:
    """Write `target` (.png) and the JSON beside it, each under a temporary name first; raises `OSError`."""
    analysis, picture = judged.analysis, judged.picture
    png = None
    if analysis.heat is not None:
        png = target.with_suffix(".png")
        memory = io.BytesIO()
        Image.fromarray(overlay(analysis.file.pixels, analysis.heat, opacity=opacity)).save(memory, "PNG")
        _write(png, memory.getvalue())
    path = str(picture.source) if isinstance(picture.source, Path) else picture.name
    content = json.dumps(to_json(path, analysis, str(png) if png else None), indent=2, ensure_ascii=True) + "\n"
    _write(target.with_suffix(".json"), content.encode())
    yield Exported(png, target.with_suffix(".json"))


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
