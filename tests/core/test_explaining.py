"""A picture explained: the right class, the right stage, a badge beside each map, and a page that runs nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from classifier.images import BadImage, load
from classifier.runtime import Detector
from forensics_app.core import explain_page, maps
from forensics_app.core.explaining import BadClass, Drawn, Explained, explain, to_json
from forensics_app.core.maps import WALK, BadStage, NoMap
from tests.conftest import export_tiny, write_picture
from tests.core.runs import change_card
from tests.core.test_report import Page

NAMES = tuple(f"species {number}" for number in range(9))


@pytest.fixture(scope="module")
def species(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    """A detector of things, with more classes than are listed."""
    return Detector(export_tiny(tmp_path_factory.mktemp("species") / "species", classes=NAMES), threads=1)


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_picture(tmp_path_factory.mktemp("photo") / "photo.png", 150, 140, seed=2)


def explained(events: Iterator[Drawn | Explained]) -> Explained:
    *drawn, end = events
    assert isinstance(end, Explained)
    assert [(one.done, one.total) for one in drawn if isinstance(one, Drawn)] == [
        (done, len(end.maps)) for done in range(1, len(end.maps) + 1)
    ]
    return end


def test_the_most_probable_class_is_explained(species: Detector, photo: Path) -> None:
    found, judged = explained(explain(photo, species)), species.judge(load(photo).pixels)
    assert found.cls == NAMES[int(judged.probabilities.argmax())] == found.probabilities[0][0]
    assert [p for _, p in found.probabilities] == sorted((float(p) for p in judged.probabilities), reverse=True)
    assert len(found.top) == 5
    ((mapped, trust),) = found.maps
    heat = species.judge(load(photo).pixels, heat_class=found.cls).heat
    assert heat is not None and np.array_equal(mapped.heat.values, heat.values)
    assert (mapped.stage.name, mapped.stage.layer) == ("last", "layer4")
    assert trust.words


def test_another_class_has_another_map_and_is_listed(species: Detector, photo: Path) -> None:
    first = explained(explain(photo, species))
    least = first.probabilities[-1][0]
    other = explained(explain(photo, species, cls=least))
    assert other.cls == least == other.top[-1][0]
    assert len(other.top) == 6
    assert not np.array_equal(other.maps[0][0].heat.values, first.maps[0][0].heat.values)


def test_a_walk_goes_from_fine_to_coarse(species: Detector, photo: Path) -> None:
    found = explained(explain(photo, species, stage="walk"))
    assert tuple(mapped.stage.name for mapped, _ in found.maps) == WALK
    assert [mapped.cells for mapped, _ in found.maps] == [(16, 16), (8, 8), (4, 4), (2, 2)]
    single = explained(explain(photo, species, stage="layer2"))
    assert single.maps[0][0].stage == found.maps[1][0].stage
    assert np.array_equal(single.maps[0][0].heat.values, found.maps[1][0].heat.values)


@pytest.mark.parametrize(("asked", "told"), [
    ({"cls": "specie 3"}, "Did you mean 'species 3'"),
    ({"cls": "\u202eevil"}, r"knows no class '\\u202eevil'. Its classes: species 0"),
    ({"stage": "layer9"}, "Did you mean 'layer"),
    ({"stage": "fc"}, "no stage 'fc'.* There are: first, second, third, last, walk, layer1"),
])  # fmt: skip
def test_unknown_classes_and_stages_are_told(species: Detector, photo: Path, asked: Any, told: str) -> None:
    with pytest.raises((BadClass, BadStage), match=told) as caught:
        list(explain(photo, species, **asked))
    assert "\n" not in str(caught.value)


def test_a_picture_that_cannot_be_read(species: Detector, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    with pytest.raises(BadImage):
        list(explain(tmp_path / "broken.png", species))


def test_without_torch_the_last_map_is_there_and_the_others_name_the_extra(
    species: Detector, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = explained(explain(photo, species))
    monkeypatch.setattr(maps, "has_torch", lambda: False)
    found = explained(explain(photo, species))
    assert np.array_equal(found.maps[0][0].heat.values, whole.maps[0][0].heat.values)
    assert found.maps[0][1].randomised_similarity is None
    with pytest.raises(NoMap, match="extra 'train'"):
        list(explain(photo, species, stage="first"))


def test_a_network_whose_map_needs_autograd(species: Detector, photo: Path, tmp_path: Path) -> None:
    shutil.copytree(species.folder, tmp_path / "detector")
    change_card(tmp_path, closed_form_cam=False)
    drawn, closed = (explained(explain(photo, one)) for one in (Detector(tmp_path / "detector"), species))
    assert drawn.maps[0][0].cells == closed.maps[0][0].cells == (2, 2)
    assert np.abs(drawn.maps[0][0].heat.values - closed.maps[0][0].heat.values).max() < 1e-4


def test_the_page_and_its_pictures(species: Detector, photo: Path, tmp_path: Path) -> None:
    found = explained(explain(photo, species, stage="walk"))
    written = explain_page.write(tmp_path / "page.html", photo, found, species.card)
    assert {path.name for path in tmp_path.iterdir()} == {"page.html", *(f"page.{name}.png" for name in WALK)}
    for path in written.values():
        with Image.open(path) as image:
            assert image.size == (150, 140)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    parsed = Page(text)
    assert not parsed.attributes("script")
    images = [str(found["src"]) for found in parsed.attributes("img")]
    assert len(images) == 5 and all(source.startswith("data:image/") for source in images)
    assert all(image.get("alt") for image in parsed.attributes("img"))
    assert text.count("trust of this map") == 4
    assert "What is Grad-CAM?" in text and "layer4" in text
    row = to_json(photo, found, written)
    assert [one["file"] for one in row["maps"]] == list(written.values())
    assert row["explained"] == found.cls


def test_hostile_names_stay_text(species: Detector, tmp_path: Path, photo: Path) -> None:
    odd = ('"><script>alert(1)</script>\u202e', "猫\x1b[31m{{ 7 * 7 }}", *NAMES[2:])
    shutil.copytree(species.folder, tmp_path / "detector")
    change_card(tmp_path, classes=odd)
    detector = Detector(tmp_path / "detector")
    first, other = (explained(explain(photo, detector, cls=name)) for name in odd[:2])
    for found in (first, other):
        text = explain_page.render(Path("<i>\u202e.png"), found, detector.card, [])
        assert not Page(text).attributes("script") and not Page(text).attributes("i")
        assert not set(text) & set("\u202e\x1b")
    assert "{{ 7 * 7 }}" in text


def test_where_a_page_cannot_go(tmp_path: Path, photo: Path) -> None:
    for out, told in (
        (tmp_path, "in a folder that exists"), (tmp_path / "no" / "page.html", "in a folder that exists"),
        (tmp_path / "page.png", "ends in .html"), (photo, "ends in .html"),
    ):  # fmt: skip
        with pytest.raises(explain_page.BadPage, match=told):
            explain_page.check(out, photo)
    disguised = write_picture(tmp_path / "page.png").rename(tmp_path / "page.html")
    with pytest.raises(explain_page.BadPage, match="the picture itself"):
        explain_page.check(disguised, disguised)
