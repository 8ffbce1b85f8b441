"""Data sets through the window: one is made and looked at, audited and mended; closing and pausing on the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from forensics_app.gui.dataset_page import DatasetPage
from forensics_app.gui.window import Window
from tests.conftest import write_picture
from tests.gui.conftest import LIMIT_MS, drop, files

CHILD_MS = 90_000


@pytest.fixture
def page(window: Window) -> DatasetPage:
    window.turn_to("data")
    found = window.current
    assert isinstance(found, DatasetPage)
    return found


def uneven(folder: Path, count: int = 8) -> Path:
    """Write a data set that its files give away: fakes are small PNGs, real ones large JPEGs."""
    for number in range(count):
        write_picture(folder / "fake" / f"{number}.png", 96, 96, seed=number)
        write_picture(folder / "real" / f"{number}.jpg", 200, 180, seed=100 + number, quality=80)
    return folder


def begin(page: DatasetPage, out: Path) -> None:
    page.form.out.set_path(out)
    page.form.count.setValue(8)
    page.form.steps.setValue(4)
    page.form.go.click()


@pytest.mark.journey
def test_eight_are_generated_with_a_preview_and_looked_at(qtbot: QtBot, page: DatasetPage, tmp_path: Path) -> None:
    pytest.importorskip("diffusers", reason="needs the extra 'train'")
    previews: list[Path] = []
    page.maker.previewed.connect(previews.append)
    begin(page, tmp_path / "cats")
    assert "Measuring" in page.form.cost.text() and page.maker.busy
    page.form.go.click()
    assert "already" in page.form.cost.text()
    qtbot.waitUntil(lambda: page.stack.currentWidget() is page.preview, timeout=CHILD_MS)
    assert "Sampling 8 pictures takes about" in page.form.cost.text()
    qtbot.waitUntil(lambda: page.view.folder == tmp_path / "cats" and not page.view.sheet.reading, timeout=CHILD_MS)
    assert previews and page.preview.view.image is not None and page.preview.view.image.width() == 3 * 64
    record = json.loads((tmp_path / "cats" / "dataset.json").read_text())
    assert len(record["files"]) == 16 and record["plan"]["sampling"]["steps"] == 4
    sheet = page.view.sheet.sheet
    assert sheet.rowCount() == 16 and {entry.kind for entry in sheet.entries} == {"fake", "real"}
    assert all(sheet._thumbs[place].image is not None for place in range(16))
    assert page.view.audit.headline.isVisible() and "crops of two photographs" in page.view.note.text()
    assert page.form.folder == tmp_path / "cats-2" and not page.job.isVisible() and not page.maker.busy


def test_a_refusal_of_the_command_is_told_beside_the_button(qtbot: QtBot, page: DatasetPage, tmp_path: Path) -> None:
    pytest.importorskip("diffusers", reason="needs the extra 'train'")
    page.form.split.setText("9/9")
    begin(page, tmp_path / "cats")
    qtbot.waitUntil(lambda: not page.maker.busy, timeout=CHILD_MS)
    assert "9/9" in page.form.cost.text() and page.form.go.isEnabled()
    assert page.stack.currentWidget() is page.blank and not (tmp_path / "cats").exists()


def test_what_is_missing_is_asked_for(page: DatasetPage) -> None:
    page.form.out.set_path(None)
    page.form.go.click()
    assert "Give a new folder" in page.form.cost.text()
    page.form.out.set_path(Path("somewhere"))
    for box, words in ((page.form.model, "diffusion model"), (page.form.real, "photographs")):
        box.setCurrentIndex(box.findData("own"))
        page.form.go.click()
        assert words in page.form.cost.text()
        box.setCurrentIndex(0)
    assert not page.maker.busy


def test_what_is_filled_in_becomes_the_commands_arguments(page: DatasetPage, tmp_path: Path) -> None:
    form = page.form
    form.out.set_path(tmp_path / "x")
    form.real.setCurrentIndex(form.real.findData("own"))
    form.own_real.set_path(tmp_path / "mine")
    form.format.setCurrentIndex(1)
    form.side.setValue(128)
    form.split.setText("70/30")
    told = " ".join(form.arguments())
    assert f"--real {tmp_path / 'mine'}" in told and "--format png" in told and "--size 128" in told
    assert "--split 70/30" in told and "--quality" not in told and "--match-quality" not in told


def test_a_long_one_is_asked_about(qtbot: QtBot, page: DatasetPage, tmp_path: Path) -> None:
    page.maker.costed.emit(10_000, 7200.0, "cpu")
    assert "10,000 pictures takes about 2.0 hours" in page.form.cost.text() or "120 minutes" in page.form.cost.text()
    assert page.form.start.isVisibleTo(page) and not page.maker.busy
    page.form.confirmed.disconnect(page._start)  # what it makes is another test's
    with qtbot.waitSignal(page.form.confirmed):
        page.generate()


@pytest.mark.journey
def test_a_pause_goes_on_and_closing_stops_it_cleanly(
    qtbot: QtBot, window: Window, page: DatasetPage, tmp_path: Path
) -> None:
    pytest.importorskip("diffusers", reason="needs the extra 'train'")
    out = tmp_path / "cats"
    page.form.out.set_path(out)
    page.form.count.setValue(8)
    page.form.steps.setValue(1000)
    page.maker._arguments = page.form.arguments()  # its cost is another test's
    page.form.confirmed.emit()
    qtbot.waitUntil(lambda: page.preview.view.image is not None, timeout=CHILD_MS)
    job = page.job.job
    assert job is not None and job.can_pause
    page.job.pause.click()
    qtbot.waitUntil(lambda: job.state == "paused", timeout=CHILD_MS)
    assert (out / ".making" / "plan.json").is_file() and page.maker.busy
    page.job.pause.click()
    qtbot.waitUntil(lambda: job.state == "running" and job.done > 8, timeout=CHILD_MS)
    window.quit()
    assert job.state == "cancelled" and not job.running and not (out / "dataset.json").exists()
    assert (out / ".making" / "plan.json").is_file()


def test_a_dropped_data_set_is_audited_and_mended(
    qtbot: QtBot, window: Window, page: DatasetPage, tmp_path: Path
) -> None:
    drop(window, files([uneven(tmp_path / "mine")]))
    qtbot.waitUntil(lambda: page.view.counts.text().startswith("16 pictures"), timeout=LIMIT_MS)
    audit = page.view.audit
    audit.audit.click()
    qtbot.waitUntil(audit.headline.isVisible, timeout=CHILD_MS)
    assert audit.headline.text().startswith("Fail") and "What gives it away" in audit.worst.text()
    assert "PNG 100 %" in audit.worst_words.text() and audit.mend.isVisible()
    audit.mend.click()
    mended = tmp_path / "mine-equalized"
    qtbot.waitUntil(lambda: page.view.folder == mended and audit.headline.isVisible(), timeout=CHILD_MS)
    assert "Fail" in audit.before.text() and "Fail" not in audit.headline.text()
    written = sorted(mended.rglob("*.jpg"))
    assert len(written) == 16
    with Image.open(written[0]) as image:
        assert image.size == (64, 64)


def test_the_audits_report_can_be_saved_or_left(qtbot: QtBot, page: DatasetPage, tmp_path: Path) -> None:
    page.show_folder(uneven(tmp_path / "mine", 4))
    page.save_report(tmp_path / "audit.html")
    job = page.job.job
    assert job is not None and f"--out {tmp_path / 'audit.html'}" in job.log
    with qtbot.waitSignal(job.cancelled, timeout=CHILD_MS):
        page.job.cancel.click()
    assert page.view.audit.audit.isEnabled() and not (tmp_path / "audit.html").exists()


def test_a_folder_that_is_no_data_set_is_told(qtbot: QtBot, window: Window, page: DatasetPage, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    drop(window, files([tmp_path / "empty"]))
    qtbot.waitUntil(page.notice.isVisible, timeout=LIMIT_MS)
    assert "class folder" in page.notice.text.text() and page.stack.currentWidget() is page.blank
    drop(window, files([write_picture(tmp_path / "one.png")]))
    assert "one subfolder per class" in page.notice.text.text()


def test_a_picture_that_cannot_be_read_is_an_empty_cell(qtbot: QtBot, page: DatasetPage, tmp_path: Path) -> None:
    folder = uneven(tmp_path / "mine", 2)
    (folder / "fake" / "0.png").write_bytes(b"broken")
    page.show_folder(folder)
    qtbot.waitUntil(lambda: page.view.sheet.sheet.rowCount() == 4 and not page.view.sheet.reading, timeout=LIMIT_MS)
    thumbs = page.view.sheet.sheet._thumbs
    assert [place for place in range(4) if thumbs[place].image is None] == [1] and thumbs[1].problem
    page.view.sheet.grab()


def test_a_set_without_real_pictures_is_shown_too(qtbot: QtBot, page: DatasetPage, tmp_path: Path) -> None:
    for split in ("train", "val"):
        write_picture(tmp_path / "fakes" / split / "fake" / "0.png")
    (tmp_path / "fakes" / "dataset.json").write_text("{}")
    page.show_folder(tmp_path / "fakes")
    qtbot.waitUntil(lambda: page.view.sheet.sheet.rowCount() == 2, timeout=LIMIT_MS)
    assert "train: 1 fake; val: 1 fake" in page.view.counts.text() and not page.notice.isVisible()


def test_a_cell_is_reached_by_keys(qtbot: QtBot, page: DatasetPage, tmp_path: Path) -> None:
    page.show_folder(uneven(tmp_path / "mine", 2))
    sheet = page.view.sheet
    qtbot.waitUntil(lambda: sheet.sheet.rowCount() == 4 and not sheet.reading, timeout=LIMIT_MS)
    assert [entry.kind for entry in sheet.sheet.entries] == ["real", "fake", "real", "fake"]
    sheet.setCurrentIndex(sheet.sheet.index(0))
    with qtbot.waitSignal(sheet.chosen, timeout=LIMIT_MS) as told:
        QTest.keyClick(sheet, "\r")
    assert told.args[0].name == "0.jpg"
