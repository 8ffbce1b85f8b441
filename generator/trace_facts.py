"""What can be told of a picture's past from its pixels: earlier compression, resizing, borders; not what it shows.

The traces of the file's own encoder are left out, so that two classes that were written alike look alike here. The
lattices of 2, 4 and 8 pixels that generators leave themselves are left out too: a detector is meant to find those.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifier.images import ImageFile, Pixels
from generator import jpeg_tables
from generator.file_facts import Facts

Plane = NDArray[np.float64]

LOOKED_AT_PX = 384
"""The side of the centre that is looked at, cut along the file's own 8 × 8 grid."""
QUALITIES = tuple(range(48, 97, 4))
UNIFORM_LEVELS = 8
SHRUNK = 0.97
OWN_QUALITIES = 12
CHANCE_GRID, CHANCE_DIP = 2.5, 0.1
"""What pictures without the trace reach: below it nothing is told, so that smooth and rough pictures are alike."""


def trace_facts(image: ImageFile) -> Facts:
    """Return a picture's traces by name; all are numbers, of which larger means more of it."""
    pixels = centre(image.pixels)
    data = image.data if image.format == "JPEG" else None
    return {
        "8×8 grid of an earlier JPEG": earlier_grid(pixels, data),
        "dip of an earlier compression": recompression_dip(pixels, data),
        "traces of resizing": resizing_peak(luma(pixels)),
        "uniform border": uniform_border(image.pixels),
    }


def centre(pixels: Pixels) -> Pixels:
    """Return the middle of a picture, at most 384 px a side, from corners that are multiples of 8."""
    top, left = (max(0, (side - LOOKED_AT_PX) // 2) // 8 * 8 for side in pixels.shape[:2])
    return pixels[top : top + LOOKED_AT_PX, left : left + LOOKED_AT_PX]


def luma(pixels: Pixels) -> Plane:
    """Return the brightness of pixels (H, W, 3), (H, W) from 0 to 255 (ITU-R BT.601)."""
    grey: Plane = pixels.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    return grey


def earlier_grid(pixels: Pixels, data: bytes | None = None) -> float:
    """Return how far the seams of an 8 × 8 grid stand out, in standard errors, 0 where that can be chance.

    Seams are sought at every phase, by the sign of the step across them against their neighbours': steps are larger
    than those beside them as often at one phase as at another, whatever the picture shows (after Fan & de Queiroz,
    IEEE Trans. Image Process. 2003). `data` is the file where it is a JPEG: what its own blocks do is then measured on
    the same picture, shrunk a little and written again with the same table, and taken off.
    """
    own = None if data is None else _written_alike(pixels, data)
    grey, other = luma(pixels), None if own is None else luma(own)
    across = _seams(grey, other)
    down = _seams(grey.T, None if other is None else other.T)
    return round(max(0.0, (across + down) / 2 - CHANCE_GRID), 3)


def _written_alike(pixels: Pixels, data: bytes) -> Pixels:
    """Return the picture without any grid that it had, then in the blocks of its own file's table."""
    height, width = (round(side * SHRUNK) for side in pixels.shape[:2])
    tables = jpeg_tables.read(data)
    known = [list(tables[key]) for key in sorted(tables)[:2]]
    shrunk, out = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC), io.BytesIO()
    try:
        shrunk.save(out, "JPEG", qtables=known or None, subsampling=2)
    except (ValueError, OSError):  # tables of 16 bit, which this encoder does not write
        return pixels
    return np.asarray(Image.open(out), np.uint8)


def _seams(grey: Plane, own: Plane | None) -> float:
    means, counts = _higher(grey)
    if own is None:
        phases, errors = list(range(8)), 1 / np.sqrt(counts)
    else:
        base, more = _higher(own)
        phases, errors = [0, 1, 2, 3, 4], np.sqrt(1 / counts + 1 / more)  # the file's own seam is 6, and moves 5 and 7
        means = means - base
    best, second = np.argsort(means[phases])[:-3:-1]  # a lattice of 2 or 4 pixels has no phase that stands alone
    return float((means[phases][best] - means[phases][second]) / errors[phases][best])


def _higher(grey: Plane) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return for each of 8 phases how much oftener a step is higher than those beside it, and on how many steps."""
    steps = np.abs(np.diff(grey, axis=1))
    higher = np.sign(steps[:, 1:-1] - (steps[:, :-2] + steps[:, 2:]) / 2)
    parts = [higher[:, phase::8] for phase in range(8)]
    return np.array([part.mean() for part in parts]), np.array([part.size for part in parts])


def recompression_dip(pixels: Pixels, data: bytes | None = None) -> float:
    """Return how deep the change that saving again makes dips at some quality, as a log ratio to its neighbours.

    A picture that was once saved at a quality changes least when saved at that quality again (Farid, IEEE TIFS 2009).
    `data` is the file where it is a JPEG: only qualities below its own are looked at, as others it has overwritten, and
    what its own table does there is taken off as in `earlier_grid`. 0 where the dip can be chance.
    """
    dips = _dips(pixels)
    if data is not None and (own := jpeg_tables.quality(jpeg_tables.read(data))) is not None:
        dips = (dips - _dips(_written_alike(pixels, data)))[np.array(QUALITIES[1:-1]) < own - OWN_QUALITIES]
    return round(max(0.0, float(dips.max(initial=0.0)) - CHANCE_DIP), 4)


def _dips(pixels: Pixels) -> NDArray[np.float64]:
    change = np.log(np.array([_change(pixels, quality) for quality in QUALITIES]) + 1e-3)
    dips: NDArray[np.float64] = (change[:-2] + change[2:]) / 2 - change[1:-1]
    return dips


def _change(pixels: Pixels, quality: int) -> float:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality, subsampling=2)
    again = np.asarray(Image.open(out), np.int16)
    return float(np.square(again - pixels.astype(np.int16)).mean())


def resizing_peak(grey: Plane) -> float:
    """Return the highest periodic peak of the second derivative, as a log ratio to the median of its spectrum.

    Interpolated pixels are more predictable in a period that the factor sets (Gallagher, CRV 2005). The frequencies
    k/8 are left out: there lie JPEG's own blocks and the lattices of generators.
    """
    return round((_peak(grey) + _peak(grey.T)) / 2, 4)


def _peak(grey: Plane) -> float:
    curve = np.log1p(np.abs(np.diff(grey, n=2, axis=1))).mean(axis=0)
    spectrum = np.abs(np.fft.rfft((curve - curve.mean()) * np.hanning(len(curve))))
    frequencies = np.fft.rfftfreq(len(curve))
    away = np.abs(frequencies[:, None] - np.arange(5) / 8).min(axis=1) > 1.6 / len(curve)
    inner = away & (frequencies > 0.13)
    return float(np.log((spectrum[inner].max() + 1e-6) / (float(np.median(spectrum[inner])) + 1e-6)))


def uniform_border(pixels: Pixels) -> float:
    """Return which part of the rows and columns belongs to a border of one colour."""
    rows = np.ptp(pixels, axis=1).max(axis=1) <= UNIFORM_LEVELS
    columns = np.ptp(pixels, axis=0).max(axis=1) <= UNIFORM_LEVELS
    return round(float((_edges(rows) + _edges(columns)) / (len(rows) + len(columns))), 3)


def _edges(uniform: NDArray[np.bool_]) -> int:
    if uniform.all():
        return 0
    return int(np.argmin(uniform)) + int(np.argmin(uniform[::-1]))
