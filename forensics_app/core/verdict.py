"""The only place that says real, fake or unsure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from classifier.detector import Card
from forensics_app.core.words import PHRASES
from forensics_app.evidence import Evidence

Label = Literal["real", "fake", "unsure"]
LABELS: tuple[Label, ...] = ("fake", "unsure", "real")
HEADLINES: dict[Label, str] = {label: PHRASES[label] for label in LABELS}


@dataclass(frozen=True)
class Policy:
    """When to say what: at or above `high` fake, at or below `low` real, unsure between.

    A picture with a side below `min_side_px` is always unsure.
    """

    low: float
    high: float
    min_side_px: int = 0
    calibrated: bool = True


@dataclass(frozen=True)
class Verdict:
    """A label, the calibrated probability of fake in [0, 1], and the reason in one or two sentences."""

    label: Label
    p_fake: float
    reason: str

    @property
    def headline(self) -> str:
        """The label in the words that people are shown."""
        return HEADLINES[self.label]


def policy_of(card: Card) -> Policy:
    """Return the policy that a detector's card asks for; without a band every probability but exactly .5 decides."""
    low, high = (card.band.low, card.band.high) if card.band else (0.5, 0.5)
    side = card.preprocess.size if card.preprocess.kind == "tiles" else 0
    return Policy(low, high, side, calibrated=card.band is not None)


def decide(p_fake: float, evidence: Sequence[Evidence], policy: Policy, *, side_px: int) -> Verdict:
    """Return the verdict for a probability, the evidence and the picture's shorter side.

    Proof decides. Hints never decide alone, but one that speaks against "no sign of generation" leaves the verdict
    open. A picture smaller than the detector looks at, or a probability inside the abstain band, is unsure; and the
    absence of evidence never proves that a picture is real.
    """
    for one in evidence:
        if one.strength == "proof" and one.finding == "synthetic":
            return Verdict("fake", p_fake, one.summary)
    if side_px < policy.min_side_px:
        return Verdict("unsure", p_fake, _too_small(side_px, policy))
    fake, real = p_fake >= policy.high, p_fake <= policy.low
    if fake == real:  # inside the band, on a band without width, or no number at all
        return Verdict("unsure", p_fake, _too_close(p_fake, policy))
    if fake:
        return Verdict("fake", p_fake, f"{_said(p_fake, policy)}.")
    for one in evidence:
        if one.finding == "synthetic":
            return Verdict("unsure", p_fake, f"The pixels show no sign of generation, but: {one.summary}")
    looked = _listed(["the pixels", *(f"the {one.probe}" for one in evidence if one.finding != "failed")])
    return Verdict(
        "real", p_fake, f"{_said(p_fake, policy)}. Looked at: {looked}. That is no proof that a camera made it."
    )


def hundred(p_fake: float) -> str:
    """Return a probability in words; a rounded one never claims certainty."""
    count = round(100 * p_fake)
    words = {0: "Fewer than 1", 100: "More than 99"}.get(count, str(count))
    return f"{words} in 100 pictures that look like this to the detector were generated"


def _said(p_fake: float, policy: Policy) -> str:
    if policy.calibrated:
        return hundred(p_fake)
    return f"The score for generated is {p_fake:.2f}, which is no probability: this detector was never calibrated"


def _too_small(side_px: int, policy: Policy) -> str:
    return (
        f"The picture is too small: {side_px} px on its shorter side, and the detector looks at "
        f"{policy.min_side_px} px. A larger copy can be judged."
    )


def _too_close(p_fake: float, policy: Policy) -> str:
    if math.isnan(p_fake):
        return "The detector gave no probability for this picture."
    if policy.low == policy.high:
        return f"{hundred(p_fake)}: exactly on the line between generated and not."
    return (
        f"{hundred(p_fake)}: too close to call. Between {policy.low:.2f} and {policy.high:.2f} the detector errs "
        "too often."
    )


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
