"""docs/CLAIMS.md is complete: a line for each claim of the documents, and what it names is there."""

from __future__ import annotations

import re

import pytest

from classifier.recipes import recipe_files
from tests.conftest import ROOT

CLAIMS = ROOT / "docs" / "CLAIMS.md"
CLAIMED = """
S0.1 S0.2 S0.3 S0.4 S0.5 S0.6 S0.7 S0.8 S0.9 S0.10 S0.11 S0.12 S0.13 S0.14 S0.15 S0.16 S0.17 S0.18 S0.19 S0.20 S0.21
S0.22 S0.23 S0.24 S0.25 S0.26
S1.1 S1.2 S1.3 S1.4 S1.5 S1.6 S1.7 S1.8 S1.9 S1.10 S1.11 S1.12 S1.13 S1.14 S1.15 S1.16 S1.17 S1.18 S1.19 S1.20 S1.21
S1.22 S1.23 S1.24 S1.25 S1.26 S1.27 S1.28 S1.29 S1.30 S1.31 S1.32 S1.33
S2.1 S2.2 S2.3 S2.4 S2.5 S2.6 S2.7 S2.8 S2.9 S2.10 S2.11 S2.12 S2.13 S2.14 S2.15 S2.16 S2.17 S2.18 S2.19 S2.20 S2.21
S2.22 S2.25 S2.26 S2.27 S2.28 S2.29 S2.30 S2.31 S2.32 S2.33 S2.34 S2.35 S2.36 S2.37 S2.38 S2.41 S2.42 S2.43 S2.44
S2.45 S2.46 S2.47 S2.48
S3.1 S3.2 S3.3 S3.4 S3.5 S3.6 S3.7 S3.8 S3.9 S3.10 S3.11 S3.12 S3.13 S3.14 S3.15 S3.16 S3.17 S3.18 S3.19 S3.20
"""
IDS = CLAIMED.split()
"""The claims of the four source documents, which are not in this repository."""
COLUMNS = ["ID", "the document says", "covered by", "ours", "what differs, or why not"]


def rows() -> dict[str, list[str]]:
    """Return the cells of the ledger's lines by ID; raises AssertionError for two lines of one."""
    found: dict[str, list[str]] = {}
    for line in CLAIMS.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if re.fullmatch(r"S\d\.\d+", cells[0]):
            assert cells[0] not in found, f"{cells[0]} has two lines"
            found[cells[0]] = cells
    return found


def test_every_claim_has_its_own_line_in_order() -> None:
    assert len(IDS) == len(set(IDS)) == 123
    assert list(rows()) == IDS


@pytest.mark.parametrize("claim", IDS)
def test_every_line_says_all_there_is_to_say(claim: str) -> None:
    cells = rows()[claim]
    assert len(cells) == len(COLUMNS)
    assert all(cells), "no cell is empty"


def test_the_mistakes_of_the_sources_are_disclosed() -> None:
    text = CLAIMS.read_text(encoding="utf-8").split("## Mistakes in the sources")[1]
    for words in (
        "its row is swapped",
        "100 real",
        "from the container alone",
        "VGG and Inception",
        "0.05",
        "25.11",
        "15-25",
    ):
        assert words in text


def test_what_is_not_measured_says_so() -> None:
    """Nothing is promised: where there is no figure, the words are always the same, so that they can be counted."""
    text = CLAIMS.read_text(encoding="utf-8")
    assert not re.findall(r"(?i)\b(TODO|TBD|to be measured|n/a)\b", text)


def named(kind: str, text: str) -> set[str]:
    """Return what is named as ``kind `NAME` ``, or several with commas between them."""
    lists = re.findall(rf"\b{kind}s? ((?:`[\w.-]+`(?:, | and )?)+)", text)
    return {name for names in lists for name in re.findall(r"`([\w.-]+)`", names)}


def test_recipes_and_architectures_that_it_names_exist() -> None:
    zoo = pytest.importorskip("classifier.zoo", reason="needs the extra 'train'")
    text = CLAIMS.read_text(encoding="utf-8")
    recipes, architectures = named("recipe", text), named("row", text)
    assert len(recipes) > 10
    assert not recipes - set(recipe_files())
    assert len(architectures) > 10
    assert not architectures - set(zoo.ARCHS)
