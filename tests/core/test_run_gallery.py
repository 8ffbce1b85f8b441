"""The gallery of a run's report: the right pictures, the right words, and no trust in what lies in their place."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier.runtime import Detector
from forensics_app.core.run_folder import open_run
from forensics_app.core.run_gallery import Gallery, choose, gallery
from tests.core.runs import change_card, read, write_json, write_run


def test_the_surest_right_and_the_worst_wrong_of_each_class_are_chosen(tmp_path: Path, detector_folder: Path) -> None:
    folder = write_run(tmp_path / "run", detector_folder, ("fake", "real"), n=12)
    predictions = open_run(folder).predictions
    assert predictions is not None
    p, labels, chosen = predictions.p, predictions.labels, choose(predictions)
    own, right = p[np.arange(len(p)), labels], p.argmax(axis=1) == labels
    for label in (0, 1):
        for kind in (True, False):
            mine = [one.index for one in chosen if labels[one.index] == label and one.right == kind]
            among = np.flatnonzero((labels == label) & (right == kind))
            assert len(mine) == min(3, len(among)) > 0
            best = sorted(among, key=lambda index: -own[index] if kind else own[index])
            assert [own[index] for index in mine] == [own[index] for index in best[: len(mine)]]


def seen(folder: Path, places: Sequence[str] = (), **changes: Any) -> Gallery:
    """Return the gallery of a run whose measured pictures are changed so, and lie in these places instead."""
    found = read(folder / "predictions.json")
    found["pictures"] = [picture | changes for picture in found["pictures"]]
    for index, picture in enumerate(found["pictures"]):
        picture["path"] = places[index % len(places)] if places else picture["path"]
    write_json(folder / "predictions.json", found)
    run = open_run(folder)
    assert run.predictions is not None
    return gallery(run.predictions, Detector(folder / "detector"))


def test_a_verdict_that_stays_open_is_neither_right_nor_wrong(tmp_path: Path, detector_folder: Path) -> None:
    folder = write_run(tmp_path / "run", detector_folder, ("fake", "real"))
    tiles_of = [tile for _, group in seen(folder, p=[0.55, 0.45]).groups for tile in group]
    assert {(tile.truth, tile.mark, tile.said) for tile in tiles_of} == {
        ("fake", "✓ leans right", "? Can't tell"), ("real", "✗ leans wrong", "? Can't tell"),
    }  # fmt: skip


def test_pictures_that_are_gone_are_counted(tmp_path: Path, detector_folder: Path) -> None:
    folder = write_run(tmp_path / "run", detector_folder, ("fake", "real"))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    places = ("/nowhere/at/all.png", str(folder), "zero\0byte", str(tmp_path / "broken.png"), "bad\udcff.png")
    found, predictions = seen(folder, places), open_run(folder).predictions
    assert predictions is not None
    assert found.gone == len(choose(predictions)) > 0
    assert not found.groups


def test_a_file_name_that_is_no_utf_8_is_shown(tmp_path: Path, detector_folder: Path) -> None:
    folder = write_run(tmp_path / "run", detector_folder, ("fake", "real"))
    name = tmp_path / "odd\udcff\u202e.png"
    try:
        shutil.copy(folder / "0.png", name)
    except (OSError, UnicodeError):
        pytest.skip("this file system wants UTF-8")
    found = seen(folder, (str(name),))
    assert found.gone == 0
    assert {tile.name for _, group in found.groups for tile in group} == {"odd\\xff\\u202e.png"}


def test_maps_without_a_closed_form_are_drawn_with_autograd(tmp_path: Path, detector_folder: Path) -> None:
    folder = write_run(tmp_path / "run", detector_folder, ("fake", "real"))
    closed = seen(folder)
    change_card(folder, closed_form_cam=False)
    drawn = seen(folder)
    assert [len(group) for _, group in drawn.groups] == [len(group) for _, group in closed.groups]
    assert all(tile.heatmap for _, group in drawn.groups for tile in group)
