"""How far a heat map can be trusted: does the answer hang on what it marks, and would another network's differ?

Free of torch, but for the check that takes the weights away, which comes from `classifier.randomised`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from classifier import deletion
from classifier.images import Pixels
from classifier.runtime import Detector, Heat

Level = Literal["good", "fair", "poor", "untested"]

RANDOM_MAPS = 8
"""A map at random beats all of them once in nine times by chance; more of them take more time."""
LEAST_SPAN = 0.1
"""What deleting everything must take from the probability: less is too little to see an order in."""
GOOD_GAIN = 0.2
"""The least `gain` of a good map. Of one that marks all that matters it is near 1, of one at random 0 on average.

Measured on 40 pictures whose answer hangs on parts: with these two rules 80 % of the maps of two detectors are good,
and 7 % of the same maps laid elsewhere. benchmarks/map_trust.py asks the same of any detector.
"""
FAIR_BEATEN = 6
"""Of eight; a map at random beats as many or more one time in three, so fair is no more than a hint."""
TOO_ALIKE = 0.5
"""Rank correlation with maps of random weights from which on a map is poor. On 65 pictures and two detectors it was
between -.55 and .41, over all four stages; an edge detector, which asks no network, has 1."""


@dataclass(frozen=True)
class Trust:
    """How far one map of one picture can be trusted, in a word and in words, with what was measured.

    `deletion` and `insertion` are areas under the curves of the probability, in [0, 1]; `deletion_random` and
    `insertion_random` are the means of the same map at `random_maps` other places, of which it beats `beaten`. `gain`
    is how much further apart the two areas are than the random maps', as a part of what the probability can change.
    `whole` and `emptied` are the probabilities of the picture as it is and with everything deleted. Each is None where
    it was not measured. `randomised_similarity` is the rank correlation with maps of the same network without what it
    learned, None where that was not asked.
    """

    level: Level
    words: str
    deletion: float | None = None
    deletion_random: float | None = None
    insertion: float | None = None
    insertion_random: float | None = None
    gain: float | None = None
    beaten: int | None = None
    random_maps: int = 0
    whole: float | None = None
    emptied: float | None = None
    randomised_similarity: float | None = None


def untested(why: str) -> Trust:
    """Return the badge of a map that was not tested, with the reason as a sentence."""
    return Trust("untested", why)


def trust(
    detector: Detector,
    pixels: Pixels,
    heat: Heat,
    name: str,
    *,
    similarity: float | None = None,
    seed: int = 0,
) -> Trust:
    """Return how far a map of the class `name` of a picture of (H, W, 3) bytes can be trusted.

    `similarity` is what `classifier.randomised` found, if it was asked.
    """
    rng = np.random.default_rng(seed)
    grid = deletion.grid_of(pixels, detector.card.preprocess)
    values = deletion.values_of(heat, grid)
    others = deletion.elsewhere(values, RANDOM_MAPS, rng) if np.ptp(values) else []
    if len(others) < RANDOM_MAPS:
        return untested("The map marks no part more than another, so there is nothing to delete.")
    cls = detector.card.classes.index(name)
    found = deletion.curves(detector, grid, [values, *others], cls, rng)
    return judged(found, similarity)


def judged(found: deletion.Curves, similarity: float | None = None) -> Trust:
    """Return the badge for the curves of a map, in the first row, and of random ones, in the others."""
    whole, emptied = float(found.deletion[0, 0]), float(found.deletion[0, -1])
    deleted, inserted = deletion.areas(found.deletion), deletion.areas(found.insertion)
    apart, span = inserted - deleted, whole - emptied
    others, beaten = apart[1:], int((apart[0] > apart[1:]).sum())
    gain = float(apart[0] - others.mean()) / span if span >= LEAST_SPAN else None
    level, words = _said(found, gain, beaten, similarity)
    return Trust(
        level,
        words,
        deletion=float(deleted[0]),
        deletion_random=float(deleted[1:].mean()),
        insertion=float(inserted[0]),
        insertion_random=float(inserted[1:].mean()),
        gain=gain,
        beaten=beaten,
        random_maps=len(others),
        whole=whole,
        emptied=emptied,
        randomised_similarity=similarity,
    )


def _said(curves: deletion.Curves, gain: float | None, beaten: int, similarity: float | None) -> tuple[Level, str]:
    """Return the level and its reason as a sentence or two."""
    random, whole, emptied = len(curves.deletion) - 1, curves.deletion[0, 0], curves.deletion[0, -1]
    if similarity is not None and similarity >= TOO_ALIKE:
        return "poor", (
            "The map looks nearly the same when the network's last layers have forgotten what they learned, so it does "
            "not show its reasons."
        )
    if gain is None:
        return "untested", (
            f"The answer hardly hangs on any part: with all of them {curves.emptied} its probability is still "
            f"{emptied:.2f}, after {whole:.2f}."
        )
    places = f"the same map at {beaten} of {random} other places"
    if beaten == random and gain >= GOOD_GAIN:
        return "good", (
            f"What it marks takes the answer away when deleted and brings it back when put back, more than {places}."
        )
    if beaten >= FAIR_BEATEN and gain > 0:
        return "fair", f"What it marks matters to the answer more than {places}, which chance may do."
    return "poor", f"What it marks matters to the answer no more than other parts do: more than {places} only."
