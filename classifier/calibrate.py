"""From logits to probabilities that mean what they say, and the band in which a detector should abstain. Free of torch.

Both look at the calibration split alone, and give both classes equal weight: a probability is right where real and
generated pictures are equally common.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from classifier.detector import Band, Card
from classifier.evaluate import Scores
from classifier.metrics import Labels, Probabilities, class_weights
from classifier.runtime import calibrated, softmax

TEMPERATURES = np.exp(np.linspace(np.log(0.05), np.log(20), 2001))


def refit(card: Card, scores: Scores, max_fpr: float, max_fnr: float) -> Card:
    """Return the card with temperature, for two classes also the bias, and for fake and real the abstain band."""
    if len(card.classes) > 2:
        return card.model_copy(update={"temperature": temperature(scores.logits, scores.labels)})
    t, bias = platt(scores.logits, scores.labels)
    card = card.model_copy(update={"temperature": t, "bias": (bias, 0.0)})
    if set(card.classes) != {"fake", "real"}:
        return card
    p, fake = calibrated(scores.logits, card), card.classes.index("fake")
    return card.model_copy(update={"band": abstain_band(p, scores.labels, fake, max_fpr=max_fpr, max_fnr=max_fnr)})


def temperature(logits: NDArray[np.float64], labels: Labels) -> float:
    """Return the temperature with the least class-balanced negative log-likelihood of logits (N, C).

    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
    """
    weight = class_weights(labels)
    rows = np.arange(len(labels))

    def loss(t: float) -> float:
        return float(-weight @ np.log(np.maximum(softmax(logits / t)[rows, labels], 1e-12)))

    return float(TEMPERATURES[int(np.argmin([loss(t) for t in TEMPERATURES]))])


def platt(logits: NDArray[np.float64], labels: Labels) -> tuple[float, float]:
    """Return (temperature, bias of class 0) with the least class-balanced negative log-likelihood of logits (N, 2).

    A straight line through the margin (Platt, "Probabilistic Outputs for Support Vector Machines", 1999), its target
    values included: a temperature alone cannot mend a network that leans to one class on pictures that it has not seen.
    """
    margin, weight = logits[:, 0] - logits[:, 1], class_weights(labels)
    counts = np.bincount(labels, minlength=2)
    target = np.where(labels == 0, (counts[0] + 1) / (counts[0] + 2), 1 / (counts[1] + 2))

    def loss(line: NDArray[np.float64]) -> float:
        score = np.exp(line[0]) * margin + line[1]
        return float(weight @ (np.logaddexp(0, score) - target * score))

    found = optimize.minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-10})
    return float(np.exp(-found.x[0])), float(found.x[1])


def abstain_band(p: Probabilities, labels: Labels, fake: int, *, max_fpr: float, max_fnr: float) -> Band:
    """Return the band of p_fake in which to say unsure.

    At or above `high` at most `max_fpr` of the real pictures lie, at or below `low` at most `max_fnr` of the fakes. The
    band always holds .5: a picture that is more likely real is not called fake. The rates are those on this split.
    """
    p_fake, is_fake = p[:, fake], labels == fake
    high = max(0.5, _above(p_fake[~is_fake], max_fpr))
    low = min(0.5, 1 - _above(1 - p_fake[is_fake], max_fnr))
    real_n, fake_n = int((~is_fake).sum()), int(is_fake.sum())
    fpr = float((p_fake[~is_fake] >= high).sum() / real_n) if real_n else None
    fnr = float((p_fake[is_fake] <= low).sum() / fake_n) if fake_n else None
    return Band(low=low, high=high, fpr=fpr, fnr=fnr, n=len(labels))


def _above(scores: NDArray[np.float64], rate: float) -> float:
    """Return the least threshold at or above which at most `rate` of the scores lie."""
    if not len(scores):
        return 0.5
    ordered = np.sort(scores)
    allowed = int(np.floor(rate * len(ordered)))
    return float(min(1.0, np.nextafter(ordered[len(ordered) - 1 - allowed], 2)))
