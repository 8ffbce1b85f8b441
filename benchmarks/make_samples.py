"""Draw the sample pictures of resources/samples: computed from seeds, nothing of them was photographed or downloaded.

Run `python benchmarks/make_samples.py [FOLDER]`; needs the extra 'train' for the up-sampled picture.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Floats = NDArray[np.float64]
SAMPLES = Path(__file__).resolve().parent.parent / "resources" / "samples"
TEXT = (
    "A picture carries traces of how it was made. A sensor leaves noise that its colour filter spread to the "
    "neighbours; a generator leaves the rhythm of its up-sampling layers. Saving, shrinking and sending wear both "
    "away. So an honest answer is a probability, and sometimes it is: this cannot be told."
)


def noise(shape: tuple[int, int], cells: int, rng: np.random.Generator) -> Floats:
    """Return gradient noise in about [-1, 1] (Perlin, SIGGRAPH 1985), `cells` lattice cells across the width."""
    height, width = shape
    rows = int(np.ceil(cells * height / width)) + 2
    angle = rng.uniform(0, 2 * np.pi, (rows, cells + 2))
    y, x = np.meshgrid(np.arange(height) * cells / width, np.arange(width) * cells / width, indexing="ij")
    top, left = y.astype(int), x.astype(int)
    dy, dx = y - top, x - left
    smooth_y, smooth_x = (d**3 * (d * (d * 6 - 15) + 10) for d in (dy, dx))
    corners = [
        np.cos(angle[top + v, left + u]) * (dx - u) + np.sin(angle[top + v, left + u]) * (dy - v)
        for v, u in ((0, 0), (0, 1), (1, 0), (1, 1))
    ]
    upper = corners[0] + smooth_x * (corners[1] - corners[0])
    lower = corners[2] + smooth_x * (corners[3] - corners[2])
    return np.asarray((upper + smooth_y * (lower - upper)) * np.sqrt(2))


def fractal(shape: tuple[int, int], cells: int, octaves: int, rng: np.random.Generator) -> Floats:
    """Return gradient noise summed over octaves of half the amplitude each."""
    return np.asarray(np.sum([noise(shape, cells * 2**level, rng) / 2**level for level in range(octaves)], axis=0))


def blend(low: Floats, high: Floats, weight: Floats) -> Floats:
    """Return the colours between `low` and `high` (broadcast against (H, W, 3)) for weights (H, W)."""
    return np.asarray(low + np.clip(weight, 0, 1)[..., None] * (np.asarray(high) - low))


def colour(*values: float) -> Floats:
    """Return three numbers: a linear colour, a place or a direction."""
    return np.array(values, float)


def valley(rng: np.random.Generator) -> Floats:
    """Ridges behind each other in haze under a clouded sky, (480, 640, 3) linear light."""
    shape = (480, 640)
    y = np.linspace(0, 1, shape[0])[:, None] * np.ones(shape[1])
    clouds = fractal(shape, 3, 6, rng)
    scene = blend(colour(0.18, 0.36, 0.72), colour(0.75, 0.82, 0.9), y * 1.6 + np.clip(clouds, 0, 1) * 0.8)
    for depth in range(5):
        ridge = 0.38 + 0.12 * depth + 0.16 / (1 + 0.4 * depth) * fractal((1, shape[1]), 3 + depth, 6, rng)[0]
        grain = fractal(shape, 24 + 12 * depth, 4, rng)
        rock = blend(colour(0.05, 0.11, 0.03), colour(0.22, 0.2, 0.12), 0.5 + 0.6 * grain)
        ground = blend(rock, colour(0.62, 0.7, 0.8), np.full(shape, 0.75 - 0.18 * depth))
        scene = np.where((y > ridge)[..., None], ground, scene)
    return scene


def dunes(rng: np.random.Generator) -> Floats:
    """A field of sand lit from the side, (480, 640, 3) linear light."""
    shape = (480, 640)
    warp = 30 * fractal(shape, 2, 3, rng)
    y, x = np.mgrid[: shape[0], : shape[1]]
    height = (
        26 * fractal(shape, 2, 4, rng) + 2.2 * np.sin((0.5 * x + y + 2 * warp) / 7) + 0.6 * fractal(shape, 80, 3, rng)
    )
    slope_y, slope_x = np.gradient(height)
    light = (0.7 * slope_x - 0.4 * slope_y + 1) / np.sqrt(slope_x**2 + slope_y**2 + 1)
    return blend(colour(0.16, 0.07, 0.03), colour(0.95, 0.68, 0.4), light / 1.5)


def camera(scene: Floats, rng: np.random.Generator) -> Floats:
    """Look at a scene as a sensor does: shot and read noise, one colour a pixel, bilinear demosaicing, a tone curve."""
    height, width = scene.shape[:2]
    raw = rng.poisson(np.clip(scene, 0, 1) * 900) / 900 + rng.normal(0, 0.004, scene.shape)
    mask = np.zeros((height, width, 3))
    mask[0::2, 0::2, 0] = mask[0::2, 1::2, 1] = mask[1::2, 0::2, 1] = mask[1::2, 1::2, 2] = 1
    spread = [_spread(raw[..., one] * mask[..., one]) / _spread(mask[..., one]) for one in range(3)]
    return np.asarray(np.clip(np.stack(spread, axis=-1), 0, 1) ** (1 / 2.2))


def _spread(plane: Floats) -> Floats:
    padded = np.pad(plane, 1, mode="reflect")
    weights = np.outer([1, 2, 1], [1, 2, 1])
    height, width = plane.shape
    moved = (weights[v, u] * padded[v : v + height, u : u + width] for v in range(3) for u in range(3))
    return np.asarray(sum(moved))


def spheres(_rng: np.random.Generator) -> Floats:
    """Three spheres over a chequered floor, ray traced with shadows and one reflection, (360, 480, 3)."""
    y, x = np.meshgrid(np.linspace(0.75, -0.75, 360), np.linspace(-1, 1, 480), indexing="ij")
    rays = np.stack([x, y - 0.15, np.full_like(x, 1.4)], axis=-1)
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    eye = np.zeros_like(rays) + colour(0, 0.55, -3)
    return np.asarray(np.clip(_trace(eye, rays, 1), 0, 1) ** (1 / 2.2))


BALLS = (
    ((-1.05, 0.0, 0.6), 1.0, (0.75, 0.18, 0.1)),
    ((0.75, -0.35, 0.2), 0.65, (0.1, 0.35, 0.6)),
    ((0.05, -0.72, -0.9), 0.28, (0.8, 0.65, 0.15)),
)
SUN = np.array([0.5, 0.75, -0.45]) / np.linalg.norm([0.5, 0.75, -0.45])


def _trace(origin: Floats, ray: Floats, bounces: int) -> Floats:
    nearest, normal, paint = _hit(origin, ray)
    point = origin + np.where(np.isfinite(nearest), nearest, 0)[..., None] * ray + 1e-4 * normal
    shade = np.isinf(_hit(point, np.broadcast_to(SUN, point.shape))[0]) * np.clip(normal @ SUN, 0, 1)
    lit = paint * (0.18 + 0.82 * shade)[..., None]
    if bounces:
        mirrored = ray - 2 * np.sum(ray * normal, axis=-1, keepdims=True) * normal
        lit = 0.78 * lit + 0.22 * _trace(point, mirrored, bounces - 1)
    sky = blend(colour(0.85, 0.88, 0.92), colour(0.25, 0.45, 0.8), ray[..., 1] * 1.5)
    return np.where(np.isfinite(nearest)[..., None], lit, sky)


def _hit(origin: Floats, ray: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the distance (inf: none), normal and colour of what each ray meets first."""
    with np.errstate(divide="ignore", invalid="ignore"):
        floor = (-1 - origin[..., 1]) / ray[..., 1]
    nearest = np.where((floor > 1e-4) & (floor < 40), floor, np.inf)
    place = origin + np.where(np.isfinite(nearest), nearest, 0)[..., None] * ray
    dark = (np.floor(place[..., 0]) + np.floor(place[..., 2])) % 2
    normal = np.zeros_like(ray) + colour(0, 1, 0)
    paint = blend(colour(0.8, 0.8, 0.78), colour(0.12, 0.13, 0.15), dark)
    for centre, radius, tint in BALLS:
        offset = origin - centre
        b = np.sum(offset * ray, axis=-1)
        inside = b**2 - np.sum(offset**2, axis=-1) + radius**2
        distance = -b - np.sqrt(np.maximum(inside, 0))
        closer = (inside > 0) & (distance > 1e-4) & (distance < nearest)
        nearest = np.where(closer, distance, nearest)
        out = (offset + distance[..., None] * ray) / radius
        normal, paint = (np.where(closer[..., None], new, old) for new, old in ((out, normal), (colour(*tint), paint)))
    return nearest, normal, paint


