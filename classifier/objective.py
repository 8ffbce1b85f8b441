"""What training minimizes: cross-entropy, with the classes weighted and auxiliary heads counted where there are any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from classifier import nets
from classifier.data import Item
from classifier.recipes import Recipe

AUXILIARY = 0.3
"""Weight of an auxiliary head's loss (Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, section 5)."""


class Objective(nn.Module):
    """The training loss of a recipe on its training pictures."""

    def __init__(self, recipe: Recipe, items: Sequence[Item], classes: int) -> None:
        super().__init__()
        weights = class_weights(items, classes) if recipe.imbalance == "class_weights" else None
        self.loss = nn.CrossEntropyLoss(weight=weights, label_smoothing=recipe.label_smoothing)

    def forward(self, output: Any, targets: Tensor, *, auxiliary: bool = True) -> tuple[Tensor, Tensor]:
        """Return the loss and the main logits (B, C); targets are labels (B,) or shares (B, C).

        `auxiliary` is False where the auxiliary heads do not train: what fresh ones say is noise.
        """
        main, others = nets.logits_and_aux(output)
        logits = main.float()
        loss: Tensor = self.loss(logits, targets)
        for other in others if auxiliary else ():
            loss = loss + AUXILIARY * self.loss(other.float(), targets)
        return loss, logits


def class_weights(items: Sequence[Item], classes: int) -> Tensor:
    """Return the weight of each class (C,): n / (C × the class's n), so that classes of equal size weigh 1.

    The "balanced" heuristic of scikit-learn (King and Zeng, "Logistic Regression in Rare Events Data", 2001).
    """
    counts = Counter(item.label for item in items)
    return torch.tensor([len(items) / (classes * counts[label]) if counts[label] else 0.0 for label in range(classes)])
