"""The pages of the window, a row each; a page's module is imported when it is first looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP

from forensics_app.gui.garbage import lasting
from forensics_app.gui.page import PageWidget
from forensics_app.gui.session import Session

Make = Callable[[Session], PageWidget]


@dataclass(frozen=True)
class Page:
    """A row of the sidebar; `low` ones stand at its lower end."""

    key: str
    title: str
    icon: str
    find: Callable[[], Make]
    """Imports the page's module."""
    low: bool = False


def _inspect() -> Make:
    from forensics_app.gui.image_page import ImagePage

    return ImagePage


def _scan() -> Make:
    from forensics_app.gui.scan_page import ScanPage

    return ScanPage


def _train() -> Make:
    from forensics_app.gui.train_page import TrainPage

    return TrainPage


def _evaluate() -> Make:
    from forensics_app.gui.evaluate_page import EvaluatePage

    return EvaluatePage


def _data() -> Make:
    from forensics_app.gui.dataset_page import DatasetPage

    return DatasetPage


def _detectors() -> Make:
    from forensics_app.gui.detectors_page import DetectorsPage

    return DetectorsPage


def _quiz() -> Make:
    from forensics_app.gui.quiz_page import QuizPage

    return QuizPage


def _settings() -> Make:
    from forensics_app.gui.settings_page import SettingsPage

    return SettingsPage


def _about() -> Make:
    from forensics_app.gui.about_page import AboutPage

    return AboutPage


PAGES = (
    Page("inspect", str(QT_TRANSLATE_NOOP("pages", "Inspect")), "inspect", _inspect),
    Page("scan", str(QT_TRANSLATE_NOOP("pages", "Scan")), "scan", _scan),
    Page("data", str(QT_TRANSLATE_NOOP("pages", "Data sets")), "data", _data),
    Page("train", str(QT_TRANSLATE_NOOP("pages", "Train")), "train", _train),
    Page("evaluate", str(QT_TRANSLATE_NOOP("pages", "Evaluate")), "evaluate", _evaluate),
    Page("detectors", str(QT_TRANSLATE_NOOP("pages", "Detectors")), "detectors", _detectors),
    Page("quiz", str(QT_TRANSLATE_NOOP("pages", "Quiz")), "quiz", _quiz),
    Page("settings", str(QT_TRANSLATE_NOOP("pages", "Settings")), "settings", _settings, low=True),
    Page("about", str(QT_TRANSLATE_NOOP("pages", "About")), "about", _about, low=True),
)


def import_all() -> Iterator[str]:
    """Import the modules of all pages, one a step, so that a first visit need not; meant for a thread."""
    for page in PAGES:
        with lasting():
            page.find()
        yield page.key
