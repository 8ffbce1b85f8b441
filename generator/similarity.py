"""How alike two sets of pictures are, and whether the pictures of one are copies out of the other. Free of torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifier.images import Pixels
from classifier.metrics import Z95, Figure, auc, bootstrap, wilson
from classifier.preprocess import regions
from classifier.runtime import Detector

Vectors = NDArray[np.float64]
SMALL_PX = 16
"""Side at which pictures are compared pixel by pixel: what survives is what is where."""
NEIGHBOURS = 50
SUSPICIOUS = 0.01
"""The part of real pictures that lies closer to another one than the limit below which a sample is looked at."""


@dataclass(frozen=True, eq=False)
class Nearest:
    """For each of N pictures the nearest of others: its index, its distance, and `ratio`.

    `ratio` is the distance over the mean distance of the nearest `NEIGHBOURS`: a copy is much nearer to one picture
    than to the next ones, while a blurred picture is near to all of them (after Carlini et al., USENIX Security 2023).
    """

    index: NDArray[np.int64]
    distance: Vectors
    ratio: Vectors


@dataclass(frozen=True)
class Copying:
    """Whether samples are nearer to training pictures than real pictures are that were not among them.

    `closer` is the chance that a sample's ratio lies below a real picture's: one half if it does not copy, 1 if it
    copies. `suspicious` is the part of samples below the ratio of the closest hundredth of real pictures, `limit`.
    """

    closer: Figure
    suspicious: Figure
    limit: float


def kid(a: Vectors, b: Vectors, *, rounds: int = 200, seed: int = 0) -> Figure:
    """Return the kernel distance of two sets of feature vectors (N, D) and (M, D) with its 95 % interval.

    The unbiased estimate of the squared maximum mean discrepancy with the kernel (x·y / D + 1)³, 0 on average for two
    sets of one kind, then also negative (Bińkowski et al., "Demystifying MMD GANs", ICLR 2018). Its error comes from
    random halves of both sets (half-sampling: Shao & Wu, Annals of Statistics 1989). Memory grows as (N + M)².
    """
    if min(len(a), len(b)) < 4:
        raise ValueError("a kernel distance needs at least 4 pictures on each side")
    both = np.concatenate([a, b]).astype(np.float64)
    kernel = (both @ both.T / both.shape[1] + 1) ** 3
    first, rng = np.arange(len(both)) < len(a), np.random.default_rng(seed)
    whole = float(_discrepancy(kernel, first[None], ~first[None])[0])
    halves = _discrepancy(kernel, _halves(first, rounds, rng), _halves(~first, rounds, rng))
    error = Z95 * float(np.sqrt(np.mean((halves - whole) ** 2)))
    return Figure(whole, whole - error, whole + error, len(both))


def _halves(members: NDArray[np.bool_], rounds: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return (rounds, N) masks, each of a random half of the members."""
    places, masks = np.flatnonzero(members), np.zeros((rounds, len(members)), bool)
    for mask in masks:
        mask[rng.choice(places, len(places) // 2, replace=False)] = True
    return masks


def _discrepancy(kernel: Vectors, a: NDArray[np.bool_], b: NDArray[np.bool_]) -> Vectors:
    """Return the unbiased squared discrepancy for each pair of masks, (R, N) both, of the kernel's rows."""
    within = np.zeros(len(a))
    for mask in (a.astype(np.float64), b.astype(np.float64)):
        count = mask.sum(axis=1)
        within += (((mask @ kernel) * mask).sum(axis=1) - mask @ np.diag(kernel)) / (count * (count - 1))
    between = ((a.astype(np.float64) @ kernel) * b).sum(axis=1) / (a.sum(axis=1) * b.sum(axis=1))
    return np.asarray(within - 2 * between)


def embed(detector: Detector, pictures: Sequence[Pixels], *, batch: int = 64) -> Vectors:
    """Return (N, K) vectors: a detector's last feature map, averaged over each picture's regions and their places."""
    looked = [regions(pixels, detector.card.preprocess).batch for pixels in pictures]
    stacked = np.concatenate(looked)
    maps = [detector.forward(stacked[at : at + batch], ("features",))[0] for at in range(0, len(stacked), batch)]
    vectors = np.concatenate(maps).mean(axis=(2, 3), dtype=np.float64)
    ends = np.cumsum([len(one) for one in looked])[:-1]
    return np.stack([part.mean(axis=0) for part in np.split(vectors, ends)])


def unit(vectors: Vectors) -> Vectors:
    """Return vectors (..., D) of length 1; their Euclidean distances order pictures as the cosine does."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))


def small(pictures: NDArray[np.uint8], side: int = SMALL_PX) -> Vectors:
    """Return square pictures (N, S, S, 3) at (N, side, side, 3)."""
    resized = [Image.fromarray(one).resize((side, side), Image.Resampling.BOX) for one in pictures]
    return np.stack([np.asarray(one, np.float64) for one in resized])


def variants(pictures: Vectors, side: int = SMALL_PX) -> Vectors:
    """Return (N, V, side · side · 3): every window of (N, s, s, 3) pictures of side `side`, and its mirror image."""
    room = range(pictures.shape[1] - side + 1)
    windows = [pictures[:, top : top + side, left : left + side] for top in room for left in room]
    both = [flat for one in windows for flat in (one, one[:, :, ::-1])]
    return np.stack([one.reshape(len(pictures), -1) for one in both], axis=1)


def nearest(queries: Vectors, references: Vectors, *, apart: NDArray[np.bool_] | None = None) -> Nearest:
    """Find the nearest of the references (M, V, D) to each query (N, D) by Euclidean distance.

    Of the V variants of a reference the nearest counts. `apart` (N, M) is True where a reference must not be compared
    with a query: itself, and its near-duplicates.
    """
    squares = np.full((len(queries), len(references)), np.inf)
    own = (queries**2).sum(axis=1)[:, None]
    for variant in np.moveaxis(references, 1, 0):
        np.minimum(squares, own + (variant**2).sum(axis=1) - 2 * queries @ variant.T, out=squares)
    distances = np.sqrt(np.maximum(squares, 0))
    if apart is not None:
        distances[apart] = np.inf
    count = min(NEIGHBOURS, int(np.isfinite(distances).sum(axis=1).min()))
    if count < 2:
        raise ValueError("to find what is unusually near at least 2 pictures to compare with are needed")
    mean = np.sort(distances, axis=1)[:, :count].mean(axis=1)
    closest = distances.min(axis=1)
    ratio = np.divide(closest, mean, out=np.zeros_like(mean), where=mean > 0)
    return Nearest(distances.argmin(axis=1), closest, ratio)


def copying(samples: Nearest, held_out: Nearest) -> Copying:
    """Compare samples with real pictures that the generator was not trained on (or that are left out in turn)."""
    ratios = np.concatenate([samples.ratio, held_out.ratio])
    sampled = np.arange(len(ratios)) < len(samples.ratio)
    limit = float(np.quantile(held_out.ratio, SUSPICIOUS))
    closer = bootstrap(lambda chosen: auc(-ratios[chosen], sampled[chosen]), sampled.astype(np.int64))
    return Copying(closer, wilson(int((samples.ratio < limit).sum()), len(samples.ratio)), limit)