def julia(_rng: np.random.Generator) -> Floats:
    """A Julia set with smooth colouring, (360, 480, 3)."""
    y, x = np.meshgrid(np.linspace(-1.05, 1.05, 360), np.linspace(-1.4, 1.4, 480), indexing="ij")
    z, count = x + 1j * y, np.zeros(x.shape)
    for _ in range(160):
        inside = np.abs(z) < 8
        z = np.where(inside, z**2 + (-0.79 + 0.15j), z)
        count += inside
    smooth = count + 1 - np.log2(np.maximum(np.log(np.abs(z) + 1e-12), 1e-12))
    t = np.where(count < 160, smooth / 48, 0)
    return np.stack([np.sin(3.0 * t) ** 2, np.sin(2.2 * t + 0.4) ** 2, np.sin(1.3 * t + 0.9) ** 2], axis=-1) * 0.95


def page(_rng: np.random.Generator) -> Floats:
    """A page of text with a rule and a framed box, (560, 420, 3)."""
    image = Image.new("RGB", (420, 560), (250, 249, 245))
    draw = ImageDraw.Draw(image)
    draw.text((36, 40), "On traces", (30, 32, 36), ImageFont.load_default(30))
    draw.line((36, 84, 384, 84), (178, 58, 14), 2)
    lines, words = [""], TEXT.split()
    for word in words:
        grown = f"{lines[-1]} {word}".strip()
        lines[-1:] = [grown] if len(grown) <= 44 else [lines[-1], word]
    for index, line in enumerate(lines):
        draw.text((36, 104 + 26 * index), line, (50, 53, 58), ImageFont.load_default(15))
    draw.rectangle((36, 420, 384, 510), outline=(0, 105, 95), width=2)
    draw.text((52, 452), "p is a probability, not a proof.", (0, 105, 95), ImageFont.load_default(18))
    return np.asarray(image) / 255


