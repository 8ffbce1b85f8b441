"""The Scan page with files in it cuts no text off either: at both sizes, and where texts need 40 % more room."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QTranslator
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from classifier.places import home
from forensics_app.core.store_lookup import Filters
from forensics_app.gui.window import Window
from tests.gui.scanned import fill_with_pictures, scan_page, settle, show
from tests.gui.test_layout import SIZES, Longer, cut_off, outside, overlapping


@pytest.fixture(params=["as it is", "longer"])
def texts(request: pytest.FixtureRequest, qapp: QApplication) -> object:
    """Texts as they are, and 40 % longer; before the window is made."""
    translator = Longer() if request.param == "longer" else QTranslator()
    qapp.installTranslator(translator)
    yield
    qapp.removeTranslator(translator)


@pytest.mark.parametrize("size", SIZES)
def test_what_was_found_fits(
    qtbot: QtBot, texts: object, window: Window, tmp_path: Path, size: tuple[int, int]
) -> None:
    fill_with_pictures(home() / "scans.db", tmp_path / "shoebox", 9)
    window.resize(*size)
    page = scan_page(window)
    show(qtbot, page, tmp_path / "shoebox")
    page.options.setChecked(True)
    page.results.strip.histogram.put(0.3)
    filters = Filters(labels=frozenset({"fake"}), above=0.3, formats=("PNG",), evidence=False)
    page.results.chips.changed.emit(filters)
    settle(qtbot, page, lambda: page.results.model.rowCount() == 3)
    page.results.mark("fake", then_next=False)
    for _ in range(3):
        QCoreApplication.processEvents()
    assert window.width() == size[0]
    assert [*cut_off(page), *overlapping(page), *outside(page)] == []
