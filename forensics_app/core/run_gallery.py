"""Which measured pictures a run's report shows, each beside its map of what spoke for the detector's answer."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from classifier.detector import Card
from classifier.images import BadImage, Pixels, load
from classifier.runtime import Detector, Heat
from forensics_app.core.analysis import autograd_maps
from forensics_app.core.html import data_uri
from forensics_app.core.overlay import overlay
from forensics_app.core.run_folder import Predicted, Predictions
from forensics_app.core.verdict import decide, policy_of
from forensics_app.core.words import ICONS, PHRASES, shown

MOST_OF_A_KIND, MOST = 3, 32
SIDE_PX, JPEG_QUALITY = 288, 85


@dataclass(frozen=True)
class Choice:
    """A picture worth showing: its place among the predictions and whether its class was the most probable one."""

    index: int
    right: bool


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


@dataclass(frozen=True)
class Gallery:
    """Tiles by class with a heading each; `gone` counts chosen pictures that are not there or cannot be read."""

    groups: tuple[tuple[str, tuple[Tile, ...]], ...] = ()
    gone: int = 0
    mapped: bool = False


def choose(predictions: Predictions) -> tuple[Choice, ...]:
    """Return the surest right and the worst wrong pictures: of each class, or of all where there are many classes.

    Surest is where the picture's own class is most probable, worst where it is least so.
    """
    p, labels = predictions.p, predictions.labels
    own, right = p[np.arange(len(p)), labels], p.argmax(axis=1) == labels
    each = _each(predictions)
    if not each:
        return (*_ranked(own, right, True, MOST // 2), *_ranked(own, ~right, False, MOST // 2))
    return tuple(
        one
        for label in range(len(predictions.classes))
        for one in (
            *_ranked(own, right & (labels == label), True, each),
            *_ranked(own, ~right & (labels == label), False, each),
        )
    )


def _ranked(own: np.ndarray, chosen: np.ndarray, right: bool, most: int) -> list[Choice]:
    order = np.argsort(-own if right else own, kind="stable")
    return [Choice(int(index), right) for index in order if chosen[index]][:most]


def gallery(predictions: Predictions, detector: Detector) -> Gallery:
    """Return the chosen pictures with their maps; one that is gone is counted and left out."""
    chosen = choose(predictions)
    tiles = list(_tiles(predictions, chosen, detector))
    found: dict[str, list[Tile]] = {}
    for tile in tiles:
        found.setdefault(_heading(predictions, tile), []).append(tile)
    groups = tuple((heading, tuple(those)) for heading, those in found.items())
    return Gallery(groups, len(chosen) - len(tiles), any(tile.heatmap for tile in tiles))


def _each(predictions: Predictions) -> int:
    """Return how many right and how many wrong pictures of each class are shown; 0 where there are too many classes."""
    return min(MOST_OF_A_KIND, MOST // (2 * len(predictions.classes)))


def _heading(predictions: Predictions, tile: Tile) -> str:
    if not _each(predictions):
        return "Right, the surest first" if tile.right else "Wrong, the worst first"
    label = predictions.classes.index(tile.truth)
    mine = predictions.labels == label
    right = int((predictions.p[mine].argmax(axis=1) == label).sum())
    return f"{shown(tile.truth)}: {right} of {int(mine.sum())} right"


def _tiles(predictions: Predictions, chosen: tuple[Choice, ...], detector: Detector) -> Iterator[Tile]:
    maps = _maps(detector)
    for choice in chosen:
        one = predictions.pictures[choice.index]
        try:
            pixels = load(Path(one.path)).pixels
        except BadImage:
            continue
        name = predictions.classes[int(np.argmax(one.p))]
        heat = maps(pixels, name)
        label, said = _answer(one, name, detector.card, min(pixels.shape[:2]))
        yield Tile(
            truth=one.cls,
            right=choice.right,
            mark=_mark(choice.right, label),
            label=label,
            said=said,
            figures=_figures(one, name, detector.card),
            name=shown(Path(one.path).name),
            picture=_embedded(pixels),
            heatmap=_embedded(overlay(pixels, heat)) if heat else None,
        )


def _mark(right: bool, label: str) -> str:
    """Return whether the most probable class is the true one; a verdict that stays open is neither right nor wrong."""
    return f"{'✓' if right else '✗'} {'leans ' if label == 'unsure' else ''}{'right' if right else 'wrong'}"


def _maps(detector: Detector) -> Callable[[Pixels, str], Heat | None]:
    """Return what draws a picture's map of a class, by the graph's closed form or else with autograd."""
    if detector.card.closed_form_cam:
        return lambda pixels, name: detector.judge(pixels, heat_class=name).heat
    return autograd_maps(detector) or (lambda _pixels, _name: None)


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


def _embedded(pixels: Pixels) -> str:
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE_PX, SIDE_PX), reducing_gap=2.0)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=JPEG_QUALITY)
    return data_uri("image/jpeg", out.getvalue())
