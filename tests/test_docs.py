"""What is written is true: every command is in the README, every example runs, every file and link is there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from forensics_app.cli import app
from tests.conftest import ROOT
from tests.test_architecture import FILES

README = ROOT / "README.md"
DOCUMENTS = (README, *sorted((ROOT / "docs").glob("*.md")))
FOLDERS = "forensics_app|classifier|generator|resources|benchmarks|tests|docs|notebooks|[.]ci"
CODE = re.compile(r"```[^\n]*\n(.*?)```|`([^`\n]+)`", re.DOTALL)


def commands(group: Any = None, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the words and the command of everything that can be typed after `forensics`."""
    listed: Any = group or get_command(app)
    for name, command in listed.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*words, name))
        elif not command.hidden:
            yield (*words, name), command


def code_lines(text: str) -> Iterator[str]:
    """Yield each line of code of a document: of its blocks, with continuations joined, and between backticks."""
    for block, inline in CODE.findall(text):
        yield from (line.strip() for line in (block or inline).replace("\\\n", " ").splitlines())


def examples(text: str) -> list[str]:
    """Return what is shown after `forensics`, without comments, redirections and pipes."""
    shown = (re.match(r"(?:\$ )?forensics(?: +([^#|>]*))?(?:[#|>].*)?$", line) for line in code_lines(text))
    return [(found[1] or "").strip() for found in shown if found]


def parse(arguments: list[str]) -> None:
    """Parse a command line as the program would, without running it; raises what its parser raises."""
    command: Any = get_command(app)
    while hasattr(command, "commands") and arguments and not arguments[0].startswith("-"):
        if arguments[0] not in command.commands:
            raise LookupError(f"no such command: {arguments[0]}")
        command, arguments = command.commands[arguments[0]], arguments[1:]
    command.make_context("forensics", arguments)


def anchors(path: Path) -> set[str]:
    """Return the anchors that a page's headings make."""
    headings = re.findall(
        r"^#+ +(.*)$", re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL), re.M
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("words", [words for words, _ in commands()], ids=" ".join)
def test_command_is_in_the_readme(words: tuple[str, ...]) -> None:
    lines = [example.split() for example in examples(README.read_text(encoding="utf-8"))]
    assert [line for line in lines if line[: len(words)] == list(words)], f"no example of forensics {' '.join(words)}"


@pytest.mark.parametrize(("document", "example"), [
    (path.name, example) for path in DOCUMENTS for example in dict.fromkeys(examples(path.read_text(encoding="utf-8")))
])  # fmt: skip
def test_example_parses(document: str, example: str) -> None:
    parse(shlex.split(example.replace("…", "").replace("...", "")))


@pytest.mark.parametrize(("words", "command"), list(commands()), ids=str)
def test_help_has_an_example_that_parses(words: tuple[str, ...], command: Any) -> None:
    found = re.search(r"Example: forensics (.*)", command.help or "")
    assert found, f"the help of forensics {' '.join(words)} has no example"
    assert found[1].split()[: len(words)] == list(words)
    parse(shlex.split(found[1]))


def test_a_wrong_example_is_noticed() -> None:
    """The parser behind these tests refuses what the program would refuse."""
    for wrong in ("analyze photo.jpg --no-such-option", "no-such-command", "scan --workers 2"):
        with pytest.raises(Exception, match=r"(?i)no such|missing"):
            parse(shlex.split(wrong))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_named_files_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = {
        word for line in code_lines(text) for word in re.findall(rf"(?<![\w/.~-])(?:{FOLDERS})/[\w./*-]*\w/?", line)
    }
    assert not sorted(name for name in named if not any(ROOT.glob(name.rstrip("/"))))


def test_every_module_is_in_the_architecture() -> None:
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    modules = [path.relative_to(ROOT).as_posix() for path in FILES if not path.name.startswith("__")]
    assert not [module for module in modules if f"`{module}`" not in text], "name them in docs/ARCHITECTURE.md"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        page = (path.parent / file).resolve() if file else path
        assert page.exists(), f"{path.name} links to {target}"
        assert not anchor or anchor in anchors(page), f"{path.name} links to {target}, which has no such heading"


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    named = {found[1] for line in code_lines(text) if (found := re.match(r"(?:\$ )?make ([a-z-]+)", line))}
    assert {"run", "test"} <= named <= targets
