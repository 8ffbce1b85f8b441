"""How a training picture is varied: one pure function of picture and random generator for every class."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageEnhance

from classifier.fingerprint import upsampled
from classifier.images import Pixels
from classifier.preprocess import KERNELS, pad, regions
from classifier.preprocess_spec import Preprocess
from classifier.recipes import Augment
from classifier.recompress import jpeg

MARGIN_PX = 8


def varied(
    pixels: Pixels,
    label: int,
    spec: Augment,
    prep: Preprocess,
    rng: Generator,
    *,
    lossless: bool,
    fake: int | None,
) -> tuple[Pixels, int]:
    """Return (S, S, 3) training pixels and their label for a picture of (H, W, 3).

    `lossless` says that the file carried no compression history; `fake` is the label of the class fake where there is
    one: a real picture that is sent through an up-sampling becomes it.
    """
    if spec.crop != "native":
        crop = _resized(pixels, spec, prep, rng) if spec.crop == "resized" else _center(pixels, spec, prep, rng)
        return _recompressed(_moved(crop, spec, rng), spec, rng), label
    crop = _native(pixels, prep.size + MARGIN_PX, rng)
    if spec.rescale and rng.random() < spec.rescale:
        crop = _native(_shrunk(pixels, prep.size + MARGIN_PX, rng), prep.size + MARGIN_PX, rng)
    if fake is not None and label != fake and rng.random() < spec.upsample:
        crop, label, lossless = upsampled(crop, rng), fake, True
    if lossless and rng.random() < spec.jpeg.history:
        crop = jpeg(crop, int(rng.integers(55, 96)), rng)
    crop = _recompressed(_native(_moved(crop, spec, rng), prep.size, rng), spec, rng)
    return crop, label


def _native(pixels: Pixels, size: int, rng: Generator) -> Pixels:
    padded = pad(pixels, size)
    top = int(rng.integers(padded.shape[0] - size + 1))
    left = int(rng.integers(padded.shape[1] - size + 1))
    return padded[top : top + size, left : left + size]


def _shrunk(pixels: Pixels, least: int, rng: Generator) -> Pixels:
    factor = max(float(rng.uniform(0.5, 1.0)), least / min(pixels.shape[:2]))
    if factor >= 1:
        return pixels
    size = (max(least, round(pixels.shape[1] * factor)), max(least, round(pixels.shape[0] * factor)))
    kernel = list(KERNELS.values())[int(rng.integers(len(KERNELS)))]
    return np.asarray(Image.fromarray(pixels).resize(size, kernel), dtype=np.uint8)


def _center(pixels: Pixels, spec: Augment, prep: Preprocess, rng: Generator) -> Pixels:
    """The middle of the picture as when judging, turned if the recipe says so."""
    plain = prep.model_copy(update={"mean": (0.0, 0.0, 0.0), "std": (1 / 255,) * 3, "tiles": 1})
    crop = np.ascontiguousarray(np.moveaxis(regions(pixels, plain).batch[0], 0, -1).round().astype(np.uint8))
    return np.asarray(_turned(Image.fromarray(crop), spec, rng), dtype=np.uint8)


def _turned(image: Image.Image, spec: Augment, rng: Generator) -> Image.Image:
    if not spec.rotation_deg:
        return image
    return image.rotate(float(rng.uniform(-spec.rotation_deg, spec.rotation_deg)), Image.Resampling.BILINEAR)


def _resized(pixels: Pixels, spec: Augment, prep: Preprocess, rng: Generator) -> Pixels:
    """A random part of the picture, resized to the network's size (as torchvision's RandomResizedCrop)."""
    height, width = pixels.shape[:2]
    area = height * width * rng.uniform(*spec.scale)
    ratio = float(np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3))))
    part_w, part_h = min(width, np.sqrt(area * ratio)), min(height, np.sqrt(area / ratio))
    left, top = rng.uniform(0, width - part_w), rng.uniform(0, height - part_h)
    image = _turned(Image.fromarray(pixels), spec, rng)
    box = (left, top, left + part_w, top + part_h)
    return np.asarray(image.resize((prep.size, prep.size), KERNELS[prep.kernel], box=box), dtype=np.uint8)


def _moved(pixels: Pixels, spec: Augment, rng: Generator) -> Pixels:
    if rng.random() < spec.flip:
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    if not spec.jitter:
        return pixels
    image = Image.fromarray(pixels)
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = enhance(image).enhance(float(rng.uniform(1 - spec.jitter, 1 + spec.jitter)))
    return np.asarray(image, dtype=np.uint8)


def _recompressed(pixels: Pixels, spec: Augment, rng: Generator) -> Pixels:
    if spec.jpeg.probability and rng.random() < spec.jpeg.probability:
        return jpeg(pixels, int(rng.integers(spec.jpeg.quality[0], spec.jpeg.quality[1] + 1)), rng)
    return pixels
