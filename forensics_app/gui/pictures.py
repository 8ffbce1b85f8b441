"""From numpy to what Qt paints: a pyramid of a picture's sizes, its heat map in colours, and its thumbnail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, Qt
from PySide6.QtGui import QImage

from classifier.images import Pixels
from classifier.pointing import looked_at
from classifier.runtime import Heat
from forensics_app.core.overlay import COLOUR_MAP, coloured

SMALLEST_LEVEL_PX = 512
THUMB_PX, THUMB_QUALITY = (160, 112), 90


@dataclass(frozen=True, eq=False)
class Painted:
    """A picture ready to paint: `levels[i]` has 1 / 2**i of its size; `buffer` is the memory behind `levels[0]`.

    `thumb` is a JPEG, because it is kept when the rest is not: some 5 KB in place of 70.
    """

    levels: tuple[QImage, ...]
    buffer: Pixels
    heat: QImage | None
    boxes: tuple[tuple[int, int, int, int], ...]
    thumb: bytes

    @property
    def nbytes(self) -> int:
        """Memory held by the images, in bytes."""
        return sum(level.sizeInBytes() for level in self.levels) + (self.heat.sizeInBytes() if self.heat else 0)


def paintable(pixels: Pixels, heat: Heat | None) -> Painted:
    """Return a picture of (H, W, 3) bytes and its map as images; meant for a worker thread."""
    buffer = np.ascontiguousarray(pixels)
    levels = (image_over(buffer), *_smaller(buffer))
    thumb = levels[-1].scaled(
        *THUMB_PX, Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    )
    left, top = (thumb.width() - THUMB_PX[0]) // 2, (thumb.height() - THUMB_PX[1]) // 2
    return Painted(
        levels,
        buffer,
        None if heat is None else map_image(heat, (buffer.shape[0], buffer.shape[1])),
        () if heat is None else heat.boxes,
        encoded(thumb.copy(left, top, *THUMB_PX), "JPEG", THUMB_QUALITY),
    )


def encoded(image: QImage, form: str, quality: int) -> bytes:
    """Return an image as the bytes of a file in one of Qt's formats."""
    memory = QByteArray()
    buffer = QBuffer(memory)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, form, quality)  # type: ignore[call-overload]
    return bytes(memory.data())


def image_over(buffer: Pixels) -> QImage:
    """Return an image over the memory of a contiguous (H, W, 3) array, which the caller must keep alive."""
    height, width = buffer.shape[:2]
    return QImage(buffer.data, width, height, 3 * width, QImage.Format.Format_RGB888)


def _smaller(buffer: Pixels) -> list[QImage]:
    """Halve the picture until it is about a screen's size, so that a large one paints as quickly as a small one."""
    levels, image = [], Image.fromarray(buffer)
    while max(image.size) > 2 * SMALLEST_LEVEL_PX:
        image = image.reduce(2)
        shrunk = np.ascontiguousarray(image)  # named, so that it outlives the image over it
        levels.append(image_over(shrunk).convertToFormat(QImage.Format.Format_RGB32))
    return levels


def map_image(heat: Heat, shape: tuple[int, int], colour_map: str = COLOUR_MAP) -> QImage:
    """Return the map of a picture of (height, width) in colours, transparent where the detector did not look.

    It owns its memory, and takes some ten milliseconds at most.
    """
    seen = (looked_at(heat, shape) * 255).astype(np.uint8)
    rgba: NDArray[np.uint8] = np.dstack((coloured(heat, colour_map), seen))
    height, width = rgba.shape[:2]
    shared = QImage(rgba.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return shared.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
