from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from classifier.data import BadData
from classifier.metrics import wilson
from classifier.runtime import Detector
from forensics_app.core.quiz import MOST, SAMPLES, Card, Guess, Tally, deal, deck, tallies, tally
from tests.conftest import write_picture


def filled(folder: Path, fakes: int, reals: int) -> Path:
    for kind, count in (("fake", fakes), ("real", reals)):
        for number in range(count):
            write_picture(folder / kind / f"{number}.png", seed=number + 100 * (kind == "real"))
    return folder


def test_a_deck_is_balanced_shuffled_and_the_same_for_a_seed(tmp_path: Path) -> None:
    folder = filled(tmp_path, 30, 30)
    one, again, other = deck(folder, 1), deck(folder, 1), deck(folder, 2)
    assert one == again and one != other
    first = one[:MOST]
    assert sum(card.truth == "fake" for card in first) == MOST // 2 and len(set(first)) == MOST
    assert any(card.truth == after.truth for card, after in itertools.pairwise(first))


def test_a_short_pile_is_filled_from_the_other(tmp_path: Path) -> None:
    cards = deck(filled(tmp_path, 3, 30), 0)[:MOST]
    assert len(cards) == MOST and sum(card.truth == "fake" for card in cards) == 3


def test_the_samples_and_other_classes(tmp_path: Path) -> None:
    assert {card.path.name for card in deck(None, 0)} <= set(SAMPLES) and deck(None, 0)
    for kind in ("ants", "bees"):
        write_picture(tmp_path / kind / "0.png")
    with pytest.raises(BadData, match="'fake' and 'real' are needed"):
        deck(tmp_path, 0)


def test_what_cannot_be_read_is_passed_over(tmp_path: Path, detector_folder: Path) -> None:
    folder = filled(tmp_path, 2, 2)
    (folder / "fake" / "0.png").write_bytes(b"broken")
    dealt = list(deal(folder, 0, Detector(detector_folder, threads=1)))
    assert [one.place for one in dealt] == [0, 1, 2] and all(one.pixels.shape == (80, 96, 3) for one in dealt)
    for path in folder.rglob("*.png"):
        path.write_bytes(b"broken")
    with pytest.raises(BadData, match="None of the pictures"):
        list(deal(folder, 0, Detector(detector_folder, threads=1)))


def test_accuracy_is_of_what_was_answered_with_wilsons_interval() -> None:
    assert tally([("fake", "fake"), ("real", "fake"), ("unsure", "real")]) == Tally(1, 1, 1)
    assert Tally(8, 2, 3).accuracy == wilson(8, 10) and Tally(0, 0, 5).accuracy.n == 0
    fake = Card(Path("a"), "fake")
    guesses = [Guess(fake, "fake", "real", 0.2), Guess(fake, "fake", "fake", 0.9)]
    assert tallies(guesses) == (Tally(2, 0, 0), Tally(1, 1, 0)) and [one.differ for one in guesses] == [True, False]
