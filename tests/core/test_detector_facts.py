from __future__ import annotations

from pathlib import Path

from classifier.detector import open_folder
from forensics_app.core.detector_facts import Fact, parts


def test_the_bundled_card_in_words(bundled: Path) -> None:
    found = {part.title: part for part in parts(open_folder(bundled, check=False))}
    assert list(found) == ["How often it errs", "What it can't tell", "How well it does by source",
                           "What it was trained on", "What it is"]  # fmt: skip
    missed = next(fact for fact in found["How often it errs"].facts if fact.name == "generated called real")
    assert missed.n and "–" in missed.value
    assert all(fact.n for fact in found["How well it does by source"].facts)
    assert any(fact == Fact("Classes", "fake, real") for fact in found["What it is"].facts)


def test_a_bare_card_says_that_nothing_is_known(detector_folder: Path) -> None:
    found = {part.title: part for part in parts(open_folder(detector_folder, check=False))}
    assert "not known" in found["How often it errs"].sentences[0] and "How well it does by source" not in found
    assert "does not mean that there are none" in found["What it can't tell"].sentences[0]
