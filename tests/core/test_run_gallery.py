"""The gallery of a run's report: the right pictures, the right words, and no trust in what lies in their place."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier.runtime import Detector
from forensics_app.core import maps
from forensics_app.core.map_words import MARKS
from forensics_app.core.maps import OUT_OF_TIME, Maps
from forensics_app.core.run_folder import Predictions
from forensics_app.core.run_gallery import MOST_RIGHT, MOST_WRONG, Gallery, Shown, Tile, choose, gallery
from tests.core.runs import change_card, predicted, read, write_json, write_run


def test_the_surest_right_of_each_class_and_the_worst_wrong_of_all_are_chosen(
    tmp_path: Path, detector_folder: Path
) -> None:
    folder = write_run(tmp_path / "run", detector_folder, ("fake", "real"), n=40)
    predictions = predicted(folder)
    p, labels, chosen = predictions.p, predictions.labels, choose(predictions)
    own, right = p[np.arange(len(p)), labels], p.argmax(axis=1) == labels
    for label in (0, 1):
        mine = [one.index for one in chosen if labels[one.index] == label and one.right]
        best = sorted(np.flatnonzero((labels == label) & right), key=lambda index: -own[index])
        assert [own[index] for index in mine] == [own[index] for index in best[:3]]
    wrong = [own[one.index] for one in chosen if not one.right]
    assert wrong == sorted(own[~right])[:MOST_WRONG]
    assert len(wrong) == MOST_WRONG
    assert [one.right for one in chosen] == [True] * 6 + [False] * MOST_WRONG


def test_of_many_classes_the_surest_are_shown_once_each(tmp_path: Path, detector_folder: Path) -> None:
    names = tuple(f"class {number}" for number in range(20))
    predictions = Predictions.model_validate({"split": "test", "classes": names, "pictures": [
        {"path": f"{number}.png", "class": names[number % 20], "p": spread(number % 20, 0.5 + number / 200)}
        for number in range(60)
    ]})  # fmt: skip
    chosen = choose(predictions)
    assert [predictions.labels[one.index] for one in chosen] == list(range(19, 19 - len(chosen), -1))
    assert len(chosen) == MOST_RIGHT
    assert all(one.index >= 40 for one in chosen)


def spread(label: int, p: float) -> list[float]:
    """Return probabilities of 20 classes, p for one of them."""
    return [p if place == label else (1 - p) / 19 for place in range(20)]


def drawn(predictions: Predictions, drawing: Maps) -> Gallery:
    """Return the gallery, and see that each chosen picture is told once."""
    ticks = (Shown(done, 99) for done in itertools.count(1))
    events, told = gallery(predictions, drawing, ticks), 0
    while True:
        try:
            told += 1
            assert next(events) == Shown(told, 99)
        except StopIteration as end:
            assert told - 1 == len(choose(predictions))
            found: Gallery = end.value
            return found


def seen(folder: Path, places: Sequence[str] = (), *, trust_s: float = 0, **changes: Any) -> Gallery:
    """Return the gallery of a run whose measured pictures are changed so, and lie in these places instead."""
    found = read(folder / "predictions.json")
    found["pictures"] = [picture | changes for picture in found["pictures"]]
    for index, picture in enumerate(found["pictures"]):
        picture["path"] = places[index % len(places)] if places else picture["path"]
    write_json(folder / "predictions.json", found)
    return drawn(predicted(folder), Maps(Detector(folder / "detector"), trust_s))


def tiles(found: Gallery) -> list[Tile]:
    return [*(tile for _, group in found.groups for tile in group), *found.wrong]


def test_a_verdict_that_stays_open_is_neither_right_nor_wrong(tmp_path: Path, detector_folder: Path) -> None:
    folder = write_run(tmp_path / "run", detector_folder, ("fake", "real"))
    assert {(tile.truth, tile.mark, tile.said) for tile in tiles(seen(folder, p=[0.55, 0.45]))} == {
        ("fake", "✓ leans right", "? Can't tell"), ("real", "✗ leans wrong", "? Can't tell"),
    }  # fmt: skip


def test_pictures_that_are_gone_are_counted(tmp_path: Path, detector_folder: Path) -> None:
    folder = write_run(tmp_path / "run", detector_folder, ("fake", "real"))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    places = ("/nowhere/at/all.png", str(folder), "zero\0byte", str(tmp_path / "broken.png"), "bad\udcff.png")
    found = seen(folder, places)
    assert found.gone == len(choose(predicted(folder))) > 0
    assert not tiles(found)


def test_a_file_name_that_is_no_utf_8_is_shown(tmp_path: Path, detector_folder: Path) -> None:
    folder = write_run(tmp_path / "run", detector_folder, ("fake", "real"))
    name = tmp_path / "odd\udcff\u202e.png"
    try:
        shutil.copy(folder / "0.png", name)
    except (OSError, UnicodeError):
        pytest.skip("this file system wants UTF-8")
    found = seen(folder, (str(name),))
    assert found.gone == 0
    assert {tile.name for tile in tiles(found)} == {"odd\\xff\\u202e.png"}


def test_maps_without_a_closed_form_are_drawn_with_autograd(tmp_path: Path, detector_folder: Path) -> None:
    folder = write_run(tmp_path / "run", detector_folder, ("fake", "real"))
    closed = seen(folder)
    change_card(folder, closed_form_cam=False)
    other = seen(folder)
    assert len(tiles(other)) == len(tiles(closed)) > 0
    assert all(tile.heatmap for tile in tiles(other))


def test_without_torch_a_network_without_a_closed_form_has_no_maps(
    tmp_path: Path, detector_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_run(tmp_path / "run", detector_folder, ("fake", "real"))
    change_card(folder, closed_form_cam=False)
    monkeypatch.setattr(maps, "has_torch", lambda: False)
    found = seen(folder)
    assert tiles(found) and not found.mapped
    assert all(tile.heatmap is None and tile.trust is None for tile in tiles(found))


def test_each_map_has_a_badge_until_the_time_is_used_up(tmp_path: Path, detector_folder: Path) -> None:
    folder = write_run(tmp_path / "run", detector_folder, ("fake", "real"))
    tested = [tile.trust for tile in tiles(seen(folder, trust_s=60)) if tile.trust]
    assert tested and all(badge.words != OUT_OF_TIME and badge.mark == MARKS[badge.level] for badge in tested)
    left = [tile.trust for tile in tiles(seen(folder, trust_s=0)) if tile.trust]
    assert len(left) == len(tested)
    assert all((badge.level, badge.words) == ("untested", OUT_OF_TIME) for badge in left)
