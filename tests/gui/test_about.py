"""About: versions and licences."""

from __future__ import annotations

import email
import importlib.metadata

import pytest
from PySide6.QtWidgets import QLabel

from forensics_app.gui.about_page import PACKAGES, licence_of
from forensics_app.gui.window import Window


def test_the_licence_of_each_package_is_told(window: Window) -> None:
    window.turn_to("about")
    facts = {label.accessibleName(): label.text() for label in window.current.findChildren(QLabel)}
    assert facts["pillow"] == f"{importlib.metadata.version('pillow')} · MIT-CMU"
    told = [facts[name] for name in PACKAGES if name in facts]
    assert len(told) >= 4 and all(" · " in one for one in told)


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        ("License-Expression: MIT\nLicense: old words", "MIT"),
        ("License: words\nClassifier: License :: OSI Approved :: BSD License", "BSD License"),
        ("License: in words\n        of many lines", "in words"),
        ("License: ", ""),
        ("Summary: nothing", ""),
    ],
)
def test_a_licence_is_found_wherever_a_package_tells_it(lines: str, licence: str) -> None:
    assert licence_of(email.message_from_string(lines)) == licence
