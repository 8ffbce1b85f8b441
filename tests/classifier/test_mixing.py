"""MixUp and CutMix blend labels as they blend pictures; unequal classes are drawn or weighed alike."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from classifier.batches import drawn, parts, training_batches
from classifier.data import Item, Pictures
from classifier.mixing import mixed, taught
from classifier.objective import Objective, class_weights
from classifier.recipes import Augment
from tests.classifier.pictures import write_folder
from tests.classifier.test_train import recipe_of

FOUR = torch.arange(4)


def mixture(spec: Augment, seed: int, side: int = 32) -> tuple[Tensor, Tensor]:
    """Mix four pictures of one value each: 0, 1, 2 and 3, each of a class of its own."""
    x = FOUR.float()[:, None, None, None].expand(4, 3, side, side).contiguous()
    return mixed(x, FOUR, 4, spec, np.random.default_rng(seed))


def test_mixup_adds_pictures_and_labels_up_in_the_same_shares() -> None:
    shares = []
    for seed in range(400):
        x, y = mixture(Augment(mixup=0.4), seed, side=2)
        share = float(y[1, 1])
        assert torch.allclose(x[1], torch.full((3, 2, 2), share * 1 + (1 - share) * 0), atol=1e-5)
        assert torch.allclose(x[0], torch.full((3, 2, 2), share * 0 + (1 - share) * 3), atol=1e-5)
        assert torch.allclose(y.sum(1), torch.ones(4))
        shares.append(share)
    assert stats.kstest(shares, stats.beta(0.4, 0.4).cdf).pvalue > 1e-3


def test_cutmix_labels_are_the_parts_of_the_area() -> None:
    kinds = set()
    for seed in range(200):
        x, y = mixture(Augment(cutmix=1), seed)
        for row in range(4):
            before = (row - 1) % 4
            assert set(x[row].unique().tolist()) <= {float(row), float(before)}
            assert float((x[row] == row).float().mean()) == pytest.approx(float(y[row, row]), abs=1e-6)
            assert float(y[row, row] + y[row, before]) == pytest.approx(1)
        own = (x[1, 0] == 0).nonzero()
        if len(own):  # what was taken is one box
            height, width = (own.max(0).values - own.min(0).values + 1).tolist()
            assert height * width == len(own)
            kinds.add((height, width))
    assert len(kinds) > 50


def test_both_take_turns_and_the_same_generator_gives_the_same() -> None:
    spec = Augment(mixup=1, cutmix=1)
    cut = [set(mixture(spec, seed)[0].unique().tolist()) <= {0.0, 1.0, 2.0, 3.0} for seed in range(300)]
    assert 110 < sum(cut) < 190
    for seed in range(10):
        for one, again in zip(mixture(spec, seed), mixture(spec, seed), strict=True):
            assert torch.equal(one, again)


def test_a_mixture_counts_as_what_it_has_most_of() -> None:
    assert taught(FOUR).tolist() == [0, 1, 2, 3]
    assert taught(torch.tensor([[0.3, 0.7], [0.6, 0.4]])).tolist() == [1, 0]


def test_batches_of_a_mixing_recipe_have_shares_and_depend_on_seed_and_epoch_alone(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data")
    items = [Item(path, label, name) for label, name in enumerate(("fake", "real"))
             for path in sorted((folder / name).iterdir())]  # fmt: skip
    recipe = recipe_of(augment={"crop": "resized", "mixup": 0.5, "cutmix": 0.5})
    first, again, later = (
        list(training_batches(items, recipe, ("fake", "real"), Pictures(), epoch)) for epoch in (0, 0, 1)
    )
    assert [y.shape for _, y in first] == [(8, 2)] * 4
    assert all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0][0], later[0][0])


def unequal(sizes: dict[str, int]) -> list[Item]:
    return [
        Item(Path(f"{name}{n}"), label, name) for label, (name, size) in enumerate(sizes.items()) for n in range(size)
    ]


def test_class_weights_are_those_of_scikit_learn() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    items = unequal({"a": 3, "b": 30, "c": 7})
    labels = [item.label for item in items]
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    assert class_weights(items, 3).tolist() == pytest.approx(expected.tolist())
    loss = Objective(recipe_of(imbalance="class_weights", data={}), items, 3)
    logits, y = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 1, 2, 0])
    by_hand = torch.nn.functional.cross_entropy(logits, y, weight=class_weights(items, 3))
    assert torch.equal(loss(logits, y)[0], by_hand)
    assert not torch.equal(loss(logits, y)[0], Objective(recipe_of(), items, 3)(logits, y)[0])


def test_the_balanced_sampler_draws_classes_equally_often() -> None:
    items, classes = unequal({"a": 5, "b": 50, "c": 20}), ("a", "b", "c")
    recipe = recipe_of(imbalance="balanced_sampler", data={}, samples_per_epoch=6000, augment={})
    counts = Counter(items[index].label for index in drawn(items, recipe, classes, 0).tolist())
    assert stats.chisquare([counts[label] for label in range(3)]).pvalue > 1e-3
    plain = Counter(items[index].label for index in drawn(items, recipe_of(data={}), classes, 0).tolist())
    assert plain == {0: 5, 1: 50, 2: 20}


def test_auxiliary_heads_count_a_third_and_nothing_where_they_do_not_train() -> None:
    objective, y = Objective(recipe_of(), [], 3), torch.tensor([0, 2])
    main, one, two = (torch.randn(2, 3, generator=torch.Generator().manual_seed(seed)) for seed in range(3))
    plain, aux, other = (torch.nn.functional.cross_entropy(logits, y) for logits in (main, one, two))
    loss, logits = objective((main, two, one), y)
    assert torch.allclose(loss, plain + 0.3 * aux + 0.3 * other)
    assert torch.equal(objective((main, two, one), y, auxiliary=False)[0], plain)
    assert torch.equal(objective(main, y)[0], plain)
    assert logits is main


@pytest.mark.parametrize(
    ("count", "size", "lengths"),
    [(8, 4, [4, 4]), (9, 4, [4, 5]), (10, 4, [4, 4, 2]), (1, 4, [1]), (0, 4, []), (3, 1, [1, 1, 1])],
)
def test_no_picture_is_alone_in_a_batch(count: int, size: int, lengths: list[int]) -> None:
    found = parts(count, size)
    assert [len(range(count)[part]) for part in found] == lengths
    assert [place for part in found for place in range(count)[part]] == list(range(count))
