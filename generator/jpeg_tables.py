"""What a JPEG's quantization table says of the quality it was saved with (ITU-T T.81, annex K; libjpeg's scale)."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifier.images import open_image


@cache
def standard_luma() -> NDArray[np.int64]:
    """Return libjpeg's luma tables of the qualities 1 to 100, (100, 64), each sorted: the order does not matter."""
    tables = []
    for quality in range(1, 101):
        out = io.BytesIO()
        Image.new("L", (8, 8)).save(out, "JPEG", quality=quality)
        tables.append(sorted(read(out.getvalue())[0]))
    return np.array(tables, np.int64)


def read(data: bytes) -> Mapping[int, Sequence[int]]:
    """Return the quantization tables of a JPEG by number, each of 64 values; none for any other format.

    The bytes must have come through `classifier.images.load`.
    """
    with open_image(data) as image:
        found = getattr(image, "quantization", None)
        tables = found if isinstance(found, dict) else {}
        return {int(key): tuple(table) for key, table in tables.items() if len(table) == 64}


def quality(tables: Mapping[int, Sequence[int]]) -> int | None:
    """Return the quality, 1 to 100, whose standard luma table is nearest in ratio; None without a table."""
    if 0 not in tables:
        return None
    mine = np.log(np.maximum(np.sort(np.array(tables[0], np.float64)), 1))
    return int(np.abs(np.log(standard_luma()) - mine).sum(axis=1).argmin()) + 1
