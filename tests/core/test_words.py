"""Text that is safe to show, and what a card says of itself."""

from __future__ import annotations

import pytest

from classifier.detector import Card
from forensics_app.core import words

FIGURE = {"value": 0.834, "low": 0.8, "high": 0.861, "n": 812}


@pytest.mark.parametrize(("text", "shown"), [
    ("plain name.jpg", "plain name.jpg"),
    ("héllo 日本 😀", "héllo 日本 😀"),
    ("\u202egpj.exe", "\\u202egpj.exe"),
    ("\x1b[31m\x07\n\t\x7f\x9b", "\\x1b[31m\\x07\\x0a\\x09\\x7f\\x9b"),
    ("\udcff\udc80", "\\xff\\x80"),
    ("\u200b\u2028\ufeff\U000e0041", "\\u200b\\u2028\\ufeff\\U000e0041"),
])  # fmt: skip
def test_shown(text: str, shown: str) -> None:
    assert words.shown(text) == shown


def card(**changes: object) -> Card:
    return Card.model_validate({"name": "tiny", "arch": "resnet18", "classes": ("fake", "real"), **changes})


def test_about_without_figures() -> None:
    assert words.about(card()) == "tiny; no error rates are on its card"


def test_about_with_figures() -> None:
    found = words.about(card(
        training={"pictures": {"train": {"fake: a": 1000, "real: b": 500}}},
        metrics={"test": {"n": 812, "balanced_accuracy": FIGURE, "false_alarm": FIGURE}},
    ))  # fmt: skip
    assert found.startswith("tiny, trained on 1,500 pictures from 2 sources; on 812 pictures it had never seen: ")
    assert "balanced accuracy 0.83 (0.80–0.86)" in found
    assert "real called generated" in found


@pytest.mark.parametrize("odd", [{"test": []}, {"test": {"n": 1, "balanced_accuracy": "high"}},
                                 {"test": {"n": 1, "balanced_accuracy": {"value": None}}}])  # fmt: skip
def test_odd_cards_are_no_crash(odd: dict[str, object]) -> None:
    assert words.about(card(metrics=odd, training={"pictures": {"train": [1]}}))


def test_every_answer_has_a_word_an_icon_and_two_colours() -> None:
    from forensics_app.core.verdict import HEADLINES

    assert (
        {*words.PHRASES} == {*words.ICONS} == {*words.ANSWERS} == {*words.COLOURS["light"]} == {*words.COLOURS["dark"]}
    )
    assert {label: words.PHRASES[label] for label in HEADLINES} == dict(HEADLINES)
    assert len(set(words.ICONS.values())) == len(words.ANSWERS)
