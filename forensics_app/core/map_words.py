"""What is said of maps wherever they are shown: how far one can be trusted, what a stage sees, what Grad-CAM is."""

from __future__ import annotations

from dataclasses import dataclass

from classifier.trust import Level, Trust

MARKS: dict[Level, str] = {"good": "●●●", "fair": "●●○", "poor": "●○○", "untested": "○○○"}
"""Signs that need no colour, beside the word."""

STAGES = {
    "first": "edges and spots of colour, in small fields",
    "second": "textures and corners",
    "third": "patterns and parts",
    "last": "whole parts and things, in large fields; the answer is made from it, so read this one",
}
"""What the four stages of a walk see, by name."""

WALK = (
    "The same picture at four depths of the network. From left to right the fields that are looked at grow and what is "
    "seen in them comes closer to the answer; the maps become coarser and say more about the class. Early maps outline "
    "whatever has edges, whichever class is asked for: read the last one, and the others to see how it came about."
)

GRAD_CAM = (
    (
        "A network for pictures answers with a number for each class. Grad-CAM (gradient-weighted class activation "
        "mapping, Selvaraju et al. 2017) asks which places of the picture raised one of these numbers."
    ),
    (
        "Inside the network, the picture has become a few hundred small grey pictures, its feature maps: each lights "
        "up where it finds its own pattern, an eye or a stripe. For the class that is asked about, the gradient says "
        "how much the number would rise if one of them lit up a little more. That is its weight. The maps are added up "
        "with these weights, what is below zero is dropped, and the sum is laid over the picture."
    ),
    (
        "So a bright place is one whose patterns spoke for the class. The map is as coarse as the feature maps are, "
        "often 7 × 7, and is drawn smooth. It shows what the network used, not what is true: a bright place can be the "
        "wrong reason for a right answer. Each map has its own scale, so two pictures' brightness cannot be compared."
    ),
    (
        "Whether a map can be trusted is tested. Parts of the picture are deleted in the order of the map, and put "
        "back in that order: if the answer falls, and returns, sooner than with the same map laid elsewhere, the map "
        "marks what the answer hangs on (Petsiuk et al. 2018). And the map is drawn again after the network's last "
        "layers have forgotten what they learned: if it still looks the same, it shows the picture's edges and not "
        "the network's reasons (Adebayo et al. 2018)."
    ),
)
"""For a reader who has never seen one."""


@dataclass(frozen=True)
class Badge:
    """How far a map can be trusted, as it is shown: signs, a word, a sentence, and the figures behind it."""

    mark: str
    level: Level
    words: str
    figures: str


def badge(trust: Trust) -> Badge:
    """Return the badge of a map."""
    return Badge(MARKS[trust.level], trust.level, trust.words, figures(trust))


def figures(trust: Trust) -> str:
    """Return what was measured of a map, in a line; empty if nothing was."""
    parts = []
    if trust.deletion is not None and trust.deletion_random is not None:
        parts.append(f"deletion {trust.deletion:.2f}, elsewhere {trust.deletion_random:.2f}")
    if trust.insertion is not None and trust.insertion_random is not None:
        parts.append(f"insertion {trust.insertion:.2f}, elsewhere {trust.insertion_random:.2f}")
    if trust.beaten is not None:
        parts.append(f"better than {trust.beaten} of {trust.random_maps}")
    if trust.randomised_similarity is not None:
        parts.append(f"like that of random weights {trust.randomised_similarity:.2f}".replace("-", "−"))
    return "; ".join(parts)
