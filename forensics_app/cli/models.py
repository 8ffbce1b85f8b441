"""The commands that list the installed detectors and show a card."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics_app.cli.run import BadUse, Guarded, Json, Quiet, Terminal, follow

if TYPE_CHECKING:
    from rich.padding import Padding
    from rich.table import Table

    from forensics_app.core.architectures import Architecture
    from forensics_app.core.detectors import Listed

app = typer.Typer(
    cls=Guarded, help="List the installed detectors, show the card of one, install, export and remove them."
)


ARCHITECTURES = """
px: side of its own input. Parameters with a head for 1000 and for 2 classes.
Stages can be named in a recipe's phases; with --json they are listed.
* The map comes out of the forward pass; the others need torch for it.
Any other classifier of torchvision works by its name, for example resnet34."""


@app.callback(invoke_without_command=True)
def models(
    context: typer.Context,
    architectures: Annotated[
        bool, typer.Option("--architectures", help="List the networks that can be trained instead.")
    ] = False,
    json: Json = False,
) -> None:
    """List the installed detectors, or show the card of one.

    Example: forensics models show default
    """
    if architectures and context.invoked_subcommand:
        raise BadUse(f"'models --architectures' is a list of its own: leave out '{context.invoked_subcommand}'.")
    if architectures:
        list_architectures(json)
    elif context.invoked_subcommand is None:
        list_detectors(json)


def list_architectures(json: bool) -> None:
    """Print the networks that can be trained."""
    from forensics_app.core.architectures import architectures

    terminal, found = Terminal(json), architectures()
    for one in found if json else ():
        terminal.record(one)
    if not json:
        terminal.result(_architectures(found))
        terminal.result(ARCHITECTURES)


@app.command("list")
def list_detectors(json: Json = False) -> None:
    """List the installed detectors, the bundled ones and your own.

    Example: forensics models list
    """
    from forensics_app.core.detectors import listed

    terminal, found = Terminal(json), listed()
    for one in found if json else ():
        terminal.record(one)
    if json:
        return
    sound = [one for one in found if one.problem is None]
    terminal.result(_table(sound) if sound else "No detector is installed that can be used.")
    for line in _broken([one for one in found if one.problem is not None]):
        terminal.result(line)


@app.command("show")
def show_card(
    name: Annotated[str, typer.Argument(help="An installed detector, or its folder.")], json: Json = False
) -> None:
    """Show a detector's card: what it was trained on, what was measured, and what it cannot tell.

    Example: forensics models show default
    """
    from classifier.detector import find, open_folder
    from forensics_app.cli.card import paragraphs

    terminal, installed = Terminal(json), open_folder(find(name))
    if json:
        terminal.record({"id": installed.id, "folder": installed.folder, **installed.card.model_dump(mode="json")})
    for paragraph in () if json else paragraphs(installed):
        terminal.result(paragraph)


@app.command("default")
def choose_default(
    name: Annotated[str | None, typer.Argument(help="An installed detector, or bundled.")] = None, json: Json = False
) -> None:
    """Let a detector judge where none is named, here and in the window; bundled is the one that ships.

    Without a name it tells which one does now.

    Example: forensics models default bundled
    """
    from forensics_app.core.default_detector import current_default, make_default

    terminal, chosen = Terminal(json), current_default() if name is None else make_default(name)
    if json:
        terminal.record({"default": chosen})
    else:
        terminal.result(f"The default is {'now ' if name is not None else ''}{chosen}.")


@app.command("install")
def install_detector(
    source: Annotated[Path, typer.Argument(readable=False, help="A detector's folder, that of a run, or a zip.")],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Its name here; its card's, or a free one, if not given.")
    ] = None,
    json: Json = False,
) -> None:
    """Copy a detector into your user data folder, checked and whole, to use it by name.

    Example: forensics models install runs/first --name first
    """
    from forensics_app.core.detector_archive import install_any

    terminal, made = Terminal(json), install_any(source, name)
    if json:
        terminal.record({"name": made.folder.name, "id": made.id, "folder": made.folder})
    else:
        terminal.result(f"Installed as {made.folder.name}: {made.folder}", wrap=False)


@app.command("export")
def export_detector(
    name: Annotated[str, typer.Argument(help="An installed detector, or its folder.")],
    out: Annotated[Path, typer.Option(metavar="FILE", readable=False, help="The zip file to write.")],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a detector as one zip file, which 'models install' takes elsewhere.

    Example: forensics models export first --out first.zip
    """
    from forensics_app.core.detector_archive import pack

    terminal = Terminal(json, quiet)
    follow(pack(name, out), terminal, words=f"Packing {name}")
    if not json:
        terminal.result(f"Written: {out}", wrap=False)


@app.command("remove")
def remove_detector(
    name: Annotated[str, typer.Argument(help="One of your own detectors.")], json: Json = False
) -> None:
    """Remove one of your own detectors; the bundled one stays.

    Example: forensics models remove first
    """
    from forensics_app.core.default_detector import remove

    terminal, folder = Terminal(json), remove(name)
    if json:
        terminal.record({"removed": folder})
    else:
        terminal.result(f"Removed: {folder}", wrap=False)


def _table(found: list[Listed]) -> Table:
    from rich.table import Table
    from rich.text import Text

    from classifier.detector import DEFAULT
    from forensics_app.core.words import shown

    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("name", "network", "classes"):
        table.add_column(title, overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    for title in ("id", "balanced acc."):
        table.add_column(title, no_wrap=True)
    for one in found:
        name = f"{one.name} (default)" if one.default and one.name != DEFAULT else one.name
        cells = (name, one.arch, ", ".join(one.classes[:4]), f"{one.bytes / 2**20:.0f} MB", one.id)
        table.add_row(*(Text(shown(cell)) for cell in cells), Text(one.headline or "not measured"))
    return table


def _architectures(found: list[Architecture]) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("network", no_wrap=True)
    table.add_column("px", justify="right", no_wrap=True)
    for title in ("1000 classes", "2 classes", "stages"):
        table.add_column(title, justify="right", width=max(map(len, title.split())))
    table.add_column("map of", overflow="fold")
    table.add_column("ImageNet")
    for one in found:
        counts = (f"{count / 1e6:.1f} M" for count in (one.parameters_1000, one.parameters_2))
        layer = f"{one.cam_layer}{' *' * one.closed_form}"
        numbers = (str(one.size_px), *counts, str(len(one.stages)))
        table.add_row(one.name, *numbers, layer, "yes" if one.weights else "no")
    return table


def _broken(found: list[Listed]) -> Iterator[Padding]:
    from rich.padding import Padding
    from rich.text import Text

    from forensics_app.core.words import ICONS, shown

    for one in found:
        line = Text.assemble(f"{ICONS['error']} ", (shown(one.name), "bold"), f"  {shown(one.problem or '')}")
        yield Padding(line, (0, 2, 0, 0))
