"""The generated parts of docs/BENCHMARKS.md: each between two markers, so that what people wrote stays as it is."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "BENCHMARKS.md"


def write(name: str, text: str, page: Path = PAGE) -> None:
    """Put a text in place of the generated part of that name; raises `ValueError` if the page has no such part."""
    begin, end = f"<!-- {name}: begin, written by make bench -->\n", f"<!-- {name}: end -->\n"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _old, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page} has no part '{name}' between its two markers")
    page.write_text(f"{before}{begin}{text.strip()}\n{end}{after}", encoding="utf-8")
