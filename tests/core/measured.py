"""Results of every kind of measurement, made from drawn probabilities: what the pages tell of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from classifier.degradations import ROWS, Degrade
from classifier.ensemble import Ensembled, Member
from classifier.metrics import Figure, Metrics, measure, wilson
from classifier.paired import difference
from classifier.quantize import Limits, Quantized, Speed
from classifier.robustness import UNTOUCHED, Point, Sweep
from classifier.views import VIEWS, Averaged, Way

if TYPE_CHECKING:
    from classifier.prune import Pruned

BAND = (0.35, 0.65)
ECE = Figure(0.06, 0.03, 0.11, 200)


def drawn(
    classes: tuple[str, ...] = ("fake", "real"), *, n: int = 200, skill: float = 2.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities (N, C) and labels (N,) of a detector that is the better the more `skill` it has."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % len(classes)
    logits = rng.normal(size=(n, len(classes))) + skill * np.eye(len(classes))[labels]
    p = np.exp(logits)
    return p / p.sum(axis=1, keepdims=True), labels


def metrics_of(classes: tuple[str, ...] = ("fake", "real"), **options: float) -> Metrics:
    p, labels = drawn(classes, **options)  # type: ignore[arg-type]
    return measure(p, labels, classes, BAND)


def sweep_of(classes: tuple[str, ...] = ("fake", "real"), name: str = "tiny") -> Sweep:
    points = [Point(UNTOUCHED, None, None, metrics_of(classes), None)]
    for row in ROWS:
        for place, strength in enumerate(row.strengths):
            found = metrics_of(classes, skill=1.8 - 0.35 * place, seed=place)
            loss = Figure(-0.05 * place, -0.05 * place - 0.04, 0.04 - 0.05 * place, 200)
            points.append(Point(Degrade(row, strength).name, row.name, strength, found, loss))
    return Sweep(name, "0" * 16, classes, "test", 0, 200, tuple(points))


def averaged_of(classes: tuple[str, ...] = ("fake", "real"), name: str = "tiny") -> Averaged:
    ways = (
        Way("one view", metrics_of(classes), ECE),
        Way("mean of probabilities", metrics_of(classes, skill=2.4), Figure(0.12, 0.08, 0.18, 200),
            Figure(0.03, 0.01, 0.05, 200), Figure(0.06, 0.02, 0.1, 200)),
        Way("mean of logits", metrics_of(classes, skill=2.3), ECE, Figure(0.02, -0.01, 0.05, 200),
            Figure(0.0, -0.02, 0.02, 200)),
    )  # fmt: skip
    lines = {way.name: tuple(wilson(160 + count, 200) for count in range(10)) for way in ways[1:]}
    ece = {way.name: tuple(Figure(0.05 + count / 100, 0.02, 0.2, 200) for count in range(10)) for way in ways[1:]}
    names, slower = tuple(view.name for view in VIEWS), Figure(9.8, 9.5, 10.1, 200)
    return Averaged(name, "0" * 16, classes, "test", "jpeg75", names, 200, ways, lines, ece, slower, 5.2, 3)


def ensembled_of(classes: tuple[str, ...] = ("fake", "real"), names: tuple[str, ...] = ("one", "one")) -> Ensembled:
    p, labels = drawn(classes, skill=2.6, seed=9)
    right = p.argmax(axis=1) == labels
    members = []
    for place, name in enumerate(names):
        own, _ = drawn(classes, seed=place)
        members.append(Member(name, str(place) * 16, "resnet18", measure(own, labels, classes, BAND), ECE,
                              difference(right, own.argmax(axis=1) == labels, labels), 4.5))  # fmt: skip
    return Ensembled("both", "f" * 16, classes, "test", 200, 100, measure(p, labels, classes, BAND),
                     ECE, ECE, wilson(40, 200), tuple(members))  # fmt: skip


def quantized_of(classes: tuple[str, ...] = ("fake", "real"), name: str = "tiny", *, passed: bool = True) -> Quantized:
    p, labels = drawn(classes)
    after = np.clip(p + np.random.default_rng(1).normal(scale=0.01, size=p.shape), 0, 1)
    return Quantized(
        name=name, id="f" * 16, before_id="0" * 16, classes=classes, split="test", n=200,
        ranged_on=128, answers="verdicts", shift=0.031, shift_95=0.02, flipped=wilson(2, 200), limits=Limits(),
        passed=passed, before=metrics_of(classes), after=metrics_of(classes),
        difference=Figure(0.0, -0.01, 0.01, 200), speed=Speed(80.0, 240.0, Figure(3.0, 2.9, 3.1, 11)),
        bytes=(22_000_000, 11_000_000), shown_class=classes[0] if len(classes) == 2 else "",
        labels=tuple(labels.tolist()), p_before=tuple(p[:, 0].tolist()), p_after=tuple(after[:, 0].tolist()),
    )  # fmt: skip


def pruned_of(classes: tuple[str, ...] = ("fake", "real"), name: str = "tiny", *, epochs: int = 1) -> Pruned:
    from classifier.prune import Kept, Measured, Point, Pruned

    points = []
    for sparsity in (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95):
        low = Measured(
            metrics_of(classes, skill=2 - 2 * sparsity), ECE, Figure(-sparsity / 3, -0.4, 0.1 - sparsity / 3, 200)
        )
        tuned = Measured(
            metrics_of(classes, skill=2 - sparsity), ECE, Figure(-sparsity / 9, -0.2, 0.08 - sparsity / 9, 200)
        )
        points.append(Point(sparsity, sparsity, 0.99 * sparsity, low, tuned if epochs and sparsity else None, 3.2))
    kept = Kept("e" * 16, 0.8, 100, metrics_of(classes))
    return Pruned(name, "0" * 16, classes, "unstructured", "test", 200, epochs, 0.001 if epochs else None, 0,
                  tuple(points), kept if epochs else None)  # fmt: skip
