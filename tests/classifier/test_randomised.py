"""A map that asks the network changes with its weights; one that only sees edges does not, and is found out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from classifier import zoo
from classifier.arch import Arch
from classifier.preprocess import Floats
from classifier.randomised import rank_correlation, similarity, stages_from


class Colours(nn.Module):
    """Finds one colour in one block of channels and another in the next, and answers with the first."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 12, 3, padding=1)
        self.head = nn.Linear(12, 2)
        torch.manual_seed(0)
        with torch.no_grad():
            self.body.weight.mul_(0.1)
            self.body.bias.zero_()
            self.body.weight[:6, 0, 1, 1] += 1
            self.body.weight[6:, 2, 1, 1] += 1
            self.head.weight.copy_(torch.tensor([1.0, -1.0])[:, None] * torch.tensor([1.0] * 6 + [-1.0] * 6))

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.head(self.body(x).relu().mean(dim=(2, 3)))
        return answer


ROW = Arch("colours", lambda _side: Colours(), ("body", "head"), ("body",) * 4)


def batch() -> Tensor:
    x = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    x[:, 0, :8] += 2
    x[:, 2, 8:] += 2
    return x


def edges(_network: nn.Module, _row: Arch, x: Tensor, _cls: int) -> Floats:
    """Return a map that never asks the network: where neighbouring pixels differ."""
    grey = x.mean(dim=1)
    return np.asarray((grey[:, 1:, 1:] - grey[:, :-1, :-1]).abs().numpy(), np.float32)


def test_a_map_that_ignores_the_weights_is_noticed() -> None:
    network = Colours()
    assert similarity(network, ROW, batch(), 0, maps=edges) == pytest.approx(1)
    assert similarity(network, ROW, batch(), 0) < 0.6


def test_the_network_is_left_as_it_was_and_the_seed_decides() -> None:
    network = Colours()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    found = [similarity(network, ROW, batch(), 0, seed=seed) for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_no_map_at_all_has_no_similarity() -> None:
    assert np.isnan(similarity(Colours(), ROW, torch.zeros(1, 3, 16, 16), 0))


def test_weights_are_taken_from_the_maps_stage_to_the_head() -> None:
    known = zoo.arch("resnet18")
    assert stages_from(known, "layer4") == ("layer4", "fc")
    assert stages_from(known, "layer4.1.conv2") == ("layer4", "fc")
    assert stages_from(known, "layer1") == ("layer1", "layer2", "layer3", "layer4", "fc")
    assert stages_from(known, "somewhere") == ("somewhere", "fc")


def test_a_map_of_one_value_is_like_nothing() -> None:
    assert rank_correlation(np.ones((1, 4, 4), np.float32), np.zeros((1, 4, 4), np.float32)) == 0
    ramp = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    assert rank_correlation(ramp, ramp**3) == pytest.approx(1)
    assert rank_correlation(ramp, -ramp) == pytest.approx(-1)
    assert rank_correlation(ramp, np.full_like(ramp, np.nan)) == 0
