"""The page of an audit: its figures are the audit's, its example is worked out, nothing from outside runs in it."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from forensics_app.core import audit_report
from forensics_app.core.audit_report import render, write
from forensics_app.core.words import ICONS
from generator import shortcuts, worked_example
from generator.audit import Audit, Looked
from generator.audit_verdict import Reason
from generator.worked_example import Example, work_out
from tests.core.test_report import Page
from tests.generator.sets import as_jpeg, as_png, audited, write_set

WHEN = datetime(2026, 1, 2, 3, 4)
HOSTILE = '"><script>alert(1)</script>\u202egnp'


@pytest.fixture(scope="module")
def example() -> Example:
    """The worked example with fewer pictures."""
    *_, end = work_out(count=30)
    assert isinstance(end, Example)
    return end


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    return audited(write_set(tmp_path_factory.mktemp("set") / "cats", as_png, as_jpeg))


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", " ".join(part for tag, parts in Page(page).content.items()
                                        if tag != "style" for part in parts))  # fmt: skip


def test_the_example_fails_as_usual_and_passes_equalized(example: Example) -> None:
    """Both classes are drawn from one process: what fails the first set is how it was written."""
    assert example.usual.verdict == "fail"
    assert example.usual.findings["file"].auc.value > 0.95
    assert example.usual.worst is not None
    assert example.usual.worst.name in ("file format", "JPEG table")
    alike = example.equalized.findings
    assert alike["file"].auc.value == 0.5
    assert alike["together"].auc.low <= 0.5 <= alike["together"].auc.high
    assert alike["picture"].auc.low <= 0.5 <= alike["picture"].auc.high


def test_the_page_says_what_the_audit_found(failing: Audit, example: Example) -> None:
    page = render(failing, example, WHEN)
    text = text_of(page)
    assert "Fail: a detector can be right without looking at the pictures." in text
    assert f"{ICONS['fake']}" in text
    assert failing.reasons[0].text in text
    assert failing.mend is not None
    assert failing.mend in Page(page).content["code"]
    assert "What gives them away: file format (AUC 1.00 alone)" in text
    assert "48 pictures looked at: 24 fake, 24 real" in text
    for found in (failing, example.usual, example.equalized):
        for finding in found.findings.values():
            assert f"{finding.auc.value:.2f}" in text
            assert f"{finding.auc.low:.2f}–{finding.auc.high:.2f}" in text or not finding.varying


def test_a_passing_set_has_no_reasons_and_no_cure(example: Example) -> None:
    text = text_of(render(example.equalized, example, WHEN))
    assert "Pass: nothing beside the pictures tells the classes apart." in text
    assert "To mend it" not in text
    assert "What gives them away" not in text


def test_every_bar_lies_within_its_chart(failing: Audit, example: Example) -> None:
    parsed = Page(render(failing, example, WHEN))
    lines = [line for line in parsed.attributes("line") if line["class"] in ("span", "mark")]
    assert len(lines) == 2 * 4 * 3
    for line in lines:
        assert 0 <= float(line["x1"] or "-1") <= float(line["x2"] or "-1") <= 1000
    for rect in parsed.attributes("rect"):
        assert 0 <= float(rect.get("x") or 0) + float(rect["width"] or "-1") <= 1000.1


def test_it_needs_nothing_else_and_runs_nothing(failing: Audit, example: Example) -> None:
    page = render(failing, example, WHEN)
    parsed = Page(page)
    policy = next(meta["content"] for meta in parsed.attributes("meta") if "http-equiv" in meta)
    style = hashlib.sha256("".join(parsed.content["style"]).encode()).digest()
    assert policy == (f"default-src 'none'; img-src data:; style-src 'sha256-{base64.b64encode(style).decode()}'; "
                      "base-uri 'none'; form-action 'none'")  # fmt: skip
    assert {"script", "link", "img", "iframe"}.isdisjoint(tag for tag, _ in parsed.tags)
    assert "http" not in page.replace("http-equiv", "")


def test_hostile_text_stays_text(failing: Audit, example: Example) -> None:
    worst = replace(failing.worst, words={HOSTILE: ((HOSTILE, 1.0),)})  # type: ignore[type-var]
    leaks = replace(failing.leaks, same_bytes=((HOSTILE, HOSTILE),), sources=(HOSTILE,))
    found = replace(
        failing, root=Path(HOSTILE), worst=worst, leaks=leaks, reasons=(Reason("warn", HOSTILE),), mend=HOSTILE,
        classes={HOSTILE: 3}, splits={HOSTILE: 1, "b": 2}, unreadable=((HOSTILE, HOSTILE),),
    )  # fmt: skip
    page = render(found, example, WHEN)
    parsed = Page(page)
    assert not parsed.attributes("script")
    assert not [key for _, values in parsed.tags for key in values if key.startswith("on") or key == "style"]
    assert "\u202e" not in page
    assert page.count("\\u202egnp") >= 8


def test_many_classes_and_copies_are_cut_short(failing: Audit, example: Example) -> None:
    kinds = [f"kind {number}" for number in range(102)]
    worst = replace(failing.worst, words={}, numbers=dict.fromkeys(kinds, (1.0, 2.0, 3.0)))  # type: ignore[type-var]
    leaks = replace(failing.leaks, near=tuple((f"a{n}", f"b{n}") for n in range(50)))
    found = replace(failing, worst=worst, leaks=leaks, classes=dict.fromkeys(kinds, 4))
    text = text_of(render(found, example, WHEN))
    assert "and 94 more" in text
    assert "and 30 more" in text
    assert "kind 101" not in text


def test_written_whole_or_not_at_all(failing: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortcuts, "TREES", 5)
    monkeypatch.setattr(worked_example.work_out, "__defaults__", (0, 12))
    stopped = write(failing, tmp_path / "stopped.html")
    assert isinstance(next(stopped), Looked)
    stopped.close()  # type: ignore[attr-defined]
    events = list(write(failing, tmp_path / "page.html"))
    assert all(isinstance(event, Looked) for event in events)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert audit_report.COUNT == worked_example.COUNT
