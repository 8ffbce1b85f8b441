"""The pages of the window, a row each; a page's module is imported when it is first looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP

from forensics_app.gui.page import PageWidget
from forensics_app.gui.session import Session


@dataclass(frozen=True)
class Page:
    """A row of the sidebar; `low` ones stand at its lower end."""

    key: str
    title: str
    icon: str
    load: Callable[[Session], PageWidget]
    low: bool = False


def _inspect(session: Session) -> PageWidget:
    from forensics_app.gui.image_page import ImagePage

    return ImagePage(session)


def _scan(session: Session) -> PageWidget:
    from forensics_app.gui.scan_page import ScanPage

    return ScanPage(session)


def _train(session: Session) -> PageWidget:
    from forensics_app.gui.train_page import TrainPage

    return TrainPage(session)


def _evaluate(session: Session) -> PageWidget:
    from forensics_app.gui.evaluate_page import EvaluatePage

    return EvaluatePage(session)


def _data(session: Session) -> PageWidget:
    from forensics_app.gui.dataset_page import DatasetPage

    return DatasetPage(session)


def _detectors(session: Session) -> PageWidget:
    from forensics_app.gui.detectors_page import DetectorsPage

    return DetectorsPage(session)


def _quiz(session: Session) -> PageWidget:
    from forensics_app.gui.quiz_page import QuizPage

    return QuizPage(session)


def _settings(session: Session) -> PageWidget:
    from forensics_app.gui.settings_page import SettingsPage

    return SettingsPage(session)


def _about(session: Session) -> PageWidget:
    from forensics_app.gui.about_page import AboutPage

    return AboutPage(session)


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
