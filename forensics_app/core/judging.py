"""What a scan's worker does with a file: from its bytes to a row, with an overlay and a thumbnail on the way.

Every worker imports this before it limits its threads, so everything heavy is imported when it is needed.
"""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from forensics_app.core.worker import CannotContinue, Refused, Task

if TYPE_CHECKING:
    from classifier.images import Pixels
    from classifier.runtime import Detector
    from forensics_app.core.analysis import Analysis

Heatmaps = Literal["flagged", "all", "none"]
HEATMAPS, THUMBNAILS = "heatmaps", "thumbnails"
NEEDED = ("onnxruntime", "forensics_app.core.analysis")
"""What a worker imports for this job, and may import before it knows the job."""
THUMBNAIL_PX = 160
JPEG_QUALITY = 88


@dataclass(frozen=True)
class Manner:
    """How a scan's workers judge: the detector's folder, where pictures go (if anywhere), and which get a map."""

    detector: str
    out: str | None = None
    heatmaps: Heatmaps = "flagged"
    device: str = "cpu"
    scaled: bool = False


def prepare(manner: Manner) -> Judging:
    """Load the detector once and return the job; raises `classifier.detector.BadDetector`."""
    from classifier.runtime import Detector

    _decode_in_one_thread()
    return Judging(manner, Detector(Path(manner.detector), threads=1, device=manner.device))


@dataclass(frozen=True, eq=False)
class Judging:
    """The job of a scan's worker: a picture's bytes and their hash, then its row."""

    manner: Manner
    detector: Detector

    def read(self, task: Task) -> tuple[str, bytes]:
        """Return the SHA-256 and the bytes of a file, or of what an archive gave; raises `Refused`."""
        from classifier.files import BadImage, read

        try:
            data = task.data if task.data is not None else read(Path(task.path))
        except BadImage as error:
            raise Refused(error.kind, str(error)) from None
        return hashlib.sha256(data).hexdigest(), data

    def work(self, task: Task, material: bytes) -> dict[str, Any]:
        """Return the row of one file; what was written for it is named relative to `out`."""
        from classifier.images import BadImage
        from forensics_app.core.analysis import analyze, to_json
        from forensics_app.core.walk import path_fields

        out = None if self.manner.out is None else Path(self.manner.out)
        with_map = out is not None and self.manner.heatmaps != "none"
        try:
            analysis = analyze(material, self.detector, heatmap=with_map, autograd=False, scaled=self.manner.scaled)
        except BadImage as error:
            raise Refused(error.kind, str(error)) from None
        heatmap = thumbnail = None
        if out is not None:
            try:
                heatmap, thumbnail = (
                    _write_overlay(out, analysis, self.manner.heatmaps),
                    _write_thumbnail(out, analysis),
                )
            except OSError as error:
                reason = error.strerror or str(error)
                raise CannotContinue(f"The scan cannot write its pictures to '{out}': {reason}.") from None
        fields = path_fields(task.path)
        return {**to_json(fields["path"], analysis, heatmap), **fields, "thumbnail": thumbnail}


def unfinished(out: Path, pid: int) -> Path:
    """Return where a worker keeps the picture that it is writing; left behind only by one that was killed."""
    return out / f".forensics-{pid}.part"


def heatmap_name(sha256: str, detector_id: str) -> str:
    """Return where below `out` the picture with its map is."""
    return f"{HEATMAPS}/{sha256}-{detector_id}.jpg"


def thumbnail_name(sha256: str) -> str:
    """Return where below `out` the small picture is."""
    return f"{THUMBNAILS}/{sha256}.jpg"


def _write_overlay(out: Path, analysis: Analysis, heatmaps: Heatmaps) -> str | None:
    from forensics_app.core.overlay import overlay

    if analysis.heat is None or (heatmaps == "flagged" and analysis.verdict.label == "real"):
        return None
    name = heatmap_name(analysis.file.sha256, analysis.detector_id)
    if not _whole(out / name):
        _write(out, name, overlay(analysis.file.pixels, analysis.heat))
    return name


def _write_thumbnail(out: Path, analysis: Analysis) -> str:
    import numpy as np
    from PIL import Image

    name = thumbnail_name(analysis.file.sha256)
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
