"""A detector's card in words, part by part: what it is, what it learned from, how often it errs, what it cannot tell.

Cards come from outside: what is missing or of another kind is left out, and every text is safe to show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from classifier.detector import Card, Installed
from forensics_app.core.words import FIGURES, figure, set_aside, shown

SHOWN_CLASSES = 12


@dataclass(frozen=True)
class Fact:
    """A name and its value; `n` is the number of pictures that a figure rests on."""

    name: str
    value: str
    n: int | None = None


@dataclass(frozen=True)
class Part:
    """A part of a card: its title, facts, and sentences."""

    title: str
    facts: tuple[Fact, ...] = ()
    sentences: tuple[str, ...] = ()


def parts(installed: Installed) -> tuple[Part, ...]:
    """Return a card's parts in the order in which they are read; those with nothing in them are left out."""
    card = installed.card
    found = (
        Part("How often it errs", tuple(_figures(card)), tuple(_unmeasured(card))),
        Part("What it can't tell", sentences=tuple(map(shown, card.limits)) or (NO_LIMITS,)),
        Part("How well it does by source", tuple(_sources(card))),
        Part("What it was trained on", tuple(_trained(card.training)), tuple(_shortcuts(card.training))),
        Part("What it is", tuple(_facts(installed))),
    )
    return tuple(part for part in found if part.facts or part.sentences)


NO_LIMITS = "None are written on the card, which does not mean that there are none."


def looks_at(card: Card) -> str:
    """Return which parts of a picture a detector looks at."""
    prep = card.preprocess
    if prep.kind == "tiles":
        return f"up to {prep.tiles} × {prep.tiles} tiles of {prep.size} px in native resolution"
    return f"the centre, {prep.size} px, of the picture resized to {prep.resize} px ({prep.kernel})"


def band_words(card: Card) -> str:
    """Return when a detector answers, and for which error rates that was chosen."""
    if card.band is None:
        return "always; it has no band in which it abstains"
    text = f"real up to p {card.band.low:.2f}, generated from {card.band.high:.2f}, none between"
    rates = [
        f"{value:.1%} {words}"
        for value, words in ((card.band.fpr, "false alarms"), (card.band.fnr, "missed"))
        if value is not None
    ]
    return text + (f" (chosen on {card.band.n:,} pictures for {', '.join(rates)})" if rates else "")


def _figures(card: Card) -> Iterator[Fact]:
    test = set_aside(card)
    for key, words in FIGURES.items():
        value = test.get(key) if isinstance(test, dict) else None
        if isinstance(value, dict) and value.get("n") and (text := figure(value)) is not None:
            yield Fact(words, text, _count(value.get("n")))


def _unmeasured(card: Card) -> Iterator[str]:
    test = set_aside(card)
    if not isinstance(test, dict):
        yield "Nothing was measured: how often it errs is not known."
    else:
        yield "On pictures that it had never seen, with 95 % intervals."


def _sources(card: Card) -> Iterator[Fact]:
    test = set_aside(card)
    sources = test.get("sources") if isinstance(test, dict) else None
    for name, row in sources.items() if isinstance(sources, dict) else ():
        accuracy = row.get("accuracy") if isinstance(row, dict) else None
        if isinstance(accuracy, dict) and (text := figure(accuracy)) is not None:
            yield Fact(shown(str(name)), text, _count(accuracy.get("n")))


def _trained(training: Mapping[str, Any]) -> Iterator[Fact]:
    counts = training.get("pictures")
    train = counts.get("train") if isinstance(counts, dict) else None
    for name, count in train.items() if isinstance(train, dict) else ():
        if isinstance(count, int):
            yield Fact(shown(str(name)), f"{count:,} pictures")


def _shortcuts(training: Mapping[str, Any]) -> Iterator[str]:
    found = training.get("shortcuts")
    if found:
        yield "The audit of its pictures failed: its figures may say nothing of the pictures."
    for reason in found if isinstance(found, list) else ():
        yield shown(str(reason))


def _facts(installed: Installed) -> Iterator[Fact]:
    card = installed.card
    yield Fact("Network", shown(card.arch) + (", in 8-bit integers" if card.precision == "int8" else ""))
    if card.members:
        yield Fact("Members", f"{len(card.members)} detectors, whose probabilities are averaged")
    more = " …" if len(card.classes) > SHOWN_CLASSES else ""
    yield Fact("Classes", shown(", ".join(card.classes[:SHOWN_CLASSES])) + more)
    yield Fact("Looks at", looks_at(card) if not card.members else "what each member looks at")
    yield Fact("Answers", band_words(card))
    yield Fact("Id", installed.id)
    yield Fact("Folder", shown(str(installed.folder)))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None
