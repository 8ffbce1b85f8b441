"""Small pictures of files from outside, decoded in a worker process with limits: what a table of files shows.

A worker gives bare pixels back: what a hostile file has made of it cannot reach another decoder.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics_app.core.worker import Limits, Refused, Task

LIMITS = Limits(memory_bytes=2 * 2**30, seconds_a_file=20.0)


@dataclass(frozen=True)
class Preview:
    """A small picture: `rgb` is height x width x 3 bytes."""

    width: int
    height: int
    rgb: bytes


def prepare(side_px: int) -> Previewing:
    """Return a worker's job: pictures whose longer side is at most `side_px`."""
    from classifier import images

    images.heif_available()
    return Previewing(side_px)


@dataclass(frozen=True)
class Previewing:
    """The job: a file, or what lies in an archive (`/a.zip!/b.jpg`), as a small picture."""

    side_px: int

    def read(self, task: Task) -> tuple[str, bytes]:
        """Return the path, which stands for itself, and the bytes; raises `Refused`."""
        from classifier.files import BadImage, read
        from forensics_app.core.members import INSIDE

        archive, _, inner = task.path.partition(INSIDE)
        try:
            inside = bool(inner) and not Path(task.path).exists() and Path(archive).is_file()
            return task.path, _member(archive, inner) if inside else read(Path(task.path))
        except BadImage as error:
            raise Refused(error.kind, str(error)) from None

    def work(self, _task: Task, material: bytes) -> dict[str, Any]:
        """Return the small picture for `preview_of`."""
        from PIL import Image

        from classifier.images import BadImage, load

        try:
            pixels = load(material, min_side_px=1, scaled_px=self.side_px).pixels
        except BadImage as error:
            raise Refused(error.kind, str(error)) from None
        image = Image.fromarray(pixels)
        image.thumbnail((self.side_px, self.side_px), reducing_gap=2.0)
        return {"width": image.width, "height": image.height, "rgb": base64.b64encode(image.tobytes()).decode()}


def preview_of(answer: dict[str, Any]) -> Preview | None:
    """Return what a worker answered, or None for anything that no sound one would answer."""
    try:
        width, height, rgb = int(answer["width"]), int(answer["height"]), base64.b64decode(answer["rgb"])
    except (KeyError, TypeError, ValueError):
        return None
    return Preview(width, height, rgb) if width > 0 and height > 0 and len(rgb) == 3 * width * height else None


def _member(archive: str, inner: str) -> bytes:
    from classifier.files import BadImage
    from forensics_app.core.members import INSIDE, members

    wanted = f"{archive}{INSIDE}{inner}"
    for member in members(archive, lambda name: name == inner):
        if member is not None and member.path == wanted and member.problem is None:
            return member.read()
    raise BadImage("missing", "The picture is no longer in its archive.")
