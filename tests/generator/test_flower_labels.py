"""The label files of the 102 flowers: their bytes are checked before they are parsed, and what they say is used."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from generator import flower_labels
from generator.downloads import BadSource, Unreachable
from generator.flower_labels import FILES, FlowerLabels
from tests.conftest import write_picture
from tests.generator.server import Behaviour, serving
from tests.generator.sources import tar_gz
from tests.generator.test_fetched import fetch
from tests.generator.test_reals import served

LABELS = [1, 1, 1, 1, 1, 77, 77, 77, 77, 77]
SPLITS = {"trnid": [1, 6], "valid": [2, 7], "tstid": [3, 4, 5, 8, 9, 10]}


def matlab(**values: Any) -> bytes:
    """Return a MATLAB file as Oxford's are: version 5, a row of small numbers."""
    savemat = pytest.importorskip("scipy.io", reason="needs the extra 'train'").savemat
    out = io.BytesIO()
    savemat(out, {name: np.array([value], np.uint16) for name, value in values.items()}, do_compression=True)
    return out.getvalue()


def labels(changed: dict[str, Any] | None = None) -> dict[str, bytes]:
    return {"labels": matlab(labels=LABELS), "splits": matlab(**{**SPLITS, **(changed or {})})}


def pin(patch: pytest.MonkeyPatch, files: dict[str, bytes], urls: dict[str, str] | None = None) -> None:
    """Expect other bytes, from other addresses."""
    for key, data in files.items():
        url = (urls or {}).get(key, FILES[key].url)
        pinned = replace(FILES[key], url=url, size=len(data), sha256=hashlib.sha256(data).hexdigest())
        patch.setitem(FILES, key, pinned)


def finished(events: Any) -> FlowerLabels:
    while True:
        try:
            next(events)
        except StopIteration as end:
            assert isinstance(end.value, FlowerLabels)
            return end.value


def test_the_whole_set_from_a_server(tmp_path: Path, online: pytest.MonkeyPatch) -> None:
    made = {f"jpg/image_{number:05}.jpg": write_picture(tmp_path / f"{number}.jpg", seed=number).read_bytes()
            for number in range(1, 11)}  # fmt: skip
    archive, files = tar_gz(tmp_path / "flowers.tgz", made).read_bytes(), labels()
    with (
        serving(Behaviour(archive)) as url,
        serving(Behaviour(files["labels"])) as first,
        serving(Behaviour(files["splits"])) as second,
    ):
        served(online, "flowers102", url, archive)
        pin(online, files, {"labels": f"{first}/imagelabels.mat", "splits": f"{second}/setid.mat"})
        end = fetch("flowers102", tmp_path / "again")
        official = fetch("flowers102", tmp_path / "official", split="official")
    assert end.counts == {"train": {"001": 4, "077": 4}, "test": {"001": 1, "077": 1}}, "80/20 of each class"
    assert official.counts["test"] == {"001": 3, "077": 3}
    assert {path.name for path in (tmp_path / "official/val").rglob("*.jpg")} == {"image_00002.jpg", "image_00007.jpg"}


def test_files_beside_an_archive_need_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = labels()
    pin(monkeypatch, files)
    for key, name in (("labels", "imagelabels.mat"), ("splits", "setid.mat")):
        (tmp_path / name).write_bytes(files[key])
    found = finished(flower_labels.fetch(tmp_path / "cache", tmp_path))
    assert found.place("102flowers/jpg/image_00006.jpg") == ("077", "train")
    assert [found.place(name) for name in ("image_00011.jpg", "image_6.jpg", "notes.jpg")] == [None, None, None]


def test_a_file_of_another_hash_is_never_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flower_labels, "_variables", lambda *_: pytest.fail("it was parsed"))
    (tmp_path / "imagelabels.mat").write_bytes(labels()["labels"])
    with pytest.raises(BadSource, match=r"imagelabels\.mat is not the label file .* SHA-256 differs\): remove it"):
        finished(flower_labels.fetch(tmp_path / "cache", tmp_path))
    (tmp_path / "imagelabels.mat").unlink()
    (tmp_path / "imagelabels.mat").mkdir()
    with pytest.raises(
        Unreachable, match=r"^imagelabels\.mat, the label file .* forbids downloads: download https.*--from"
    ):
        finished(flower_labels.fetch(tmp_path / "cache", tmp_path))


@pytest.mark.parametrize(("changed", "words"), [
    ({"tstid": [3, 4, 5, 8, 9]}, "not of the same pictures"),
    ({"tstid": [3, 4, 5, 8, 9, 11]}, "not of the same pictures"),
])  # fmt: skip
def test_files_that_do_not_fit_together(changed: dict[str, Any], words: str) -> None:
    files = labels(changed)
    with pytest.raises(BadSource, match=words):
        flower_labels.parse(files["labels"], files["splits"])


@pytest.mark.parametrize("data", [b"", b"no matlab file at all", bytes(600), b"MATLAB 5.0" + bytes(200)])
def test_what_is_no_label_file(data: bytes) -> None:
    pytest.importorskip("scipy.io", reason="needs the extra 'train'")
    with pytest.raises(BadSource, match=r"imagelabels\.mat"):
        flower_labels.parse(data, labels()["splits"])
    with pytest.raises(BadSource, match="does not hold what"):
        flower_labels.parse(matlab(other=[1]), labels()["splits"])
