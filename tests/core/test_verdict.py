"""Every way to a verdict, and the words it comes in."""

from __future__ import annotations

import math
import re

import pytest

from classifier.detector import Band, Card
from classifier.preprocess_spec import Preprocess
from forensics_app.core.verdict import HEADLINES, LABELS, Policy, decide, hundred, policy_of
from forensics_app.evidence import Evidence, Finding, Strength

BAND = Policy(0.4, 0.7, 112)


def one(finding: Finding, strength: Strength, summary: str = "A sentence.") -> Evidence:
    return Evidence("metadata", finding, strength, summary)


@pytest.mark.parametrize(
    ("p_fake", "label"),
    [
        (0.0, "real"), (0.4, "real"), (math.nextafter(0.4, 1), "unsure"), (0.55, "unsure"),
        (math.nextafter(0.7, 0), "unsure"), (0.7, "fake"), (1.0, "fake"),
    ],
)  # fmt: skip
def test_the_band_decides_with_its_edges_included(p_fake: float, label: str) -> None:
    verdict = decide(p_fake, [], BAND, side_px=112)
    assert (verdict.label, verdict.p_fake) == (label, p_fake)
    assert verdict.headline == HEADLINES[verdict.label]


@pytest.mark.parametrize(("p_fake", "label"), [(0.4999, "real"), (0.5, "unsure"), (0.5001, "fake")])
def test_without_a_band_only_the_very_middle_is_open(p_fake: float, label: str) -> None:
    assert decide(p_fake, [], Policy(0.5, 0.5), side_px=50).label == label


def test_no_number_is_never_a_verdict() -> None:
    verdict = decide(math.nan, [], BAND, side_px=500)
    assert verdict.label == "unsure"
    assert "no probability" in verdict.reason


def test_proof_decides_whatever_the_detector_and_the_size_say() -> None:
    proof = one("synthetic", "proof", "A valid signature says that a generator made it.")
    for p_fake in (0.0, 0.55, 1.0):
        for side_px in (40, 500):
            verdict = decide(p_fake, [one("camera", "hint"), proof], BAND, side_px=side_px)
            assert (verdict.label, verdict.reason) == ("fake", proof.summary)


@pytest.mark.parametrize("finding", ["camera", "nothing", "failed"])
@pytest.mark.parametrize("strength", ["hint", "proof"])
def test_other_evidence_changes_no_label(finding: Finding, strength: Strength) -> None:
    for p_fake, label in ((0.1, "real"), (0.5, "unsure"), (0.9, "fake")):
        assert decide(p_fake, [one(finding, strength)], BAND, side_px=200).label == label


def test_a_hint_of_a_generator_never_decides_but_takes_back_no_sign() -> None:
    hint = one("synthetic", "hint", "The file carries a ComfyUI prompt.")
    verdict = decide(0.1, [hint], BAND, side_px=200)
    assert verdict.label == "unsure" and hint.summary in verdict.reason
    assert decide(0.5, [hint], BAND, side_px=200).label == "unsure"
    assert decide(0.9, [hint], BAND, side_px=200).label == "fake"


def test_a_picture_smaller_than_the_detector_looks_at_is_unsure() -> None:
    for p_fake in (0.0, 1.0):
        verdict = decide(p_fake, [], BAND, side_px=111)
        assert verdict.label == "unsure"
        assert "111 px" in verdict.reason and "112 px" in verdict.reason and "larger copy" in verdict.reason


def test_no_sign_says_what_was_looked_at_and_that_it_proves_nothing() -> None:
    evidence = [
        one("nothing", "hint"),
        Evidence("signature", "failed", "hint", "x"),
        Evidence("c2pa", "camera", "hint", "x"),
    ]
    reason = decide(0.1, evidence, BAND, side_px=200).reason
    assert "Looked at: the pixels, the metadata and the c2pa." in reason
    assert "no proof" in reason
    assert "Looked at: the pixels." in decide(0.1, [], BAND, side_px=200).reason


@pytest.mark.parametrize(
    ("p_fake", "words"),
    [
        (0.0, "Fewer than 1 in 100"), (0.004, "Fewer than 1 in 100"), (0.006, "1 in 100"), (0.87, "87 in 100"),
        (0.994, "99 in 100"), (0.996, "More than 99 in 100"), (1.0, "More than 99 in 100"),
    ],
)  # fmt: skip
def test_rounding_never_claims_certainty(p_fake: float, words: str) -> None:
    assert hundred(p_fake).startswith(f"{words} pictures")
    for policy in (BAND, Policy(0.5, 0.5), Policy(0.0, 1.0)):
        reason = decide(p_fake, [], policy, side_px=200).reason
        assert not re.search(r"\b(100|0) in 100", reason)
        assert not re.search(r"authentic|verified|100 ?%|certain", reason, re.IGNORECASE)
        assert reason.endswith(".")


def test_the_policy_comes_from_the_card() -> None:
    card = Card(name="x", arch="resnet18", classes=("fake", "real"))
    assert policy_of(card) == Policy(0.5, 0.5, 0, calibrated=False)
    tiles = card.model_copy(update={"preprocess": Preprocess(kind="tiles", size=96), "band": Band(low=0.2, high=0.9)})
    assert policy_of(tiles) == Policy(0.2, 0.9, 96)


def test_every_label_has_a_headline() -> None:
    assert set(HEADLINES) == set(LABELS)
    assert len(set(HEADLINES.values())) == len(LABELS)


def test_without_a_band_the_score_is_not_called_a_probability() -> None:
    card = Card(name="bare", arch="resnet18", classes=("fake", "real"))
    for p_fake, label in ((0.99, "fake"), (0.01, "real")):
        said = decide(p_fake, (), policy_of(card), side_px=500)
        assert said.label == label
        assert "never calibrated" in said.reason
        assert "in 100" not in said.reason
