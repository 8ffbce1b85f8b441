"""What `make bench` writes into a page takes the place of its own part, and of nothing else."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.conftest import ROOT

SPEC = importlib.util.spec_from_file_location("sections", ROOT / "benchmarks" / "sections.py")
assert SPEC is not None
assert SPEC.loader is not None
sections = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(sections)


def test_a_part_is_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    marks = "<!-- {0}: begin, written by make bench -->\n{1}\n<!-- {0}: end -->\n"
    page.write_text("before\n" + marks.format("one", "old") + "between\n" + marks.format("two", "other") + "after\n")
    sections.write("one", "\nnew | table\n\n", page)
    wanted = "before\n" + marks.format("one", "new | table") + "between\n" + marks.format("two", "other") + "after\n"
    assert page.read_text() == wanted
    with pytest.raises(ValueError, match="no part 'three'"):
        sections.write("three", "x", page)
    assert page.read_text() == wanted


@pytest.mark.parametrize("name", ["judging", "scanning"])
def test_the_page_has_the_parts(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "page.md"
    copy.write_text(sections.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    sections.write(name, "figures", copy)
    assert f"{name}: begin, written by make bench -->\nfigures\n<!-- {name}: end" in copy.read_text(encoding="utf-8")
