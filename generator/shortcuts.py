"""How well a small model tells the classes apart by facts alone: a cross-validated AUC with its interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.metrics import Figure, auc, bootstrap, wilson
from generator.file_facts import Fact, Facts

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]

FOLDS, REPEATS, TREES, LEAF = 5, 3, 60, 5
WIDER, NEVER_WRONG = 1.38, 0.99
"""The bootstrap knows nothing of the luck of what was trained on: as much wider is Nadeau & Bengio's interval for 3 × 5
folds (Machine Learning 2003), √((1/15 + 1/4) / (1/5)) in standard errors and 2.145 / 1.96 in Student's t."""
PATIENCE_SECONDS = 0.4
LEVELS = 20
SHOWN_LEVELS = 4


@dataclass(frozen=True)
class Told:
    """One fact on its own: its AUC (either direction, 0.5 where it tells nothing) and its values in each class.

    A number's values are its 10th, 50th and 90th percentile, a word's are its commonest words, each with its share.
    """

    name: str
    auc: float
    numbers: dict[str, tuple[float, float, float]]
    words: dict[str, tuple[tuple[str, float], ...]]


@dataclass(frozen=True)
class Finding:
    """What a group of facts tells: the model's AUC, and each fact on its own, the most telling first.

    `varying` counts the facts that are not the same in every picture; with none the AUC is exactly 0.5.
    """

    group: str
    auc: Figure
    varying: int
    facts: tuple[Told, ...]


def tell_apart(
    group: str, rows: Sequence[Facts], labels: Labels, classes: Sequence[str], kin: Sequence[int], seed: int
) -> Generator[None, None, Finding]:
    """Return the finding for one group of facts, yielding while it works.

    `labels` index `classes`; pictures of one number in `kin` (near-duplicates) stay on one side of every fold. The
    model is chosen beforehand and never tuned: extremely randomised trees (Geurts, Machine Learning 2006), the mean of
    their answers over three repeats of a stratified 5-fold cross-validation. More than two classes: the mean of each
    class's AUC against the rest. The interval is the bootstrap over pictures of the held-out answers, made `WIDER`.
    """
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    varying = {name: values for name, values in columns.items() if len(set(values)) > 1}
    folds = [_folds(labels, kin, seed + repeat) for repeat in range(REPEATS)]
    facts = [_told(name, values, labels, classes, folds[0]) for name, values in columns.items()]
    facts.sort(key=lambda fact: -round(fact.auc, 2))  # of equals the first listed: the format before its consequences
    if not varying:
        return Finding(group, Figure(0.5, 0.5, 0.5, len(rows)), 0, tuple(facts))
    matrix = np.concatenate([_encoded(values) for values in varying.values()], axis=1)
    scores = np.zeros((len(rows), len(classes)))
    for repeat, fold in enumerate(folds):
        scores += yield from _held_out(matrix, labels, len(classes), fold, seed + repeat)
    return Finding(group, _figure(scores, labels, seed), len(varying), tuple(facts))


def _folds(labels: Labels, kin: Sequence[int], seed: int) -> Labels:
    """Return a fold for each picture: classes are spread evenly, near-duplicates stay together."""
    rng, fold_of = np.random.default_rng(seed), dict[int, int]()
    for label in np.unique(labels):
        groups = list(dict.fromkeys(kin[int(place)] for place in rng.permutation(np.flatnonzero(labels == label))))
        for number, group in enumerate(group for group in groups if group not in fold_of):
            fold_of[group] = number % FOLDS
    return np.array([fold_of[group] for group in kin])


def _encoded(values: Sequence[Fact]) -> Matrix:
    """Return a fact as columns: a number as it is, a word as one column for each of its commonest values."""
    if not isinstance(values[0], str):
        return np.array(values, np.float64)[:, None]
    common = [level for level, count in Counter(values).most_common(LEVELS) if count > 1]
    return np.array([[float(value == level) for level in common] or [0.0] for value in values])


