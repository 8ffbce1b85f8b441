"""An analysis written to disk: the picture with its map as PNG, and the JSON form beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from forensics_app.core.analysis import to_json
from forensics_app.core.atomic import replacing
from forensics_app.core.overlay import overlay
from forensics_app.core.walk import path_fields
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
        with replacing(png) as file:
            Image.fromarray(overlay(analysis.file.pixels, analysis.heat, opacity=opacity)).save(file, "PNG")
    fields = path_fields(str(picture.source) if isinstance(picture.source, Path) else picture.name)
    heatmap = path_fields(str(png))["path"] if png else None
    content = json.dumps({**to_json(fields["path"], analysis, heatmap), **fields}, indent=2, ensure_ascii=False)
    with replacing(target.with_suffix(".json")) as file:
        file.write(f"{content}\n".encode())
    yield Exported(png, target.with_suffix(".json"))
