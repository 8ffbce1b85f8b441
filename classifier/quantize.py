"""A detector in 8-bit integers, and the gate that it has to pass: how far its answers moved on pictures set aside."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.atomic import put, write_json
from classifier.data import Item, Labelled, Pictures, Split
from classifier.detector import CARD, FAST, GRAPH, WEIGHTS, Card, Installed, open_folder, sha256_of
from classifier.evaluate import Scores, Stage, collected, measured, pictures_of, score, splits_of
from classifier.metrics import Figure, Metrics, wilson
from classifier.paired import difference
from classifier.preprocess import Floats, regions
from classifier.runtime import Detector, calibrated
from classifier.tensors import TENSORS

RANGED_ON = 128
ROUNDS, REGIONS = 11, 16
GATED_ON = 100
"""With fewer pictures than this, one of them decides about the gate's 2 %: a run makes no twin then."""
LIMIT = "It computes in 8-bit integers: its probabilities differ a little from those of the detector it was made from."


class QuantizationRefused(Exception):
    """A detector that cannot be quantized, or moved too far when it was; `str()` says by how much and what to do."""


@dataclass(frozen=True)
class Limits:
    """How far the answers may move: the largest shift of a probability, and the part of changed answers."""

    shift: float = 0.1
    flipped: float = 0.02


@dataclass(frozen=True)
class Speed:
    """Regions a second in one thread, before and after, and the ratio of each round's times, in one run."""

    before: float
    after: float
    ratio: Figure


@dataclass(frozen=True)
class Quantized:
    """A quantized detector and what changed on the `n` pictures of `split`.

    `shift` is the largest change of any class's probability on any picture, `shift_95` what 95 % of the pictures stay
    within. `flipped` is the part whose answer changed: the verdict (`answers` is `verdicts`: fake, unsure, real) or the
    most probable class. `p_before` and `p_after` are each picture's probability of `shown_class`, or of the class that
    it was first taken for. `bytes` are the sizes of both.
    """

    name: str
    id: str
    before_id: str
    classes: tuple[str, ...]
    split: str
    n: int
    ranged_on: int
    answers: str
    shift: float
    shift_95: float
    flipped: Figure
    limits: Limits
    passed: bool
    before: Metrics
    after: Metrics
    difference: Figure
    speed: Speed
    bytes: tuple[int, int]
    shown_class: str
    labels: tuple[int, ...]
    p_before: tuple[float, ...]
    p_after: tuple[float, ...]


@dataclass(frozen=True)
class NoTwin:
    """A run's detector got no fast twin; `reason` is a sentence."""

    reason: str


