"""Which measured pictures a run's report shows, each beside its map of what spoke for the detector's answer."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classifier.arch import BadArch
from classifier.detector import Card
from classifier.images import BadImage, Pixels, load
from forensics_app.core.map_words import Badge, badge
from forensics_app.core.maps import Maps, NoMap
from forensics_app.core.overlay import embedded, overlay
from forensics_app.core.run_folder import Predicted, Predictions
from forensics_app.core.verdict import decide, policy_of
from forensics_app.core.words import ICONS, PHRASES, shown

MOST_OF_A_KIND, MOST_RIGHT, MOST_WRONG = 3, 12, 12


@dataclass(frozen=True)
class Choice:
    """A picture worth showing: its place among the predictions and whether its class was the most probable one."""

    index: int
    right: bool


@dataclass(frozen=True)
class Shown:
    """A picture of the report was drawn with its maps, `done` of `total`."""

    done: int
    total: int


@dataclass(frozen=True)
class Tile:
    """A picture as it is shown; every text but `truth` is safe to show, `label` is a verdict's name or empty."""

    truth: str
    right: bool
    mark: str
    label: str
    said: str
    figures: str
    name: str
    picture: str
    heatmap: str | None
    trust: Badge | None


@dataclass(frozen=True)
class Gallery:
    """Right pictures in groups with a heading each, and the most wrong ones; `errors` says of how many.

    `gone` counts chosen pictures that are not there or cannot be read.
    """

    groups: tuple[tuple[str, tuple[Tile, ...]], ...] = ()
    wrong: tuple[Tile, ...] = ()
    errors: str = ""
    gone: int = 0
    mapped: bool = False


def choose(predictions: Predictions) -> tuple[Choice, ...]:
    """Return the surest right pictures, class by class, and then the most wrong ones of all, the worst first.

    Surest is where the picture's own class is most probable, worst where it is least so. Where there are many classes,
    one picture is taken of each of those that have the surest.
    """
    p, labels = predictions.p, predictions.labels
    own, right = p[np.arange(len(p)), labels], p.argmax(axis=1) == labels
    each = max(1, min(MOST_OF_A_KIND, MOST_RIGHT // len(predictions.classes)))
    groups = [_ranked(-own, right & (labels == label))[:each] for label in range(len(predictions.classes))]
    groups = [group for group in groups if group]
    if len(groups) * each > MOST_RIGHT:
        groups = sorted(groups, key=lambda group: -own[group[0]])[: MOST_RIGHT // each]
    surest = [Choice(index, True) for group in groups for index in group]
    return (*surest, *(Choice(index, False) for index in _ranked(own, ~right)[:MOST_WRONG]))


def _ranked(key: np.ndarray, chosen: np.ndarray) -> list[int]:
    return [int(index) for index in np.argsort(key, kind="stable") if chosen[index]]


def pictures_of_cell(predictions: Predictions, truth: int | None = None, taken: int | None = None) -> list[int]:
    """Return the places of pictures of a class that were taken for another, those least like their own class first.

    None for both: all that are wrong.
    """
    p, labels = predictions.p, predictions.labels
    if not len(p):
        return []
    guess = p.argmax(axis=1)
    wanted: np.ndarray = guess != labels
    if truth is not None and taken is not None:
        wanted = (labels == truth) & (guess == taken)
    return _ranked(p[np.arange(len(p)), labels], wanted)


def gallery(predictions: Predictions, maps: Maps, ticks: Iterator[Shown]) -> Generator[Shown, None, Gallery]:
    """Draw the chosen pictures with their maps, a tick after each; one that is gone is counted and left out."""
    chosen, tiles = choose(predictions), list[Tile]()
    for choice in chosen:
        tiles += _tile(predictions, choice, maps)
        yield next(ticks)
    right = [tile for tile in tiles if tile.right]
    groups = dict[str, list[Tile]]()
    for tile in right:
        groups.setdefault(_heading(predictions, tile.truth), []).append(tile)
    return Gallery(
        tuple((heading, tuple(those)) for heading, those in groups.items()),
        tuple(tile for tile in tiles if not tile.right),
        _errors(predictions),
        len(chosen) - len(tiles),
        any(tile.heatmap for tile in tiles),
    )


def _heading(predictions: Predictions, truth: str) -> str:
    if len(predictions.classes) > MOST_RIGHT:
        return "One of each of the classes that it is surest of"
    label = predictions.classes.index(truth)
    mine = predictions.labels == label
    right = int((predictions.p[mine].argmax(axis=1) == label).sum())
    return f"{shown(truth)}: {right:,} of {int(mine.sum()):,} right"


def _errors(predictions: Predictions) -> str:
    wrong = int((predictions.p.argmax(axis=1) != predictions.labels).sum())
    listed = f"the worst {MOST_WRONG} of them" if wrong > MOST_WRONG else "the worst first"
    return f"{wrong:,} of {len(predictions.pictures):,} pictures, {listed}" if wrong else ""


def _tile(predictions: Predictions, choice: Choice, maps: Maps) -> Iterator[Tile]:
    one = predictions.pictures[choice.index]
    try:
        pixels = load(Path(one.path)).pixels
    except BadImage:
        return
    name, card = predictions.classes[int(np.argmax(one.p))], maps.detector.card
    label, said = _answer(one, name, card, min(pixels.shape[:2]))
    heatmap, trust = mapped(maps, pixels, name)
    yield Tile(
        truth=one.cls,
        right=choice.right,
        mark=_mark(choice.right, label),
        label=label,
        said=said,
        figures=_figures(one, name, card),
        name=shown(Path(one.path).name),
        picture=embedded(pixels),
        heatmap=heatmap,
        trust=trust,
    )


def mapped(maps: Maps, pixels: Pixels, name: str) -> tuple[str | None, Badge | None]:
    """Return the picture under the map of a class, as an address, and the map's badge; None without a map."""
    try:
        drawn = maps.draw(pixels, name)
    except (NoMap, BadArch):
        return None, None
    return embedded(overlay(pixels, drawn.heat)), badge(maps.test(pixels, name, drawn))


def _mark(right: bool, label: str) -> str:
    """Return whether the most probable class is the true one; a verdict that stays open is neither right nor wrong."""
    return f"{'✓' if right else '✗'} {'leans ' if label == 'unsure' else ''}{'right' if right else 'wrong'}"


def _answer(one: Predicted, name: str, card: Card, side_px: int) -> tuple[str, str]:
    """Return the verdict that the picture gets, as a label and in words; other classes are only named."""
    if set(card.classes) != {"fake", "real"}:
        return "", shown(name) if name == one.cls else f"{shown(one.cls)} taken for {shown(name)}"
    label = decide(one.p[card.classes.index("fake")], (), policy_of(card), side_px=side_px).label
    return label, f"{ICONS[label]} {PHRASES[label]}"


def _figures(one: Predicted, name: str, card: Card) -> str:
    if set(card.classes) == {"fake", "real"}:
        return f"p {one.p[card.classes.index('fake')]:.2f}"
    own = f", of its own class {one.p[card.classes.index(one.cls)]:.2f}" if name != one.cls else ""
    return f"p of {shown(name)} {max(one.p):.2f}{own}"