def decoder(rng: np.random.Generator) -> Floats:
    """Another valley, shrunk and grown again by random layers like those of a generator's decoder, (480, 640, 3)."""
    from classifier.fingerprint import upsampled

    return upsampled(to_bytes(camera(valley(rng), rng)), rng) / 255


def to_bytes(picture: Floats) -> NDArray[np.uint8]:
    """Return a picture in [0, 1] as bytes."""
    return np.asarray((np.clip(picture, 0, 1) * 255).round(), np.uint8)


PICTURES: dict[str, Callable[[np.random.Generator], Floats]] = {
    "valley.jpg": lambda rng: camera(valley(rng), rng),
    "dunes.jpg": lambda rng: camera(dunes(rng), rng),
    "spheres.png": spheres,
    "julia.jpg": julia,
    "page.png": page,
    "decoder.png": decoder,
}


def main() -> None:
    """Draw all samples into a folder."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES
    out.mkdir(parents=True, exist_ok=True)
    for seed, (name, draw) in enumerate(PICTURES.items(), 1):
        image = Image.fromarray(to_bytes(draw(np.random.default_rng(seed))))
        image.save(out / name, **({"quality": 90} if name.endswith(".jpg") else {"optimize": True}))
        print(f"{name:12} {image.width} × {image.height}  {(out / name).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