def quantize(
    installed: Installed,
    root: Path,
    folder: Path | None,
    *,
    split: Split = "test",
    limits: Limits | None = None,
    force: bool = False,
    seed: int = 0,
) -> Iterator[Any]:
    """Write a detector in 8-bit integers to `folder`, or (None) as the fast twin inside its own; the last event is the
    `Quantized`.

    The ranges are set on `RANGED_ON` pictures of the training split, the classes drawn equally; `split` has no part in
    it, and decides. Other events are `Stage`, `Ranging` and `Batch`. Raises `QuantizationRefused`, also for a detector
    over the limits unless `force`; `BadData`, `BadImage`.
    """
    check(installed, split)
    from classifier import int8_graph

    limits, card, pictures = limits or Limits(), installed.card, Pictures()
    yield Stage("Reading the pictures")
    data = splits_of(card, root)
    items, ranging = pictures_of(data, split), _drawn(data, seed)
    yield Stage(f"Setting the ranges on {len(ranging)} pictures")
    batches = [regions(pictures[item.path], card.preprocess).batch for item in ranging]
    twin, folder = folder is None, folder or installed.folder / FAST
    part, shares = _beside(folder), False
    try:
        for event in int8_graph.quantized(int8_graph.single(installed), batches):
            if not isinstance(event, bytes):
                yield event
                continue
            if twin:
                shares = int8_graph.write_twin(event, part, installed)
            else:
                int8_graph.write(event, part)
        _write_card(part, _card(installed, len(ranging), shares))
        yield Stage(f"Comparing both on {len(items)} pictures")
        both = Detector(installed.folder), Detector(part)
        before = yield from collected(score(both[0], items, pictures=pictures))
        after = yield from collected(score(both[1], items, pictures=pictures))
        found = _compared(both, items, (before, after), limits)
        if not found["passed"] and not force:
            raise QuantizationRefused(_refusal(found, limits))
        yield Stage("Timing both in one thread")
        speed = timed(Detector(installed.folder, threads=1), Detector(part, threads=1), _stacked(batches))
        _write_card(part, _measured_card(open_folder(part).card, found, split, speed))
        put(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    made = open_folder(folder)
    sizes = tuple(sum((one.folder / name).stat().st_size for name in one.card.files) for one in (installed, made))
    yield Quantized(name=made.card.name, id=made.id, split=split, ranged_on=len(ranging), speed=speed,
                    limits=limits, bytes=(sizes[0], sizes[1]), **found)  # fmt: skip


def fast_twin_of(data: Labelled, split: Split, installed: Installed) -> Iterator[Any]:
    """Make the fast twin of a detector that gives verdicts where it passes the gate and `split` can judge it.

    The events are those of `quantize`; `NoTwin` says why there is none.
    """
    if not installed.judges or len(data.splits[split]) < GATED_ON:
        return
    try:
        yield from quantize(installed, data.root, None, split=split)
    except QuantizationRefused as refused:
        yield NoTwin(str(refused))


def check(installed: Installed, split: str) -> None:
    """Raise `QuantizationRefused` for a detector or a split that quantization is not for."""
    card = installed.card
    if card.precision == "int8":
        raise QuantizationRefused(f"The detector '{card.name}' is in 8-bit integers already.")
    if card.members:
        raise QuantizationRefused(f"The detector '{card.name}' is an ensemble; quantize its members, then join them.")
    if split in ("train", "all"):
        raise QuantizationRefused(
            f"The split '{split}' holds the pictures that set the ranges; compare on test, val or cal."
        )


def timed(before: Detector, after: Detector, batch: Floats) -> Speed:
    """Return the speed of two detectors on (N, 3, S, S), taken in turns so that what else runs slows both alike."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(ROUNDS + 1):
        for one, times in zip((before, after), seconds, strict=True):
            begun = time.perf_counter()
            one.forward(batch)
            if turn:  # the first round warms up
                times.append(time.perf_counter() - begun)
    first, second = np.array(seconds)
    ratios, rng = first / second, np.random.default_rng(0)
    low, high = np.percentile(np.median(rng.choice(ratios, (1000, ROUNDS)), axis=1), [2.5, 97.5])
    middle = Figure(float(np.median(ratios)), float(low), float(high), ROUNDS)
    return Speed(float(len(batch) / np.median(first)), float(len(batch) / np.median(second)), middle)


def _drawn(data: Labelled, seed: int) -> list[Item]:
    """Return the pictures that set the ranges: of each class of the training split equally many, as far as they go."""
    rng, chosen = np.random.default_rng(seed), list[Item]()
    train = data.splits["train"]
    queues = [[item for item in train if item.label == label] for label in range(len(data.classes))]
    queues = [[queue[int(place)] for place in rng.permutation(len(queue))] for queue in queues]
    while len(chosen) < min(RANGED_ON, len(train)):
        chosen.extend(queue.pop() for queue in queues if queue)
    return chosen[:RANGED_ON]


def _beside(folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    part.chmod(0o755)
    return part


def _stacked(batches: Sequence[Floats]) -> Floats:
    return np.concatenate(batches)[:REGIONS]


def _card(installed: Installed, ranged_on: int, shares: bool) -> Card:
    card = installed.card
    from_above = card.files[WEIGHTS] if shares else ""
    facts = {"from": {"name": card.name, "id": installed.id}, "ranged_on": ranged_on}
    changes = {
        "precision": "int8",
        "training": {**card.training, "quantization": facts},
        "metrics": {},
        "shares": from_above,
    }
    return card.model_copy(update={**changes, "limits": (*card.limits, LIMIT)})


def _measured_card(card: Card, found: dict[str, Any], split: str, speed: Speed) -> Card:
    gate = {key: found[key] for key in ("shift", "shift_95", "answers", "passed")} | {
        "flipped": asdict(found["flipped"])
    }
    facts = {**card.training["quantization"], **gate, "speed_ratio": asdict(speed.ratio)}
    return card.model_copy(update={
        "training": {**card.training, "quantization": facts}, "metrics": {split: asdict(found["after"])},
    })  # fmt: skip


def _write_card(part: Path, card: Card) -> None:
    files = {name: sha256_of(part / name) for name in (WEIGHTS, GRAPH, TENSORS) if (part / name).exists()}
    write_json(part / CARD, card.model_copy(update={"files": files}).model_dump(mode="json"))


def _compared(
    both: tuple[Detector, Detector], items: Sequence[Item], scores: tuple[Scores, Scores], limits: Limits
) -> dict[str, Any]:
    """Return what changed from one detector to the other on the same pictures."""
    card, labels = both[0].card, scores[0].labels
    before, after = (calibrated(one.logits, card) for one in scores)
    shifts = np.abs(after - before).max(axis=1)
    changed = _answers(before, card) != _answers(after, card)
    flipped = wilson(int(changed.sum()), len(labels))
    two = len(card.classes) == 2
    place = card.classes.index("fake") if "fake" in card.classes else 0
    shown = np.full(len(labels), place) if two else before.argmax(axis=1)
    rows = np.arange(len(labels))
    after_right, before_right = (one.argmax(axis=1) == labels for one in (after, before))
    return {
        "before_id": both[0].id,
        "classes": card.classes,
        "n": len(labels),
        "answers": "verdicts" if card.band else "classes",
        "shift": float(shifts.max()),
        "shift_95": float(np.quantile(shifts, 0.95)),
        "flipped": flipped,
        "passed": bool(shifts.max() <= limits.shift and flipped.value <= limits.flipped),
        "before": measured(both[0], scores[0], items),
        "after": measured(both[1], scores[1], items),
        "difference": difference(after_right, before_right, labels),
        "shown_class": card.classes[place] if two else "",
        "labels": tuple(labels.tolist()),
        "p_before": tuple(before[rows, shown].tolist()),
        "p_after": tuple(after[rows, shown].tolist()),
    }


def _answers(p: NDArray[np.float64], card: Card) -> NDArray[np.int64]:
    """Return what is said of each picture: the verdict where there is a band, else the most probable class."""
    if card.band is None or "fake" not in card.classes:
        return np.asarray(p.argmax(axis=1))
    p_fake = p[:, card.classes.index("fake")]
    return np.where(p_fake >= card.band.high, 2, np.where(p_fake <= card.band.low, 0, 1))


def _refusal(found: dict[str, Any], limits: Limits) -> str:
    return (
        f"In 8-bit integers the largest shift of a probability is {found['shift']:.3f} (limit {limits.shift:g}) and "
        f"{found['flipped'].value:.1%} of {found['n']:,} {found['answers']} change (limit {limits.flipped:.1%}): not "
        "kept; --force keeps it, --max-shift and --max-flipped set other limits."
    )
