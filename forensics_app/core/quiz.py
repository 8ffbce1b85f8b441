"""You against the detector: pictures of which it is known how they were made, and how often each side was right."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from classifier.data import BadData, find_pictures
from classifier.images import BadImage, Pixels
from classifier.metrics import Figure, wilson
from classifier.recipes import Data
from classifier.runtime import Detector
from forensics_app.core.analysis import analyze
from forensics_app.core.samples import sample_files
from forensics_app.core.verdict import Label, Verdict

Truth = Literal["real", "fake"]
MOST = 20
SAMPLES: dict[str, Truth] = {
    "decoder.png": "fake", "valley.jpg": "real", "dunes.jpg": "real", "china.jpg": "real", "flower.jpg": "real",
}  # fmt: skip
"""Which of the sample pictures went through a camera's pipeline, simulated or not, and which through a generator's."""


@dataclass(frozen=True)
class Card:
    """A picture to guess, and how it was made."""

    path: Path
    truth: Truth


@dataclass(frozen=True, eq=False)
class Dealt:
    """A picture that can be shown, with the detector's verdict: number `place` of at most `total`."""

    place: int
    total: int
    card: Card
    pixels: Pixels
    verdict: Verdict


@dataclass(frozen=True)
class Guess:
    """What a person said of a picture, and what the detector did."""

    card: Card
    yours: Label
    detectors: Label
    p_fake: float

    @property
    def differ(self) -> bool:
        """True if the two did not say the same."""
        return self.yours != self.detectors


@dataclass(frozen=True)
class Tally:
    """How one side did: right and wrong among what it answered, and how often it was unsure."""

    right: int
    wrong: int
    unsure: int

    @property
    def accuracy(self) -> Figure:
        """The part that was right of those answered, with Wilson's interval; NaN where nothing was answered."""
        return wilson(self.right, self.right + self.wrong)


def deck(folder: Path | None, seed: int) -> tuple[Card, ...]:
    """Return pictures of a folder with `real` and `fake` in it (with or without splits), or the samples, in an order.

    As many of each as there are, shuffled by the seed; more than are asked, because some may not be readable. Raises
    `BadData`.
    """
    rng = random.Random(seed)  # noqa: S311 - a game
    if folder is None:
        cards = [Card(path, SAMPLES[path.name]) for path in sample_files() if path.name in SAMPLES]
        rng.shuffle(cards)
        return tuple(cards)
    found = find_pictures(folder, Data())
    if set(found["train"]) != {"fake", "real"}:
        raise BadData(
            f"{folder} has the folders {', '.join(sorted(found['train'])[:4])}; 'fake' and 'real' are needed."
        )
    piles: dict[Truth, list[Path]] = {"fake": [], "real": []}
    for truth, pile in piles.items():
        pile.extend(path for classes in found.values() for path, _ in classes.get(truth, ()))
        rng.shuffle(pile)
    halves = {truth: iter(pile) for truth, pile in piles.items()}
    cards = []
    for _ in range(MOST):
        pair = [Card(path, truth) for truth, pile in halves.items() if (path := next(pile, None)) is not None]
        rng.shuffle(pair)
        cards.extend(pair)
    first, rest = cards[:MOST], cards[MOST:]
    rng.shuffle(first)  # so that of two neighbours the second does not follow from the first
    return (*first, *rest)


def deal(folder: Path | None, seed: int, detector: Detector) -> Iterator[Dealt]:
    """Read and judge up to twenty pictures, one after the other; what cannot be read is passed over.

    Raises `BadData`, `BadDetector` and `CannotJudge`.
    """
    cards, place = deck(folder, seed), 0
    total = min(len(cards), MOST)
    for card in cards:
        if place == total:
            return
        try:
            analysis = analyze(card.path, detector, heatmap=False)
        except BadImage:
            continue
        yield Dealt(place, total, card, analysis.file.pixels, analysis.verdict)
        place += 1
    if not place:
        raise BadData("None of the pictures can be read.")


def tally(said: Sequence[tuple[Label, Truth]]) -> Tally:
    """Count answers against the truth."""
    unsure = sum(label == "unsure" for label, _ in said)
    right = sum(label == truth for label, truth in said)
    return Tally(right, len(said) - right - unsure, unsure)


def tallies(guesses: Sequence[Guess]) -> tuple[Tally, Tally]:
    """Return how the person and how the detector did."""
    yours = tally([(guess.yours, guess.card.truth) for guess in guesses])
    return yours, tally([(guess.detectors, guess.card.truth) for guess in guesses])
