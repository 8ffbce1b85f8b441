"""What a phase reads: pictures, or the features that a frozen trunk says of them, computed once.

In a phase that trains the head only, the trunk gives the same features for a picture in every epoch, if the picture is
not varied and nothing in the trunk is random. They are kept, and an epoch costs what the head costs.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from classifier import nets, zoo
from classifier.batches import Batch, Regions, constant_batches, drawn, parts, plain_batches, training_batches
from classifier.data import Labelled, Pictures
from classifier.history import Extracted
from classifier.numerics import autocast
from classifier.recipes import Phase, Recipe

MAX_BYTES = 2 * 2**30
"""Features that take more memory are computed anew in every epoch."""


@dataclass(frozen=True, eq=False)
class Feed:
    """What a phase reads: `network` takes the inputs of `training(epoch)` and of `validation()`."""

    network: nn.Module
    training: Callable[[int], Iterator[Batch]]
    validation: Callable[[], Iterator[Regions]]
    cached: bool = False


@dataclass(frozen=True, eq=False)
class Source:
    """What a feed is made from."""

    recipe: Recipe
    data: Labelled
    pictures: Pictures
    device: torch.device


def placed(x: Tensor, device: torch.device) -> Tensor:
    """Return the inputs on a device, pictures in channels-last order."""
    return x.to(device, memory_format=torch.channels_last) if x.dim() == 4 else x.to(device)


def whole(source: Source, network: nn.Module) -> Feed:
    """Return the feed of pictures for the whole network."""
    train, val = source.data.splits["train"], source.data.splits["val"]
    return Feed(
        network,
        lambda epoch: training_batches(train, source.recipe, source.data.classes, source.pictures, epoch),
        lambda: plain_batches(val, source.recipe, source.pictures),
    )


def can_keep(recipe: Recipe, phase: Phase, network: nn.Module) -> bool:
    """Return whether a frozen trunk's features are the same in every epoch; the network is frozen for the phase."""
    if phase.trainable != "head" or recipe.cache_features == "never" or not recipe.augment.constant:
        return False
    nets.train_mode(network)
    tail = tail_of(recipe)
    return not any(_is_random(module) for name, module in network.named_modules() if name.partition(".")[0] != tail)


def tail_of(recipe: Recipe) -> str:
    """Return the name of the network's last part, which the head is in: it is computed in every epoch."""
    return zoo.arch(recipe.arch).head.partition(".")[0]


def _is_random(module: nn.Module) -> bool:
    from torchvision.ops import StochasticDepth

    kinds = (nn.modules.dropout._DropoutNd, StochasticDepth)
    return isinstance(module, kinds) and module.training and float(module.p) > 0


def kept(source: Source, network: nn.Module) -> Generator[Extracted, None, Feed]:
    """Compute the features of all pictures of train and val, yielding while it works; return the feed of the tail.

    It is the feed of pictures after all where the features would take more than `MAX_BYTES`.
    """
    recipe, data = source.recipe, source.data
    train, val = data.splits["train"], data.splits["val"]
    of, found, answers = len(train) + len(val), list[Tensor](), list[Regions]()
    network.eval()
    for x in constant_batches(train, recipe, source.pictures):
        found.append(_features(source, network, x))
        if found[0][0].numel() * found[0].element_size() * of > MAX_BYTES:
            return whole(source, network)
        yield Extracted(sum(map(len, found)), of)
    for x, counts, labels in plain_batches(val, recipe, source.pictures):
        answers.append((_features(source, network, x), counts, labels))
        yield Extracted(len(train) + sum(len(one) for _, _, one in answers), of)
    features, labels = torch.cat(found), torch.tensor([item.label for item in train])

    def training(epoch: int) -> Iterator[Batch]:
        order = torch.from_numpy(drawn(train, recipe, data.classes, epoch))
        for part in parts(len(order), recipe.batch_size):
            yield features[order[part]], labels[order[part]]

    return Feed(network.get_submodule(tail_of(recipe)), training, lambda: iter(answers), cached=True)


@torch.no_grad()
def _features(source: Source, network: nn.Module, x: Tensor) -> Tensor:
    """Return what goes into the tail, as it does, in single precision."""
    seen: list[Tensor] = []
    tail = network.get_submodule(tail_of(source.recipe))
    hook = tail.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    try:
        with autocast(source.recipe, source.device):
            network(placed(x, source.device))
    finally:
        hook.remove()
    return seen[0].float().cpu()
