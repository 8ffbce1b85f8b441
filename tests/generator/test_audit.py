"""The audit finds what differs beside the picture, names it, and passes what was written alike."""

from __future__ import annotations

import io
import json
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classifier.data import BadData
from classifier.images import Pixels
from classifier.recipes import Data
from generator import equalized, shortcuts
from generator.audit import Audit, Looked, audit, summary
from generator.equalize import Equalize, equalize
from tests.conftest import write_picture
from tests.generator.sets import Save, as_jpeg, as_png, audited, scene, write_set


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer trees: these sets are easy."""
    monkeypatch.setattr(shortcuts, "TREES", 15)
    monkeypatch.setattr(shortcuts, "REPEATS", 1)


def test_alike_pictures_pass_whatever_the_classes_are_called(tmp_path: Path) -> None:
    found = audited(write_set(tmp_path / "set", as_jpeg, as_jpeg))
    assert found.verdict == "pass", found.reasons
    assert (found.worst, found.mend, found.unreadable) == (None, None, ())
    assert found.classes == {"fake": 24, "real": 24}
    file = found.findings["file"]
    assert (file.varying, file.auc.value, file.auc.low, file.auc.high, file.auc.n) == (0, 0.5, 0.5, 0.5, 48)
    assert found.findings["together"].auc.low <= 0.5 <= found.findings["together"].auc.high


def _coarser(pixels: Pixels, stem: Path) -> None:
    Image.fromarray(pixels).save(stem.with_suffix(".jpg"), quality=75)


def _full_colour(pixels: Pixels, stem: Path) -> None:
    Image.fromarray(pixels).save(stem.with_suffix(".jpg"), quality=90, subsampling=0)


def _progressive(pixels: Pixels, stem: Path) -> None:
    Image.fromarray(pixels).save(stem.with_suffix(".jpg"), quality=90, progressive=True)


def _wider(pixels: Pixels, stem: Path) -> None:
    as_jpeg(pixels[:, :88], stem)


def _with_exif(pixels: Pixels, stem: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    Image.fromarray(pixels).save(stem.with_suffix(".jpg"), quality=90, exif=exif)


def _with_tail(pixels: Pixels, stem: Path) -> None:
    as_jpeg(pixels, stem)
    with stem.with_suffix(".jpg").open("ab") as file:
        file.write(b"tail")


@pytest.mark.parametrize(("fake", "fact"), [
    (as_png, "file format"), (_coarser, "JPEG table"), (_full_colour, "chroma subsampling"), (_wider, "width"),
    (_progressive, "progressive"), (_with_exif, "metadata"), (_with_tail, "bytes after the end"),
], ids=lambda one: one if isinstance(one, str) else "")  # fmt: skip
def test_what_differs_in_the_file_fails_and_is_named(tmp_path: Path, fake: Save, fact: str) -> None:
    found = audited(write_set(tmp_path / "set", fake, as_jpeg))
    assert found.verdict == "fail"
    assert found.findings["file"].auc.value > 0.95
    assert found.findings["file"].auc.low < 1
    assert found.worst is not None
    assert found.worst.name == fact
    assert found.reasons[0].level == "fail"
    assert fact in found.reasons[0].text


def test_the_command_that_is_named_mends_it(tmp_path: Path) -> None:
    root = write_set(tmp_path / "my set", as_png, _coarser)
    found = audited(root)
    assert found.mend is not None
    words = shlex.split(found.mend)
    assert words[:3] == ["forensics", "equalize", str(root)]
    out, size = Path(words[words.index("--out") + 1]), int(words[words.index("--size") + 1])
    *_, end = equalized.write(root, out, Equalize(size))
    assert isinstance(end, equalized.Equalized)
    assert end.classes == {"fake": 24, "real": 24}
    assert audited(out).findings["file"].auc.value == 0.5
    assert audited(out).verdict == "pass"


@pytest.mark.parametrize(("below", "typed"), [("", "."), ("fake", "..")])
def test_the_command_puts_nothing_into_the_set_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str, typed: str
) -> None:
    root = write_set(tmp_path / "my set", as_png, _coarser)
    monkeypatch.chdir(root / below)
    mend = audited(Path(typed)).mend
    assert mend is not None
    assert shlex.split(mend)[:5] == ["forensics", "equalize", typed, "--out", str(tmp_path / "my set-equalized")]


def _was_jpeg(pixels: Pixels, stem: Path) -> None:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=60)
    as_png(np.asarray(Image.open(out))[3:, 5:][:88, :88], stem)


def _cut(pixels: Pixels, stem: Path) -> None:
    as_png(pixels[:88, :88], stem)


def _enlarged(pixels: Pixels, stem: Path) -> None:
    small = Image.fromarray(pixels[:60, :60])
    small.resize((88, 88), Image.Resampling.BICUBIC).save(stem.with_suffix(".png"))


def _bordered(pixels: Pixels, stem: Path) -> None:
    pixels = pixels[:88, :88].copy()
    pixels[:8] = 0
    as_png(pixels, stem)


@pytest.mark.parametrize(("fake", "fact"), [
    (_was_jpeg, "8×8 grid of an earlier JPEG"), (_enlarged, "traces of resizing"), (_bordered, "uniform border"),
], ids=lambda one: one if isinstance(one, str) else "")  # fmt: skip
def test_what_differs_in_the_past_fails_and_is_named(tmp_path: Path, fake: Save, fact: str) -> None:
    found = audited(write_set(tmp_path / "set", fake, _cut))
    assert found.verdict == "fail"
    assert found.findings["file"].auc.value == 0.5
    assert found.worst is not None
    assert found.worst.name == fact


def test_looks_alone_warn_but_never_fail(tmp_path: Path) -> None:
    def rough(pixels: Pixels, stem: Path) -> None:
        noise = np.random.default_rng(int(stem.name)).normal(0, 12, pixels.shape)
        as_png(np.clip(pixels + noise, 0, 255).astype(np.uint8), stem)

    found = audited(write_set(tmp_path / "set", rough, as_png))
    assert found.verdict == "warn"
    assert found.findings["picture"].facts[0].auc > 0.95
    assert "a detector may learn no more" in found.reasons[0].text
    assert found.mend is None


def test_few_pictures_say_so(tmp_path: Path) -> None:
    found = audited(write_set(tmp_path / "few", as_png, as_jpeg, count=8))
    assert (found.reasons[0].level, found.reasons[-1].level) == ("fail", "warn")
    assert "only 8 pictures" in found.reasons[-1].text
    found = audited(write_set(tmp_path / "fewer", as_png, as_jpeg, count=3))
    assert (found.verdict, found.findings) == ("warn", {})
    assert "too few" in found.reasons[0].text


def test_unreadable_pictures_are_listed(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set", as_jpeg, as_jpeg)
    (root / "real/broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    (root / "fake/empty.png").touch()
    found = audited(root)
    assert [name for name, _ in found.unreadable] == [str(Path("fake/empty.png")), str(Path("real/broken.jpg"))]
    assert found.files == 50
    assert found.classes == {"fake": 24, "real": 24}


def test_folders_that_are_no_data_set(tmp_path: Path) -> None:
    for root in (tmp_path / "none", tmp_path):
        with pytest.raises(BadData):
            audited(root)


def test_three_classes_and_tiny_pictures(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set", as_jpeg, as_png, side_px=32)
    for index in range(24):
        write_picture(root / f"third/{index}.webp", 32, 33, seed=500 + index)
    found = audited(root)
    assert found.verdict == "fail"
    assert found.findings["file"].auc.value > 0.95
    assert found.worst is not None
    assert set(found.worst.words) == {"fake", "real", "third"}


def test_the_layout_of_a_recipe(tmp_path: Path) -> None:
    write_set(tmp_path / "set", as_png, as_jpeg)
    found = audited(tmp_path, spec=Data(classes={"made": ("set/fake",), "taken": ("set/real",)}))
    assert found.classes == {"made": 24, "taken": 24}
    assert found.mend == "Write the pictures of all classes alike with 'forensics equalize'."


def test_a_limit_draws_from_every_class(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set", as_jpeg, as_jpeg)
    found = audited(root, limit=20)
    assert (found.classes, found.files) == ({"fake": 10, "real": 10}, 48)
    assert found == audited(root, limit=20)


def test_progress_counts_up_and_closing_ends_it(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set", as_png, as_jpeg)
    events = list(audit(root))
    looked = [event for event in events if isinstance(event, Looked)]
    assert isinstance(events[-1], Audit)
    assert [event.done for event in looked] == sorted(event.done for event in looked)
    assert {event.total for event in looked} == {52}
    for steps in (1, 60):  # among the pictures, and while a model is fitted
        job: Iterator[object] = audit(root)
        for _ in range(steps):
            next(job)
        job.close()  # type: ignore[attr-defined]


def test_a_summary_is_plain_and_short(tmp_path: Path) -> None:
    kept = summary(audited(write_set(tmp_path / "set", as_png, as_jpeg)))
    assert json.loads(json.dumps(kept)) == kept
    assert kept["verdict"] == "fail"
    assert kept["worst"]["name"] == "file format"
    assert set(kept["auc"]["together"]) == {"value", "low", "high", "n"}


def test_intervals_hold_what_chance_gives() -> None:
    """Of sets whose classes do not differ the interval holds .5 about as often as it says."""
    labels, held = np.array([0, 1] * 60), 0
    for seed in range(12):
        values = np.random.default_rng(seed).normal(size=(120, 4))
        rows = [{f"fact {column}": float(value) for column, value in enumerate(row)} for row in values]
        held += _figure(rows, labels)
    assert held >= 10


def _figure(rows: list[dict[str, float | str]], labels: np.ndarray) -> bool:  # type: ignore[type-arg]
    work = shortcuts.tell_apart("file", rows, labels, ("a", "b"), range(len(rows)), 0)
    while True:
        try:
            next(work)
        except StopIteration as end:
            auc = end.value.auc
            return bool(auc.low <= 0.5 <= auc.high)


def test_the_usual_set_up_fails_and_equalized_passes(shared_data: Path, tmp_path: Path) -> None:
    """Photographs as they come from Kaggle against PNG files of google/ddpm-cat-256."""
    photographs = sorted((shared_data / "cats/kaggle").iterdir())[:40]
    made = sorted((shared_data / "ddpm_cat_256").glob("*.png"))
    assert len(made) > 20
    for kind, files in (("real", photographs), ("fake", made)):
        (tmp_path / "raw" / kind).mkdir(parents=True)
        (tmp_path / "alike" / kind).mkdir(parents=True)
        for path in files:
            shutil.copy(path, tmp_path / "raw" / kind / path.name)
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("RGB"))
            data = equalize(pixels, Equalize(64), np.random.default_rng(0))
            (tmp_path / "alike" / kind / f"{path.stem}.jpg").write_bytes(data)
    raw = audited(tmp_path / "raw")
    assert raw.verdict == "fail"
    assert raw.findings["file"].auc.value > 0.95
    assert raw.worst is not None
    assert raw.worst.name in ("file format", "JPEG table")
    alike = audited(tmp_path / "alike").findings
    assert alike["file"].auc.value == 0.5
    assert alike["together"].auc.low <= 0.5 <= alike["together"].auc.high


def test_a_scene_is_one_process() -> None:
    """What these tests rest on: the same seed gives the same picture, another gives another."""
    assert np.array_equal(scene(3), scene(3))
    assert not np.array_equal(scene(3), scene(4))
