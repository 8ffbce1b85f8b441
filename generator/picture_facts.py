"""What a picture looks like, in a few cheap numbers that a detector may learn instead of anything better."""

from __future__ import annotations

import math

import numpy as np

from classifier.images import ImageFile
from generator.file_facts import Facts
from generator.trace_facts import Plane, centre, luma


def picture_facts(image: ImageFile) -> Facts:
    """Return colours, noise, sharpness and size in bytes of a picture by name; all are numbers."""
    pixels = centre(image.pixels).astype(np.float64)
    grey = luma(centre(image.pixels))
    mean, spread = pixels.mean(axis=(0, 1)), pixels.std(axis=(0, 1))
    chroma = np.ptp(pixels, axis=2)
    colours = {f"{what} of {name}": float(value)
               for what, values in (("mean", mean), ("spread", spread))
               for name, value in zip(("red", "green", "blue"), values, strict=True)}  # fmt: skip
    facts = {
        **colours,
        "colourfulness": float(chroma.mean()),
        "pure black or white": float(((pixels <= 0) | (pixels >= 255)).all(axis=2).mean()),
        "noise level": noise_level(grey),
        "sharpness": sharpness(grey),
        "fine colour detail": math.log(_detail(pixels[..., 2] - grey) / _detail(grey)),
        "lattice of 2 pixels": lattice(grey),
        "bytes a pixel": len(image.data) / (image.width * image.height),
    }
    return {name: round(value, 5) for name, value in facts.items()}


def noise_level(grey: Plane) -> float:
    """Return the noise's standard deviation in grey levels, from the median of a picture's finest details.

    Immerkær's mask (CVIU 1996) with the median instead of the mean, so that edges count little.
    """
    inner = (
        grey[:-2, :-2] + grey[:-2, 2:] + grey[2:, :-2] + grey[2:, 2:] + 4 * grey[1:-1, 1:-1]
        - 2 * (grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:])
    )  # fmt: skip
    return float(np.median(np.abs(inner)) / 6 / 0.6745)


def sharpness(grey: Plane) -> float:
    """Return the log of the Laplacian's variance."""
    laplacian = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    return math.log(float(laplacian.var()) + 1e-3)


def lattice(grey: Plane) -> float:
    """Return the log ratio of the spectrum at a period of two pixels to what lies around it."""
    curve = np.abs(np.diff(grey, n=2, axis=1)).mean(axis=0)
    curve = curve[: len(curve) // 2 * 2]
    spectrum = np.abs(np.fft.rfft(curve - curve.mean()))
    around = spectrum[len(spectrum) * 3 // 4 : -2]
    return math.log((float(spectrum[-1]) + 1e-3) / (float(np.median(around)) + 1e-3))


def _detail(plane: Plane) -> float:
    return float(np.abs(np.diff(plane, axis=1)).mean()) + 1e-2
