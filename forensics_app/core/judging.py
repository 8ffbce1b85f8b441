"""What a scan's worker does with a file: from its bytes to a row, with an overlay and a thumbnail on the way.

Every worker imports this before it limits its threads, so everything heavy is imported when it is needed.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from forensics_app.core.worker import CannotContinue, Job

if TYPE_CHECKING:
    from classifier.images import Pixels
    from classifier.runtime import Detector
    from forensics_app.core.analysis import Analysis

Heatmaps = Literal["flagged", "all", "none"]
HEATMAPS, THUMBNAILS = "heatmaps", "thumbnails"
THUMBNAIL_PX = 160
JPEG_QUALITY = 88


def prepare(detector: str, out: str | None, heatmaps: Heatmaps) -> Job:
    """Load the detector once and return the job; raises `classifier.detector.BadDetector`."""
    from classifier.runtime import Detector

    _decode_in_one_thread()
    loaded = Detector(Path(detector), threads=1)
    folder = None if out is None else Path(out)
    return lambda path: judge(path, loaded, folder, heatmaps)


def judge(path: str, detector: Detector, out: Path | None, heatmaps: Heatmaps) -> dict[str, Any]:
    """Return the row of one file; what was written for it is named relative to `out`. Raises `CannotContinue`."""
    from classifier.images import BadImage
    from forensics_app.core.analysis import analyze, error_json, to_json
    from forensics_app.core.walk import path_fields

    fields = path_fields(path)
    try:
        analysis = analyze(Path(path), detector, heatmap=out is not None and heatmaps != "none", autograd=False)
    except BadImage as error:
        return {**error_json(fields["path"], error.kind, str(error)), **fields, "thumbnail": None}
    heatmap = thumbnail = None
    if out is not None:
        try:
            heatmap, thumbnail = _write_overlay(out, analysis, heatmaps), _write_thumbnail(out, analysis)
        except OSError as error:
            reason = error.strerror or str(error)
            raise CannotContinue(f"The scan cannot write its pictures to '{out}': {reason}.") from None
    return {**to_json(fields["path"], analysis, heatmap), **fields, "thumbnail": thumbnail}


def unfinished(out: Path, pid: int) -> Path:
    """Return where a worker keeps the picture that it is writing; left behind only by one that was killed."""
    return out / f".forensics-{pid}.part"


def _write_overlay(out: Path, analysis: Analysis, heatmaps: Heatmaps) -> str | None:
    from forensics_app.core.overlay import overlay

    if analysis.heat is None or (heatmaps == "flagged" and analysis.verdict.label == "real"):
        return None
    name = f"{HEATMAPS}/{analysis.file.sha256}-{analysis.detector_id}.jpg"
    if not _whole(out / name):
        _write(out, name, overlay(analysis.file.pixels, analysis.heat))
    return name


def _write_thumbnail(out: Path, analysis: Analysis) -> str:
    import numpy as np
    from PIL import Image

    name = f"{THUMBNAILS}/{analysis.file.sha256}.jpg"
    if not _whole(out / name):
        image = Image.fromarray(analysis.file.pixels)
        image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), reducing_gap=2.0)
        _write(out, name, np.asarray(image))
    return name


def _whole(path: Path) -> bool:
    """Whether an earlier scan left this picture, and not an empty file as a crashed disk does."""
    return path.is_file() and path.stat().st_size > 0


def _write(out: Path, name: str, pixels: Pixels) -> None:
    from PIL import Image

    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "JPEG", quality=JPEG_QUALITY)
    part = unfinished(out, os.getpid())
    try:
        part.write_bytes(encoded.getbuffer())
        part.replace(out / name)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _decode_in_one_thread() -> None:
    """Keep decoders from starting threads of their own: there is a worker for each core already."""
    from PIL import AvifImagePlugin

    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    try:
        import pillow_heif
    except ImportError:
        return
    pillow_heif.options.DECODE_THREADS = 1
