"""The report: nothing from outside runs or hides in it, it needs nothing else, and it stays readable."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from classifier.detector import Band, Card, Installed
from classifier.places import resources
from forensics_app.core import report
from forensics_app.core.words import COLOURS
from tests.conftest import write_picture

CARD = Card(
    name="tiny", arch="resnet18_npr", classes=("fake", "real"), band=Band(low=0.3, high=0.6), limits=("It <errs>.",)
)
HOSTILE = '"><script>alert(1)<script>\u202egnp.png'


def judged(path: str = "in/a.png", label: str = "fake", p_fake: float = 0.9, **changes: Any) -> dict[str, Any]:
    """Return a row of a scan."""
    verdict = {"label": label, "p_fake": p_fake, "reason": "A reason."}
    return {
        "path": path, "sha256": "0" * 64, "format": "PNG", "width": 96, "height": 80, "verdict": verdict,
        "evidence": [],
        "detector": {"name": "tiny", "id": "x"}, "heatmap": None, "thumbnail": None, "ms": 1.0, **changes,
    }  # fmt: skip


def failed(path: str = "in/b.png") -> dict[str, Any]:
    """Return the row of a file that could not be judged."""
    return {"path": path, "error": {"kind": "empty", "message": "The file is empty (0 bytes)."}, "thumbnail": None}


def render(*rows: dict[str, Any], folder: Path = Path(), whole: bool = True, title: str = "A title") -> str:
    installed = Installed(folder, CARD, "x")
    return report.render(rows, report.Made(title, installed, whole, datetime(2026, 1, 2, 3, 4)), pictures=folder)


class Page(HTMLParser):
    """The page as a browser reads it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.content: dict[str, list[str]] = {}
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        self.content.setdefault(self._open, []).append(data)

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_hostile_text_stays_text() -> None:
    evidence = [{"probe": "m", "finding": "camera", "summary": "<b onclick=x>\x1b\u2066", "details": {}}]
    page = render(judged(f"in/{HOSTILE}", evidence=evidence), failed(HOSTILE), title=HOSTILE)
    parsed = Page(page)
    assert len(parsed.attributes("script")) == 1
    assert not [
        name for _, attributes in parsed.tags for name in attributes if name.startswith("on") or name == "style"
    ]
    assert not set(page) & set("\u202e\u2066\x1b")
    assert "\\u202egnp.png" in page
    named = [row["data-name"] for row in parsed.attributes("tr") if "data-name" in row]
    assert named == [HOSTILE.replace("\u202e", "\\u202e")] * 2


def test_it_needs_nothing_else(tmp_path: Path) -> None:
    write_picture(tmp_path / "t.jpg")
    parsed = Page(render(judged(thumbnail="t.jpg", heatmap="t.jpg"), folder=tmp_path))
    addresses = [value for _, found in parsed.tags for key, value in found.items() if key in ("src", "href", "action")]
    assert len(addresses) == 2
    assert all(address and address.startswith("data:image/jpeg;base64,") for address in addresses)
    styles = "".join(parsed.content["style"])
    assert "url(" not in styles
    assert "@import" not in styles


def test_the_policy_allows_its_own_script_and_style_only() -> None:
    parsed = Page(render(judged()))
    policy = next(found["content"] for found in parsed.attributes("meta") if "http-equiv" in found) or ""
    assert policy.startswith("default-src 'none'; img-src data:;")
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        digest = base64.b64encode(hashlib.sha256("".join(parsed.content[tag]).encode()).digest()).decode()
        assert f"{rule} 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_pictures_outside_the_folder_are_not_embedded(tmp_path: Path) -> None:
    write_picture(tmp_path / "secret.jpg")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    page = render(judged(thumbnail="../secret.jpg"), judged(thumbnail="link.jpg"), folder=tmp_path / "out")
    assert "data:image" not in page


def test_large_pictures_are_embedded_smaller(tmp_path: Path) -> None:
    large = write_picture(tmp_path / "large.png", 1200, 900)
    page = render(judged(thumbnail="large.png"), folder=tmp_path)
    data = base64.b64decode(re.findall(r"data:image/jpeg;base64,([^\"]+)", page)[0])
    assert len(data) < large.stat().st_size / 10


def test_counts_bars_and_order() -> None:
    rows = [judged(f"in/{n}.png", label, p) for n, (label, p) in enumerate(
        [("real", 0.1), ("fake", 0.7), ("unsure", 0.5), ("fake", 1.0)])]  # fmt: skip
    page = render(*rows, failed("in/bad.png"))
    assert re.findall(r'<tr data-answer="(\w+)" data-p="([\d.-]+)"', page) == [
        ("fake", "1.0"), ("fake", "0.7"), ("unsure", "0.5"), ("real", "0.1"), ("error", "-1"),
    ]  # fmt: skip
    assert 'aria-label="2 Likely generated, 1 Can&#39;t tell, 1 No sign of generation, 1 Could not be judged"' in page
    widths = re.findall(r'<rect class="\w+" x="[\d.]+" y="0" width="([\d.]+)" height="10"', page)
    assert sum(map(float, widths)) == pytest.approx(1000)
    assert page.count("<title>1 × ") == 4
    assert "n = 4." in page
    assert "between 0.30 and 0.60" in page


def test_limits_and_what_it_knows_are_said() -> None:
    page = render(judged())
    assert "It &lt;errs&gt;." in page
    assert "no error rates are on its card" in page


def test_a_scan_cut_short_says_so() -> None:
    assert "stopped before its end" in render(judged(), whole=False)
    assert "stopped before its end" not in render(judged())


def test_nothing_found() -> None:
    page = render()
    assert "No pictures" in page
    assert "<table" not in page


def test_pictures_stop_at_their_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "MAX_WITH_PICTURES", 3)
    monkeypatch.setattr(report, "MAX_ROWS", 5)
    write_picture(tmp_path / "t.jpg")
    page = render(*(judged(f"in/{n}.png", thumbnail="t.jpg") for n in range(9)), folder=tmp_path)
    assert page.count("data:image") == 3
    assert page.count("<tr data-answer") == 5
    assert "The first 5 of 9 rows are listed" in page
    assert "only the first rows show their pictures" in page
    assert ">9</b> Likely generated" in page


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb` (WCAG 2.2)."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_text_can_be_read() -> None:
    """Contrast of at least 4.5:1 on every ground of both themes."""
    style = (resources() / "report.css").read_text(encoding="utf-8")
    roots = re.findall(r":root\{(.*?)\}", style)
    assert len(roots) == len(COLOURS) == 2
    for root, verdicts in zip(roots, COLOURS.values(), strict=True):
        own = {name: value if len(value) == 7 else "#" + "".join(2 * digit for digit in value[1:])
               for name, value in re.findall(r"--(\w+):(#\w+)", root)}  # fmt: skip
        for ground in ("ground", "card", "shade"):
            for text in (own["text"], own["soft"], *verdicts.values()):
                assert contrast(text, own[ground]) >= 4.5, (text, ground)


def test_a_damaged_thumbnail_is_none(tmp_path: Path) -> None:
    for data in (b"", b"no picture"):
        (tmp_path / "t.jpg").write_bytes(data)
        assert report.Album(tmp_path).pair({"thumbnail": "t.jpg"}) == (None, None)
