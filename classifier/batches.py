"""Batches: drawn, varied and stacked in threads ahead of the network.

Each picture is a function of (seed, epoch, place) alone, each mixture of (seed, epoch, first place of its batch).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classifier.augment import varied
from classifier.data import Item, Pictures
from classifier.mixing import mixed
from classifier.preprocess import normalize, regions
from classifier.recipes import Recipe

LOSSLESS = frozenset({".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"})
AHEAD = 4
Batch = tuple[Tensor, Tensor]
"""Inputs, and labels (B,) or shares of the classes (B, C)."""
Regions = tuple[Tensor, list[int], Tensor]
"""Inputs (N, ...) of several pictures, how many of them belong to each, and the labels of the pictures."""
T = TypeVar("T")


def parts(count: int, size: int) -> list[slice]:
    """Return the places of each batch; one picture that would be left over joins the batch before it.

    Batch normalization knows no variance of a single picture.
    """
    starts = list(range(0, count, size))
    if size > 1 and len(starts) > 1 and count - starts[-1] == 1:
        starts.pop()
    ends = [*starts[1:], count] if starts else []
    return [slice(start, end) for start, end in zip(starts, ends, strict=True)]


def drawn(items: Sequence[Item], recipe: Recipe, classes: Sequence[str], epoch: int) -> NDArray[np.int64]:
    """Return the indices of the pictures of an epoch, in order."""
    rng = np.random.default_rng((recipe.seed, epoch, 1))
    count = recipe.samples_per_epoch or len(items)
    if recipe.data.balance or recipe.imbalance == "balanced_sampler":
        return rng.choice(len(items), count, p=_chances(items, recipe, classes))
    rounds = -(-count // len(items))
    return np.concatenate([rng.permutation(len(items)) for _ in range(rounds)])[:count]


def _chances(items: Sequence[Item], recipe: Recipe, classes: Sequence[str]) -> NDArray[np.float64]:
    """Return chances that make the classes equal after up-sampling turned some of the real into fakes.

    With `data.balance` a source counts within its class by the square root of its size.
    """
    share = np.full(len(classes), 1 / len(classes))
    if "fake" in classes and len(classes) == 2 and recipe.augment.upsample:
        real = 1 / (2 * (1 - min(recipe.augment.upsample, 0.5)))
        share[classes.index("fake")], share[1 - classes.index("fake")] = 1 - real, real
    sizes = Counter((item.label, item.source) for item in items)
    raw = np.array([sizes[item.label, item.source] ** -0.5 if recipe.data.balance else 1.0 for item in items])
    labels = np.array([item.label for item in items])
    for label in range(len(classes)):
        mine = labels == label
        raw[mine] *= share[label] / raw[mine].sum() if mine.any() else 0
    return np.asarray(raw / raw.sum())


def training_batches(
    items: Sequence[Item], recipe: Recipe, classes: Sequence[str], pictures: Pictures, epoch: int
) -> Iterator[Batch]:
    """Yield the batches of an epoch: (B, 3, S, S) float32, and (B,) labels or, where pictures are mixed, (B, C)."""
    order = drawn(items, recipe, classes, epoch)
    fake = list(classes).index("fake") if "fake" in classes else None

    def one(place: int) -> tuple[NDArray[np.uint8], int]:
        item = items[order[place]]
        rng = np.random.default_rng((recipe.seed, epoch, place, 2))
        lossless = item.path.suffix.lower() in LOSSLESS
        return varied(
            pictures[item.path], item.label, recipe.augment, recipe.preprocess, rng, lossless=lossless, fake=fake
        )

    def stack(part: slice) -> Batch:
        pairs = [one(place) for place in range(part.start, part.stop)]
        x = torch.from_numpy(normalize(np.stack([pixels for pixels, _ in pairs]), recipe.preprocess))
        labels = torch.tensor([label for _, label in pairs])
        if not recipe.augment.mixes:
            return x, labels
        rng = np.random.default_rng((recipe.seed, epoch, part.start, 3))
        return mixed(x, labels, len(classes), recipe.augment, rng)

    return _ahead(stack, parts(len(order), recipe.batch_size))


def constant_batches(items: Sequence[Item], recipe: Recipe, pictures: Pictures) -> Iterator[Tensor]:
    """Yield (B, 3, S, S) of all pictures in order, as training sees them where nothing is varied."""

    def one(item: Item) -> NDArray[np.uint8]:
        rng = np.random.default_rng(0)  # asked for nothing that changes a picture
        return varied(
            pictures[item.path], item.label, recipe.augment, recipe.preprocess, rng, lossless=False, fake=None
        )[0]

    def stack(part: slice) -> Tensor:
        return torch.from_numpy(normalize(np.stack([one(item) for item in items[part]]), recipe.preprocess))

    return _ahead(stack, parts(len(items), recipe.batch_size))


def plain_batches(items: Sequence[Item], recipe: Recipe, pictures: Pictures) -> Iterator[Regions]:
    """Yield (regions (N, 3, S, S), regions of each picture, labels (B,)) as when judging, without variation."""

    def stack(part: slice) -> Regions:
        looked = [regions(pictures[item.path], recipe.preprocess).batch for item in items[part]]
        labels = torch.tensor([item.label for item in items[part]])
        return torch.from_numpy(np.concatenate(looked)), [len(one) for one in looked], labels

    return _ahead(stack, parts(len(items), recipe.batch_size))


def _ahead(make: Callable[[slice], T], asked: Sequence[slice]) -> Iterator[T]:
    """Yield what is made of each part in order, some of them made ahead in threads."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        waiting: deque[Future[T]] = deque()
        try:
            for part in asked:
                waiting.append(pool.submit(make, part))
                if len(waiting) >= AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
