"""How long a detector takes for one picture, as it judges: onnxruntime, one thread, one picture at a time."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from classifier.images import Pixels
from classifier.runtime import Detector

WARM_UP, REPEATS = 2, 9


def image_ms(folder: Path, pixels: Pixels) -> float:
    """Return the milliseconds from decoded pixels (H, W, 3) to probabilities, the median of nine after two to warm up.

    Preparing the input is in it, reading and decoding the file is not. Raises `BadDetector`.
    """
    detector, taken = Detector(folder, threads=1), []
    for _ in range(WARM_UP + REPEATS):
        begun = time.perf_counter()
        detector.judge(pixels)
        taken.append((time.perf_counter() - begun) * 1000)
    return median(taken[WARM_UP:])
