"""Whether maps lie on what they should be about: the share of a map inside a box or a mask. Free of torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifier.metrics import Figure, bootstrap
from classifier.preprocess import Box, Floats
from classifier.runtime import Heat

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Share:
    """What lies inside an object's box or mask: the share of a map, and the share of the area that was looked at."""

    inside: float
    area: float


def looked_at(heat: Heat, shape: tuple[int, int]) -> Floats:
    """Return (h, w) float32 at the map's size, 1 where the detector looked, for a picture of `shape` (H, W)."""
    height, width = heat.values.shape
    mask = np.zeros((height, width), np.float32)
    for box in heat.boxes:
        mask[_scaled(box, shape, (height, width))] = 1
    return mask


def box_mask(box: Box, shape: tuple[int, int]) -> Mask:
    """Return a mask (H, W) that is true inside a box, cut off at the picture's edges."""
    left, top, right, bottom = box
    mask = np.zeros(shape, bool)
    mask[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = True
    return mask


def share(heat: Heat, mask: Mask) -> Share | None:
    """Return the share of a map inside a mask (H, W) of the picture; None where nothing is marked or to be told.

    The energy-based pointing game (Wang et al., "Score-CAM", CVPR Workshops 2020): the sum of the map inside the mask,
    divided by its whole sum. `area` is what a map without any preference would have. Only what was looked at counts:
    None if that lies wholly inside the mask or wholly outside.
    """
    looked = looked_at(heat, (mask.shape[0], mask.shape[1]))
    height, width = heat.values.shape
    inside = np.asarray(Image.fromarray(mask.astype(np.float32)).resize((width, height), Image.Resampling.BOX))
    area, whole = float((inside * looked).sum() / looked.sum()), float((heat.values * looked).sum())
    if whole == 0 or not 0 < area < 1:
        return None
    return Share(float((heat.values * inside * looked).sum()) / whole, area)


def compared(shares: Sequence[Share], others: Sequence[Share] = ()) -> dict[str, Figure]:
    """Return the means of `inside` and `area` over pictures and of their difference, with bootstrapped intervals.

    `others` are the shares of other maps in the same boxes, one for each picture: `elsewhere` is then their mean and
    `over_elsewhere` the mean difference. Intervals resample pictures.
    """
    inside, area = (np.array([getattr(one, name) for one in shares]) for name in ("inside", "area"))
    columns = {"inside": inside, "area": area, "over_area": inside - area}
    if others:
        elsewhere = np.array([one.inside for one in others])
        columns |= {"elsewhere": elsewhere, "over_elsewhere": inside - elsewhere}
    return {name: _mean(values) for name, values in columns.items()}


def _mean(values: NDArray[np.float64]) -> Figure:
    return bootstrap(lambda index: float(values[index].mean()), np.zeros(len(values), np.int64))


def _scaled(box: Box, shape: tuple[int, int], size: tuple[int, int]) -> tuple[slice, slice]:
    left, top, right, bottom = box
    down, across = size[0] / shape[0], size[1] / shape[1]
    return np.s_[round(top * down) : round(bottom * down), round(left * across) : round(right * across)]
