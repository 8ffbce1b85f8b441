"""Training batches: drawn, varied and stacked in threads ahead of the network.

Each picture is a function of (seed, epoch, place) alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classifier.augment import varied
from classifier.data import Item, Pictures
from classifier.preprocess import normalize, regions
from classifier.recipes import Recipe

LOSSLESS = frozenset({".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"})
AHEAD = 4
Batch = tuple[Tensor, Tensor]


def drawn(items: Sequence[Item], recipe: Recipe, classes: Sequence[str], epoch: int) -> NDArray[np.int64]:
    """Return the indices of the pictures of an epoch, in order."""
    rng = np.random.default_rng((recipe.seed, epoch, 1))
    count = recipe.samples_per_epoch or len(items)
    if recipe.data.balance:
        return rng.choice(len(items), count, p=_weights(items, recipe, classes))
    rounds = -(-count // len(items))
    return np.concatenate([rng.permutation(len(items)) for _ in range(rounds)])[:count]


def _weights(items: Sequence[Item], recipe: Recipe, classes: Sequence[str]) -> NDArray[np.float64]:
    """Return chances that make the classes equal after up-sampling turned some of the real into fakes.

    Within a class a source counts by the square root of its size.
    """
    share = np.full(len(classes), 1 / len(classes))
    if "fake" in classes and len(classes) == 2 and recipe.augment.upsample:
        real = 1 / (2 * (1 - min(recipe.augment.upsample, 0.5)))
        share[classes.index("fake")], share[1 - classes.index("fake")] = 1 - real, real
    sizes: dict[tuple[int, str], int] = {}
    for item in items:
        sizes[item.label, item.source] = sizes.get((item.label, item.source), 0) + 1
    raw = np.array([sizes[item.label, item.source] ** -0.5 for item in items])
    labels = np.array([item.label for item in items])
    for label in range(len(classes)):
        mine = labels == label
        raw[mine] *= share[label] / raw[mine].sum() if mine.any() else 0
    return np.asarray(raw / raw.sum())


def training_batches(
    items: Sequence[Item], recipe: Recipe, classes: Sequence[str], pictures: Pictures, epoch: int
) -> Iterator[Batch]:
    """Yield the batches of an epoch: (B, 3, S, S) float32 and (B,) labels."""
    order = drawn(items, recipe, classes, epoch)
    fake = list(classes).index("fake") if "fake" in classes else None

    def one(place: int) -> tuple[NDArray[np.uint8], int]:
        item = items[order[place]]
        rng = np.random.default_rng((recipe.seed, epoch, place, 2))
        lossless = item.path.suffix.lower() in LOSSLESS
        return varied(
            pictures[item.path],
            item.label,
            recipe.augment,
            recipe.preprocess,
            rng,
            lossless=lossless,
            fake=fake,
        )

    def stack(start: int) -> Batch:
        pairs = [one(place) for place in range(start, min(start + recipe.batch_size, len(order)))]
        batch = normalize(np.stack([pixels for pixels, _ in pairs]), recipe.preprocess)
        return torch.from_numpy(batch), torch.tensor([label for _, label in pairs])

    starts = range(0, len(order), recipe.batch_size)
    with ThreadPoolExecutor(max_workers=2) as pool:
        waiting: deque[Future[Batch]] = deque()
        try:
            for start in starts:
                waiting.append(pool.submit(stack, start))
                if len(waiting) >= AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def plain_batches(
    items: Sequence[Item], recipe: Recipe, pictures: Pictures
) -> Iterator[tuple[Tensor, list[int], Tensor]]:
    """Yield (regions (N, 3, S, S), regions of each picture, labels (B,)) as when judging, without variation."""
    for start in range(0, len(items), recipe.batch_size):
        part = items[start : start + recipe.batch_size]
        looked = [regions(pictures[item.path], recipe.preprocess).batch for item in part]
        labels = torch.tensor([item.label for item in part])
        yield torch.from_numpy(np.concatenate(looked)), [len(one) for one in looked], labels