def _held_out(matrix: Matrix, labels: Labels, classes: int, fold: Labels, seed: int) -> Generator[None, None, Matrix]:
    """Return (N, C) answers for each picture by the model that was fitted on the other folds."""
    answers = np.zeros((len(labels), classes))
    with ThreadPoolExecutor(1) as pool:
        for number in np.unique(fold):
            test = fold == number
            if test.all():
                continue  # near-duplicates all: nothing is left to learn from
            fitted = pool.submit(_fit, matrix[~test], labels[~test], matrix[test], seed)
            while not wait([fitted], PATIENCE_SECONDS).done:
                yield
            present, part = fitted.result()
            answers[np.ix_(test, present)] = part
            yield
    return answers


def _fit(train: Matrix, labels: Labels, test: Matrix, seed: int) -> tuple[Labels, Matrix]:
    from sklearn import ensemble

    trees: Any = ensemble.ExtraTreesClassifier
    model = trees(TREES, min_samples_leaf=LEAF, class_weight="balanced", random_state=seed)
    model.fit(train, labels)
    return model.classes_, model.predict_proba(test)


def macro_auc(scores: Matrix, labels: Labels) -> float:
    """Return the AUC of scores (N, C): of two classes the second's, of more the mean of each against the rest."""
    kinds = range(1, 2) if scores.shape[1] == 2 else range(scores.shape[1])
    return float(np.mean([auc(scores[:, kind], labels == kind) for kind in kinds]))


def _figure(scores: Matrix, labels: Labels, seed: int) -> Figure:
    """Return the AUC with its interval; where the classes do not overlap, Wilson's lower bound for the smaller one."""
    found = bootstrap(lambda index: macro_auc(scores[index], labels[index]), labels, seed)
    low, high = (found.value + WIDER * (end - found.value) for end in (found.low, found.high))
    if found.low > NEVER_WRONG:
        fewest = int(np.bincount(labels).min())
        low = min(low, wilson(fewest, fewest).low)
    return Figure(found.value, max(0.0, low), min(1.0, high), found.n)


def _told(name: str, values: Sequence[Fact], labels: Labels, classes: Sequence[str], fold: Labels) -> Told:
    by_class = {kind: [value for value, label in zip(values, labels, strict=True) if label == index]
                for index, kind in enumerate(classes)}  # fmt: skip
    if isinstance(values[0], str):
        words = {kind: _shares(found) for kind, found in by_class.items()}
        return Told(name, _word_auc(values, labels, len(classes), fold), {}, words)
    numbers = {kind: _spread(found) for kind, found in by_class.items()}
    column = np.array(values, np.float64)
    kinds = range(1, 2) if len(classes) == 2 else range(len(classes))
    each = [auc(column, labels == kind) for kind in kinds]
    return Told(name, float(np.mean([max(one, 1 - one) for one in each])), numbers, {})


def _shares(values: Sequence[Any]) -> tuple[tuple[str, float], ...]:
    return tuple((str(level), count / len(values)) for level, count in Counter(values).most_common(SHOWN_LEVELS))


def _spread(values: Sequence[Any]) -> tuple[float, float, float]:
    low, middle, high = np.percentile(np.array(values, np.float64), [10, 50, 90])
    return float(low), float(middle), float(high)


def _word_auc(values: Sequence[Fact], labels: Labels, classes: int, fold: Labels) -> float:
    """Return how well a word alone tells: each picture scores how common its class is for the word in other folds."""
    if len(set(values)) == 1:
        return 0.5
    levels = np.unique(np.array(values), return_inverse=True)[1]
    scores = np.zeros((len(values), classes))
    for number in np.unique(fold):
        test = fold == number
        counts: Mapping[tuple[int, int], int] = Counter(
            zip(levels[~test].tolist(), labels[~test].tolist(), strict=True)
        )
        sizes = np.bincount(labels[~test], minlength=classes)
        rates = {level: _rates(counts, level, sizes) for level in np.unique(levels).tolist()}
        scores[test] = [rates[level] for level in levels[test].tolist()]
    return max(0.5, macro_auc(scores, labels))


def _rates(counts: Mapping[tuple[int, int], int], level: int, sizes: Labels) -> Matrix:
    """Return each class's share among the pictures of one word, had all classes the same size."""
    each = np.array([(counts.get((level, kind), 0) + 0.5) / (size + 1) for kind, size in enumerate(sizes)])
    share: Matrix = each / each.sum()
    return share
