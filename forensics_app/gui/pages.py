"""The pages of the window, a row each; a page's module is imported when it is first looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module

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


AHEAD = (
    "classifier.request",
    "classifier.thresholds",
    "forensics_app.core.default_detector",
    "forensics_app.core.detector_archive",
    "forensics_app.core.detector_facts",
    "forensics_app.core.installing",
    "forensics_app.core.judging",
    "forensics_app.core.members",
    "forensics_app.core.previews",
    "forensics_app.core.quiz",
    "forensics_app.core.recipe_form",
    "forensics_app.core.report",
    "forensics_app.core.results",
    "forensics_app.core.run_gallery",
    "forensics_app.core.run_phases",
    "forensics_app.core.run_tables",
    "forensics_app.core.store",
    "forensics_app.core.store_lookup",
    "forensics_app.core.store_merge",
    "forensics_app.core.store_pages",
    "forensics_app.core.unfinished_runs",
    "forensics_app.core.workers",
    "generator.archives",
    "generator.audit_verdict",
    "generator.downloads",
    "generator.entries",
    "generator.leaks",
    "generator.record",
    "generator.shortcuts",
    "generator.tars",
    "generator.workplace",
    "generator.zips",
)
"""What the pages import and Qt has no part in."""


def import_ahead() -> Iterator[str]:
    """Import `AHEAD`, a module a step; meant for a thread.

    The pages' own modules are not among them: PySide makes its classes when they are first named, which two threads
    must not do at once.
    """
    for module in AHEAD:
        with lasting():
            import_module(module)
        yield module
