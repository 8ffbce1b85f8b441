"""What an application outside Python is made from: the recipe, its entry, and the entry of a Linux desktop."""

from __future__ import annotations

import ast
import configparser
import re
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

DESKTOP = ROOT / "packaging" / "forensics.desktop"


@pytest.fixture
def entry() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DESKTOP, encoding="utf-8")
    return parser["Desktop Entry"]


def test_the_desktop_entry_starts_a_command_that_there_is(entry: configparser.SectionProxy) -> None:
    program, command, *rest = entry["Exec"].split()
    from forensics_app.cli import app

    names = {one.name or getattr(one.callback, "__name__", "") for one in app.registered_commands}
    assert program == "forensics" and command in names and rest == ["%F"]
    assert entry["Type"] == "Application" and entry["Terminal"] == "false"


def test_its_kinds_of_files_are_those_that_can_be_judged(entry: configparser.SectionProxy) -> None:
    from classifier.images import FORMATS

    kinds = [kind for kind in entry["MimeType"].split(";") if kind]
    named = {kind.removeprefix("image/").upper() for kind in kinds if kind.startswith("image/")}
    assert named - {"HEIF"} == set(FORMATS) - {"HEIF"} and "inode/directory" in kinds


def test_the_wheel_brings_the_entry_and_its_icon(entry: configparser.SectionProxy) -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    shared = dict(re.findall(r'^"([^"]+)" = "(share/[^"]+)"$', text, re.M))
    assert shared["packaging/forensics.desktop"].endswith("/applications/forensics.desktop")
    icon = next(source for source, target in shared.items() if target.endswith(f"/{entry['Icon']}.svg"))
    assert all((ROOT / source).is_file() for source in shared) and "<svg" in (ROOT / icon).read_text(encoding="utf-8")


def test_the_recipe_leaves_out_only_what_judging_does_not_import() -> None:
    tree = ast.parse((ROOT / "packaging" / "forensics.spec").read_text(encoding="utf-8"))
    (unused,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "UNUSED"
    )
    import forensics_app.gui.window  # noqa: F401

    window = Path(sys.modules["forensics_app.gui.window"].__file__ or "").parent
    wanted = {
        name
        for path in window.glob("*.py")
        for name in re.findall(r"^from (PySide6\.\w+) import", path.read_text(encoding="utf-8"), re.M)
    }
    assert wanted and not wanted & set(unused) and "torch" in unused
